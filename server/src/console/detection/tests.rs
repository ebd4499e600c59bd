use super::*;
use crate::incidents::Detect;
use std::sync::atomic::{AtomicU64, Ordering};

/// So many orders and slow answers of a hundred each second.
#[derive(Default)]
struct Planted {
    bad: AtomicU64,
    slow: AtomicU64,
    silent: AtomicU64,
    log: Mutex<std::collections::BTreeMap<i64, (Tally, Tally)>>,
}

impl Planted {
    fn happen(&self, second: i64) {
        let of = if self.silent.load(Ordering::SeqCst) == 1 { 0 } else { 100 };
        let tally = |bad: &AtomicU64| Tally { of, bad: bad.load(Ordering::SeqCst).min(of) };
        self.log.lock().unwrap().insert(second, (tally(&self.bad), tally(&self.slow)));
    }

    fn at(&self, from: Timestamp) -> (Tally, Tally) {
        self.log.lock().unwrap().get(&second(from)).copied().unwrap_or_default()
    }
}

impl Numbers for Planted {
    fn orders(&self, from: Timestamp, _: Timestamp) -> Tally {
        self.at(from).0
    }

    fn latency(&self, from: Timestamp, _: Timestamp) -> Tally {
        self.at(from).1
    }
}

struct Stage {
    planted: Arc<Planted>,
    detector: Detector,
    now: i64,
}

impl Stage {
    fn new() -> Self {
        let planted = Arc::new(Planted::default());
        Self { detector: Detector::new(planted.clone()), planted, now: 1_000_000 }
    }

    /// Ticks once a second, and says what happened, each with its second since the call.
    fn pass(&mut self, seconds: i64) -> Vec<(i64, Happened)> {
        let mut happened = Vec::new();
        for n in 1..=seconds {
            self.planted.happen(self.now);
            let found = self.detector.tick(moment(self.now), &["payment-slow".to_owned()]);
            happened.extend(found.into_iter().map(|one| (n, one)));
            self.now += 1;
        }
        happened
    }

    fn objective(&self, at: usize) -> Objective {
        self.detector.detection(moment(self.now - 1)).objectives[at].clone()
    }
}

#[test]
fn a_calm_platform_keeps_its_promises() {
    let mut stage = Stage::new();
    assert_eq!(stage.pass(400), []);
    let orders = stage.objective(ORDERS);
    assert_eq!((orders.requests, orders.bad, orders.measured_percent, orders.budget_left_percent), (40_000, 0, 100.0, 100.0));
    let idle = Detector::new(Arc::new(Planted::default())).detection(moment(5));
    assert!(idle.objectives.iter().all(|objective| objective.measured_percent == 100.0 && objective.budget_left_percent == 100.0));
}

#[test]
fn failing_orders_fire_within_seconds_and_resolve_a_minute_after_they_stop() {
    let mut stage = Stage::new();
    stage.pass(300);
    stage.planted.bad.store(50, Ordering::SeqCst);
    let fired = stage.pass(30);
    assert_eq!(fired.len(), 1, "{fired:?}");
    let (after, Happened::Fired(alert)) = &fired[0] else { panic!("{fired:?}") };
    assert!(*after <= 10, "{after} s");
    assert_eq!((alert.objective.as_str(), alert.flags.as_slice()), ("orders", ["payment-slow".to_owned()].as_slice()));
    assert!(stage.objective(ORDERS).burn_short > 200.0);
    stage.planted.bad.store(0, Ordering::SeqCst);
    let resolved = stage.pass(90);
    assert!(matches!(resolved.as_slice(), [(after, Happened::Resolved(_))] if (55..=61).contains(after)), "{resolved:?}");
    let detection = stage.detector.detection(moment(stage.now));
    assert!(detection.alerts.len() == 1 && detection.alerts[0].resolved_at.is_some());
    let spent = stage.detector.budget_spent(moment(stage.now - 200), moment(stage.now));
    assert!(spent[ORDERS].0 == "orders" && spent[ORDERS].1 > 100.0 && spent[LATENCY].1 == 0.0, "{spent:?}");
}

#[test]
fn slow_answers_break_the_other_promise() {
    let mut stage = Stage::new();
    stage.pass(300);
    stage.planted.slow.store(80, Ordering::SeqCst);
    let fired = stage.pass(80);
    assert!(matches!(fired.as_slice(), [(_, Happened::Fired(alert))] if alert.objective == "latency"), "{fired:?}");
}

#[test]
fn without_requests_an_alert_resolves() {
    let mut stage = Stage::new();
    stage.planted.bad.store(50, Ordering::SeqCst);
    assert_eq!(stage.pass(20).len(), 1);
    stage.planted.silent.store(1, Ordering::SeqCst);
    let resolved = stage.pass(70);
    assert!(matches!(resolved.as_slice(), [(_, Happened::Resolved(_))]), "{resolved:?}");
    assert!(stage.detector.is_busy(moment(stage.now)));
    stage.pass(300);
    assert!(!stage.detector.is_busy(moment(stage.now)));
}

#[test]
fn spans_that_come_late_are_counted_and_a_long_pause_is_caught_up_with() {
    let mut stage = Stage::new();
    stage.pass(10);
    stage.planted.bad.store(7, Ordering::SeqCst);
    stage.planted.happen(stage.now - 3);
    stage.planted.bad.store(0, Ordering::SeqCst);
    stage.pass(1);
    assert_eq!(stage.objective(ORDERS).bad, 7);
    for _ in 0..60 {
        stage.planted.happen(stage.now);
        stage.now += 1;
    }
    stage.pass(1);
    assert_eq!(stage.objective(ORDERS).requests, 72 * 100);
}

#[test]
fn orders_that_nobody_hands_on_break_the_third_promise() {
    let mut stage = Stage::new();
    for _ in 0..10 {
        stage.detector.under_way(moment(stage.now), Tally { of: 20, bad: 10 });
        stage.pass(1);
    }
    let delivery = stage.objective(DELIVERY);
    assert_eq!((delivery.requests, delivery.bad), (200, 100));
    assert!(stage.detector.detection(moment(stage.now)).alerts.iter().any(|alert| alert.objective == "delivery"));
}

#[test]
fn the_guardrail_is_off_until_asked_for_wants_to_act_beyond_its_limit_and_rests_afterwards() {
    let mut stage = Stage::new();
    stage.pass(60);
    stage.planted.bad.store(5, Ordering::SeqCst);
    stage.pass(60);
    let now = moment(stage.now);
    assert!(!stage.detector.guards(now));
    stage.detector.set_guardrail(&SetGuardrail { on: true, burn_limit: Some(200.0) }).unwrap();
    assert!(stage.detector.guards(now) && stage.detector.breach(now).is_none());
    stage.detector.set_guardrail(&SetGuardrail { on: true, burn_limit: Some(20.0) }).unwrap();
    assert!(stage.detector.breach(now).unwrap().starts_with("orders: "));
    stage.detector.guardrail_acted(now, "orders");
    assert!(!stage.detector.guards(now + Duration::from_secs(89)) && stage.detector.guards(now + Duration::from_secs(90)));
    for limit in [0.5, f64::NAN, 5_000.0] {
        assert!(stage.detector.set_guardrail(&SetGuardrail { on: true, burn_limit: Some(limit) }).is_err());
    }
}
