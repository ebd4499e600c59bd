use super::*;
use contract::event::{Event, Fact, OrderFact};
use contract::ledger::LedgerPage;
use middleware::store::Copier;
use runtime::args;
use runtime::events::Events;
use runtime::store::sql::{Apply, Connection, Database, GroupCommit, Schema};
use std::time::Duration;
use testkit::{MORNING, RedisServer, eventually};

const DEADLINE: Duration = Duration::from_secs(20);

/// Stock as the shelves say, and as the journal adds up.
fn stock(page: &LedgerPage) -> (i64, i64) {
    (page.total("stock"), page.total("movements"))
}

#[tokio::test]
async fn shelves_and_journal_agree_and_a_planted_movement_is_seen_in_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    shelves_and_journal_agree(&format!("sqlite:{}/middleware.db", folder.path().display())).await;
}

#[tokio::test]
async fn shelves_and_journal_agree_and_a_planted_movement_is_seen_in_postgres() {
    shelves_and_journal_agree(&testkit::postgres_database().await).await;
}

async fn shelves_and_journal_agree(url: &str) {
    let counter = Counter::with(Settings { database_url: Some(url.to_owned()), seed: Some(1), ..Settings::default() }).await;
    counter.client.reserve(&reserve("o1", vec![line("latte", 3, 599), line("tea", 2, 399)])).await.unwrap();
    counter.client.reserve(&reserve("o2", vec![line("latte", 4, 599)])).await.unwrap();
    counter.client.release(&OrderId::new("o2")).await.unwrap();
    let page = counter.client.ledger().await.unwrap();
    assert_eq!(stock(&page).0, stock(&page).1);
    assert_eq!((page.total("sold_units"), page.total("released_units"), page.total("negative_items")), (9, 4, 0));
    assert_eq!((page.recent("sold_units"), page.recent("released_units")), (9, 4));

    let database = Database::open(url, "middleware", &middleware::store::SCHEMA).await.unwrap();
    let planted = "INSERT INTO movements (item_id, kind, quantity, order_id, at_ms) VALUES ('latte', 'release', 1, NULL, 0)";
    database.run(planted, args![]).await.unwrap();
    let page = counter.client.ledger().await.unwrap();
    assert_ne!(stock(&page).0, stock(&page).1);
    database.run("DELETE FROM movements WHERE at_ms = 0", args![]).await.unwrap();
    let page = counter.client.ledger().await.unwrap();
    assert_eq!(stock(&page).0, stock(&page).1);
}

#[tokio::test]
async fn the_journal_of_shared_stock_is_copied_and_each_movement_once() {
    let redis = RedisServer::start();
    let memory = || Some("sqlite::memory:".to_owned());
    let counter =
        Counter::with(Settings { redis_url: Some(redis.url()), database_url: memory(), seed: Some(1), ..Settings::default() }).await;
    for order in 0..5 {
        counter.client.reserve(&reserve(&format!("o{order}"), vec![line("latte", 2, 599), line("tea", 1, 399)])).await.unwrap();
    }
    counter.client.release(&OrderId::new("o3")).await.unwrap();
    let agree = || async {
        let page = counter.client.ledger().await.unwrap();
        stock(&page).0 == stock(&page).1 && page.total("sold_units") == 15 && page.total("released_units") == 3
    };
    eventually("the copy catches up", DEADLINE, agree).await;
    // Two at once, from the same place.
    let database = Database::in_memory("copy", &middleware::store::SCHEMA).await.unwrap();
    let shared = redis.connect().await;
    let (one, other) = (Copier::new(shared.clone(), database.clone()), Copier::new(shared, database.clone()));
    let (first, second) = tokio::join!(one.copy(), other.copy());
    first.unwrap();
    second.unwrap();
    let sum = database.one("SELECT CAST(SUM(quantity) AS BIGINT) FROM movements WHERE kind = 'take'", args![]).await.unwrap();
    assert_eq!(sum.int(0).unwrap(), -15);
}

/// Writes events into an outbox, as the order service does.
struct Tell;

#[async_trait::async_trait]
impl Apply for Tell {
    type Job = Event;
    type Done = ();

