//! What a flag was expected to do beside what was measured, with a verdict.

use crate::pages::staff::console::grouped;
use crate::pages::staff::console::numbers::{hms, in_unit, took};
use contract::proof::{Measured, Proof, Verdict};
use leptos::prelude::*;

/// Class, sign and words of a verdict.
const fn words(verdict: Verdict) -> (&'static str, &'static str, &'static str) {
    match verdict {
        Verdict::Seen => ("chip seen", "✔", "seen"),
        Verdict::NotSeen => ("chip not-seen", "✖", "not seen"),
        Verdict::TooFew => ("chip waiting", "…", "too few requests yet"),
        Verdict::NoTraffic => ("chip waiting", "∅", "no traffic reaches this path"),
    }
}

pub fn chip(verdict: Verdict) -> impl IntoView {
    let (class, sign, text) = words(verdict);
    view! { <span class=class><span aria-hidden="true">{sign}</span>{text}</span> }
}

/// The proof on a flag's card.
pub fn panel(proof: &Proof) -> impl IntoView + use<> {
    let unit = proof.unit.as_str();
    let most =
        [Some(proof.before), Some(proof.since), proof.after].into_iter().flatten().map(|measured| measured.value).fold(0.0, f64::max);
    let row = |name: &'static str, class: &'static str, measured: Measured| {
        let share = if most > 0.0 { (measured.value / most * 100.0).clamp(0.0, 100.0) } else { 0.0 };
        let bar = format!(
            r#"<svg class="proof-bar {class}" aria-hidden="true" focusable="false"><rect class="ground" width="100%" height="100%"/><rect class="value" width="{share:.1}%" height="100%"/></svg>"#
        );
        let of = grouped(i64::try_from(measured.of).unwrap_or(i64::MAX));
        let value = if measured.of == 0 { "–".to_owned() } else { in_unit(measured.value, unit) };
        view! { <tr><th scope="row">{name}</th><td class="proof-picture" inner_html=bar></td><td class="proof-value">{value}</td><td class="proof-of">"of "{of}</td></tr> }
    };
    let after = proof.after.map(|after| row("After", "after", after));
    let effect = proof.effect_after_ms.map(|ms| view! { <li>"first effect after "<b>{took(ms)}</b></li> });
    let touched = (proof.touched > 0).then(|| {
        let touched = grouped(i64::try_from(proof.touched).unwrap_or(i64::MAX));
        view! { <li><b>{touched}</b>" touched"</li> }
    });
    let cleared = proof.cleared_at.map(|at| view! { <li>"cleared "{hms(at)}</li> });
    let traces = format!("/console/traces?{}", proof.traces.trim_start_matches('?'));
    view! {
        <div class="proof-head">{chip(proof.verdict)}<span class="proof-signal">{proof.signal.clone()}</span></div>
        <table class="proof-table"><tbody>{row("Before", "before", proof.before)}{row("Since", "since", proof.since)}{after}</tbody></table>
        <p class="proof-says">{proof.says.clone()}</p>
        <ul class="proof-facts">{effect}{touched}{cleared}<li><a href=traces>"Its traces"</a></li></ul>
    }
}
