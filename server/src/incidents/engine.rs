//! Plays scripts: a state machine whose every step is decided by a tick of the injected clock.
//!
//! What it turned on is remembered with the moment of the flip. A flag that an operator has flipped or cleared in between is the operator's from then
//! on: the script neither clears it nor flips it back, until a later step names it.

use super::outcome::{Course, Past};
use super::script::{HIDDEN_ID, Script, Set, Step};
use super::{Detect, Done};
use crate::load::Load;
use contract::detection::Alert;
use contract::flags::FlagState;
use contract::incident::{Answered, Control, Incidents, Outcome, Play, PlayMode, Playing};
use contract::{ApiError, Code, Timestamp};
use runtime::clock::SharedClock;
use runtime::flags::FlagControl;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

/// How many incidents are remembered.
const MAX_PAST: usize = 20;
/// A script may stand still this long before its faults end by themselves.
const PAUSE_ALLOWANCE: Duration = Duration::from_secs(600);
/// An answer within this time is worth everything; at the script's end it is worth the least.
const QUICK_MS: u64 = 10_000;
const LEAST_SCORE: u64 = 20;
/// Requests that began before the end answer after it.
const SPENT_UNTIL: Duration = Duration::from_secs(30);
/// Flags of the load generator are no cause of anything.
const NO_FAULTS: &str = "load-";

pub struct Engine {
    pub detect: Option<Arc<dyn Detect>>,
    scripts: Vec<Arc<Script>>,
    clock: SharedClock,
    flags: FlagControl,
    load: Load,
    playing: Option<Running>,
    /// Newest first.
    past: VecDeque<Past>,
}

/// The script that plays.
struct Running {
    script: Arc<Script>,
    mode: PlayMode,
    seed: u64,
    started_at: Timestamp,
    /// The script's own clock, which stands while it is paused.
    at_ms: u64,
    looked_at: Timestamp,
    paused: bool,
    /// The step that is due next.
    next: usize,
    /// Flips of ours by their flag: variant and moment.
    ours: BTreeMap<String, (String, Timestamp)>,
    has_load: bool,
    course: Course,
    /// On the script's clock.
    first_fault_at_ms: u64,
    /// What was on since the script began, by whomever: the truth of the quiz.
    seen: BTreeMap<String, (String, Timestamp)>,
    answered: Option<Answered>,
}

impl Running {
    fn hides_cause(&self) -> bool {
        self.mode == PlayMode::Quiz && self.answered.is_none()
    }

    fn faults(&self) -> Vec<String> {
        let mut flags: Vec<String> = self.script.steps.iter().flat_map(|step| &step.set).map(|set| set.flag.clone()).collect();
        flags.retain(|flag| !flag.starts_with(NO_FAULTS));
        flags.sort();
        flags.dedup();
        flags
    }

    fn state(&self) -> Playing {
        Playing {
            script: if self.hides_cause() { HIDDEN_ID.to_owned() } else { self.script.id.clone() },
            mode: self.mode,
            started_at: self.started_at,
            at_seconds: (self.at_ms / 1_000).min(self.script.seconds),
            paused: self.paused,
            step: self.next.checked_sub(1),
            answered: self.answered.clone(),
        }
    }

    fn did(&self, action: &'static str, detail: impl Into<String>) -> Done {
        Done { action, script: self.script.id.clone(), detail: detail.into() }
    }

    /// 0-100 for a right answer now.
    fn score(&self) -> u32 {
        let late_ms = self.at_ms.saturating_sub(self.first_fault_at_ms).saturating_sub(QUICK_MS);
        let longest_ms = (self.script.seconds * 1_000).saturating_sub(self.first_fault_at_ms).saturating_sub(QUICK_MS).max(1);
        let less = (100 - LEAST_SCORE) * late_ms.min(longest_ms) / longest_ms;
        u32::try_from(100 - less).unwrap_or(100)
    }

    /// "payment-slow: 3-s since 12:03:10".
    fn truth(&self) -> String {
        let mut seen: Vec<_> = self.seen.iter().collect();
        seen.sort_by_key(|(_, (_, since))| *since);
        let words: Vec<String> =
            seen.into_iter().map(|(flag, (variant, since))| format!("{flag}: {variant} since {}", time_of_day(*since))).collect();
        if words.is_empty() { "no fault was on yet".to_owned() } else { words.join(", ") }
    }
}

/// "12:03:10", in UTC.
fn time_of_day(moment: Timestamp) -> String {
    moment.to_string().get(11..19).unwrap_or_default().to_owned()
}

/// Whether somebody flipped it to something.
fn is_on(flag: &FlagState) -> bool {
    flag.flip.is_some() && flag.variant != flag.default_variant
}

impl Engine {
    pub fn new(scripts: Vec<Script>, clock: SharedClock, flags: FlagControl, load: Load) -> Self {
        let scripts = scripts.into_iter().map(Arc::new).collect();
        Self { detect: None, scripts, clock, flags, load, playing: None, past: VecDeque::new() }
    }

