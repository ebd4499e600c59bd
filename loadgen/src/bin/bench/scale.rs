//! Whether asking and ordering stay as cheap when there are very many orders: the same calls to a server with few and to one with many, in
//! turns, so that whatever else the machine does falls on both.

mod fill;

use crate::bench::{Bench, Found, median};
use crate::connection::Connection;
use crate::drive::{Journey, Plan, drive};
use crate::orders::{add, new_cart, order, stock_up};
use crate::server::{OPERATOR_TOKEN, Running};
use crate::table::{Budget, Percentiles, Ratio, Row};
use anyhow::{Context, Result, bail};
use fill::Store;
use std::time::{Duration, Instant};

/// Orders on the server that the other one is compared with.
const FEW: u32 = 1_000;
/// Many orders may cost so much more than few.
const AT_MOST: f64 = 1.5;
/// At once, where the slowest calls are looked at: enough that they meet, few enough that they do not only queue.
const CONNECTIONS: usize = 8;
/// Calls of each server before the next is measured.
const TURNS: usize = 10;

/// What is measured.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Call {
    AllOrders,
    OwnOrders,
    OneOrder,
    Board,
    Checkout,
}

impl Call {
    const ALL: [Self; 5] = [Self::AllOrders, Self::OwnOrders, Self::OneOrder, Self::Board, Self::Checkout];

    const fn name(self) -> &'static str {
        match self {
            Self::AllOrders => "order list, operator",
            Self::OwnOrders => "order list, owner",
            Self::OneOrder => "one order",
            Self::Board => "restaurant's board",
            Self::Checkout => "order call of a checkout",
        }
    }
}

/// One of them, again and again.
struct Caller {
    call: Call,
    number: usize,
    ids: Vec<String>,
}

impl Journey for Caller {
    async fn run(&mut self, connection: &mut Connection) -> Result<Option<Duration>> {
        self.number += 1;
        let path = match self.call {
            Call::AllOrders => "/api/orders".to_owned(),
            // As many as each owner has of few: the same page at any size.
            Call::OwnOrders => "/api/orders?limit=10".to_owned(),
            Call::OneOrder => format!("/api/orders/{}", self.ids[self.number % self.ids.len()]),
            Call::Board => format!("/api/restaurants/{}/orders", fill::RESTAURANT),
            Call::Checkout => {
                let cart = new_cart(connection).await?;
                add(connection, &cart, self.number).await?;
                let started = Instant::now();
                order(connection, &cart).await?;
                return Ok(Some(started.elapsed()));
            }
        };
        let started = Instant::now();
        let reply = connection.get(&path).await?.expect(200, self.call.name())?;
        let took = started.elapsed();
        // An empty list would be cheap at any size.
        if !reply.body.windows(fill::DRINK.len()).any(|window| window == fill::DRINK.as_bytes()) {
            bail!("{}: without any of the stored orders", self.call.name());
        }
        Ok(Some(took))
    }
}

/// A server with a number of orders.
struct Side {
    server: Running,
    ids: Vec<String>,
    rows: u32,
}

impl Side {
    async fn open(bench: &Bench, name: &str, postgres: Option<&str>, rows: u32) -> Result<Self> {
        let store = Store::new(&bench.out.join(format!("data-{name}")), postgres).await?;
        // The first start makes the tables.
        drop(Running::server_on(&bench.server, &bench.out, name, store.settings()).await?);
        let started = Instant::now();
        let ids = store.fill(rows).await?;
        eprintln!("    {rows} orders stored in {:.0} s", started.elapsed().as_secs_f64());
        let mut server = Running::server_on(&bench.server, &bench.out, name, store.settings()).await?;
        server.removes(store.data());
        let mut operator = server.connect().await?.operating(OPERATOR_TOKEN);
        stock_up(&mut operator).await?;
        Ok(Self { server, ids, rows })
    }

    fn caller(&self, call: Call, number: usize) -> Caller {
        Caller { call, number: number * 31, ids: self.ids.clone() }
    }

    async fn connect(&mut self, call: Call) -> Result<Connection> {
        let connection = self.server.connect().await?;
        Ok(match headers(call) {
            [(name, value)] => connection.with(name, value),
            _ => connection,
        })
    }

    /// The slowest hundredth of calls that meet, in ms.
    async fn crowded(&self, bench: &Bench, call: Call, found: &mut Found, name: &str) -> Result<f64> {
        let plan = Plan { headers: headers(call), cookies: false, ..bench.plan(CONNECTIONS) };
        let load = drive(self.server.id(), self.server.address, plan, |number| self.caller(call, number)).await?;
        for (what, count) in &load.errors {
            found.faults.push(format!("{name}, {} orders: {count} × {what}", self.rows));
        }
        Ok(Percentiles::of(&load.single).p99)
    }
}

/// Who asks.
const fn headers(call: Call) -> &'static [(&'static str, &'static str)] {
    match call {
        Call::AllOrders | Call::Board | Call::OneOrder => &[("authorization", "Bearer operator-token-of-a-bench")],
        Call::OwnOrders => &[("cookie", fill::OWNER_COOKIE)],
        Call::Checkout => &[],
    }
}

/// On SQLite, or on PostgreSQL when its address is given.
///
/// # Errors
/// A server does not start, or a database cannot be filled.
pub async fn measure(bench: &Bench, postgres: Option<&str>, rows: u32) -> Result<Found> {
    let backend = if postgres.is_some() { "PostgreSQL" } else { "SQLite" };
    let name = |size: &str| format!("scale-{}-{size}", backend.to_lowercase());
    let mut few = Side::open(bench, &name("few"), postgres, FEW).await?;
    let mut many = Side::open(bench, &name("many"), postgres, rows).await?;
    let mut found = Found::default();
    for call in Call::ALL {
        let name = format!("{}, {backend}", call.name());
        let (a, b) = in_turns(bench, call, &mut few, &mut many).await.with_context(|| name.clone())?;
        found.rows.push(row(format!("{name}: median"), None, a, b, rows));
        let a = few.crowded(bench, call, &mut found, &name).await?;
        let b = many.crowded(bench, call, &mut found, &name).await?;
        found.rows.push(row(format!("{name}: p99"), Some(CONNECTIONS), a, b, rows));
    }
    Ok(found)
}

fn row(name: String, connections: Option<usize>, few_ms: f64, many_ms: f64, rows: u32) -> Row {
    let value = many_ms / few_ms;
    let row = Row { connections, ratio: Some(Ratio { value, to: format!("{FEW} orders") }), ..Row::new(name, many_ms, "ms") };
    row.budget(Budget::at_most(value, AT_MOST, " of few")).note(format!("{few_ms:.3} ms with {FEW} orders, {many_ms:.3} ms with {rows}"))
}

/// Medians of calls one after the other, in ms: of few and of many.
async fn in_turns(bench: &Bench, call: Call, few: &mut Side, many: &mut Side) -> Result<(f64, f64)> {
    let mut sides =
        [(few.connect(call).await?, few.caller(call, 1), Vec::new()), (many.connect(call).await?, many.caller(call, 1), Vec::new())];
    // The first turn warms up.
    for turn in 0..=bench.times(100, 20) {
        for (connection, caller, times) in &mut sides {
            for _ in 0..TURNS {
                let took = caller.run(connection).await?.context("a call without a time")?;
                if turn > 0 {
                    times.push(took.as_secs_f64() * 1e3);
                }
            }
        }
    }
    let [(.., few), (.., many)] = sides;
    Ok((median(few)?, median(many)?))
}
