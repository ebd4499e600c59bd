//! Proofs over planted numbers: a second of traffic at a time, on a clock moved by hand.

use super::*;
use contract::flags::Audience;
use observe::{Counts, Select};
use runtime::Platform;
use runtime::clock::ManualClock;
use stats::Share;
use std::collections::BTreeMap;

const FLAG: &str = "cart-chaos-errors";
const VARIANT: &str = "50-percent";

/// Requests of one second: all, failed with 503, touched by the flag.
#[derive(Clone, Copy, Default)]
struct Second {
    total: u64,
    failed: u64,
    touched: u64,
}

#[derive(Default)]
struct Planted(Mutex<BTreeMap<i64, Second>>);

impl Planted {
    fn sum(&self, (from, to): Window) -> Second {
        let seconds = self.0.lock().unwrap();
        let inside = seconds.range(from.millis().div_euclid(1_000)..to.millis().div_euclid(1_000).max(from.millis().div_euclid(1_000)));
        inside.fold(Second::default(), |sum, (_, second)| Second {
            total: sum.total + second.total,
            failed: sum.failed + second.failed,
            touched: sum.touched + second.touched,
        })
    }
}

impl Evidence for Planted {
    fn counts(&self, _: &Select, window: Window) -> Counts {
        let sum = self.sum(window);
        let statuses = BTreeMap::from([(200, sum.total - sum.failed), (503, sum.failed)]);
        Counts { total: sum.total, failed: sum.failed, statuses, ..Counts::default() }
    }

    fn tagged(&self, _: &str, _: &str, _: &Select, _: Window) -> Share {
        Share::default()
    }

    fn level(&self, _: &Signal, _: Window) -> Option<f64> {
        None
    }

    fn lines(&self, _: Option<&str>, _: Window) -> u64 {
        0
    }

    fn touched(&self, _: &str, window: Window) -> u64 {
        self.sum(window).touched
    }

    fn first_touched(&self, _: &str, since: Timestamp) -> Option<Timestamp> {
        let seconds = self.0.lock().unwrap();
        let first = seconds.iter().find(|(second, one)| **second * 1_000 >= since.millis() - 999 && one.touched > 0)?;
        Some(Timestamp::from_millis(first.0 * 1_000 + 400).max(since))
    }
}

struct Stage {
    platform: Platform,
    clock: ManualClock,
    planted: Arc<Planted>,
    proofs: Proofs,
}

impl Stage {
    fn new() -> Self {
        let (platform, clock) = testkit::platform();
        let planted = Arc::new(Planted::default());
        let proofs = Proofs::new(planted.clone(), platform.clock.now());
        Self { platform, clock, planted, proofs }
    }

    /// So many seconds with so many requests each, of which so many fail; `touched` by the chaos layer, which says so or not.
    fn pass(&self, seconds: u64, second: Second) {
        for _ in 0..seconds {
            let now = self.platform.clock.now().millis().div_euclid(1_000);
            self.planted.0.lock().unwrap().insert(now, second);
            self.clock.advance(Duration::from_secs(1));
        }
    }

    fn flip(&self) {
        testkit::flip(&self.platform, FLAG, VARIANT);
        self.look();
    }

    fn clear(&self) {
        self.platform.flag_control().clear_all().unwrap();
        self.look();
    }

    /// Definitions are changed while this is written; what is proved here has the signal of this test.
    fn look(&self) {
        let list = || {
            let mut list = self.platform.flag_control().list();
            list.iter_mut().for_each(|state| state.signal = (state.key == FLAG).then(signal));
            list
        };
        self.proofs.note(list, &[], self.platform.clock.now());
    }

    fn proof(&self) -> Proof {
        self.proofs.all(self.platform.clock.now()).remove(0)
    }
}

fn signal() -> Signal {
    Signal {
        kind: SignalKind::Errors,
        direction: Direction::Up,
        service: Some("cart".to_owned()),
        route: Some("POST /cart/{id}/items".to_owned()),
        says: "share of additions to carts that fail".to_owned(),
        status: None,
        ms: None,
        call: None,
        attribute: None,
        value: None,
        metric: None,
        expect: None,
    }
}

const CLEAN: Second = Second { total: 20, failed: 0, touched: 0 };
const FAULTY: Second = Second { total: 20, failed: 10, touched: 10 };

#[tokio::test]
async fn a_fault_is_seen_told_in_numbers_and_disappears_when_it_is_cleared() {
    let stage = Stage::new();
    stage.pass(60, CLEAN);
    stage.flip();
    stage.pass(10, FAULTY);
    let proof = stage.proof();
    assert_eq!((proof.flag.as_str(), proof.variant.as_str(), proof.verdict), (FLAG, VARIANT, Verdict::Seen));
    assert_eq!((proof.before, proof.since.value, proof.unit.as_str()), (Measured { value: 0.0, of: 1_200 }, 50.0, "%"));
    assert_eq!((proof.effect_after_ms, proof.touched), (Some(400), 100));
    assert_eq!(proof.says, "Seen 0.4 s after the flip: 50.0 % of 200 requests, 0.0 % of 1200 requests before.");
    assert_eq!(proof.traces, "flag=cart-chaos-errors");
    stage.clear();
    stage.pass(10, CLEAN);
    let proof = stage.proof();
    assert_eq!((proof.verdict, proof.cleared_at.is_some()), (Verdict::Seen, true));
    assert_eq!(proof.after.unwrap(), Measured { value: 0.0, of: 180 });
}

