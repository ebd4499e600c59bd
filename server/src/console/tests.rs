//! The parts together: on a platform whose clock is moved by hand.

use super::*;
use contract::detection::SetGuardrail;
use contract::flags::Audience;
use observe::Limits;
use runtime::clock::ManualClock;
use runtime::flags::MAX_TTL;

struct Stage {
    platform: Platform,
    clock: ManualClock,
    console: Console,
}

async fn stage() -> Stage {
    let (platform, clock) = testkit::platform();
    crate::embed::embed_all(&platform).await.unwrap();
    let now = platform.clock.clone();
    let (store, _intake) = Store::start(Limits::default(), move || now.now()).unwrap();
    let auditor = Auditor::new(&platform).unwrap();
    let load = Load::new(&platform);
    let incidents = Incidents::start(&platform, load.clone(), crate::incidents::books_of(auditor.clone()));
    let marks = Marks::new(platform.clock.clone());
    let console = Console::new(&platform, Parts { store, marks, auditor, load, incidents });
    Stage { platform, clock, console }
}

impl Stage {
    fn flip(&self, flag: &str, variant: &str) {
        self.platform.flag_control().set(flag, variant, Some(MAX_TTL), Audience::Synthetic).unwrap();
    }

    fn actions(&self) -> Vec<String> {
        let entries = self.console.0.audit.newest(audit::SHOWN);
        entries.into_iter().rev().map(|entry| format!("{} {} {}", entry.who, entry.action, entry.subject)).collect()
    }

    fn marks(&self) -> Vec<String> {
        self.console.0.marks.of_minutes(60).into_iter().map(|mark| mark.text).collect()
    }

    /// Ten orders under way, of which so many are overdue, for so many seconds.
    async fn pass(&self, seconds: u64, overdue: u64) {
        for _ in 0..seconds {
            self.clock.advance(TICK);
            self.console.0.detector.under_way(self.platform.clock.now(), Counted { of: 10, bad: overdue });
            self.console.tick().await;
        }
    }
}

#[tokio::test]
async fn every_flip_is_written_down_and_marked_whoever_or_whatever_ends_it() {
    let stage = stage().await;
    let flags = stage.platform.flag_control().clone();
    stage.flip("cart-slow", "300-ms");
    flags.clear("cart-slow").unwrap();
    flags.set("cart-slow", "300-ms", Some(Duration::from_secs(5)), Audience::Everyone).unwrap();
    stage.clock.advance(Duration::from_secs(6));
    flags.tick();
    stage.flip("store-down", "all");
    flags.clear_all().unwrap();
    let actions = [
        "platform flag.flipped cart-slow",
        "platform flag.cleared cart-slow",
        "platform flag.flipped cart-slow",
        "platform flag.expired cart-slow",
        "platform flag.flipped store-down",
        "platform flag.all_clear *",
    ];
    assert_eq!(stage.actions(), actions);
    let marks = ["cart-slow: 300-ms", "cart-slow: off", "cart-slow: 300-ms", "cart-slow: off", "store-down: all", "all clear"];
    assert_eq!(stage.marks(), marks);
    let detail = &stage.console.0.audit.newest(audit::SHOWN)[5].detail;
    assert!(detail.starts_with("300-ms for synthetic users until "), "{detail}");
}

#[tokio::test]
async fn a_flag_that_is_on_has_a_proof_and_keeps_it_for_a_while_after_it_was_cleared() {
    let stage = stage().await;
    stage.flip("cart-chaos-errors", "50-percent");
    let proofs = |stage: &Stage| stage.console.0.proofs.all(stage.platform.clock.now());
    assert_eq!(proofs(&stage).iter().map(|proof| proof.flag.as_str()).collect::<Vec<_>>(), ["cart-chaos-errors"]);
    stage.platform.flag_control().clear_all().unwrap();
    stage.clock.advance(Duration::from_secs(2));
    assert!(proofs(&stage)[0].cleared_at.is_some());
}

#[tokio::test]
async fn the_guardrail_clears_faults_once_when_an_objective_breaks_past_its_limit() {
    let stage = stage().await;
    stage.flip("cart-slow", "300-ms");
    stage.pass(60, 0).await;
    stage.pass(5, 9).await;
    assert!(stage.platform.flag_control().get("cart-slow").unwrap().flip.is_some(), "it is off until asked for");
    stage.console.0.detector.set_guardrail(&SetGuardrail { on: true, burn_limit: Some(2.0) }).unwrap();
    stage.pass(1, 9).await;
    assert!(stage.platform.flag_control().get("cart-slow").unwrap().flip.is_none());
    let acted = stage.console.0.detector.detection(stage.platform.clock.now()).guardrail;
    assert!(acted.acted_at.is_some() && acted.because.starts_with("delivery: "), "{acted:?}");
    assert!(stage.actions().ends_with(&["platform flag.all_clear *".to_owned(), "platform guardrail.acted *".to_owned()]));
    stage.flip("cart-slow", "300-ms");
    stage.pass(1, 9).await;
    assert!(stage.platform.flag_control().get("cart-slow").unwrap().flip.is_some(), "it rests, for what burns is the same");
}

#[tokio::test]
async fn the_guardrail_stops_the_script_that_plays() {
    let stage = stage().await;
    let script = stage.console.0.incidents.list().scripts[0].id.clone();
    stage.console.0.incidents.play(&script, contract::incident::Play::default()).unwrap();
    stage.flip("cart-slow", "300-ms");
    stage.console.0.detector.set_guardrail(&SetGuardrail { on: true, burn_limit: Some(2.0) }).unwrap();
    stage.pass(3, 9).await;
    assert!(stage.console.0.incidents.list().playing.is_none());
}

#[tokio::test]
async fn a_ledger_that_does_not_balance_is_believed_at_the_second_look() {
    let stage = stage().await;
    let now = stage.platform.clock.now();
    let mut ledger = stage.console.0.auditor.ledger().await.unwrap();
    assert_eq!(stage.console.weigh(&ledger, now), None);
    ledger.balanced = false;
    ledger.checks[0].holds = false;
    assert_eq!(stage.console.weigh(&ledger, now), None);
    assert_eq!(stage.console.weigh(&ledger, now), Some("the ledger does not balance: tickets".to_owned()));
}

#[tokio::test]
async fn an_alert_is_marked_when_it_fires_and_when_it_is_over() {
    let stage = stage().await;
    stage.flip("cart-slow", "300-ms");
    stage.pass(5, 9).await;
    stage.pass(70, 0).await;
    let marks = stage.marks();
    assert_eq!(marks, ["cart-slow: 300-ms", "alert: delivery", "delivery is well again"]);
    let alerts = stage.console.0.detector.detection(stage.platform.clock.now()).alerts;
    assert_eq!(alerts[0].flags, ["cart-slow"]);
}
