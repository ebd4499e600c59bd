//! `/console/policies`: how each call between services is made.

use super::{Place, frame, wide};
use crate::control_room::{PolicyRow, SharedControlRoom};
use crate::pages::console::sign_in;
use crate::render::{Meta, page};
use crate::visit::Visit;
use axum::Extension;
use axum::response::Response;
use leptos::prelude::*;
use std::sync::Arc;

pub async fn show(Extension(visit): Extension<Arc<Visit>>, Extension(room): Extension<SharedControlRoom>) -> Response {
    if !visit.operator {
        return sign_in(&visit);
    }
    let policies = room.policies();
    page(&visit, Meta::new("Call policy", "How services call each other."), || body(policies))
}

fn body(policies: Vec<PolicyRow>) -> impl IntoView {
    let rows: Vec<_> = policies.into_iter().map(row).collect();
    frame(
        Place::Policies,
        "How services call each other. No call is repeated, cut short or refused for any other reason than what stands here.",
        wide(
            "Call policy",
            view! {
                <table class="numbers-table policies">
                    <thead><tr><th scope="col">"Call"</th><th scope="col">"Time-out"</th><th scope="col">"Attempts"</th><th scope="col">"May be repeated"</th><th scope="col">"Circuit breaker opens"</th><th scope="col">"At once"</th></tr></thead>
                    <tbody>{rows}</tbody>
                </table>
            },
        ),
    )
}

fn row(policy: PolicyRow) -> impl IntoView {
    let repeated = if policy.idempotent { "yes" } else { "no" };
    view! {
        <tr><th scope="row"><code>{policy.call}</code></th><td>{policy.timeout_ms}" ms"</td><td>{policy.attempts}</td><td>{repeated}</td><td class="words">{policy.breaker}</td><td>{policy.bulkhead}</td></tr>
    }
}
