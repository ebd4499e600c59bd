//! Every flag, under load, against the platform's own proofs: on, its effect is seen; off, it goes; and the books agree all the same.
//!
//! `cargo xtask verify-flags` runs it in full, embedded and split; the suite runs one variant of each flag, embedded. Both need the machine
//! for themselves, so that these tests are left out of an ordinary run. FEAST_VERIFY_ONLY names flags, separated by commas; the table is
//! written to FEAST_VERIFY_FILE.

#![allow(clippy::print_stdout, reason = "whoever waits for minutes wants to see what happens")]

mod plan;
mod table;
mod traffic;

use crate::harness::{Agent, Mode, Options, Platform, balanced, run};
use contract::flags::{FlagState, SignalKind};
use contract::proof::{Proof, Verdict};
use plan::{DISH, Flip};
use serde_json::json;
use std::cell::Cell;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};
use table::Row;

/// What is usual is learnt for so long before anything is flipped: a level needs 25 s of it.
const WARM_UP: Duration = Duration::from_secs(30);
/// All flags are on for so long in the trial without the chaos layer, after so much time to learn what is usual.
const NOTHING_HAPPENS_FOR: Duration = Duration::from_secs(10);
/// From a flip to the first request that it touches. Some flags act on what seldom happens, and then it is the traffic's time.
const FIRST_WITHIN: Duration = Duration::from_secs(1);
/// What is usual between two flips adds to what is known of the five minutes before; the first 3 s after a change do not count.
const LEARN: Duration = Duration::from_secs(6);
/// A level is compared with slices of 5 s, and with how much they differ.
const LEARN_LEVEL: Duration = Duration::from_secs(15);
/// A queue that drains is not usual, and what is compared with is the newest minute.
const LEARN_QUEUE: Duration = Duration::from_secs(65);
/// How long a wave waits until its effects are gone. What is slower, goes beside the next.
const PATIENCE: Duration = Duration::from_secs(5);
/// Between two looks at the proofs.
const LOOK_EVERY: Duration = Duration::from_millis(300);
/// Requests under way when a flag changes belong to neither side; so the next flip has something to compare with.
const PAUSE: Duration = Duration::from_millis(500);
/// When the last flag is off and nobody orders any more, the books must agree within this time.
const SETTLES_WITHIN: Duration = Duration::from_secs(90);
/// What is missed is tried once more, alone: a machine may be kept busy for a moment. More than so many are no accident.
const SECOND_TRIES: usize = 5;
/// Users of the load generator while nobody asks for others.
const USERS: u32 = 2;

#[test]
#[ignore = "needs the machine for itself: cargo xtask verify-flags, and a stage of the suite"]
fn suite_every_flag_is_proven_in_one_variant() {
    verify(Mode::Embedded, plan::SUITE.iter().map(|wave| wave.to_vec()).collect());
}

#[test]
#[ignore = "needs the machine for itself: cargo xtask verify-flags, and a stage of the suite"]
fn suite_without_the_chaos_layer_nothing_is_proven() {
    let options = Options { settings: vec![("FEAST_SELF_TEST", "without-chaos".to_owned())], ..Options::default() };
    run(Mode::Embedded, options, async |platform| {
        let _agent = Agent::start(platform, USERS).await;
        let over = Cell::new(false);
        let trial = async {
            tokio::time::sleep(NOTHING_HAPPENS_FOR).await;
            let known = known(platform).await;
            for (flag, variant) in chosen(plan::SUITE.iter().map(|wave| wave.to_vec()).collect()).into_iter().flatten() {
                assert!(known.iter().any(|state| state.key == flag), "{flag}");
                platform.flip(flag, variant).await;
            }
            tokio::time::sleep(NOTHING_HAPPENS_FOR).await;
            let proven: Vec<String> =
                proofs(platform).await.into_iter().filter(is_seen).map(|proof| format!("{}: {}", proof.flag, proof.says)).collect();
            over.set(true);
            proven
        };
        let (proven, ()) = futures::join!(trial, traffic::run(platform, &over));
        assert!(proven.is_empty(), "proven although nothing was done: {proven:#?}");
    });
}

#[test]
#[ignore = "takes half an hour: cargo xtask verify-flags"]
fn full_every_variant_is_proven_in_one_process() {
    verify(Mode::Embedded, Vec::new());
}

#[test]
#[ignore = "takes half an hour: cargo xtask verify-flags"]
fn full_every_variant_is_proven_on_nine_processes() {
    verify(Mode::Split, Vec::new());
}

fn is_seen(proof: &Proof) -> bool {
    proof.verdict == Verdict::Seen
}

/// Those waves and flags that FEAST_VERIFY_ONLY leaves.
fn chosen(waves: Vec<Vec<Flip>>) -> Vec<Vec<Flip>> {
    let Ok(only) = std::env::var("FEAST_VERIFY_ONLY") else { return waves };
    let only: BTreeSet<&str> = only.split(',').map(str::trim).filter(|flag| !flag.is_empty()).collect();
    if only.is_empty() {
        return waves;
    }
    let kept = waves.into_iter().map(|wave| wave.into_iter().filter(|(flag, _)| only.contains(flag)).collect::<Vec<_>>());
    kept.filter(|wave| !wave.is_empty()).collect()
}

