//! Objectives, what is left of their budgets, alerts, and the guardrail: a part of the overview.

use super::flag_chips;
use super::numbers::{hms, percent, plain};
use contract::detection::{Alert, Detection, Guardrail, Objective};
use leptos::prelude::*;

/// Alerts shown at once; older ones are history.
const ALERTS: usize = 4;
/// From here on a budget burns fast enough to look at.
const WARM: f64 = 1.0;

pub fn objectives(detection: &Detection) -> impl IntoView + use<> {
    let alerts: Vec<_> = detection.alerts.iter().take(ALERTS).map(alert).collect();
    let alerts = (!alerts.is_empty()).then(|| view! { <ul class="alerts">{alerts}</ul> });
    let objectives: Vec<_> = detection.objectives.iter().map(objective).collect();
    view! { {alerts}<ul class="objectives">{objectives}</ul>{guardrail(&detection.guardrail)} }
}

fn alert(alert: &Alert) -> impl IntoView + use<> {
    let firing = alert.resolved_at.is_none();
    let class = if firing { "alert firing" } else { "alert" };
    let when = match alert.resolved_at {
        None => format!("fires since {}", hms(alert.fired_at)),
        Some(at) => format!("{} – {}, over", hms(alert.fired_at), hms(at)),
    };
    let art = if firing { "🔔" } else { "✔" };
    view! { <li class=class><span aria-hidden="true">{art}</span><div><strong>{alert.says.clone()}</strong><p class="hint">{when}</p>{flag_chips(&alert.flags)}</div></li> }
}

fn objective(objective: &Objective) -> impl IntoView + use<> {
    let left = objective.budget_left_percent;
    let class = if left <= 0.0 {
        "budget gone"
    } else if objective.burn_short > WARM {
        "budget burning"
    } else {
        "budget"
    };
    let width = format!("{:.1}%", left.clamp(0.0, 100.0));
    let bar = format!(
        r#"<svg class="{class}" aria-hidden="true" focusable="false"><rect class="ground" width="100%" height="100%"/><rect class="left" width="{width}" height="100%"/></svg>"#
    );
    let spent =
        if left <= 0.0 { format!("budget overspent by {}", percent(-left)) } else { format!("{} of the budget is left", percent(left)) };
    view! {
        <li>
            <p class="objective-says"><strong>{objective.says.clone()}</strong></p>
            <div inner_html=bar></div>
            <p class="hint">
                {percent_of(objective.measured_percent)}" of "{objective.requests}" in "{objective.window_minutes}" min, "{objective.bad}" bad · "{spent}" · burns "
                {plain(objective.burn_short)}"× now, "{plain(objective.burn_long)}"× over the long window"
            </p>
        </li>
    }
}

/// Two digits behind the point: the difference between 99.9 and 99.99 is what it is about.
fn percent_of(value: f64) -> String {
    format!("{value:.2} %")
}

fn guardrail(guardrail: &Guardrail) -> impl IntoView + use<> {
    let acted = guardrail.acted_at.map(|at| {
        let told = format!("The guardrail cleared every fault at {}: {}", hms(at), guardrail.because);
        view! { <p class="verdict unknown"><span aria-hidden="true">"🛟"</span><strong>{told}</strong></p> }
    });
    let (told, next, button) = if guardrail.on {
        let told = format!(
            "The guardrail is on: it clears every fault when a budget burns {}× too fast, or the ledger breaks.",
            plain(guardrail.burn_limit)
        );
        (told, "false", "Switch it off")
    } else {
        ("The guardrail is off: faults go on, whatever they break.".to_owned(), "true", "Switch it on")
    };
    view! {
        {acted}
        <form class="guardrail" method="post" action="/console/guardrail" data-swap="">
            <p class="hint">{told}</p>
            <button class="link-button" id="guardrail" name="on" value=next>{button}</button>
        </form>
    }
}