    async fn apply(&self, transaction: &mut Connection<'_>, jobs: &[Event]) -> Result<Vec<()>, sqlx::Error> {
        runtime::events::append(transaction, jobs).await?;
        Ok(vec![(); jobs.len()])
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_algorithm_earns_what_its_orders_were_paid() {
    let counter = Counter::open().await;
    let database = Database::in_memory("order", &Schema { sqlite: &[], postgres: &[] }).await.unwrap();
    let events = Events::start(&counter.platform, "order", &database).await.unwrap();
    let outbox = GroupCommit::start(&database, Tell);
    for (order, cents, version) in [("o1", 1_000, Some("v1")), ("o2", 500, Some("v2")), ("o3", 2_000, None)] {
        let fact = OrderFact {
            total: Money::from_cents(cents),
            units: 1,
            customer_name: "Ada".to_owned(),
            user: None,
            payment_method: "card".to_owned(),
            pricing: version.map(str::to_owned),
            restaurant_name: "Cosmic Coffee".to_owned(),
            lines: Vec::new(),
            from: Location::default(),
            to: Location::default(),
            refund: false,
            reason: None,
        };
        outbox.submit(Event::new(order.into(), "cosmic-coffee".into(), "Berlin", MORNING, Fact::OrderPaid(fact))).await.unwrap();
        events.wake();
    }
    let earned = || async {
        let variants = as_operator(counter.client.pricing_variants()).await.unwrap();
        let sums: Vec<_> =
            variants.iter().map(|v| (v.variant.as_str(), v.orders, v.revenue.cents(), v.revenue_per_order.cents())).collect();
        sums == [("v1", 2, 3_000, 1_500), ("v2", 1, 500, 500)]
    };
    eventually("both are told", DEADLINE, earned).await;
}

#[tokio::test]
async fn a_reset_forgets_stock_and_promotions_and_only_operators_may() {
    let redis = RedisServer::start();
    let memory = || Some("sqlite::memory:".to_owned());
    let shared = Settings { redis_url: Some(redis.url()), database_url: memory(), seed: Some(1), ..Settings::default() };
    for counter in [Counter::open().await, Counter::with(shared).await] {
        counter.client.reserve(&reserve("o1", vec![line("latte", 2, 599)])).await.unwrap();
        let says = |code: &str| contract::pricing::Promotion {
            code: code.to_owned(),
            says: "changed".to_owned(),
            gives: contract::pricing::Gift::FreeDelivery,
            minimum: Money::default(),
            ends_at: None,
            active: true,
        };
        for code in ["WELCOME10", "MINE"] {
            as_operator(counter.client.put_promotion(&says(code))).await.unwrap();
        }
        assert!(counter.client.upkeep().reset().await.is_err());
        assert_eq!(counter.client.inventory().await.unwrap().len(), 1);
        as_operator(counter.client.upkeep().reset()).await.unwrap();
        assert!(counter.client.inventory().await.unwrap().is_empty());
        let page = counter.client.ledger().await.unwrap();
        assert_eq!((stock(&page), page.total("sold_units")), ((0, 0), 0));
        let promotions = as_operator(counter.client.promotions()).await.unwrap();
        assert!(promotions.len() == 4 && promotions.iter().all(|promotion| promotion.says != "changed"));
        // The shop is open again.
        counter.client.reserve(&reserve("o2", vec![line("latte", 2, 599)])).await.unwrap();
    }
}

#[tokio::test]
async fn old_reservations_are_forgotten_by_and_by_and_not_at_a_start() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}/middleware.db", folder.path().display());
    let database = Database::open(&url, "middleware", &middleware::store::SCHEMA).await.unwrap();
    let plant = "INSERT INTO reservations (order_id, state, document, at_ms) VALUES ('old', 'released', '', 1)";
    database.run(plant, args![]).await.unwrap();
    let counter = Counter::with(Settings { database_url: Some(url), seed: Some(1), ..Settings::default() }).await;
    counter.client.reserve(&reserve("young", vec![line("latte", 3, 599)])).await.unwrap();
    counter.client.confirm(vec![OrderId::new("young")]).await.unwrap();
    let number = async |sql: &'static str| database.one(sql, args![]).await.unwrap().int(0).unwrap();
    let runs = "SELECT COUNT(*) FROM jobs WHERE name = 'middleware/forget-reservations' AND outcome = 'done'";
    eventually("it was looked for old ones", DEADLINE, async || number(runs).await == 1).await;
    let kept = "SELECT COUNT(*) FROM reservations";
    assert_eq!(number(kept).await, 2, "an order may be given up late, after a long stop");
    counter.clock.advance(Duration::from_secs(3_600));
    eventually("the old one is forgotten", DEADLINE, async || number(kept).await == 1).await;
    // The books are as they were, and the young one can still be given back.
    counter.client.release(&OrderId::new("young")).await.unwrap();
    let page = counter.client.ledger().await.unwrap();
    assert_eq!(stock(&page).0, stock(&page).1);
    assert_eq!((page.total("sold_units"), page.total("released_units")), (3, 3));
}

#[tokio::test]
async fn a_reset_leaves_books_that_balance_on_every_backend() {
    for counter in counters().await {
        counter.client.reserve(&reserve("o1", vec![line("latte", 3, 599)])).await.unwrap();
        let settled = async || {
            let page = counter.client.ledger().await.unwrap();
            stock(&page).0 == stock(&page).1
        };
        eventually("the copy catches up", DEADLINE, async || {
            settled().await && counter.client.ledger().await.unwrap().total("sold_units") == 3
        })
        .await;
        as_operator(counter.client.upkeep().reset()).await.unwrap();
        let page = counter.client.ledger().await.unwrap();
        assert_eq!((stock(&page), page.total("sold_units"), page.total("released_units")), ((0, 0), 0, 0));
        counter.client.reserve(&reserve("o2", vec![line("tea", 2, 399)])).await.unwrap();
        eventually("what is sold now is copied", DEADLINE, async || {
            settled().await && counter.client.ledger().await.unwrap().total("sold_units") == 2
        })
        .await;
    }
}
