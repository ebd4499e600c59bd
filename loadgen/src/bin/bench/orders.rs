//! Carts and orders, from one to many connections, and whether every order that was accepted is there afterwards.

use crate::bench::{Bench, CONNECTIONS, Found};
use crate::connection::Connection;
use crate::drive::{Journey, drive};
use crate::server::{OPERATOR_TOKEN, Running};
use crate::table::{Budget, Percentiles, Row};
use anyhow::{Context, Result, bail};
use serde::Deserialize;
use std::collections::HashSet;
use std::time::{Duration, Instant};

/// What the coffee bar sells.
pub const DRINKS: [&str; 8] = [
    "nebula-latte",
    "supernova-espresso",
    "galaxy-mocha",
    "asteroid-americano",
    "lunar-cappuccino",
    "starlight-frappe",
    "comet-cold-brew",
    "rocket-fuel",
];

/// Nobody drinks that much in ten seconds.
const DEEP_STOCK: u64 = 100_000_000;

/// The largest page of the order list.
const PAGE: usize = 200;

/// Longer than any drain that anybody would accept.
const DRAIN_DEADLINE: Duration = Duration::from_secs(120);
const DRAIN_LOOK_EVERY: Duration = Duration::from_millis(5);

pub fn line(drink: usize) -> Vec<u8> {
    format!(r#"{{"itemId":"{}","quantity":1}}"#, DRINKS[drink % DRINKS.len()]).into_bytes()
}

/// # Errors
/// The cart service did not answer 201.
pub async fn new_cart(connection: &mut Connection) -> Result<String> {
    connection.send("POST", "/api/cart", b"").await?.expect(201, "create cart")?.id()
}

/// # Errors
/// The cart service did not answer 200.
pub async fn add(connection: &mut Connection, cart: &str, drink: usize) -> Result<()> {
    connection.send("POST", &format!("/api/cart/{cart}/items"), &line(drink)).await?.expect(200, "add to cart")?;
    Ok(())
}

/// Answers the order's id.
///
/// # Errors
/// The order service did not answer 201.
pub async fn order(connection: &mut Connection, cart: &str) -> Result<String> {
    let body = format!(r#"{{"customerName":"Ada Bench","cartId":"{cart}"}}"#);
    connection.send("POST", "/api/orders", body.as_bytes()).await?.expect(201, "order")?.id()
}

/// A cart and one thing in it.
struct CartAndAdd(usize);

impl Journey for CartAndAdd {
    async fn run(&mut self, connection: &mut Connection) -> Result<Option<Duration>> {
        let cart = new_cart(connection).await?;
        self.0 += 1;
        add(connection, &cart, self.0).await?;
        Ok(None)
    }
}

pub async fn cart_and_add(bench: &Bench) -> Result<Found> {
    let server = bench.start("cart-add").await?;
    let load = drive(server.id(), server.address, bench.plan(CONNECTIONS), CartAndAdd).await?;
    let row = Row::of_load("cart + add", CONNECTIONS, &load);
    let rate = row.value;
    let mut found = Found::default();
    found.add(row.budget(Budget::at_least(rate, 8_000.0, "/s")), &load);
    Ok(found)
}

/// A cart, two lines, an order.
pub struct Checkout {
    drink: usize,
    accepted: Vec<String>,
    /// Of the last order.
    cart: String,
}

impl Checkout {
    pub const fn new(drink: usize) -> Self {
        Self { drink, accepted: Vec::new(), cart: String::new() }
    }

    /// Every order that was answered 201.
    pub fn accepted(&self) -> &[String] {
        &self.accepted
    }

    /// Of the last order; empty before it.
    pub fn cart(&self) -> &str {
        &self.cart
    }
}

impl Journey for Checkout {
    async fn run(&mut self, connection: &mut Connection) -> Result<Option<Duration>> {
        let cart = new_cart(connection).await?;
        add(connection, &cart, self.drink).await?;
        add(connection, &cart, self.drink + 3).await?;
        self.drink += 1;
        let started = Instant::now();
        let id = order(connection, &cart).await?;
        let took = started.elapsed();
        self.accepted.push(id);
        self.cart = cart;
        Ok(Some(took))
    }
}

pub async fn checkout(bench: &Bench, connections: usize) -> Result<Found> {
    let name = format!("checkout-{connections}");
    let mut server = bench.start(&name).await?;
    let mut operator = server.connect().await?.operating(OPERATOR_TOKEN);
    stock_up(&mut operator).await?;
    let plan = bench.plan(connections);
    let load = drive(server.id(), server.address, plan, Checkout::new).await?;
    let accepted: HashSet<&str> = load.journeys.iter().flat_map(|journey| &journey.accepted).map(String::as_str).collect();

    let left = accepted.len().saturating_sub(carts_cleared(&mut operator).await?);
    let drained = drain(&mut server, load.journeys.iter().map(Checkout::cart)).await?;
    let memory = crate::processes::memory(server.id(), "VmHWM")?;
    let (book, missing) = compare(&mut operator, &accepted).await?;

    let times = Percentiles::of(&load.whole);
    let row = Row::of_load("two-line checkout", connections, &load);
    let rate = row.value;
    let row = match connections {
        CONNECTIONS => row.budget(Budget::at_least(rate, 2_500.0, "/s")).budget(Budget::at_most(times.p99, 40.0, " ms").of("p99")),
        _ => row,
    };
    let row = row
        .note(format!("{} orders accepted, {book} in the book, {missing} missing", accepted.len()))
        .note(format!("{left} carts were waiting to be cleared at the end; {} MB at its highest", memory / 1_000_000));
    let mut found = Found::default();
    found.add(row, &load);
    let beside = |name: &str, value: f64, unit: &'static str| Row { connections: Some(connections), ..Row::new(name, value, unit) };
    found.rows.push(Row { percentiles_ms: Some(Percentiles::of(&load.single)), ..beside("- its order call", rate, "/s") });
    found.rows.push(beside("- drain behind it", drained.as_secs_f64(), "s"));
    if missing > 0 {
        found.faults.push(format!("{name}: {missing} accepted orders are lost"));
    }
    // An order whose reply was an error may be in the book; without any error, each was answered 201 once.
    if load.errors.is_empty() && book > accepted.len() {
        found.faults.push(format!("{name}: {} orders in the book that nobody was told of", book - accepted.len()));
    }
    Ok(found)
}

/// Checkouts a second, and whatever went wrong meanwhile.
///
/// # Errors
/// The server cannot be asked.
pub async fn checkout_rate(bench: &Bench, server: &mut Running, faults: &mut Vec<String>) -> Result<f64> {
    stock_up(&mut server.connect().await?.operating(OPERATOR_TOKEN)).await?;
    let plan = bench.plan(CONNECTIONS);
    let load = drive(server.id(), server.address, plan, Checkout::new).await?;
    faults.extend(load.errors.iter().map(|(what, count)| format!("checkout: {count} × {what}")));
    Ok(load.per_second())
}

/// Sets the stock so high that nothing runs out and nothing is filled up.
///
/// # Errors
/// The menu service did not answer 200.
pub async fn stock_up(operator: &mut Connection) -> Result<()> {
    for drink in DRINKS {
        let body = format!(r#"{{"stock":{DEEP_STOCK}}}"#);
        operator.send("PUT", &format!("/api/inventory/{drink}"), body.as_bytes()).await?.expect(200, "set stock")?;
    }
    Ok(())
}

/// How many carts the events behind orders have removed so far.
async fn carts_cleared(operator: &mut Connection) -> Result<usize> {
    let reply = operator.get("/metrics").await?.expect(200, "/metrics")?;
    let text = String::from_utf8_lossy(reply.body);
    let counts =
        text.lines().filter(|line| line.starts_with("feast_carts_cleared")).filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok());
    Ok(counts.sum::<f64>() as usize)
}

/// Waits until the carts of the last orders are gone: the events behind orders go in order, so that then all are through.
///
/// # Errors
/// They are not within two minutes.
pub async fn drain(server: &mut Running, carts: impl Iterator<Item = &str>) -> Result<Duration> {
    let started = Instant::now();
    let mut connection = server.connect().await?;
    for cart in carts.filter(|cart| !cart.is_empty()) {
        let path = format!("/api/cart/{cart}");
        while connection.get(&path).await?.status != 404 {
            if started.elapsed() > DRAIN_DEADLINE {
                bail!("the events behind the orders were not through after {} s", DRAIN_DEADLINE.as_secs());
            }
            tokio::time::sleep(DRAIN_LOOK_EVERY).await;
        }
    }
    Ok(started.elapsed())
}

#[derive(Deserialize)]
struct Listed {
    id: String,
}

/// How many orders the book has, and how many of the accepted ones it has not.
///
/// # Errors
/// The book cannot be read.
pub async fn compare(operator: &mut Connection, accepted: &HashSet<&str>) -> Result<(usize, usize)> {
    let mut path = format!("/api/orders?limit={PAGE}");
    let (mut book, mut known) = (0, 0);
    loop {
        let reply = operator.get(&path).await?.expect(200, "/api/orders")?;
        let page: Vec<Listed> = serde_json::from_slice(reply.body).context("the order list is not one")?;
        book += page.len();
        known += page.iter().filter(|order| accepted.contains(order.id.as_str())).count();
        match reply.header("link").and_then(|link| link.strip_prefix('<')?.split_once('>')) {
            Some((next, _)) => path = next.to_owned(),
            None => return Ok((book, accepted.len() - known)),
        }
    }
}
