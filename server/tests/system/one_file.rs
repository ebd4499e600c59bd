//! `DATABASE_URL=sqlite:PATH` on the whole platform in one process: an order arrives, and is there after a crash.

use crate::harness::{LATTE, Mode, Options, run};
use std::time::Duration;
use testkit::eventually;

/// Cooked and ridden by autopilots, that takes about 25 s.
const ARRIVES_WITHIN: Duration = Duration::from_secs(120);

#[test]
fn one_database_file_serves_all_services() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("feast.db");
    let settings = vec![("DATABASE_URL", format!("sqlite:{}", file.display()))];
    run(Mode::Embedded, Options { settings, ..Options::default() }, async |platform| {
        let cart = platform.cart_with(&[(LATTE, 2)]).await;
        let order = platform.order(&cart).send().await.expect(201);
        platform.kill("order");
        platform.restart("order").await;
        let path = format!("/api/orders/{}", order["id"].as_str().unwrap());
        eventually("the order is delivered", ARRIVES_WITHIN, async || {
            platform.http.get(&path).operator().send().await.expect(200)["status"] == "delivered"
        })
        .await;
        let ledger = platform.http.get("/api/ledger").operator().send().await.expect(200);
        assert_eq!(ledger["balanced"], true, "{ledger}");
    });
    for service in ["menu", "middleware", "order", "user", "payment", "delivery", "notification"] {
        assert!(folder.path().join(format!("feast-{service}.db")).is_file(), "{service} has no file of its own");
    }
}
