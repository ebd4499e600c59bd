//! Forms of the control room: load, incidents, guardrail. Operators only.

use super::staff::{done, trouble};
use crate::control_room::SharedControlRoom;
use crate::extract::{Fields, Segment, Sent};
use crate::pages::console::sign_in;
use crate::visit::{Notice, Visit};
use axum::Extension;
use axum::response::Response;
use contract::detection::SetGuardrail;
use contract::id::path_segment;
use contract::incident::{Control, Play, PlayMode};
use contract::load::LoadWanted;
use contract::{ApiError, Code};
use std::sync::Arc;

const LOAD: &str = "/console/load";
const INCIDENTS: &str = "/console/incidents";

fn wrong(what: &str) -> ApiError {
    ApiError::new(Code::InvalidBody, what)
}

/// `POST /console/load`: `users` of a preset's button, or `wanted`; `pace`, `seed`.
pub async fn set_load(
    Extension(visit): Extension<Arc<Visit>>,
    Extension(room): Extension<SharedControlRoom>,
    Sent { fields, .. }: Sent,
) -> Response {
    if !visit.operator {
        return sign_in(&visit);
    }
    let outcome = match read_load(&fields) {
        Ok(wanted) => room.set_load(wanted).await,
        Err(error) => Err(error),
    };
    match outcome {
        Ok(()) => done(&visit, LOAD, Notice::LoadSet),
        Err(error) => trouble(&visit, &error, LOAD.to_owned(), LOAD, &fields),
    }
}

fn read_load(fields: &Fields) -> Result<LoadWanted, ApiError> {
    let users = fields.filled("users").unwrap_or_else(|| fields.get("wanted").to_owned());
    let users = users.parse().map_err(|_| wrong("the number of customers is a whole number from 0 to 500"))?;
    let pace = match fields.get("pace") {
        "" => 1.0,
        text => text.parse().ok().filter(|pace: &f64| pace.is_finite() && *pace >= 0.0).ok_or_else(|| wrong("the pace is a number"))?,
    };
    let seed = match fields.get("seed") {
        "" => None,
        text => Some(text.parse().map_err(|_| wrong("the seed is a whole number"))?),
    };
    Ok(LoadWanted { users, pace, seed })
}

/// `POST /console/incidents/{id}/play`: `mode`, `seed`
pub async fn play(
    Extension(visit): Extension<Arc<Visit>>,
    Extension(room): Extension<SharedControlRoom>,
    Segment(id): Segment,
    Sent { fields, .. }: Sent,
) -> Response {
    if !visit.operator {
        return sign_in(&visit);
    }
    let mode = match fields.get("mode") {
        "rehearsal" => PlayMode::Rehearsal,
        "quiz" => PlayMode::Quiz,
        _ => PlayMode::Show,
    };
    match room.play(&id, Play { mode, seed: fields.get("seed").parse().ok() }).await {
        Ok(()) => done(&visit, INCIDENTS, Notice::IncidentPlays),
        Err(error) => trouble(&visit, &error, INCIDENTS.to_owned(), &format!("{INCIDENTS}/{}/play", path_segment(&id)), &fields),
    }
}

/// `POST /console/incidents/control`: `control`
pub async fn steer(
    Extension(visit): Extension<Arc<Visit>>,
    Extension(room): Extension<SharedControlRoom>,
    Sent { fields, .. }: Sent,
) -> Response {
    if !visit.operator {
        return sign_in(&visit);
    }
    let (control, notice) = match fields.get("control") {
        "pause" => (Control::Pause, Notice::IncidentPaused),
        "resume" => (Control::Resume, Notice::IncidentResumed),
        "skip" => (Control::Skip, Notice::IncidentSkipped),
        "stop" => (Control::Stop, Notice::IncidentStopped),
        _ => {
            let error = wrong("the control is one of pause, resume, skip, stop");
            return trouble(&visit, &error, INCIDENTS.to_owned(), "/console/incidents/control", &fields);
        }
    };
    match room.control(control).await {
        Ok(()) => done(&visit, INCIDENTS, notice),
        Err(error) => trouble(&visit, &error, INCIDENTS.to_owned(), "/console/incidents/control", &fields),
    }
}

/// `POST /console/incidents/answer`: `choice`
pub async fn answer(
    Extension(visit): Extension<Arc<Visit>>,
    Extension(room): Extension<SharedControlRoom>,
    Sent { fields, .. }: Sent,
) -> Response {
    if !visit.operator {
        return sign_in(&visit);
    }
    match room.answer(fields.get("choice")).await {
        Ok(answered) => done(&visit, INCIDENTS, if answered.right { Notice::QuizRight } else { Notice::QuizWrong }),
        Err(error) => trouble(&visit, &error, INCIDENTS.to_owned(), "/console/incidents/answer", &fields),
    }
}

/// `POST /console/guardrail`: `on`
pub async fn set_guardrail(
    Extension(visit): Extension<Arc<Visit>>,
    Extension(room): Extension<SharedControlRoom>,
    Sent { fields, .. }: Sent,
) -> Response {
    if !visit.operator {
        return sign_in(&visit);
    }
    let on = fields.get("on") == "true";
    match room.set_guardrail(SetGuardrail { on, burn_limit: None }).await {
        Ok(()) => done(&visit, "/console/overview", if on { Notice::GuardrailOn } else { Notice::GuardrailOff }),
        Err(error) => trouble(&visit, &error, "/console/overview".to_owned(), "/console/guardrail", &fields),
    }
}

#[cfg(test)]
mod tests {
    use super::read_load;
    use crate::extract::Fields;

    #[test]
    fn a_preset_goes_before_the_number_that_was_typed() {
        let read = |pairs: &[(&str, &str)]| read_load(&Fields(pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()));
        let load = read(&[("wanted", "20"), ("pace", "3"), ("seed", ""), ("users", "50")]).unwrap();
        assert_eq!((load.users, load.pace, load.seed), (50, 3.0, None));
        assert_eq!(read(&[("wanted", "20")]).unwrap().users, 20);
        for wrong in [&[("wanted", "many")][..], &[("wanted", "1"), ("pace", "NaN")], &[("wanted", "1"), ("seed", "x")]] {
            assert!(read(wrong).is_err(), "{wrong:?}");
        }
    }
}
