//! Customers order while processes are killed, Redis stands still and PostgreSQL begins anew: afterwards every accepted order is there,
//! once, and the ledger balances.
//!
//! The whole suite runs it short. `cargo xtask chaos` runs it long: FEAST_STORM_SECONDS, FEAST_STORM_USERS and FEAST_STORM_SEED say how. What
//! is left to chance follows from the seed, so that a storm can be repeated; how the machine interleaves it cannot.

use crate::harness::{Answer, Mode, Options, Platform, run};
use futures::future::join_all;
use runtime::chance::Chance;
use serde_json::{Value, json};
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};
use testkit::PostgresServer;

/// When nothing happens any more, the books must agree within this time: 30 s in which facts may be on their way, and what
/// restarted processes need to take up their work.
const SETTLES_WITHIN: Duration = Duration::from_secs(60);

/// The last courier is home by then.
const ENDS_WITHIN: Duration = Duration::from_secs(120);

/// A storm that reaches none of its marks within this time is a failure of its own.
const LASTS_AT_MOST: Duration = Duration::from_secs(240);

/// Between two attempts of a customer whose order was not answered.
const AGAIN_AFTER: Duration = Duration::from_millis(150);

#[derive(Clone, Debug)]
struct Storm {
    seed: u64,
    users: usize,
    lasts: Duration,
    accepts: usize,
    kill_every: Duration,
    /// Killed in this order first, then by chance.
    kills: Vec<&'static str>,
    redis_stands: Duration,
    /// A ledger that is out of balance once is out of balance: nothing was killed that could be late.
    strict: bool,
}

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} is a number, not {text:?}")))
}

