use super::*;
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Mutex;
use tracing::field::{Field, Visit};
use tracing::span::{Id, Record};
use tracing::{Event, Instrument, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

type Fields = BTreeMap<String, String>;

/// Keeps what was logged and what was recorded on spans.
#[derive(Clone, Default)]
struct Kept {
    events: Arc<Mutex<Vec<(&'static str, Fields)>>>,
    recorded: Arc<Mutex<Fields>>,
}

struct Read<'a>(&'a mut Fields);

impl Visit for Read<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name().to_owned(), format!("{value:?}").trim_matches('"').to_owned());
    }
}

impl<S: Subscriber> Layer<S> for Kept {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut fields = Fields::new();
        event.record(&mut Read(&mut fields));
        self.events.lock().unwrap().push((event.metadata().name(), fields));
    }

    fn on_record(&self, _: &Id, values: &Record<'_>, _: Context<'_, S>) {
        values.record(&mut Read(&mut self.recorded.lock().unwrap()));
    }
}

#[tokio::test]
async fn an_evaluation_is_an_event_with_the_conventional_names_and_an_injection_marks_its_span() {
    let kept = Kept::default();
    let _default = tracing::subscriber::set_default(tracing_subscriber::registry().with(kept.clone()));
    let (control, _) = control();
    let order = chaos(&control, "order");
    flip(&control, "middleware-unreachable", "all");
    let span = tracing::info_span!("call", chaos.flag = tracing::field::Empty, chaos.injected = tracing::field::Empty);
    as_session("mine", order.client_fault("middleware.quote").instrument(span)).await.unwrap();

    let events = kept.events.lock().unwrap();
    let (_, evaluation) = events.iter().find(|(name, _)| *name == "feature_flag.evaluation").unwrap();
    for (name, value) in [
        ("feature_flag.key", "middleware-unreachable"),
        ("feature_flag.result.variant", "all"),
        ("feature_flag.result.reason", "static"),
        ("feature_flag.provider.name", "feast"),
        ("feature_flag.context.id", &runtime::flags::targeting_key("mine")),
    ] {
        assert_eq!(evaluation.get(name).map(String::as_str), Some(value), "{name}");
    }
    let injected = events.iter().find(|(_, fields)| fields.get("message").is_some_and(|text| text == "Feature flag triggered chaos"));
    let (_, injected) = injected.unwrap();
    assert_eq!((injected["flag"].as_str(), injected["service"].as_str()), ("middleware-unreachable", "order"));
    let recorded = kept.recorded.lock().unwrap();
    assert_eq!((recorded["chaos.flag"].as_str(), recorded["chaos.injected"].as_str()), ("middleware-unreachable", "refused"));
}

#[tokio::test]
async fn flags_that_are_all_off_are_not_even_evaluated() {
    let kept = Kept::default();
    let _default = tracing::subscriber::set_default(tracing_subscriber::registry().with(kept.clone()));
    let (control, _) = control();
    let order = chaos(&control, "order");
    assert!(order.client_fault("middleware.quote").await.is_none());
    assert!(order.readiness("order").await);
    assert!(kept.events.lock().unwrap().iter().all(|(name, _)| *name != "feature_flag.evaluation"));
}

#[tokio::test]
async fn every_operator_action_is_logged() {
    let kept = Kept::default();
    let _default = tracing::subscriber::set_default(tracing_subscriber::registry().with(kept.clone()));
    let (control, clock) = control();
    as_session("operator", async {
        flip(&control, "cart-slow", "300-ms");
        control.clear("cart-slow").unwrap();
        flip(&control, "cart-slow", "300-ms");
        control.clear_all().unwrap();
        flip(&control, "cart-slow", "300-ms");
    })
    .await;
    clock.advance(Duration::from_secs(600));
    control.tick();
    let events = kept.events.lock().unwrap();
    let actions: Vec<&str> = events.iter().filter(|(name, _)| *name == "flag.audit").map(|(_, fields)| fields["action"].as_str()).collect();
    assert_eq!(actions, ["flag.flipped", "flag.cleared", "flag.flipped", "flag.all_clear", "flag.flipped"]);
    let audit = &events.iter().find(|(name, _)| *name == "flag.audit").unwrap().1;
    assert_eq!(audit["operator"], runtime::flags::targeting_key("operator"));
    assert_eq!(events.iter().filter(|(name, _)| *name == "flag.expired").count(), 1);
}

#[tokio::test]
async fn a_flood_writes_lines_for_the_chosen_service_and_dries_up() {
    let kept = Kept::default();
    let _default = tracing::subscriber::set_default(tracing_subscriber::registry().with(kept.clone()));
    let (control, _) = control();
    let routed = |service| {
        let layer = axum::middleware::from_fn_with_state(chaos(&control, service), runtime::chaos::inbound);
        Router::new().route("/api/orders", axum::routing::get(async || "fine")).layer(layer)
    };
    let (order, menu) = (routed("order"), routed("menu"));
    let lines = || kept.events.lock().unwrap().iter().filter(|(_, fields)| fields.contains_key("line")).count();
    flip(&control, "log-flood", "100-lines-a-request");
    send(&menu, request("GET", "/api/orders", "")).await;
    assert_eq!(lines(), 0);
    send(&order, request("GET", "/api/orders", "")).await;
    assert_eq!(lines(), 100);
    control.clear_all().unwrap();
    send(&order, request("GET", "/api/orders", "")).await;
    assert_eq!(lines(), 100);
}