    pub fn is_playing(&self) -> bool {
        self.playing.is_some()
    }

    /// Something is still to be learnt about one that is over.
    pub fn is_following(&self) -> bool {
        let now = self.clock.now();
        self.past.iter().any(|past| past.is_followed(now))
    }

    pub fn hides_cause(&self) -> bool {
        self.playing.as_ref().is_some_and(Running::hides_cause)
    }

    pub fn list(&self) -> Incidents {
        let hidden = self.playing.as_ref().filter(|running| running.hides_cause()).map(|running| running.script.hidden());
        Incidents {
            scripts: self.scripts.iter().map(|script| script.told()).chain(hidden).collect(),
            playing: self.playing.as_ref().map(Running::state),
            past: self.past.iter().map(|past| past.outcome.clone()).collect(),
        }
    }

    /// # Errors
    /// `NOT_FOUND`; `CONFLICT` while another plays.
    pub fn play(&mut self, id: &str, play: Play) -> Result<Vec<Done>, ApiError> {
        let script = self.scripts.iter().find(|script| script.id == id).cloned();
        let script = script.ok_or_else(|| ApiError::new(Code::NotFound, format!("there is no script {id:?}")))?;
        if self.playing.is_some() {
            return Err(ApiError::new(Code::Conflict, "another script plays; stop it first"));
        }
        for past in &mut self.past {
            past.is_closed = true;
        }
        let (now, seed) = (self.clock.now(), play.seed.unwrap_or(script.seed));
        let running = Running {
            script,
            mode: play.mode,
            seed,
            started_at: now,
            at_ms: 0,
            looked_at: now,
            paused: false,
            next: 0,
            ours: BTreeMap::new(),
            has_load: false,
            course: Course::default(),
            first_fault_at_ms: 0,
            seen: BTreeMap::new(),
            answered: None,
        };
        let mut done = vec![running.did("incident.played", format!("{:?}, seed {seed}", play.mode).to_lowercase())];
        self.playing = Some(running);
        done.extend(self.tick());
        Ok(done)
    }

    /// # Errors
    /// `CONFLICT` while nothing plays.
    pub fn control(&mut self, control: Control) -> Result<Vec<Done>, ApiError> {
        let mut done = self.tick();
        let nothing_plays = || ApiError::new(Code::Conflict, "no script plays");
        let running = self.playing.as_mut().ok_or_else(nothing_plays)?;
        match control {
            Control::Pause => {
                running.paused = true;
                done.push(running.did("incident.paused", ""));
            }
            Control::Resume => {
                running.paused = false;
                done.push(running.did("incident.resumed", ""));
            }
            Control::Skip => {
                done.push(running.did("incident.skipped", ""));
                running.at_ms = running.script.steps.get(running.next).map_or(running.script.seconds, |step| step.at) * 1_000;
                done.extend(self.tick());
            }
            Control::Stop => done.extend(self.end(true)),
        }
        Ok(done)
    }

    /// # Errors
    /// `CONFLICT` without a quiz, or when it was answered; `INVALID_BODY` for a choice that is none.
    pub fn answer(&mut self, choice: &str) -> Result<(Answered, Vec<Done>), ApiError> {
        let mut done = self.tick();
        let conflict = |why| ApiError::new(Code::Conflict, why);
        let running = self.playing.as_mut().filter(|running| running.mode == PlayMode::Quiz);
        let running = running.ok_or_else(|| conflict("no quiz plays"))?;
        if running.answered.is_some() {
            return Err(conflict("the quiz was answered"));
        }
        let chosen = running.script.choices.iter().find(|known| known.id == choice);
        let chosen = chosen.ok_or_else(|| ApiError::new(Code::InvalidBody, format!("there is no choice {choice:?}")))?;
        let right = match running.seen.is_empty() {
            true => chosen.flags.is_empty(),
            false => chosen.flags.iter().any(|flag| running.seen.contains_key(flag)),
        };
        let answered =
            Answered { choice: choice.to_owned(), right, score: if right { running.score() } else { 0 }, truth: running.truth() };
        running.answered = Some(answered.clone());
        done.push(running.did("incident.answered", format!("{choice}: {} points", answered.score)));
        Ok((answered, done))
    }

