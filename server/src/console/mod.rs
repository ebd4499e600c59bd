//! The console's side that knows: who is an operator, what was flipped, proved, detected and done.
//!
//! [`Console`] ties the parts together. It hears of every change of a flag at once, and looks once a second at what was measured.

mod audit;
mod changes;
mod detection;
mod live;
mod marks;
mod proofs;
mod room;
mod routes;
mod sign_in;
mod snapshot;

pub use changes::{Witness, noted};
pub use marks::Marks;
pub use room::Room;
pub use routes::{openapi, router};
pub use sign_in::{Operators, sign_in};

use crate::NAME;
use crate::incidents::Incidents;
use crate::ledger::Auditor;
use crate::load::Load;
use audit::Audit;
use contract::Timestamp;
use contract::ledger::Ledger;
use contract::proof::{Proof, Verdict};
use contract::telemetry::MarkKind;
use detection::{Counted, Detector, Happened};
use live::{Nudges, Topic};
use observe::Store;
use proofs::{Proofs, Turned};
use runtime::Platform;
use runtime::clock::SharedClock;
use runtime::flags::{Change, ChangeKind, FlagControl};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

/// How often it looks.
const TICK: Duration = Duration::from_secs(1);
/// The ledger asks six services: for the objective every tenth tick will do, the guardrail wants to know sooner.
const LEDGER_EVERY: u64 = 10;
const GUARDED_LEDGER_EVERY: u64 = 3;
/// A ledger that does not balance must be seen so often in a row: a fact may be on its way while its pages are read.
const UNBALANCED_LOOKS: u64 = 2;

/// Clones share it.
#[derive(Clone)]
pub struct Console(Arc<Inner>);

struct Inner {
    audit: Audit,
    marks: Marks,
    proofs: Proofs,
    detector: Detector,
    nudges: Nudges,
    store: Store,
    load: Load,
    incidents: Incidents,
    auditor: Auditor,
    flags: FlagControl,
    clock: SharedClock,
    ticks: AtomicU64,
    /// Looks at the ledger in a row that found it unbalanced.
    unbalanced: AtomicU64,
    /// What the pages were told last.
    told: Mutex<Told>,
}

#[derive(Default, PartialEq)]
struct Told {
    verdicts: Vec<(String, Verdict)>,
    received: u64,
    agents: usize,
    users: u32,
    step: Option<usize>,
    playing: bool,
}

/// Parts that others started.
pub struct Parts {
    pub store: Store,
    pub marks: Marks,
    pub auditor: Auditor,
    pub load: Load,
    pub incidents: Incidents,
}

impl Console {
    pub fn start(platform: &Platform, parts: Parts) -> Self {
        let console = Self::new(platform, parts);
        let ticked = Arc::downgrade(&console.0);
        platform.every(NAME, TICK, move || {
            let console = ticked.upgrade();
            async move {
                if let Some(inner) = console {
                    Self(inner).tick().await;
                }
            }
        });
        console
    }

    /// Hears of changes, and looks only when it is told to.
    fn new(platform: &Platform, parts: Parts) -> Self {
        let Parts { store, marks, auditor, load, incidents } = parts;
        let (clock, flags) = (platform.clock.clone(), platform.flag_control().clone());
        let measured = Arc::new(store.clone());
        let console = Self(Arc::new(Inner {
            audit: Audit::start(platform),
            marks,
            proofs: Proofs::new(measured.clone(), clock.now()),
            detector: Detector::new(measured),
            nudges: Nudges::new(platform.stop.clone()),
            store,
            load,
            incidents,
            auditor,
            flags,
            clock,
            ticks: AtomicU64::new(0),
            unbalanced: AtomicU64::new(0),
            told: Mutex::default(),
        }));
        console.listen();
        console.look_at_flags(&[]);
        console
    }

    /// What changes is told to the console. It is held weakly by those who tell, so that it can end before them.
    fn listen(&self) {
        let inner = &*self.0;
        let weak = Arc::downgrade(&self.0);
        let heard: Weak<Inner> = weak.clone();
        inner.flags.watch(move |change| {
            if let Some(inner) = heard.upgrade() {
                Self(inner).changed(change);
            }
        });
        let load = weak.clone();
        inner.load.noted_by(Arc::new(move |action, subject, detail| {
            if let Some(inner) = load.upgrade() {
                inner.audit.note(action, subject, detail.clone());
                inner.marks.add(MarkKind::Load, format!("load: {detail}"), None);
                inner.nudges.about(Topic::Load);
            }
        }));
        inner.incidents.noted_by(Arc::new(move |action, script, detail| {
            if let Some(inner) = weak.upgrade() {
                inner.audit.note(action, script, detail.clone());
                let did = action.rsplit('.').next().unwrap_or(action);
                inner.marks.add(MarkKind::Incident, format!("{script}: {did} {detail}").trim_end().to_owned(), None);
                inner.nudges.about(Topic::Incidents);
            }
        }));
        inner.incidents.detected_by(Arc::new(inner.detector.clone()));
    }

    /// Somebody flipped, cleared, or a flip's time was over.
    fn changed(&self, change: &Change) {
        let inner = &*self.0;
        if change.kind != ChangeKind::Source {
            inner.audit.note_of(change.who.clone(), change.kind.action(), &change.flag, changes::detail(change));
        }
        match change.kind {
            ChangeKind::AllClear => inner.marks.add(MarkKind::FlagOff, "all clear", None),
            ChangeKind::Flipped => {}
            _ => change.ended.iter().for_each(|flag| inner.marks.add(MarkKind::FlagOff, format!("{flag}: off"), Some(flag))),
        }
        self.look_at_flags(&change.ended);
        inner.nudges.about(Topic::Flags);
        inner.nudges.about(Topic::Audit);
    }

