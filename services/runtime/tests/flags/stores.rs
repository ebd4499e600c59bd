//! Faults of stores, through the guard that stands in front of every one of them, whatever it is made of.

use super::*;
use runtime::store::{StoreError, StoreGuard};
use tokio::time::Instant;

const BACKENDS: [&str; 4] = ["memory", "redis", "sqlite", "postgresql"];

fn guard(control: &FlagControl, service: &'static str, backend: &'static str) -> StoreGuard {
    StoreGuard::new(service, "orders", backend, chaos(control, service), &meter())
}

async fn ask(guard: &StoreGuard) -> Result<(), StoreError> {
    guard.run("find", async { Ok(()) }).await
}

#[tokio::test]
async fn a_flaky_store_fails_at_the_chosen_rate_on_every_backend() {
    for backend in BACKENDS {
        let (control, _) = control();
        let store = guard(&control, "order", backend);
        define(&control, "store-flaky", &serde_json::json!({"enabled": true, "errorRate": 20}));
        let mut failed = 0;
        for _ in 0..1_000 {
            failed += u32::from(ask(&store).await.is_err());
        }
        assert!((150..250).contains(&failed), "{backend}: {failed}");
        control.replace_definitions(runtime::flags::BUILT_IN).unwrap();
        for _ in 0..100 {
            ask(&store).await.unwrap();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn with_one_connection_left_operations_wait_for_each_other_on_every_backend() {
    for backend in BACKENDS {
        let (control, _) = control();
        let store = guard(&control, "order", backend);
        flip(&control, "db-pool-exhaustion", "one-left");
        let started = Instant::now();
        let (first, second, third) = tokio::join!(ask(&store), ask(&store), ask(&store));
        assert!(first.is_ok() && second.is_ok() && third.is_ok(), "{backend}");
        assert!(started.elapsed() >= Duration::from_millis(200), "{backend}: {:?}", started.elapsed());

        flip(&control, "db-pool-exhaustion", "one-left-held-long");
        let outcomes = futures::future::join_all((0..10).map(|_| ask(&store))).await;
        let failed = outcomes.iter().filter(|outcome| outcome.is_err()).count();
        assert!((4..8).contains(&failed), "{backend}: whoever waits for two seconds is told: {failed}");

        control.clear_all().unwrap();
        let started = Instant::now();
        ask(&store).await.unwrap();
        assert_eq!(started.elapsed(), Duration::ZERO, "{backend}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_a_connection_gets_one_when_the_flag_is_cleared() {
    for variant in ["one-left-held-long", "none-left"] {
        let (control, _) = control();
        let store = guard(&control, "order", "sqlite");
        flip(&control, "db-pool-exhaustion", variant);
        let started = Instant::now();
        let all = futures::future::join_all((0..10).map(|_| ask(&store)));
        let clear = async {
            tokio::time::sleep(Duration::from_millis(250)).await;
            control.clear_all().unwrap();
        };
        let (outcomes, ()) = tokio::join!(all, clear);
        assert!(outcomes.iter().all(Result::is_ok), "{variant}");
        assert!(started.elapsed() < Duration::from_secs(1), "{variant}: {:?}", started.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn the_connections_of_other_services_are_theirs() {
    let (control, _) = control();
    let (order, menu) = (guard(&control, "order", "sqlite"), guard(&control, "menu", "sqlite"));
    flip(&control, "db-pool-exhaustion", "none-left");
    let started = Instant::now();
    ask(&menu).await.unwrap();
    assert_eq!(started.elapsed(), Duration::ZERO);
    assert!(matches!(ask(&order).await, Err(StoreError::Unavailable(_))));
    assert!(started.elapsed() >= Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn who_gives_up_waiting_leaves_the_connection_to_the_others() {
    let (control, _) = control();
    let store = guard(&control, "order", "sqlite");
    flip(&control, "db-pool-exhaustion", "one-left");
    let busy = store.run("find", async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        Ok(())
    });
    let hasty = tokio::time::timeout(Duration::from_millis(100), async {
        tokio::time::sleep(Duration::from_millis(10)).await;
        ask(&store).await
    });
    let (busy, hasty) = tokio::join!(busy, hasty);
    assert!(busy.is_ok() && hasty.is_err());
    ask(&store).await.unwrap();
}
