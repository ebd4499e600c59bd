//! When which flags were on, and which minute before a flip it is fair to compare with.

use super::measure::Window;
use contract::Timestamp;
use contract::flags::{Audience, FlagState, Signal};
use serde_json::Value;
use std::collections::{BTreeSet, VecDeque};

/// What is compared with: so much time before the flip, ...
const BEFORE_MS: i64 = 60_000;
/// ... looked for within this time.
const LOOK_BACK_MS: i64 = 300_000;
/// Less than this is nothing to compare with.
const LEAST_BEFORE_MS: i64 = 5_000;
/// Requests under way when a flag changes belong to neither side.
const SETTLE_MS: i64 = 3_000;
/// How long a flag that was cleared is still told of. The store counts by the second for fifteen minutes; five of them are measured.
const REMEMBER_MS: i64 = 600_000;
/// Changes remembered; only the newest minutes matter.
const MAX_TURNS: usize = 512;

/// A flag from its flip until it was cleared.
#[derive(Clone, Debug, PartialEq)]
pub struct Episode {
    pub flag: String,
    pub variant: String,
    pub value: Value,
    pub signal: Option<Signal>,
    pub audience: Audience,
    pub flipped_at: Timestamp,
    pub cleared_at: Option<Timestamp>,
    /// When the same other flags were on as at the flip; empty when that was never.
    pub before: Vec<Window>,
}

/// What a look at the flags found.
#[derive(Clone, Debug, PartialEq)]
pub enum Turned {
    On(Box<Episode>),
    Off(String),
}

/// From `at` on these flags were on.
#[derive(Debug)]
struct Turn {
    at: Timestamp,
    on: BTreeSet<String>,
}

/// One episode a flag, the newest.
#[derive(Debug)]
pub struct History {
    turns: VecDeque<Turn>,
    episodes: Vec<Episode>,
}

impl History {
    /// Nothing is known of the time before `now`, but that it was as the platform began: all off.
    pub fn new(now: Timestamp) -> Self {
        Self { turns: VecDeque::from([Turn { at: now, on: BTreeSet::new() }]), episodes: Vec::new() }
    }

    /// The newest flip first.
    pub fn episodes(&self) -> &[Episode] {
        &self.episodes
    }

    pub fn on(&self) -> impl Iterator<Item = &Episode> {
        self.episodes.iter().filter(|episode| episode.cleared_at.is_none())
    }

    /// Takes over how the flags are now, and says what changed.
    pub fn note(&mut self, states: &[FlagState], now: Timestamp) -> Vec<Turned> {
        let mut turned = Vec::new();
        for gone in self.on().filter(|episode| !states.iter().any(|state| state.key == episode.flag && state.is_on())) {
            turned.push(Turned::Off(gone.flag.clone()));
        }
        for state in states.iter().filter(|state| state.is_on()) {
            let audience = state.flip.as_ref().map(|flip| flip.audience.clone()).unwrap_or_default();
            let goes_on =
                self.on().any(|episode| episode.flag == state.key && episode.variant == state.variant && episode.audience == audience);
            if !goes_on {
                turned.push(Turned::On(Box::new(self.begin(state, audience, now))));
            }
        }
        for turn in &turned {
            match turn {
                Turned::Off(flag) => self.end(flag, now),
                Turned::On(episode) => {
                    self.episodes.retain(|known| known.flag != episode.flag);
                    self.episodes.insert(0, (**episode).clone());
                }
            }
        }
        self.episodes.sort_by_key(|episode| std::cmp::Reverse(episode.flipped_at));
        let on: BTreeSet<String> = self.on().map(|episode| episode.flag.clone()).collect();
        // Another variant of the same flag is a change, too.
        if !turned.is_empty() || self.turns.back().is_none_or(|turn| turn.on != on) {
            self.turns.push_back(Turn { at: now, on });
            if self.turns.len() > MAX_TURNS {
                self.turns.pop_front();
            }
        }
        self.episodes.retain(|episode| episode.cleared_at.is_none_or(|at| now.millis() - at.millis() <= REMEMBER_MS));
        turned
    }

    /// A flip of `flag` ended at `at`, whatever is on by now.
    pub fn end(&mut self, flag: &str, at: Timestamp) {
        if let Some(episode) = self.episodes.iter_mut().find(|episode| episode.flag == flag) {
            episode.cleared_at.get_or_insert(at);
        }
    }

    fn begin(&self, state: &FlagState, audience: Audience, now: Timestamp) -> Episode {
        let value = state.variants.iter().find(|variant| variant.name == state.variant).map(|variant| variant.value.clone());
        let flipped_at = state.flip.as_ref().map_or(now, |flip| flip.flipped_at);
        let others: BTreeSet<String> = self.on().map(|episode| episode.flag.clone()).filter(|flag| *flag != state.key).collect();
        Episode {
            flag: state.key.clone(),
            variant: state.variant.clone(),
            value: value.unwrap_or_default(),
            signal: state.signal_of(&state.variant),
            audience,
            flipped_at,
            cleared_at: None,
            before: self.before(flipped_at, &others),
        }
    }

    /// The newest minute before `flip` in which exactly `others` were on, in as many pieces as it takes.
    fn before(&self, flip: Timestamp, others: &BTreeSet<String>) -> Vec<Window> {
        let (mut pieces, mut wanted) = (Vec::new(), BEFORE_MS);
        let mut end = floor(flip);
        for (n, turn) in self.turns.iter().enumerate().rev() {
            // What was on before the first turn is not known; its settling is that of the start.
            let first = n == 0 && turn.on.is_empty();
            let begin = ceil(Timestamp::from_millis(turn.at.millis() + if first { 0 } else { SETTLE_MS }));
            let earliest = flip.millis() - LOOK_BACK_MS;
            let from = begin.millis().max(end.millis() - wanted).max(floor(Timestamp::from_millis(earliest)).millis());
            if turn.on == *others && from < end.millis() {
                pieces.push((Timestamp::from_millis(from), end));
                wanted -= end.millis() - from;
            }
            end = end.min(floor(turn.at));
            if wanted <= 0 || end.millis() <= earliest {
                break;
            }
        }
        pieces.reverse();
        if BEFORE_MS - wanted < LEAST_BEFORE_MS { Vec::new() } else { pieces }
    }
}

/// The second it is in.
pub fn floor(at: Timestamp) -> Timestamp {
    Timestamp::from_millis(at.millis().div_euclid(1_000) * 1_000)
}

/// The next second, unless it is one.
pub fn ceil(at: Timestamp) -> Timestamp {
    floor(Timestamp::from_millis(at.millis() + 999))
}

#[cfg(test)]
mod tests;
