//! `/console/admin`: doors to kitchens and couriers, and beginning anew, which is asked once more.

use super::{Place, frame};
use crate::extract::Asked;
use crate::pages::console::sign_in;
use crate::render::{Meta, page};
use crate::visit::Visit;
use axum::Extension;
use axum::response::Response;
use leptos::prelude::*;
use std::sync::Arc;

/// `?reset=840`: a reset has just taken so many milliseconds.
pub async fn show(Extension(visit): Extension<Arc<Visit>>, Asked(query): Asked) -> Response {
    if !visit.operator {
        return sign_in(&visit);
    }
    let took_ms = query.get("reset").parse().ok();
    page(&visit, Meta::new("Admin", "Kitchens, couriers, and beginning anew."), || body(took_ms))
}

fn body(took_ms: Option<u64>) -> impl IntoView {
    let done = took_ms.map(|ms| {
        let told = format!("Everything is as it was in the beginning. It took {}.{} s.", ms / 1_000, ms % 1_000 / 100);
        view! { <p class="verdict holds" role="status"><span aria-hidden="true">"✔"</span><strong>{told}</strong></p> }
    });
    frame(
        Place::Admin,
        "What an operator may do beyond looking.",
        view! {
            {done}
            <div class="staff-panels">
                <section class="panel" aria-labelledby="others-title">
                    <h2 id="others-title">"Other people's work"</h2>
                    <p>"Every kitchen's board, menu and hours, and every courier's rides, as they see them."</p>
                    <p class="scene-actions"><a class="button quiet" href="/restaurant">"Kitchens"</a><a class="button quiet" href="/courier">"Couriers"</a><a class="button quiet" href="/orders">"All orders"</a></p>
                </section>
                <section class="panel" aria-labelledby="reset-title">
                    <h2 id="reset-title">"Between two shows"</h2>
                    <p>"A reset forgets every order, payment, delivery and message, and puts menus, stock and flags back to how they began."</p>
                    <p><a class="button danger" href="/console/admin/reset">"Reset the platform"</a></p>
                </section>
            </div>
        },
    )
}

/// `/console/admin/reset`
pub async fn ask(Extension(visit): Extension<Arc<Visit>>) -> Response {
    if !visit.operator {
        return sign_in(&visit);
    }
    page(&visit, Meta::new("Reset the platform", "Begin anew."), || {
        view! {
            <section class="scene alarm">
                <p class="scene-art" aria-hidden="true">"🌌"</p>
                <h1>"Begin anew?"</h1>
                <p>"Every order, payment, delivery and message is forgotten, for everybody, for good. Menus, stock, accounts and flags go back to how they began. It takes a few seconds, and no orders are taken meanwhile."</p>
                <div class="scene-actions">
                    <form method="post" action="/console/admin/reset" data-once=""><button class="button danger">"Reset everything"</button></form>
                    <a class="button quiet" href="/console/admin">"Leave it as it is"</a>
                </div>
            </section>
        }
    })
}
