//! Facts that need a process or a thread of their own.

use super::world::{PATIENCE, Recorder, World, event};
use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::trace::SdkTracerProvider;
use runtime::events::Tailed;
use std::process::Command;
use std::sync::atomic::Ordering;
use testkit::eventually;
use tracing_subscriber::layer::SubscriberExt;

async fn an_event_told_twice_is_applied_twice() {
    let world = World::embedded().await;
    let order = world.teller("order").await;
    let menu = world.listener("menu").await;
    world.platform.open_bus();
    for _ in 0..2 {
        order.tell(vec![event("a", 1)]).await;
        eventually("the outbox is empty", PATIENCE, async || order.outbox().await == 0).await;
    }
    menu.sees(2).await;
}

/// The switch is of a whole process, so this test runs itself once more in a process of its own.
#[tokio::test]
async fn without_the_inbox_what_comes_twice_takes_effect_twice() {
    const SWITCH: (&str, &str) = ("FEAST_SELF_TEST", "without-inbox");
    if std::env::var(SWITCH.0).is_ok_and(|value| value == SWITCH.1) {
        return an_event_told_twice_is_applied_twice().await;
    }
    let name = "proof::without_the_inbox_what_comes_twice_takes_effect_twice";
    let run = Command::new(std::env::current_exe().unwrap()).args(["--exact", name]).env(SWITCH.0, SWITCH.1).output().unwrap();
    let said = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success() && said.contains("1 passed"), "{said}");
}

#[tokio::test]
async fn what_an_event_causes_belongs_to_its_trace() {
    opentelemetry::global::set_text_map_propagator(opentelemetry_sdk::propagation::TraceContextPropagator::new());
    let provider = SdkTracerProvider::builder().build();
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
    let _default = tracing::subscriber::set_default(tracing_subscriber::registry().with(layer));
    let world = World::embedded().await;
    let order = world.teller("order").await;
    let telling = Recorder::default();
    telling.tells.store(true, Ordering::SeqCst);
    let _menu = world.listening("menu", telling).await;
    world.platform.open_bus();
    let mut tail = order.events.tail();
    let trace = "0af7651916cd43dd8448eb211c80319c";
    let mut cause = event("a", 1);
    cause.traceparent = Some(format!("00-{trace}-b7ad6b7169203331-01"));
    order.tell(vec![cause]).await;
    let caused = async {
        loop {
            match tail.next().await {
                Some(Tailed::Event(event)) if event.fact.kind() == "delivery.completed" => return event.traceparent.clone().unwrap(),
                Some(_) => {}
                None => panic!("the bus is gone"),
            }
        }
    };
    let traceparent = tokio::time::timeout(PATIENCE, caused).await.unwrap();
    assert!(traceparent.starts_with(&format!("00-{trace}-")), "{traceparent}");
    assert!(!traceparent.contains("b7ad6b7169203331"), "it names the span in between");
}
