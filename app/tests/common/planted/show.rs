//! What a presenter does meanwhile: load, scripts, and the log of it.

use super::ago;
use contract::Timestamp;
use contract::audit::AuditEntry;
use contract::incident::{Answered, Choice, Incidents, Outcome, PlayMode, Playing, Script, Step};
use contract::load::{LoadAgent, LoadReport, LoadState, LoadWanted};

pub fn load(now: Timestamp) -> LoadState {
    let report = LoadReport {
        agent: "stage-1".into(),
        users: 50,
        rate: 82.0,
        error_percent: 3.1,
        p50_ms: 5.0,
        p95_ms: 44.0,
        p99_ms: 2_010.0,
        requests: 18_420,
        failed: 571,
        orders: 1_022,
    };
    LoadState { wanted: LoadWanted { users: 50, pace: 1.0, seed: Some(7) }, agents: vec![LoadAgent { seen_at: now, report }] }
}

pub fn incidents(now: Timestamp) -> Incidents {
    let step = |at_seconds, title: &str, notes: &str, does: &[&str]| Step {
        at_seconds,
        title: title.into(),
        notes: notes.into(),
        does: does.iter().map(|does| (*does).into()).collect(),
    };
    let choice = |id: &str, text: &str| Choice { id: id.into(), text: text.into() };
    let script = |id: &str, title: &str, about: &str| Script {
        id: id.into(),
        title: title.into(),
        about: about.into(),
        seconds: 240,
        seed: 42,
        steps: vec![
            step(
                0,
                "Lunch begins",
                "Point at the rate: people come in. Nothing is wrong yet; let them see what well looks like.",
                &["60 users"],
            ),
            step(
                45,
                "Payment slows down",
                "Do not say what it is. Ask the room what they see first: the median, or the tail?",
                &["payment-slow: 3-s"],
            ),
            step(120, "And starts to decline", "The retries make it worse. Open the map.", &["payment-failure: 30-percent"]),
            step(200, "Roll back", "One key. Count how long it takes until the alert is over.", &["all clear"]),
        ],
        choices: vec![
            choice("payment", "The payment provider answers late"),
            choice("kitchen", "A kitchen cannot keep up"),
            choice("database", "The order database has one connection left"),
            choice("cart", "A release of the cart is bad"),
        ],
    };
    let outcome = |title: &str, mode, detected, mitigated, spent: f64, answered: Option<Answered>, balanced| Outcome {
        script: "payment-brown-out".into(),
        title: title.into(),
        mode,
        started_at: ago(now, 2_400),
        ended_at: ago(now, 2_160),
        stopped: false,
        detected_after_ms: detected,
        mitigated_after_ms: mitigated,
        budget_spent: vec![("orders".into(), spent), ("latency".into(), 3.0 * spent)],
        answered,
        balanced,
    };
    let right = Answered { choice: "payment".into(), right: true, score: 84, truth: "payment-slow: 3-s since 09:28:10".into() };
    Incidents {
        scripts: vec![
            script("payment-brown-out", "Payment brown-out", "A dependency that is slow hurts more than one that is down."),
            script("lunch-rush", "Lunch rush with a slow kitchen", "Load finds the narrowest place, and a queue hides it for a while."),
            script("cache-stampede", "Cache stampede", "A cache that is empty sends everybody to the database at once."),
        ],
        playing: None,
        past: vec![
            outcome("Payment brown-out", PlayMode::Quiz, Some(14_200), Some(96_000), 12.5, Some(right), None),
            outcome("Lunch rush with a slow kitchen", PlayMode::Show, None, Some(201_000), 0.4, None, Some(true)),
        ],
    }
}

/// The first script, in its second step.
pub fn playing(now: Timestamp, mode: PlayMode) -> Playing {
    Playing {
        script: "payment-brown-out".into(),
        mode,
        started_at: ago(now, 80),
        at_seconds: 80,
        paused: false,
        step: Some(1),
        answered: None,
    }
}

pub fn audit(now: Timestamp) -> Vec<AuditEntry> {
    let entry = |seconds, who: &str, action: &str, subject: &str, detail: &str| AuditEntry {
        at: ago(now, seconds),
        who: who.into(),
        action: action.into(),
        subject: subject.into(),
        detail: detail.into(),
    };
    vec![
        entry(41, "console 7f3a91", "flag.flipped", "cart-slow", "300-ms for everyone, for 600 s"),
        entry(110, "console 7f3a91", "flag.flipped", "cart-chaos-errors", "15-percent-after-2s for everyone, for 600 s"),
        entry(232, "token", "load.set", "", "50 customers, pace 1"),
        entry(600, "platform", "flag.expired", "store-slow", "after 600 s"),
        entry(1_300, "console 7f3a91", "flag.all_clear", "", "2 flags"),
    ]
}