#[tokio::test]
async fn marks_of_the_chaos_layer_prove_nothing() {
    let stage = Stage::new();
    stage.pass(60, CLEAN);
    stage.flip();
    stage.pass(30, Second { touched: 20, ..CLEAN });
    let proof = stage.proof();
    assert_eq!((proof.verdict, proof.touched), (Verdict::NotSeen, 600));
    assert!(proof.says.starts_with("Not seen: 0.0 % of 600 requests, 0.0 % of 1200 requests before;"), "{}", proof.says);
}

#[tokio::test]
async fn without_traffic_and_with_little_of_it_that_is_said() {
    let stage = Stage::new();
    stage.pass(60, CLEAN);
    stage.flip();
    stage.pass(10, Second::default());
    let proof = stage.proof();
    assert_eq!(proof.verdict, Verdict::NoTraffic);
    assert_eq!(proof.says, "No traffic: nothing has reached POST /cart/{id}/items since the flip.");
    assert_eq!(proof.traces, "service=cart&route=POST%20%2Fcart%2F%7Bid%7D%2Fitems&outcome=error");
    stage.pass(2, Second { total: 2, ..CLEAN });
    assert_eq!(stage.proof().verdict, Verdict::TooFew);
}

#[tokio::test]
async fn what_was_seen_stays_seen_after_its_traffic_is_gone_and_is_forgotten_in_the_end() {
    let stage = Stage::new();
    stage.pass(60, CLEAN);
    stage.flip();
    stage.pass(15, FAULTY);
    assert_eq!(stage.proof().verdict, Verdict::Seen);
    stage.pass(400, CLEAN);
    let proof = stage.proof();
    assert_eq!((proof.verdict, proof.before.of), (Verdict::Seen, 1_200));
    stage.clear();
    stage.pass(601, CLEAN);
    stage.look();
    assert_eq!(stage.proofs.all(stage.platform.clock.now()), []);
}

#[tokio::test]
async fn a_second_flip_is_a_proof_of_its_own_that_is_not_compared_with_the_first() {
    let stage = Stage::new();
    stage.pass(60, CLEAN);
    stage.flip();
    stage.pass(15, FAULTY);
    assert_eq!(stage.proof().verdict, Verdict::Seen);
    stage.clear();
    stage.pass(10, CLEAN);
    stage.flip();
    stage.pass(1, CLEAN);
    let proof = stage.proof();
    assert_eq!((proof.verdict, proof.before), (Verdict::TooFew, Measured { value: 0.0, of: 20 * 60 }));
    stage.pass(10, FAULTY);
    assert_eq!(stage.proof().verdict, Verdict::Seen);
}

#[tokio::test]
async fn a_flip_for_some_says_whom_it_reaches_when_it_is_not_seen() {
    let stage = Stage::new();
    stage.pass(60, CLEAN);
    stage.platform.flag_control().set(FLAG, VARIANT, None, Audience::Percent(1)).unwrap();
    stage.look();
    stage.pass(20, CLEAN);
    let proof = stage.proof();
    assert_eq!(proof.verdict, Verdict::NotSeen);
    assert!(proof.says.ends_with("It reaches only 1 % of sessions."), "{}", proof.says);
}

#[tokio::test]
async fn a_flag_without_a_signal_has_a_proof_that_says_so() {
    let stage = Stage::new();
    testkit::flip(&stage.platform, "cart-slow", "300-ms");
    stage.look();
    stage.pass(10, CLEAN);
    let proof = stage.proof();
    assert_eq!(proof.verdict, Verdict::TooFew);
    assert!(proof.says.contains("no signal"), "{}", proof.says);
}

#[test]
fn what_is_expected_is_what_the_definition_says_or_what_the_fields_mean() {
    let none = Numbers::Shares { before: Share::default(), since: Share::default() };
    let level = |usual: f64| Numbers::Levels { usual: vec![usual; 6], since: None, seconds: 0.0 };
    let of = |kind, direction, expect| Signal { kind, direction, expect, ms: Some(250), ..signal() };
    let up = |kind| of(kind, Direction::Up, None);
    let value = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    let cases = [
        (of(SignalKind::Errors, Direction::Up, Some(0.5)), r#"{"errorRate": 15}"#, &none, 0.5),
        (up(SignalKind::Errors), r#"{"errorRate": 15}"#, &none, 0.15),
        (up(SignalKind::Errors), r#"{"errorRate": 100}"#, &none, MOST_ASSUMED),
        (up(SignalKind::Errors), "{}", &none, USUAL_SHARE),
        (up(SignalKind::Slow), r#"{"latencyMs": 300}"#, &none, MOST_ASSUMED),
        (up(SignalKind::Slow), r#"{"latencyMs": 50, "tailPercent": 10}"#, &none, 0.1),
        (up(SignalKind::Tagged), r#"{"percent": 10}"#, &none, 0.1),
        (up(SignalKind::Level), "{}", &level(40.0), 40.0),
        (up(SignalKind::Level), "{}", &level(0.0), 1.0),
        (of(SignalKind::Level, Direction::Down, None), "{}", &level(40.0), 20.0),
    ];
    for (signal, text, numbers, expect) in cases {
        assert_eq!(expected(&signal, &value(text), numbers), expect, "{signal:?} {text}");
    }
}