/// Tries the waves, or every variant of every flag by itself when there are none, and judges what was seen.
fn verify(mode: Mode, waves: Vec<Vec<Flip>>) {
    let (rows, missing) = (Cell::new(Vec::new()), Cell::new(Vec::new()));
    run(mode, Options::default(), async |platform| {
        let _agent = Agent::start(platform, USERS).await;
        let known = known(platform).await;
        let partial = std::env::var_os("FEAST_VERIFY_ONLY").is_some_and(|only| !only.is_empty());
        let pace = if waves.is_empty() { Pace::Full } else { Pace::Suite };
        let waves = chosen(if waves.is_empty() { every_variant(&known) } else { waves });
        let tried: BTreeSet<&str> = waves.iter().flatten().map(|(flag, _)| *flag).collect();
        missing.set(known.iter().map(|state| state.key.clone()).filter(|key| !partial && !tried.contains(key.as_str())).collect());
        let over = Cell::new(false);
        let trial = async {
            tokio::time::sleep(WARM_UP).await;
            let mut trial = Trial { platform, mode, pace, known: &known, rows: Vec::new() };
            for wave in &waves {
                trial.wave(wave).await;
            }
            trial.finish().await;
            trial.try_again().await;
            over.set(true);
            trial.rows
        };
        let (mut found, ()) = futures::join!(trial, traffic::run(platform, &over));
        platform.http.put("/api/load", json!({"users": 0})).operator().send().await;
        if let Err(why) = balanced(platform, SETTLES_WITHIN).await {
            found.push(Row { wrong: Some(why), ..Row::new(name(mode), "the ledger", "after all of it") });
        }
        rows.set(found);
    });
    let (rows, missing) = (rows.into_inner(), missing.into_inner());
    let text = table::text(&rows);
    println!("{text}");
    if let Some(file) = std::env::var_os("FEAST_VERIFY_FILE") {
        use std::io::Write;
        let mut file = std::fs::OpenOptions::new().create(true).append(true).open(file).unwrap();
        writeln!(file, "{text}").unwrap();
    }
    let wrong: Vec<String> =
        rows.iter().filter_map(|row| row.wrong.as_ref().map(|wrong| format!("{} {}: {wrong}", row.flag, row.variant))).collect();
    assert!(wrong.is_empty() && missing.is_empty(), "wrong: {wrong:#?}\nnobody tries these flags: {missing:?}");
}

const fn name(mode: Mode) -> &'static str {
    match mode {
        Mode::Embedded => "embedded",
        Mode::Split => "split",
    }
}

/// Each variant that changes something, one after the other. Names live as long as the test.
fn every_variant(known: &[FlagState]) -> Vec<Vec<Flip>> {
    let mut waves = Vec::new();
    for state in known {
        let key: &'static str = state.key.clone().leak();
        for variant in &state.variants {
            let flipped = FlagState { variant: variant.name.clone(), ..state.clone() };
            if flipped.is_on() {
                waves.push(vec![(key, &*variant.name.clone().leak())]);
            }
        }
    }
    waves
}

async fn known(platform: &Platform) -> Vec<FlagState> {
    serde_json::from_value(platform.http.get("/api/flags").operator().send().await.expect(200)).unwrap()
}

async fn proofs(platform: &Platform) -> Vec<Proof> {
    let answer = platform.http.get("/api/proofs").operator().try_send().await;
    answer.ok().filter(|answer| answer.status == 200).and_then(|answer| serde_json::from_str(&answer.body).ok()).unwrap_or_default()
}

/// Rows so far, some of them of flags that are off and whose effect is still going.
struct Trial<'p> {
    platform: &'p Platform,
    mode: Mode,
    pace: Pace,
    known: &'p [FlagState],
    rows: Vec<Row>,
}

/// Waves share what is usual from before the first one, or each variant learns it anew.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pace {
    Suite,
    Full,
}

