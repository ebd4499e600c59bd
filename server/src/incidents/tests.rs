//! Scripts on a real flag control and a clock that is moved by hand.

use super::*;
use contract::flags::Audience;
use contract::incident::PlayMode;
use runtime::clock::ManualClock;
use script::{HIDDEN_ID, Script};
use std::sync::atomic::{AtomicUsize, Ordering};

const SCRIPT: &str = r#"
title = "Slow carts"
about = "Carts become slow."
seconds = 60
seed = 7
quiz = { title = "Something is slow", about = "What?" }

[[steps]]
at = 0
title = "Load"
notes = "Twenty users."
load = { users = 20 }

[[steps]]
at = 10
title = "Slow"
notes = "Carts are slow now."
set = [{ flag = "cart-slow", variant = "300-ms" }]

[[steps]]
at = 20
title = "Slower, and lost replies"
notes = "Slower still."
load = { users = 40, pace = 2 }
set = [{ flag = "cart-slow", variant = "1000-ms" }, { flag = "order-lost-reply", variant = "all", audience = { kind = "synthetic" } }]

[[steps]]
at = 30
title = "Carts recover"
notes = "One is cleared."
clear = ["cart-slow"]

[[steps]]
at = 50
title = "All clear"
notes = "The other, too."
all_clear = true

[[choices]]
id = "carts"
text = "Carts"
flags = ["cart-slow", "order-lost-reply"]

[[choices]]
id = "bank"
text = "The bank"
flags = ["payment-slow"]

[[choices]]
id = "nothing"
text = "Nothing"
flags = []
"#;

#[derive(Default)]
struct Alerts(Mutex<Vec<Alert>>);

impl Detect for Alerts {
    fn alerts(&self) -> Vec<Alert> {
        self.0.lock().unwrap().clone()
    }

    fn budget_spent(&self, from: Timestamp, to: Timestamp) -> Vec<(String, f64)> {
        vec![("orders".to_owned(), to.since(from).as_secs_f64())]
    }
}

struct Stage {
    platform: Platform,
    clock: ManualClock,
    load: Load,
    incidents: Incidents,
    alerts: Arc<Alerts>,
    asked: Arc<AtomicUsize>,
}

impl Stage {
    fn new() -> Self {
        let (platform, clock) = testkit::platform();
        let (load, asked) = (Load::new(&platform), Arc::new(AtomicUsize::new(0)));
        let counted = asked.clone();
        // The first time the books cannot be read.
        let balance: Balance = Arc::new(move || {
            let first = counted.fetch_add(1, Ordering::SeqCst) == 0;
            Box::pin(async move { (!first).then_some(true) })
        });
        let incidents = Incidents::new(&platform, load.clone(), balance);
        let scripts = vec![Script::parse("slow-carts", SCRIPT).unwrap()];
        *incidents.engine() = Engine::new(scripts, platform.clock.clone(), platform.flag_control().clone(), load.clone());
        let alerts = Arc::new(Alerts::default());
        incidents.detected_by(alerts.clone());
        Self { platform, clock, load, incidents, alerts, asked }
    }

    fn play(&self, mode: PlayMode) {
        self.incidents.play("slow-carts", Play { mode, seed: None }).unwrap();
    }

    fn pass(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
        self.incidents.tick();
    }

    fn at(&self) -> Option<(u64, Option<usize>)> {
        self.incidents.list().playing.map(|playing| (playing.at_seconds, playing.step))
    }

    /// Flags that are flipped, with their variants.
    fn on(&self) -> Vec<String> {
        let flipped = self.platform.flag_control().list().into_iter().filter(|flag| flag.flip.is_some());
        flipped.map(|flag| format!("{}: {}", flag.key, flag.variant)).collect()
    }

    fn flip(&self, flag: &str, variant: &str) {
        self.platform.flag_control().set(flag, variant, None, Audience::Everyone).unwrap();
    }

    fn fire(&self, resolved: bool) {
        let now = self.platform.clock.now();
        let mut alerts = self.alerts.0.lock().unwrap();
        match alerts.last_mut().filter(|_| resolved) {
            Some(alert) => alert.resolved_at = Some(now),
            None => alerts.push(Alert {
                objective: "orders".to_owned(),
                says: String::new(),
                fired_at: now,
                resolved_at: None,
                flags: Vec::new(),
            }),
        }
    }
}

