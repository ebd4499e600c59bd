//! The script that plays: where it is, what to say, and the buttons that steer it.

use super::{clock, is_guessing, script_line, script_of};
use crate::pages::staff::console::numbers::hms;
use contract::detection::Detection;
use contract::incident::{Answered, Incidents, PlayMode, Playing, Script, Step};
use leptos::either::Either;
use leptos::prelude::*;

const fn mode(mode: PlayMode) -> &'static str {
    match mode {
        PlayMode::Show => "show",
        PlayMode::Rehearsal => "rehearsal",
        PlayMode::Quiz => "quiz",
    }
}

fn current(incidents: &Incidents) -> Option<(&Playing, &Script)> {
    let playing = incidents.playing.as_ref()?;
    Some((playing, script_of(incidents, &playing.script)?))
}

/// The presenter's view of what plays.
pub fn panel(incidents: &Incidents, detection: &Detection) -> impl IntoView + use<> {
    let (playing, script) = current(incidents)?;
    let now = playing.step.and_then(|step| script.steps.get(step));
    let next = playing.step.map_or(0, |step| step + 1);
    let next = script.steps.get(next);
    let paused = playing.paused.then(|| view! { <span class="chip waiting"><span aria-hidden="true">"⏸"</span>"paused"</span> });
    let strip = script_line(script, Some(playing.at_seconds));
    // Titles and notes tell the cause, and who guesses may be looking at this very page.
    let guessing = is_guessing(incidents);
    let now = now.filter(|_| !guessing).map(|step| said(step, "Now"));
    let next = next.map(|step| {
        let left = step.at_seconds.saturating_sub(playing.at_seconds);
        let title = (!guessing).then(|| format!(": {}", step.title));
        view! { <p class="next-step">"Next in "<b>{left}" s"</b>{title}</p> }
    });
    let title = if guessing { "What is going on here?".to_owned() } else { script.title.clone() };
    Some(view! {
        <section class="player" aria-labelledby="player-title">
            <div class="player-head"><h2 id="player-title">{title}</h2><span class="chip playing">{mode(playing.mode)}</span>{paused}<span class="player-clock">{clock(playing.at_seconds)}" / "{clock(script.seconds)}</span></div>
            <div inner_html=strip></div>
            {now}
            {next}
            {alerts(detection)}
        </section>
    })
}

/// A step with its notes, large enough to read while talking.
fn said(step: &Step, when: &'static str) -> impl IntoView + use<> {
    let does = step.does.iter().map(|does| view! { <code>{does.clone()}</code> }).collect_view();
    let notes = (!step.notes.is_empty()).then(|| view! { <p class="speaker">{step.notes.clone()}</p> });
    view! { <div class="now-step"><p><span class="eyebrow">{when}</span></p><p class="step-title"><strong>{step.title.clone()}</strong>" "{does}</p>{notes}</div> }
}

fn alerts(detection: &Detection) -> impl IntoView + use<> {
    let firing: Vec<_> = detection
        .alerts
        .iter()
        .filter(|alert| alert.resolved_at.is_none())
        .map(|alert| view! { <li class="alert firing"><span aria-hidden="true">"🔔"</span><div><strong>{alert.says.clone()}</strong><p class="hint">"since "{hms(alert.fired_at)}</p></div></li> })
        .collect();
    (!firing.is_empty()).then(|| view! { <ul class="alerts">{firing}</ul> })
}

/// Buttons stand in a region of their own, which changes only when they do.
pub fn controls(incidents: &Incidents) -> impl IntoView + use<> {
    let playing = incidents.playing.as_ref()?;
    let control = |control: &'static str, key: &'static str, text: &'static str, class: &'static str| {
        view! {
            <form method="post" action="/console/incidents/control" data-key=key data-swap="">
                <button class=class id=format!("control-{key}") name="control" value=control aria-keyshortcuts=key>{text}<kbd aria-hidden="true">{key.to_uppercase()}</kbd></button>
            </form>
        }
    };
    let pause = if playing.paused { control("resume", "p", "Go on", "button") } else { control("pause", "p", "Pause", "button quiet") };
    Some(
        view! { <div class="player-controls">{pause}{control("skip", "n", "Next step", "button quiet")}{control("stop", "s", "Stop and clear", "button danger")}</div> },
    )
}

