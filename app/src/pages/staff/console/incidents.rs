//! `/console/incidents`: scripts of load and faults, for whoever presents; with `?view=stage` for whoever watches.

mod past;
mod player;

use super::numbers::took;
use super::{Place, follow_events, frame};
use crate::control_room::SharedControlRoom;
use crate::extract::Asked;
use crate::pages::console::sign_in;
use crate::render::{Meta, page};
use crate::routes::error_page;
use crate::visit::Visit;
use axum::Extension;
use axum::response::Response;
use contract::detection::Detection;
use contract::id::path_segment;
use contract::incident::{Incidents, PlayMode, Script, Step};
use leptos::either::Either;
use leptos::prelude::*;
use std::sync::Arc;

const REFRESH_S: u32 = 5;

/// A quiz is played and nobody has answered: nothing may give its cause away.
pub fn is_guessing(incidents: &Incidents) -> bool {
    incidents.playing.as_ref().is_some_and(|playing| playing.mode == PlayMode::Quiz && playing.answered.is_none())
}

pub async fn show(Extension(visit): Extension<Arc<Visit>>, Extension(room): Extension<SharedControlRoom>, Asked(query): Asked) -> Response {
    if !visit.operator {
        return sign_in(&visit);
    }
    let (incidents, detection) = futures::join!(room.incidents(), room.detection());
    let detection = detection.unwrap_or_default();
    match incidents {
        Ok(incidents) => {
            let mut meta = Meta::new("Incidents", "Scripts of load and faults.");
            meta.refresh_s = Some(REFRESH_S);
            if query.get("view") == "stage" {
                page(&visit, meta, || stage(&incidents, &detection))
            } else {
                page(&visit, meta, || body(&incidents, &detection))
            }
        }
        Err(error) => error_page(&error, &visit),
    }
}

pub(super) fn script_of<'a>(incidents: &'a Incidents, id: &str) -> Option<&'a Script> {
    incidents.scripts.iter().find(|script| script.id == id)
}

fn body(incidents: &Incidents, detection: &Detection) -> impl IntoView + use<> {
    let player = player::panel(incidents, detection);
    let controls = player::controls(incidents);
    let quiz = player::quiz(incidents);
    let busy = incidents.playing.is_some();
    let scripts: Vec<_> = incidents.scripts.iter().map(|each| script(each, busy)).collect();
    let scripts = if is_guessing(incidents) {
        Either::Left(Either::Left(
            view! { <p class="nothing">"The scripts are back when the question is answered: they would tell too much."</p> },
        ))
    } else if scripts.is_empty() {
        Either::Left(Either::Right(
            view! { <div class="empty"><p>"There are no scripts."</p><p class="hint">"They are compiled in from "<code>"flags/incidents/*.toml"</code>"."</p></div> },
        ))
    } else {
        Either::Right(view! { <ul class="scripts">{scripts}</ul> })
    };
    let past = past::list(&incidents.past);
    frame(
        Place::Incidents,
        view! { "Load and faults on a timeline, with notes for you. Your audience looks at the "<a href="/console/incidents?view=stage">"stage view"</a>", which has none." },
        view! {
            <div id="live-player" data-live="">{player}</div>
            <div id="live-controls" data-live="">{controls}</div>
            <div id="live-quiz" data-live="">{quiz}</div>
            {follow_events()}
            <h2 class="sr-only">"Scripts"</h2>
            <div id="live-scripts" data-live="">{scripts}</div>
            <section aria-labelledby="past-title"><h2 id="past-title">"How they went"</h2><div id="live-past" data-live="">{past}</div></section>
        },
    )
}

