//! Incident scripts: timelines of load and faults with speaker notes.

use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// `GET /api/incidents`
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Incidents {
    pub scripts: Vec<Script>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub playing: Option<Playing>,
    /// Those that ended, newest first, at most 20.
    pub past: Vec<Outcome>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = IncidentScript))]
#[serde(rename_all = "camelCase")]
pub struct Script {
    /// The file's name without its ending: `payment-brown-out`.
    pub id: String,
    pub title: String,
    /// What the audience learns, in one sentence.
    pub about: String,
    pub seconds: u64,
    pub seed: u64,
    pub steps: Vec<Step>,
    /// What may be the cause, for the quiz; which one is right is not told before the answer.
    pub choices: Vec<Choice>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = IncidentStep))]
#[serde(rename_all = "camelCase")]
pub struct Step {
    pub at_seconds: u64,
    pub title: String,
    /// For the presenter.
    pub notes: String,
    /// What it does, in words: "payment-slow: 3-s", "60 users", "all clear". Empty during a quiz.
    pub does: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = IncidentChoice))]
#[serde(rename_all = "camelCase")]
pub struct Choice {
    pub id: String,
    pub text: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Playing {
    pub script: String,
    pub mode: PlayMode,
    pub started_at: Timestamp,
    /// On the script's own clock, which stands while it is paused.
    pub at_seconds: u64,
    pub paused: bool,
    /// The step that was done last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<usize>,
    /// In a quiz: the answer that was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered: Option<Answered>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub enum PlayMode {
    /// Causes are shown to everybody.
    #[default]
    Show,
    /// Load and faults run; notes are shown to the presenter alone.
    Rehearsal,
    /// The cause is hidden, and the audience says what it is.
    Quiz,
}

/// `POST /api/incidents/{id}/play`
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct Play {
    pub mode: PlayMode,
    /// Instead of the script's own.
    pub seed: Option<u64>,
}

/// `POST /api/incidents/control`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = IncidentControl))]
#[serde(rename_all = "camelCase")]
pub enum Control {
    Pause,
    Resume,
    /// On to the next step at once.
    Skip,
    /// Ends it and clears everything it did.
    Stop,
}

/// `POST /api/incidents/answer`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = IncidentAnswer))]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    pub choice: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Answered {
    pub choice: String,
    pub right: bool,
    /// 0-100: less the later it came.
    pub score: u32,
    /// The cause, from what the platform itself says was on: "payment-slow: 3-s since 12:03:10".
    pub truth: String,
}

/// How an incident went.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = IncidentOutcome))]
#[serde(rename_all = "camelCase")]
pub struct Outcome {
    pub script: String,
    pub title: String,
    pub mode: PlayMode,
    pub started_at: Timestamp,
    pub ended_at: Timestamp,
    /// It was stopped before its end.
    pub stopped: bool,
    /// From the first fault to the first alert.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detected_after_ms: Option<u64>,
    /// From the first fault to the moment no alert fired any more and no fault was on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mitigated_after_ms: Option<u64>,
    /// Of the objective's budget, in percent, by objective.
    pub budget_spent: Vec<(String, f64)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered: Option<Answered>,
    /// The ledger, half a minute after its end; absent until then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub balanced: Option<bool>,
}