impl Storm {
    /// Short by default, long when the environment says so.
    fn new(kills: &[&'static str]) -> Self {
        let long = setting("FEAST_STORM_SECONDS");
        Self {
            seed: setting("FEAST_STORM_SEED").unwrap_or(1),
            users: setting("FEAST_STORM_USERS").map_or(20, |users| usize::try_from(users).unwrap()),
            lasts: Duration::from_secs(long.unwrap_or(6)),
            accepts: 300,
            kill_every: if long.is_some() { Duration::from_secs(3) } else { Duration::from_millis(1_500) },
            kills: kills.to_vec(),
            strict: false,
            redis_stands: if long.is_some() { Duration::from_secs(5) } else { Duration::from_secs(2) },
        }
    }
}

#[test]
fn nine_processes_on_redis_and_postgres_lose_and_double_nothing() {
    let postgres = RefCell::new(PostgresServer::start());
    let url = runtime().block_on(postgres.borrow().database());
    let storm = Storm::new(&["order", "payment", "middleware"]);
    run(Mode::Split, Options { database_url: Some(url), ..Options::default() }, async |platform| {
        rage(platform, &storm, Some(&postgres)).await.unwrap_or_else(|why| panic!("{storm:?}: {why}"));
    });
}

#[test]
fn one_process_on_its_file_loses_and_doubles_nothing() {
    let storm = Storm::new(&["server", "server", "server"]);
    run(Mode::Embedded, Options::default(), async |platform| {
        rage(platform, &storm, None).await.unwrap_or_else(|why| panic!("{storm:?}: {why}"));
    });
}

#[test]
fn without_deduplication_of_events_the_storm_is_noticed() {
    let storm = Storm { accepts: 20, kills: Vec::new(), lasts: Duration::from_secs(1), users: 5, strict: true, ..Storm::new(&[]) };
    let options = Options { settings: vec![("FEAST_SELF_TEST", "without-inbox".to_owned())], ..Options::default() };
    run(Mode::Embedded, options, async |platform| {
        let noticed = rage(platform, &storm, None).await.expect_err("the books agree although events were applied twice");
        assert!(noticed.contains("pricing"), "{noticed}");
    });
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// What the customers know.
#[derive(Default)]
struct Known {
    /// Orders that were answered with 201, by their key.
    accepted: RefCell<BTreeMap<String, Value>>,
    over: Cell<bool>,
}

async fn rage(platform: &Platform, storm: &Storm, postgres: Option<&RefCell<PostgresServer>>) -> Result<(), String> {
    let known = Known::default();
    platform.flip("events-lag", "twice").await;
    let customers = join_all((0..storm.users).map(|user| customer(platform, storm, user, &known)));
    let (outcomes, ()) = futures::join!(customers, weather(platform, storm, postgres, &known));
    outcomes.into_iter().collect::<Result<Vec<()>, String>>()?;
    let accepted = known.accepted.into_inner();
    if accepted.len() < storm.accepts {
        return Err(format!("only {} orders were accepted", accepted.len()));
    }
    settled(platform, storm.strict).await?;
    compare(platform, &accepted).await
}

/// Kills and pauses, one after the other, until the storm has lasted and enough orders were accepted.
async fn weather(platform: &Platform, storm: &Storm, postgres: Option<&RefCell<PostgresServer>>, known: &Known) {
    let chance = Chance::seeded(storm.seed);
    let began = Instant::now();
    let services = if platform.mode == Mode::Split { crate::harness::SERVICES.to_vec() } else { vec!["server"] };
    let mut planned = storm.kills.iter().copied();
    let (mut redis, mut database) = (platform.mode == Mode::Split, postgres);
    let raging = !storm.kills.is_empty();
    loop {
        tokio::time::sleep(storm.kill_every).await;
        let enough = began.elapsed() >= storm.lasts && known.accepted.borrow().len() >= storm.accepts;
        assert!(began.elapsed() < LASTS_AT_MOST, "{} orders in {LASTS_AT_MOST:?}", known.accepted.borrow().len());
        let next = planned.next();
        if next.is_none() && !redis && database.is_none() && enough {
            break;
        }
        if !raging {
            continue;
        }
        // First what is planned, then PostgreSQL, then Redis, then whoever chance picks.
        if let Some(service) = next {
            platform.kill(service);
            platform.restart(service).await;
        } else if let Some(postgres) = database.take() {
            // The customers' side stands still for the second it takes; the services do not.
            postgres.borrow_mut().kill();
            postgres.borrow_mut().restart();
        } else if std::mem::take(&mut redis) {
            platform.hang_redis();
            tokio::time::sleep(storm.redis_stands).await;
            platform.redis_goes_on();
        } else {
            let any = usize::try_from(chance.range(0..=i64::try_from(services.len()).unwrap() - 1)).unwrap();
            platform.kill(services[any]);
            platform.restart(services[any]).await;
        }
    }
    known.over.set(true);
}

/// Orders until the storm is over, and never gives up an order it began: until it is told yes or no, the same key again.
async fn customer(platform: &Platform, storm: &Storm, user: usize, known: &Known) -> Result<(), String> {
    let chance = Chance::seeded(storm.seed.wrapping_mul(1_000_003).wrapping_add(user as u64));
    let below = |n: i64| usize::try_from(chance.range(0..=n - 1)).unwrap();
    const DRINKS: [&str; 4] = ["nebula-latte", "galaxy-mocha", "supernova-espresso", "comet-cold-brew"];
    const PAYS_WITH: [&str; 8] = ["card", "card", "wallet", "card", "card", "card-declined", "card", "wallet"];
    let mut number = 0;
    while !known.over.get() {
        number += 1;
        let key = format!("storm-{user}-{number}");
        let items: BTreeSet<&str> = (0..1 + below(2)).map(|_| DRINKS[below(4)]).collect();
        let quantity = 1 + below(3);
        let (pays_with, cancels) = (PAYS_WITH[below(8)], chance.percent(5.0));
        let Some(cart) = fill(platform, &items, quantity).await else { continue };
        let body = json!({"customerName": format!("Customer {user}"), "cartId": cart, "paymentMethod": pays_with});
        let Some(order) = place(platform, &key, &body).await? else { continue };
        let id = order["id"].as_str().ok_or("an order without an id")?.to_owned();
        if let Some(other) = known.accepted.borrow_mut().insert(key.clone(), order)
            && other["id"] != id.as_str()
        {
            return Err(format!("{key} made two orders"));
        }
        if cancels {
            // May come too late, or not arrive at all: both are fine.
            let _ = platform.http.ask("POST", &format!("/api/orders/{id}/cancel")).operator().try_send().await;
        }
    }
    Ok(())
}

/// A cart with these; `None` when the storm took it.
async fn fill(platform: &Platform, items: &BTreeSet<&str>, quantity: usize) -> Option<String> {
    let ok = |answer: Result<Answer, _>| answer.ok().filter(|answer: &Answer| answer.status < 300);
    let Some(cart) = ok(platform.http.ask("POST", "/api/cart").try_send().await) else {
        tokio::time::sleep(AGAIN_AFTER).await;
        return None;
    };
    let cart = cart.json()["id"].as_str()?.to_owned();
    for item in items {
        ok(platform.add(&cart, item, u32::try_from(quantity).ok()?).try_send().await)?;
    }
    Some(cart)
}

/// Yes with the order, or no.
async fn place(platform: &Platform, key: &str, body: &Value) -> Result<Option<Value>, String> {
    let began = Instant::now();
    loop {
        match platform.http.post("/api/orders", body.clone()).key(key).try_send().await {
            Ok(answer) => match answer.status {
                201 | 200 => return Ok(Some(answer.json())),
                404 => return Ok(None),
                409 if answer.body.contains("IDEMPOTENCY_IN_FLIGHT") => {}
                409 => return Ok(None),
                429 | 502..=504 => {}
                other => return Err(format!("{key} was answered {other}: {}", answer.body)),
            },
            Err(_) if platform.mode == Mode::Embedded => {}
            Err(error) => return Err(format!("the gateway, which nobody killed, did not answer: {error}")),
        }
        if began.elapsed() > LASTS_AT_MOST {
            return Err(format!("{key} was told neither yes nor no"));
        }
        tokio::time::sleep(AGAIN_AFTER).await;
    }
}

/// Waits until every order has ended and the ledger is exact.
async fn settled(platform: &Platform, strict: bool) -> Result<(), String> {
    let ended = |order: &Value| matches!(order["status"].as_str(), Some("delivered" | "cancelled" | "rejected" | "paymentFailed"));
    let began = Instant::now();
    loop {
        let open: Vec<Value> = platform.orders().await.into_iter().filter(|order| !ended(order)).collect();
        if open.is_empty() {
            break;
        }
        if began.elapsed() > ENDS_WITHIN {
            return Err(format!("{} orders are stuck, such as {}", open.len(), open[0]));
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    let began = Instant::now();
    loop {
        let answer = platform.http.get("/api/ledger").operator().send().await;
        let ledger = answer.json();
        if answer.status == 200 && ledger["balanced"] == true && ledger["settled"] == true {
            return Ok(());
        }
        if began.elapsed() > SETTLES_WITHIN || (strict && ledger["balanced"] == false) {
            let wrong: Vec<&Value> =
                ledger["checks"].as_array().into_iter().flatten().filter(|check| check["left"] != check["right"]).collect();
            return Err(format!("the ledger does not balance: {wrong:?}; open: {}", ledger["open"]));
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
}

/// What the customers know against what there is.
async fn compare(platform: &Platform, accepted: &BTreeMap<String, Value>) -> Result<(), String> {
    let id = |order: &Value| order["id"].as_str().unwrap_or_default().to_owned();
    let stored: Vec<Value> = platform.orders().await;
    let ids: BTreeSet<String> = stored.iter().map(id).collect();
    if ids.len() != stored.len() {
        return Err("the list of orders shows one twice".to_owned());
    }
    let known: BTreeSet<String> = accepted.values().map(id).collect();
    if known.len() != accepted.len() {
        return Err("two keys were answered with one order".to_owned());
    }
    if let Some(lost) = known.difference(&ids).next() {
        return Err(format!("order {lost} was accepted and is lost"));
    }
    if let Some(ghost) = ids.difference(&known).next() {
        return Err(format!("nobody was told of order {ghost}"));
    }
    for order in accepted.values() {
        let now = stored.iter().find(|stored| stored["id"] == order["id"]).ok_or("an order vanished")?;
        if now["items"] != order["items"] || now["totalPrice"] != order["totalPrice"] {
            return Err(format!("order {} is not what was accepted: {now}", order["id"]));
        }
    }
    let stocks = platform.stocks().await;
    match stocks.as_array().into_iter().flatten().find(|level| level["currentStock"].as_i64().is_none_or(|level| level < 0)) {
        Some(negative) => Err(format!("stock is negative: {negative}")),
        None => Ok(()),
    }
}
