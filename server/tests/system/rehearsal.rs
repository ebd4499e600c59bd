//! Every incident script, played live with load: what it flips is proven while it plays, it ends by itself, leaves nothing on, and the books
//! agree all the same.
//!
//! `cargo xtask rehearse` runs it. It needs the machine for itself and takes as long as the scripts do, so that it is left out of an ordinary
//! run. FEAST_REHEARSE_ONLY names scripts, separated by commas; the table is written to FEAST_REHEARSE_FILE.

#![allow(clippy::print_stdout, reason = "whoever waits for minutes wants to see what happens")]

use crate::harness::{Agent, Mode, Options, Platform, run};
use contract::flags::FlagState;
use contract::incident::{Incidents, Outcome, PlayMode, Script};
use contract::proof::{Proof, Verdict};
use serde_json::json;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::{Duration, Instant};

/// What is usual is learnt for so long before the first script.
const WARM_UP: Duration = Duration::from_secs(20);
/// Users while no script asks for others.
const USERS: u32 = 10;
/// The platform knows how it went half a minute after the end; a little more than that.
const TOLD_WITHIN: Duration = Duration::from_secs(60);
/// Longer than its own time no script plays.
const GRACE: Duration = Duration::from_secs(15);
const LOOK_EVERY: Duration = Duration::from_millis(500);

#[test]
#[ignore = "plays for half an hour: cargo xtask rehearse"]
fn every_script_shows_what_it_says_and_ends_in_balance() {
    let wrong = std::cell::Cell::new(Vec::new());
    run(Mode::Embedded, Options::default(), async |platform| {
        let _agent = Agent::start(platform, USERS).await;
        tokio::time::sleep(WARM_UP).await;
        let only = std::env::var("FEAST_REHEARSE_ONLY").unwrap_or_default();
        let chosen: Vec<&str> = only.split(',').map(str::trim).filter(|id| !id.is_empty()).collect();
        let mut found = Vec::new();
        for script in incidents(platform).await.scripts {
            if chosen.is_empty() || chosen.contains(&script.id.as_str()) {
                let played = play(platform, &script).await;
                played.tell(&script);
                found.extend(played.wrong.into_iter().map(|wrong| format!("{}: {wrong}", script.id)));
            }
        }
        wrong.set(found);
    });
    let wrong = wrong.into_inner();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// How a script went.
struct Played {
    /// By flag and variant: what was said of it last, or first that it was seen.
    proofs: BTreeMap<(String, String), (Verdict, String)>,
    outcome: Option<Outcome>,
    wrong: Vec<String>,
}

async fn incidents(platform: &Platform) -> Incidents {
    serde_json::from_value(platform.http.get("/api/incidents").operator().send().await.expect(200)).unwrap()
}

/// An overloaded platform may not answer in time; then the next look does.
async fn look<T: serde::de::DeserializeOwned>(platform: &Platform, path: &str) -> Option<T> {
    let answer = platform.http.get(path).operator().try_send().await.ok().filter(|answer| answer.status == 200)?;
    serde_json::from_str(&answer.body).ok()
}

async fn play(platform: &Platform, script: &Script) -> Played {
    let mut played = Played { proofs: BTreeMap::new(), outcome: None, wrong: Vec::new() };
    let path = format!("/api/incidents/{}/play", script.id);
    platform.http.post(&path, json!({"mode": PlayMode::Show})).operator().send().await.expect(200);
    let (began, longest) = (Instant::now(), Duration::from_secs(script.seconds) + GRACE);
    // Of an earlier script's flip of the same flag nothing is to be believed.
    let started_at = incidents(platform).await.playing.map(|playing| playing.started_at);
    while look::<Incidents>(platform, "/api/incidents").await.is_none_or(|now| now.playing.is_some()) {
        for proof in look::<Vec<Proof>>(platform, "/api/proofs").await.unwrap_or_default() {
            if started_at.is_some_and(|started| proof.flipped_at >= started) {
                played.note(proof);
            }
        }
        if began.elapsed() > longest {
            played.wrong.push(format!("it still plays after {longest:?}"));
            return played;
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    for state in look::<Vec<FlagState>>(platform, "/api/flags").await.unwrap_or_default() {
        if state.flip.is_some() {
            played.wrong.push(format!("{} is still {}", state.key, state.variant));
        }
    }
    played.outcome = told(platform, &script.id).await;
    played.judge(script);
    played
}

/// How the platform itself says that it went, once it knows.
async fn told(platform: &Platform, script: &str) -> Option<Outcome> {
    let began = Instant::now();
    loop {
        let past = look::<Incidents>(platform, "/api/incidents").await.map(|now| now.past).unwrap_or_default();
        let newest = past.into_iter().find(|outcome| outcome.script == script);
        if newest.as_ref().is_some_and(|outcome| outcome.balanced.is_some()) || began.elapsed() > TOLD_WITHIN {
            return newest;
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

impl Played {
    fn note(&mut self, proof: Proof) {
        let known = self.proofs.entry((proof.flag, proof.variant)).or_insert((Verdict::NoTraffic, String::new()));
        if known.0 != Verdict::Seen {
            *known = (proof.verdict, proof.says);
        }
    }

    fn judge(&mut self, script: &Script) {
        if let Some(outcome) = &self.outcome {
            if outcome.balanced != Some(true) {
                self.wrong.push(format!("balanced: {:?}", outcome.balanced));
            }
            if outcome.stopped {
                self.wrong.push("it was stopped".to_owned());
            }
        } else {
            self.wrong.push("nothing is told of how it went".to_owned());
        }
        if self.proofs.is_empty() {
            self.wrong.push(format!("none of its {} steps flips anything", script.steps.len()));
        }
        for ((flag, variant), (verdict, says)) in &self.proofs {
            if *verdict != Verdict::Seen {
                self.wrong.push(format!("{flag} {variant} is not seen: {says}"));
            }
        }
    }

    fn tell(&self, script: &Script) {
        let seconds = |ms: Option<u64>| ms.map_or("–".to_owned(), |ms| format!("{:.1} s", ms as f64 / 1_000.0));
        let outcome = self.outcome.as_ref();
        let (detected, mitigated) =
            (seconds(outcome.and_then(|o| o.detected_after_ms)), seconds(outcome.and_then(|o| o.mitigated_after_ms)));
        let spent = outcome.map(|o| o.budget_spent.iter().map(|(name, spent)| format!("{name} {spent:.0} %")).collect::<Vec<_>>());
        let balanced = outcome.and_then(|o| o.balanced);
        let mut text = format!(
            "{}: detected after {detected}, mitigated after {mitigated}, budget spent {}, balanced {balanced:?}\n",
            script.id,
            spent.unwrap_or_default().join(", ")
        );
        for ((flag, variant), (_, says)) in &self.proofs {
            let _ = writeln!(text, "    {flag} {variant}: {says}");
        }
        for wrong in &self.wrong {
            let _ = writeln!(text, "    WRONG: {wrong}");
        }
        print!("{text}");
        if let Some(file) = std::env::var_os("FEAST_REHEARSE_FILE") {
            use std::io::Write;
            let mut file = std::fs::OpenOptions::new().create(true).append(true).open(file).unwrap();
            write!(file, "{text}").unwrap();
        }
    }
}