#[tokio::test]
async fn a_script_does_its_steps_in_time_and_leaves_nothing_behind() {
    let stage = Stage::new();
    stage.play(PlayMode::Show);
    assert_eq!((stage.at(), stage.load.wanted().users, stage.on().len()), (Some((0, Some(0))), 20, 0));
    stage.pass(9);
    assert!(stage.on().is_empty());
    stage.pass(1);
    assert_eq!(stage.on(), ["cart-slow: 300-ms"]);
    stage.pass(10);
    assert_eq!(stage.on(), ["cart-slow: 1000-ms", "order-lost-reply: all"]);
    assert_eq!((stage.load.wanted().users, stage.load.wanted().pace, stage.load.wanted().seed), (40, 2.0, Some(7)));
    let lost = stage.platform.flag_control().get("order-lost-reply").unwrap();
    assert_eq!(lost.flip.unwrap().audience, Audience::Synthetic);
    stage.pass(10);
    assert_eq!(stage.on(), ["order-lost-reply: all"]);
    stage.pass(20);
    assert_eq!((stage.on().len(), stage.at()), (0, Some((50, Some(4)))));
    stage.pass(10);
    assert_eq!((stage.at(), stage.load.wanted().users), (None, 0));
    let past = stage.incidents.list().past;
    assert_eq!((past.len(), past[0].stopped, past[0].script.as_str()), (1, false, "slow-carts"));
}

#[tokio::test]
async fn a_tick_that_comes_late_does_everything_that_is_due() {
    let stage = Stage::new();
    stage.play(PlayMode::Show);
    stage.pass(25);
    assert_eq!((stage.on().len(), stage.at()), (2, Some((25, Some(2)))));
    stage.pass(1_000);
    assert_eq!((stage.on().len(), stage.at()), (0, None));
}

#[tokio::test]
async fn stop_clears_what_the_script_set_and_nothing_else() {
    let stage = Stage::new();
    stage.flip("menu-item-failure", "nebula-latte");
    stage.load.set(contract::load::LoadWanted { users: 3, ..crate::load::IDLE }).unwrap();
    stage.play(PlayMode::Show);
    stage.pass(20);
    assert_eq!(stage.on().len(), 3);
    stage.incidents.control(Control::Stop).unwrap();
    assert_eq!(stage.on(), ["menu-item-failure: nebula-latte"]);
    assert_eq!(stage.load.wanted().users, 3, "what the operator chose counts again");
    assert!(stage.incidents.list().past[0].stopped);
    assert_eq!(stage.incidents.control(Control::Stop).unwrap_err().status, 409);
}

#[tokio::test]
async fn a_flag_that_an_operator_flips_in_between_is_the_operators() {
    let stage = Stage::new();
    stage.play(PlayMode::Show);
    stage.pass(12);
    stage.flip("cart-slow", "long-tail");
    stage.pass(1);
    stage.incidents.control(Control::Stop).unwrap();
    assert_eq!(stage.on(), ["cart-slow: long-tail"]);
}

#[tokio::test]
async fn the_same_variant_flipped_again_by_an_operator_is_the_operators() {
    let stage = Stage::new();
    stage.play(PlayMode::Show);
    stage.pass(12);
    stage.pass(1);
    stage.flip("cart-slow", "300-ms");
    stage.incidents.control(Control::Stop).unwrap();
    assert_eq!(stage.on(), ["cart-slow: 300-ms"]);
}

#[tokio::test]
async fn all_clear_in_between_lasts_until_a_later_step_names_a_flag() {
    let stage = Stage::new();
    stage.play(PlayMode::Show);
    stage.pass(12);
    stage.platform.flag_control().clear_all().unwrap();
    stage.pass(5);
    assert!(stage.on().is_empty(), "what was cleared does not come back by itself");
    stage.pass(5);
    assert_eq!(stage.on().len(), 2);
    stage.platform.flag_control().clear_all().unwrap();
    stage.pass(100);
    assert_eq!((stage.on().len(), stage.at()), (0, None));
}

#[tokio::test]
async fn a_pause_stands_still_and_a_skip_jumps() {
    let stage = Stage::new();
    stage.play(PlayMode::Rehearsal);
    stage.pass(5);
    stage.incidents.control(Control::Pause).unwrap();
    stage.pass(300);
    assert_eq!((stage.at(), stage.on().len()), (Some((5, Some(0))), 0));
    stage.incidents.control(Control::Skip).unwrap();
    assert_eq!((stage.at(), stage.on().len()), (Some((10, Some(1))), 1));
    stage.incidents.control(Control::Resume).unwrap();
    stage.pass(10);
    assert_eq!(stage.at(), Some((20, Some(2))));
    for _ in 0..3 {
        stage.incidents.control(Control::Skip).unwrap();
    }
    assert_eq!((stage.at(), stage.on().len()), (None, 0), "past the last step is the end");
}

