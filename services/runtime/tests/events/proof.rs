//! Facts that need a process or a thread of their own.

use super::world::{PATIENCE, Recorder, World, event};
use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::trace::SdkTracerProvider;
use runtime::events::Tailed;
use std::process::Command;
use std::sync::atomic::Ordering;
use testkit::eventually;
use tracing_subscriber::layer::SubscriberExt;

/// Run by the test below, with the inbox off.
#[ignore = "a process of its own runs it"]
#[tokio::test]
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

#[test]
fn without_the_inbox_what_comes_twice_takes_effect_twice() {
    let run = |set: Option<&str>| {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "proof::an_event_told_twice_is_applied_twice", "--ignored"]).env_remove("FEAST_SELF_TEST");
        if let Some(value) = set {
            command.env("FEAST_SELF_TEST", value);
        }
        let output = command.output().unwrap();
        (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let (doubled, said) = run(Some("without-inbox"));
    assert!(doubled && said.contains("1 passed"), "{said}");
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