impl Trial<'_> {
    /// Flips, waits for the proofs, takes everything back, and waits until nothing of it is left.
    async fn wave(&mut self, wave: &[Flip]) {
        tokio::time::sleep(self.pause_before(wave)).await;
        for (flag, _) in wave {
            if let Some(((broken, variant), before)) = plan::needs(flag) {
                self.platform.flip(broken, variant).await;
                tokio::time::sleep(before).await;
            }
        }
        let (flipped, first) = (Instant::now(), self.rows.len());
        for (flag, variant) in wave {
            // Not waiting until every process has heard of it: that is measured.
            let flip = self.platform.http.put(&format!("/api/flags/{flag}"), json!({"variant": variant}));
            flip.operator().send().await.expect(200);
            self.rows.push(Row::new(name(self.mode), flag, variant));
        }
        self.wait_for_proofs(first, flipped).await;
        self.platform.http.delete("/api/flags").operator().send().await.expect(200);
        let stocked = self.rows[first..].iter().any(|row| plan::stock(row.flag, &row.variant).is_some());
        if stocked {
            self.platform.set_stock(DISH, 200).await;
        }
        for row in &mut self.rows[first..] {
            row.cleared = Some(Instant::now());
        }
        self.wait_until_gone(if self.pace == Pace::Full { Duration::MAX } else { PATIENCE }).await;
        for row in &self.rows[first..] {
            println!("{:.1?} {} {}: {}", flipped.elapsed(), row.flag, row.variant, row.wrong.as_deref().unwrap_or(&row.says));
        }
    }

    /// Tries alone what was missed, unless that is much. The row says that it is the second try.
    async fn try_again(&mut self) {
        let missed: Vec<Flip> =
            self.rows.iter().filter(|row| row.wrong.is_some()).map(|row| (row.flag, &*row.variant.clone().leak())).collect();
        if missed.len() > SECOND_TRIES {
            return;
        }
        self.pace = Pace::Full;
        for (flag, variant) in missed {
            println!("once more, alone: {flag} {variant}");
            self.rows.retain(|row| (row.flag, row.variant.as_str()) != (flag, variant));
            self.wave(&[(flag, variant)]).await;
            self.finish().await;
            if let Some(row) = self.rows.last_mut() {
                row.says.insert_str(0, "Second try. ");
            }
        }
    }

    /// So long nothing may be on before a flip, for something to compare with.
    fn pause_before(&self, wave: &[Flip]) -> Duration {
        let is_level = |(flag, variant): &Flip| {
            let signal = self.known.iter().find(|state| state.key == *flag).and_then(|state| state.signal_of(variant));
            signal.is_some_and(|signal| signal.kind == SignalKind::Level)
        };
        match self.pace {
            Pace::Suite => PAUSE,
            Pace::Full if wave.iter().any(|(flag, _)| plan::leaves_a_queue(flag)) => LEARN_QUEUE,
            Pace::Full if wave.iter().any(is_level) => LEARN_LEVEL,
            Pace::Full => LEARN,
        }
    }

    async fn wait_for_proofs(&mut self, first: usize, flipped: Instant) {
        let mut stocked = None::<Instant>;
        loop {
            let stock = self.rows[first..].iter().find_map(|row| plan::stock(row.flag, &row.variant));
            if let Some(stock) = stock.filter(|_| stocked.is_none_or(|at| at.elapsed() >= Duration::from_secs(1))) {
                let body = json!({"stock": stock});
                let _ = self.platform.http.put(&format!("/api/inventory/{DISH}"), body).operator().try_send().await;
                stocked = Some(Instant::now());
            }
            let proofs = proofs(self.platform).await;
            for row in &mut self.rows[first..] {
                let Some(proof) = proofs.iter().find(|proof| proof.flag == row.flag && proof.variant == row.variant) else { continue };
                row.says.clone_from(&proof.says);
                if is_seen(proof) {
                    row.proven = row.proven.or(Some(flipped.elapsed()));
                }
                let touched = proof.effect_after_ms.map(Duration::from_millis);
                row.first = row.first.or(if plan::is_unmarked(row.flag) { row.proven } else { touched });
            }
            let waiting = self.rows[first..].iter().filter(|row| row.proven.is_none() || row.first.is_none());
            if waiting.map(|row| plan::patience(row.flag)).max().is_none_or(|patience| flipped.elapsed() >= patience) {
                break;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        for row in &mut self.rows[first..] {
            if row.proven.is_none() {
                row.wrong = Some("its effect is not seen".to_owned());
            } else if row.first.is_none_or(|first| first > FIRST_WITHIN + plan::seldom(row.flag)) {
                row.wrong = Some("no request was touched in time".to_owned());
            }
        }
    }

    /// Waits for all that is still going, but not longer than `most`: the next wave does not mind a queue that drains.
    async fn wait_until_gone(&mut self, most: Duration) {
        let began = Instant::now();
        loop {
            let proofs = proofs(self.platform).await;
            for row in self.rows.iter_mut().filter(|row| row.is_going()) {
                let proof = proofs.iter().find(|proof| proof.flag == row.flag && proof.variant == row.variant);
                let Some(proof) = proof else { continue };
                // Nothing is left when what was measured after is nearer to before than to since.
                let near = |after: f64| (after - proof.before.value).abs() <= (proof.since.value - proof.before.value).abs() / 2.0;
                if proof.after.is_some_and(|after| after.of > 0 && near(after.value)) {
                    row.gone = row.cleared.map(|cleared| cleared.elapsed());
                }
            }
            let waiting = self.rows.iter().filter(|row| row.is_going() && !row.is_late(plan::patience(row.flag)));
            if waiting.count() == 0 || began.elapsed() >= most {
                return;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    async fn finish(&mut self) {
        self.wait_until_gone(Duration::MAX).await;
        for row in self.rows.iter_mut().filter(|row| row.is_going() && row.wrong.is_none()) {
            row.wrong = Some("its effect stays".to_owned());
        }
    }
}