#[tokio::test]
async fn a_fault_of_a_script_that_stands_still_ends_by_itself() {
    let stage = Stage::new();
    stage.play(PlayMode::Show);
    stage.pass(10);
    stage.incidents.control(Control::Pause).unwrap();
    stage.pass(3_600);
    stage.platform.flag_control().tick();
    assert!(stage.on().is_empty());
    assert!(stage.at().is_some());
}

#[tokio::test]
async fn one_script_plays_at_a_time_and_an_unknown_one_does_not() {
    let stage = Stage::new();
    assert_eq!(stage.incidents.play("nonsense", Play::default()).unwrap_err().status, 404);
    stage.play(PlayMode::Show);
    assert_eq!(stage.incidents.play("slow-carts", Play::default()).unwrap_err().status, 409);
    assert_eq!(stage.incidents.answer("carts").unwrap_err().status, 409, "it is no quiz");
}

#[tokio::test]
async fn another_seed_is_given_to_the_load() {
    let stage = Stage::new();
    stage.incidents.play("slow-carts", Play { mode: PlayMode::Show, seed: Some(99) }).unwrap();
    assert_eq!(stage.load.wanted().seed, Some(99));
}

#[tokio::test]
async fn a_quiz_hides_the_cause_until_it_is_answered() {
    let stage = Stage::new();
    stage.play(PlayMode::Quiz);
    stage.pass(10);
    stage.pass(2);
    assert!(stage.incidents.hides_cause());
    let shown = stage.incidents.list();
    let playing = shown.playing.unwrap();
    let script = shown.scripts.iter().find(|script| script.id == playing.script).unwrap();
    assert_eq!((script.id.as_str(), script.title.as_str(), script.choices.len()), (HIDDEN_ID, "Something is slow", 3));
    assert!(script.steps.iter().all(|step| step.does.is_empty() && step.notes.is_empty() && !step.title.contains("Slow")));
    let answered = stage.incidents.answer("carts").unwrap();
    assert!(answered.right && answered.truth.starts_with("cart-slow: 300-ms since 10:00:10"), "{answered:?}");
    let shown = stage.incidents.list();
    assert_eq!((shown.playing.unwrap().script.as_str(), shown.scripts.len()), ("slow-carts", 1));
    assert!(!stage.incidents.hides_cause());
    assert_eq!(stage.incidents.answer("carts").unwrap_err().status, 409);
    stage.pass(100);
    assert_eq!(stage.incidents.list().past[0].answered, Some(answered));
}

#[tokio::test]
async fn a_right_answer_is_worth_less_the_later_it_comes() {
    let score = |after: u64, choice: &str| {
        let stage = Stage::new();
        stage.play(PlayMode::Quiz);
        stage.pass(10);
        stage.pass(after);
        stage.incidents.answer(choice).unwrap().score
    };
    assert_eq!((score(3, "carts"), score(10, "carts"), score(3, "bank")), (100, 100, 0));
    assert_eq!((score(30, "carts"), score(49, "carts")), (60, 22));
    let stage = Stage::new();
    stage.play(PlayMode::Quiz);
    assert_eq!(stage.incidents.answer("what?").unwrap_err().status, 400);
}

#[tokio::test]
async fn the_truth_is_what_the_platform_says_and_not_what_the_script_planned() {
    let stage = Stage::new();
    stage.play(PlayMode::Quiz);
    stage.pass(2);
    stage.flip("payment-slow", "3-s");
    stage.pass(1);
    let answered = stage.incidents.answer("bank").unwrap();
    assert!(answered.right && answered.truth.contains("payment-slow: 3-s"), "{answered:?}");
    let early = Stage::new();
    early.play(PlayMode::Quiz);
    early.pass(2);
    assert_eq!(early.incidents.answer("nothing").unwrap().truth, "no fault was on yet");
}

