//! The way of an order, live.

use leptos::prelude::*;

/// The stations of an order that goes well: its status on the wire, what people read, and a picture.
const STATIONS: [(&str, &str, &str); 8] = [
    ("pending", "Order received", "📡"),
    ("paid", "Paid", "💳"),
    ("accepted", "Accepted by the kitchen", "👩‍🍳"),
    ("preparing", "Being cooked", "🔥"),
    ("ready", "Ready for pick-up", "🛎️"),
    ("assigned", "Courier on the way to the kitchen", "🛰️"),
    ("pickedUp", "On the way to you", "🚀"),
    ("delivered", "Delivered. Enjoy!", "🪐"),
];

/// One sentence for a status.
pub fn headline(status: &str) -> &'static str {
    match status {
        "cancelled" => "Cancelled",
        "rejected" => "The kitchen had to decline",
        "paymentFailed" => "The payment failed",
        _ => STATIONS.iter().find(|(word, ..)| *word == status).map_or("On its way", |(_, text, _)| text),
    }
}

#[cfg(any(feature = "hydrate", test))]
fn is_final(status: &str) -> bool {
    matches!(status, "delivered" | "cancelled" | "rejected" | "paymentFailed")
}

/// Where the status stands on the way; `None` when the order left it.
fn station(status: &str) -> Option<usize> {
    STATIONS.iter().position(|(word, ..)| *word == status)
}

/// Which order the page is about, in context while it is rendered.
#[derive(Clone, Debug, Default)]
pub struct Following {
    pub order: String,
    pub status: String,
}

impl Following {
    /// On the server from context, in the browser from the attributes that [`LiveStatus`] stands under. No island takes properties:
    /// reading them would bring a JSON parser along.
    fn find() -> Self {
        #[cfg(feature = "hydrate")]
        {
            let attribute = |name| super::web::attribute_of("[data-order]", name);
            Self { order: attribute("data-order"), status: attribute("data-status") }
        }
        #[cfg(not(feature = "hydrate"))]
        use_context().unwrap_or_default()
    }
}

/// The timeline. Asks for the status again while the page is visible and the order is on its way.
#[island]
pub fn LiveStatus() -> impl IntoView {
    let Following { order, status } = Following::find();
    let (now, set_now) = signal(status);
    let (stale, set_stale) = signal(false);
    #[cfg(feature = "hydrate")]
    follow(order, now, set_now, set_stale);
    #[cfg(not(feature = "hydrate"))]
    let _ = (order, set_now, set_stale);

    let stations = STATIONS
        .into_iter()
        .enumerate()
        .map(|(n, (_, text, picture))| {
            let state = move || {
                now.with(|status| match station(status) {
                    Some(at) if n == at => "now",
                    Some(at) if n < at => "done",
                    _ => "todo",
                })
            };
            view! { <li class=state aria-current=move || (state() == "now").then_some("step")><span aria-hidden="true">{picture}</span>{text}</li> }
        })
        .collect_view();
    view! {
        <p class="headline" role="status" class:ended=move || now.with(|status| station(status).is_none())>{move || now.with(|status| headline(status))}</p>
        <ol class="timeline" class:ended=move || now.with(|status| station(status).is_none())>{stations}</ol>
        <p class="stale" hidden=move || !stale.get()>"No news at the moment; still trying."</p>
    }
}

#[cfg(feature = "hydrate")]
fn follow(order: String, now: ReadSignal<String>, set_now: WriteSignal<String>, set_stale: WriteSignal<bool>) {
    use super::web;

    /// Between two questions while all is well.
    const PAUSE_MS: i32 = 2_000;
    const LONGEST_PAUSE_MS: i32 = 30_000;

    leptos::task::spawn_local(async move {
        let mut pause_ms = PAUSE_MS;
        while !now.with_untracked(|status| is_final(status)) {
            web::sleep(pause_ms).await;
            if !web::visible() {
                continue;
            }
            match web::get_text_field(&format!("/api/orders/{order}"), "status").await {
                Some(status) => {
                    pause_ms = PAUSE_MS;
                    set_stale.set(false);
                    if now.with_untracked(|now| *now != status) {
                        set_now.set(status);
                    }
                }
                None => {
                    pause_ms = (pause_ms * 3 / 2).min(LONGEST_PAUSE_MS);
                    set_stale.set(true);
                }
            }
        }
    });
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::{headline, is_final, station};
    use contract::order::OrderStatus;

    #[test]
    fn every_status_has_words_and_a_place_or_an_end() {
        for status in OrderStatus::ALL {
            let word = status.as_str();
            assert_ne!(headline(word), "On its way", "{word}");
            assert!(station(word).is_some() || is_final(word), "{word}");
            assert_eq!(is_final(word), status.is_final(), "{word}");
        }
    }
}