    /// Does what is due by now.
    pub fn tick(&mut self) -> Vec<Done> {
        let now = self.clock.now();
        let alerts = self.detect.as_ref().map(|detect| detect.alerts()).unwrap_or_default();
        let mut done = Vec::new();
        if let Some(mut running) = self.playing.take() {
            let elapsed = now.since(running.looked_at);
            running.looked_at = now;
            if !running.paused {
                running.at_ms = running.at_ms.saturating_add(u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX));
            }
            let script = running.script.clone();
            while let Some(step) = script.steps.get(running.next).filter(|step| step.at * 1_000 <= running.at_ms) {
                running.next += 1;
                self.carry_out(&mut running, step, now);
            }
            let flags = self.flags.list();
            for flag in flags.iter().filter(|flag| is_on(flag) && !flag.key.starts_with(NO_FAULTS)) {
                let since = flag.flip.as_ref().map_or(now, |flip| flip.flipped_at);
                running.seen.insert(flag.key.clone(), (flag.variant.clone(), since));
            }
            let faults = running.faults();
            running.course.look(now, &alerts, flags.iter().any(|flag| is_on(flag) && faults.contains(&flag.key)));
            let is_over = running.at_ms >= script.seconds * 1_000;
            self.playing = Some(running);
            if is_over {
                done.extend(self.end(false));
            }
        }
        self.follow(now, &alerts);
        done
    }

    fn carry_out(&self, running: &mut Running, step: &Step, now: Timestamp) {
        if step.all_clear {
            self.clear_ours(running);
        }
        for flag in &step.clear {
            if let Some(flip) = running.ours.remove(flag) {
                self.clear(flag, &flip);
            }
        }
        for set in &step.set {
            self.set(running, set, now);
        }
        if let Some(load) = step.load {
            self.load.lend(load.with_seed(running.seed));
            running.has_load = true;
        }
    }

    fn set(&self, running: &mut Running, set: &Set, now: Timestamp) {
        let left = Duration::from_secs(running.script.seconds).saturating_sub(Duration::from_millis(running.at_ms));
        match self.flags.set(&set.flag, &set.variant, Some(left + PAUSE_ALLOWANCE), set.audience.clone()) {
            Ok(flag) => match flag.flip {
                Some(flip) => {
                    running.ours.insert(set.flag.clone(), (set.variant.clone(), flip.flipped_at));
                    if !set.flag.starts_with(NO_FAULTS) && running.course.first_fault.is_none() {
                        running.course.first_fault = Some(now);
                        running.first_fault_at_ms = running.at_ms;
                    }
                }
                // It is what the source says anyway.
                None => drop(running.ours.remove(&set.flag)),
            },
            Err(error) => {
                let (script, flag) = (&running.script.id, &set.flag);
                tracing::warn!(script, flag, error = error.message, "The script {script} cannot flip {flag}: {}", error.message);
            }
        }
    }

    /// Ends a flip of ours, unless it is not ours any more.
    fn clear(&self, flag: &str, (variant, flipped_at): &(String, Timestamp)) {
        let is_ours = |now: &FlagState| now.variant == *variant && now.flip.as_ref().is_some_and(|flip| flip.flipped_at == *flipped_at);
        if self.flags.get(flag).is_ok_and(|now| is_ours(&now))
            && let Err(error) = self.flags.clear(flag)
        {
            tracing::error!(flag, error = error.message, "The flip of {flag} could not be ended");
        }
    }

    fn clear_ours(&self, running: &mut Running) {
        for (flag, flip) in std::mem::take(&mut running.ours) {
            self.clear(&flag, &flip);
        }
    }

    fn end(&mut self, stopped: bool) -> Vec<Done> {
        let Some(mut running) = self.playing.take() else { return Vec::new() };
        self.clear_ours(&mut running);
        if running.has_load {
            self.load.give_back();
        }
        let now = self.clock.now();
        let done = running.did("incident.ended", if stopped { "stopped" } else { "" });
        let faults = running.faults();
        let Running { script, mode, started_at, course, answered, .. } = running;
        let outcome = Outcome {
            script: script.id.clone(),
            title: script.title.clone(),
            mode,
            started_at,
            ended_at: now,
            stopped,
            detected_after_ms: None,
            mitigated_after_ms: None,
            budget_spent: Vec::new(),
            answered,
            balanced: None,
        };
        self.past.push_front(Past::new(outcome, course, faults));
        self.past.truncate(MAX_PAST);
        let alerts = self.detect.as_ref().map(|detect| detect.alerts()).unwrap_or_default();
        self.follow(now, &alerts);
        vec![done]
    }

    /// What becomes known of incidents that are over: of the newest, because what is seen now is its.
    fn follow(&mut self, now: Timestamp, alerts: &[Alert]) {
        if self.playing.is_some() {
            return;
        }
        let Some(past) = self.past.front_mut().filter(|past| past.is_followed(now)) else { return };
        let is_on = past.faults.iter().any(|flag| self.flags.get(flag).is_ok_and(|flag| is_on(&flag)));
        past.course.look(now, alerts, is_on);
        past.course.write_to(&mut past.outcome);
        if let Some(detect) = &self.detect {
            past.outcome.budget_spent = detect.budget_spent(past.outcome.started_at, now.min(past.outcome.ended_at + SPENT_UNTIL));
        }
    }

    /// The incident whose balance is to be found out now, by its start.
    pub fn ledger_due(&mut self) -> Option<Timestamp> {
        let now = self.clock.now();
        self.past.iter_mut().find_map(|past| past.wants_ledger(now).then_some(past.outcome.started_at))
    }

    pub fn balanced(&mut self, started_at: Timestamp, balanced: Option<bool>) {
        if let Some(past) = self.past.iter_mut().find(|past| past.outcome.started_at == started_at) {
            past.outcome.balanced = balanced;
        }
    }
}