    fn look_at_flags(&self, ended: &[String]) {
        let inner = &*self.0;
        for turned in inner.proofs.note(|| inner.flags.list(), ended, inner.clock.now()) {
            match turned {
                Turned::On(episode) => {
                    inner.marks.add(MarkKind::FlagOn, format!("{}: {}", episode.flag, episode.variant), Some(&episode.flag));
                }
                Turned::Off(flag) => inner.marks.add(MarkKind::FlagOff, format!("{flag}: off"), Some(&flag)),
            }
            inner.nudges.about(Topic::Flags);
        }
    }

    /// Looks at everything once.
    async fn tick(&self) {
        let inner = &*self.0;
        let (now, tick) = (inner.clock.now(), inner.ticks.fetch_add(1, Ordering::Relaxed));
        self.look_at_flags(&[]);
        let on = inner.proofs.on();
        for happened in inner.detector.tick(now, &on) {
            self.alert(&happened);
        }
        let guards = inner.detector.guards(now) && !on.is_empty();
        let every = if guards { GUARDED_LEDGER_EVERY } else { LEDGER_EVERY };
        let unbalanced = if tick.is_multiple_of(every) && (guards || inner.detector.is_busy(now)) {
            inner.auditor.ledger().await.ok().and_then(|ledger| self.weigh(&ledger, now))
        } else {
            None
        };
        if guards && let Some(because) = inner.detector.breach(now).or(unbalanced) {
            self.act(now, &because);
        }
        self.tell(now);
    }

    fn alert(&self, happened: &Happened) {
        let inner = &*self.0;
        match happened {
            Happened::Fired(alert) => {
                tracing::warn!(name: "alert.fired", objective = alert.objective, "Alert: {}", alert.says);
                inner.audit.note_of("platform".to_owned(), "alert.fired", &alert.objective, alert.says.clone());
                inner.marks.add(MarkKind::Alert, format!("alert: {}", alert.objective), None);
            }
            Happened::Resolved(alert) => {
                tracing::info!(name: "alert.resolved", objective = alert.objective, "The alert for {} is over", alert.objective);
                inner.audit.note_of("platform".to_owned(), "alert.resolved", &alert.objective, String::new());
                inner.marks.add(MarkKind::Alert, format!("{} is well again", alert.objective), None);
            }
        }
        inner.nudges.about(Topic::Detection);
    }

    /// Counts what is overdue; answers why the ledger does not balance, when it was so for several looks.
    fn weigh(&self, ledger: &Ledger, now: Timestamp) -> Option<String> {
        let overdue = ledger.open.iter().filter(|item| item.deadline < now).count() as u64;
        self.0.detector.under_way(now, Counted { of: ledger.open.len() as u64, bad: overdue });
        if ledger.balanced {
            self.0.unbalanced.store(0, Ordering::Relaxed);
            return None;
        }
        let looks = self.0.unbalanced.fetch_add(1, Ordering::Relaxed) + 1;
        let broken: Vec<&str> = ledger.checks.iter().filter(|check| !check.holds).map(|check| check.name.as_str()).collect();
        (looks >= UNBALANCED_LOOKS).then(|| format!("the ledger does not balance: {}", broken.join(", ")))
    }

    /// The guardrail clears every fault.
    fn act(&self, now: Timestamp, because: &str) {
        let inner = &*self.0;
        // A script would flip the next fault: it is stopped, too. Nothing plays most of the time.
        let _ = inner.incidents.control(contract::incident::Control::Stop);
        match inner.flags.clear_all() {
            Ok(flips) => {
                tracing::warn!(name: "guardrail.acted", because, flips, "The guardrail cleared {flips} flips: {because}");
                inner.detector.guardrail_acted(now, because);
                inner.unbalanced.store(0, Ordering::Relaxed);
                inner.audit.note_of("platform".to_owned(), "guardrail.acted", "*", because);
                inner.marks.add(MarkKind::Alert, "the guardrail cleared all faults", None);
                inner.nudges.about(Topic::Detection);
            }
            Err(error) => tracing::error!(error = error.message, "The guardrail could not clear the faults"),
        }
    }

    /// Open pages hear what changed since the last second.
    fn tell(&self, now: Timestamp) {
        let inner = &*self.0;
        // Verdicts are looked at whether or not anybody follows: what was seen once stays seen.
        let verdicts = inner.proofs.all(now).into_iter().map(|Proof { flag, verdict, .. }| (flag, verdict)).collect();
        if inner.nudges.somebody_follows() {
            let (load, incidents) = (inner.load.state(), inner.incidents.list());
            let now_told = Told {
                verdicts,
                received: inner.store.kept().received_spans,
                agents: load.agents.len(),
                users: load.wanted.users,
                step: incidents.playing.as_ref().and_then(|playing| playing.step),
                playing: incidents.playing.is_some(),
            };
            let mut told = inner.told.lock().unwrap_or_else(PoisonError::into_inner);
            let news = [
                (Topic::Proofs, now_told.verdicts != told.verdicts || !now_told.verdicts.is_empty() && now_told.received != told.received),
                (Topic::Telemetry, now_told.received != told.received),
                (Topic::Load, (now_told.agents, now_told.users) != (told.agents, told.users) || now_told.agents > 0),
                (Topic::Incidents, (now_told.step, now_told.playing) != (told.step, told.playing) || now_told.playing),
            ];
            news.into_iter().filter(|(_, is)| *is).for_each(|(topic, _)| inner.nudges.about(topic));
            *told = now_told;
        }
        inner.nudges.send(now);
    }
}

#[cfg(test)]
mod tests;