/// The question, and afterwards the answer.
pub fn quiz(incidents: &Incidents) -> impl IntoView + use<> {
    let (playing, script) = current(incidents)?;
    if playing.mode != PlayMode::Quiz {
        return None;
    }
    if let Some(answered) = &playing.answered {
        return Some(Either::Left(verdict(answered, script)));
    }
    let choices: Vec<_> = script
        .choices
        .iter()
        .map(|choice| view! { <button class="variant" id=format!("choice-{}", choice.id) name="choice" value=choice.id.clone()>{choice.text.clone()}</button> })
        .collect();
    Some(Either::Right(view! {
        <form class="quiz" method="post" action="/console/incidents/answer" data-swap="">
            <h2>"What is the cause?"</h2>
            <p class="hint">"Charts, map, traces and logs tell. The sooner the answer, the more points."</p>
            <div class="quiz-choices">{choices}</div>
        </form>
    }))
}

fn verdict(answered: &Answered, script: &Script) -> impl IntoView + use<> {
    let chosen = script
        .choices
        .iter()
        .find(|choice| choice.id == answered.choice)
        .map_or_else(|| answered.choice.clone(), |choice| choice.text.clone());
    let (class, sign, text) = if answered.right {
        ("verdict holds", "✔", format!("Right: {chosen}. {} points.", answered.score))
    } else {
        ("verdict broken", "✖", format!("Not {chosen}."))
    };
    view! { <p class=class><span aria-hidden="true">{sign}</span><strong>{text}</strong></p><p class="quiz-truth">"What was on: "<code>{answered.truth.clone()}</code></p> }
}

/// What the audience sees of it.
pub fn stage(incidents: &Incidents, detection: &Detection) -> impl IntoView + use<> {
    let Some((playing, script)) = current(incidents) else {
        return Either::Left(view! {
            <h1>"Nothing plays"</h1>
            <p class="lead">"This view is for the audience: it shows what plays as soon as something does."</p>
        });
    };
    let quiz = playing.mode == PlayMode::Quiz;
    // In a rehearsal only the presenter reads what happens; in a quiz nobody does.
    let step = playing.step.filter(|_| playing.mode == PlayMode::Show).and_then(|step| script.steps.get(step)).map(|step| {
        let does = step.does.iter().map(|does| view! { <code>{does.clone()}</code> }).collect_view();
        view! { <p class="step-title"><strong>{step.title.clone()}</strong>" "{does}</p> }
    });
    let choices: Vec<_> = script.choices.iter().map(|choice| view! { <li>{choice.text.clone()}</li> }).collect();
    let question = is_guessing(incidents).then(|| view! { <h2>"What is the cause?"</h2><ol class="stage-choices" type="A">{choices}</ol> });
    let answer = playing.answered.as_ref().map(|answered| verdict(answered, script));
    let strip = script_line(script, Some(playing.at_seconds));
    let title = if quiz { "What is going on here?".to_owned() } else { script.title.clone() };
    let about = (!quiz).then(|| view! { <p class="lead">{script.about.clone()}</p> });
    Either::Right(view! {
        <h1>{title}</h1>
        {about}
        <div inner_html=strip></div>
        <p class="player-clock">{clock(playing.at_seconds)}" / "{clock(script.seconds)}</p>
        {step}
        {question}
        {answer}
        {alerts(detection)}
        <p class="scene-actions"><a class="button quiet" href="/console/overview">"Charts"</a><a class="button quiet" href="/console/map">"Map"</a><a class="button quiet" href="/console/traces?outcome=error">"Failed traces"</a></p>
    })
}