#[tokio::test]
async fn an_outcome_says_when_it_was_noticed_and_when_it_was_over() {
    let stage = Stage::new();
    stage.fire(false);
    stage.pass(1);
    stage.fire(true);
    stage.play(PlayMode::Show);
    stage.pass(10);
    stage.pass(4);
    stage.fire(false);
    stage.pass(6);
    stage.pass(40);
    let outcome = stage.incidents.list().past.remove(0);
    assert_eq!((outcome.detected_after_ms, outcome.mitigated_after_ms), (Some(4_000), None), "the alert still fires");
    assert_eq!(outcome.budget_spent, [("orders".to_owned(), 60.0)]);
    stage.pass(8);
    stage.fire(true);
    stage.pass(1);
    let outcome = stage.incidents.list().past.remove(0);
    assert_eq!(outcome.mitigated_after_ms, Some(59_000));
    stage.pass(30);
    assert_eq!(stage.incidents.list().past.remove(0).mitigated_after_ms, Some(59_000));
}

#[tokio::test]
async fn half_a_minute_after_its_end_an_incident_knows_whether_the_ledger_balanced() {
    let stage = Stage::new();
    stage.play(PlayMode::Show);
    stage.pass(60);
    let ask = async || {
        if let Some(incident) = stage.incidents.ledger_due() {
            stage.incidents.ask_ledger(incident).await;
        }
    };
    ask().await;
    stage.pass(29);
    ask().await;
    assert_eq!(stage.asked.load(Ordering::SeqCst), 0);
    stage.pass(1);
    ask().await;
    ask().await;
    assert_eq!((stage.asked.load(Ordering::SeqCst), stage.incidents.list().past[0].balanced), (1, None), "it could not be read");
    stage.pass(10);
    ask().await;
    assert_eq!(stage.incidents.list().past[0].balanced, Some(true));
    assert_eq!(stage.incidents.tick(), None, "there is nothing left to find out");
}

#[tokio::test]
async fn a_new_incident_closes_the_book_of_the_one_before() {
    let stage = Stage::new();
    stage.play(PlayMode::Show);
    stage.pass(10);
    stage.pass(5);
    stage.fire(false);
    stage.pass(45);
    stage.play(PlayMode::Show);
    stage.fire(true);
    stage.pass(20);
    stage.incidents.control(Control::Stop).unwrap();
    stage.pass(1);
    let past = stage.incidents.list().past;
    assert_eq!((past[1].detected_after_ms, past[1].mitigated_after_ms), (Some(5_000), None));
    assert_eq!(past[0].detected_after_ms, None, "the old alert is not the new one's");
}

#[tokio::test]
async fn only_the_newest_twenty_are_remembered() {
    let stage = Stage::new();
    for _ in 0..25 {
        stage.play(PlayMode::Show);
        stage.incidents.control(Control::Stop).unwrap();
    }
    assert_eq!(stage.incidents.list().past.len(), 20);
}

#[tokio::test]
async fn whoever_listens_is_told_what_happened() {
    let stage = Stage::new();
    let told = Arc::new(Mutex::new(Vec::new()));
    let sink = told.clone();
    stage.incidents.noted_by(Arc::new(move |action, script, detail| sink.lock().unwrap().push(format!("{action} {script} {detail}"))));
    stage.play(PlayMode::Quiz);
    stage.pass(10);
    stage.incidents.answer("carts").unwrap();
    stage.incidents.control(Control::Stop).unwrap();
    let told = told.lock().unwrap();
    let expected =
        ["incident.played slow-carts quiz, seed 7", "incident.answered slow-carts carts: 100 points", "incident.ended slow-carts stopped"];
    assert_eq!(*told, expected);
}

#[tokio::test]
async fn it_plays_by_itself_once_it_is_started() {
    let (platform, clock) = testkit::platform();
    let load = Load::new(&platform);
    let incidents = Incidents::start(&platform, load.clone(), Arc::new(|| Box::pin(async { Some(true) })));
    incidents.play("payment-brown-out", Play::default()).unwrap();
    clock.advance(Duration::from_secs(21));
    let is_slow = async || platform.flag_control().get("payment-slow").unwrap().flip.is_some();
    testkit::eventually("the first fault is on", Duration::from_secs(10), is_slow).await;
    clock.advance(Duration::from_secs(600));
    testkit::eventually("it ends", Duration::from_secs(10), async || incidents.list().playing.is_none()).await;
    clock.advance(Duration::from_secs(31));
    let is_known = async || incidents.list().past[0].balanced == Some(true);
    testkit::eventually("the ledger was asked", Duration::from_secs(10), is_known).await;
}