fn script(script: &Script, busy: bool) -> impl IntoView + use<> {
    let action = format!("/console/incidents/{}/play", path_segment(&script.id));
    let id = script.id.clone();
    let play = |mode: &'static str, text: &'static str, class: &'static str| {
        let label = format!("{text}: {}", script.title);
        view! { <button class=class id=format!("{mode}-{id}") name="mode" value=mode aria-label=label>{text}</button> }
    };
    let quiz = (!script.choices.is_empty()).then(|| play("quiz", "Quiz", "button quiet"));
    let buttons = (!busy).then(|| {
        view! {
            <form class="play-form" method="post" action=action.clone() data-swap="">
                {play("show", "Play", "button")}{play("rehearsal", "Rehearse", "button quiet")}{quiz}
            </form>
        }
    });
    let strip = script_line(script, None);
    let steps: Vec<_> = script.steps.iter().map(step).collect();
    view! {
        <li class="script">
            <h3>{script.title.clone()}</h3>
            <p>{script.about.clone()}</p>
            <p class="facts"><span>{took(script.seconds * 1_000)}</span><span>{script.steps.len()}" steps"</span><span>"seed "{script.seed}</span></p>
            <div inner_html=strip></div>
            <ol class="script-steps">{steps}</ol>
            {buttons}
        </li>
    }
}

fn step(step: &Step) -> impl IntoView + use<> {
    let does = step.does.iter().map(|does| view! { <code>{does.clone()}</code> }).collect_view();
    view! { <li><span class="step-at">{clock(step.at_seconds)}</span><p><strong>{step.title.clone()}</strong>" "{does}</p></li> }
}

/// `1:05`
pub(super) fn clock(seconds: u64) -> String {
    format!("{}:{:02}", seconds / 60, seconds % 60)
}

/// A script as a line with its steps; up to `at` it is done.
pub(super) fn script_line(script: &Script, at: Option<u64>) -> String {
    let whole = script.seconds.max(1) as f64;
    let percent = |seconds: u64| (seconds as f64 / whole * 100.0).clamp(0.0, 100.0);
    let mut svg =
        r#"<svg class="script-line" aria-hidden="true" focusable="false"><rect class="ground" y="40%" width="100%" height="20%" rx="3"/>"#
            .to_owned();
    if let Some(at) = at {
        svg.push_str(&format!(r#"<rect class="done" y="40%" width="{:.1}%" height="20%" rx="3"/>"#, percent(at)));
    }
    for step in &script.steps {
        let class = if at.is_some_and(|at| step.at_seconds <= at) { "step-dot done" } else { "step-dot" };
        // Kept off the ends, where half a dot would be cut off.
        svg.push_str(&format!(r#"<circle class="{class}" cx="{:.1}%" cy="50%" r="6"/>"#, percent(step.at_seconds).clamp(1.0, 99.0)));
    }
    svg.push_str("</svg>");
    svg
}

/// What an audience sees: no notes, no buttons, and in a quiz no cause.
fn stage(incidents: &Incidents, detection: &Detection) -> impl IntoView + use<> {
    let shown = player::stage(incidents, detection);
    view! {
        <section class="stage">
            <p class="eyebrow"><a href="/console/incidents">"Incidents"</a></p>
            <div id="live-stage" data-live="">{shown}</div>
            {follow_events()}
        </section>
    }
}

#[cfg(test)]
mod tests {
    use super::{clock, is_guessing};
    use contract::Timestamp;
    use contract::incident::{Answered, Incidents, PlayMode, Playing};

    #[test]
    fn a_quiz_keeps_its_secret_until_it_is_answered() {
        let playing = |mode, answered| Incidents {
            playing: Some(Playing {
                script: "x".into(),
                mode,
                started_at: Timestamp::default(),
                at_seconds: 0,
                paused: false,
                step: None,
                answered,
            }),
            ..Incidents::default()
        };
        let answered = Answered { choice: "a".into(), right: true, score: 90, truth: "t".into() };
        assert!(is_guessing(&playing(PlayMode::Quiz, None)));
        assert!(!is_guessing(&playing(PlayMode::Quiz, Some(answered))));
        assert!(!is_guessing(&playing(PlayMode::Show, None)));
        assert!(!is_guessing(&Incidents::default()));
    }

    #[test]
    fn seconds_are_told_as_on_a_clock() {
        assert_eq!([5, 65, 600].map(clock), ["0:05", "1:05", "10:00"]);
    }
}
