//! How many things are in the cart.

use leptos::prelude::*;

/// The number that the server knows, in context while a page is rendered.
#[derive(Clone, Copy, Debug, Default)]
pub struct Badge(pub u32);

/// The number beside the cart's link.
#[island]
pub fn CartBadge() -> impl IntoView {
    #[cfg(feature = "hydrate")]
    let first = super::web::cookie_number("feast_count");
    #[cfg(not(feature = "hydrate"))]
    let first = use_context::<Badge>().map_or(0, |badge| badge.0);

    let (count, set_count) = signal(first);
    #[cfg(feature = "hydrate")]
    {
        use super::web;
        web::on_window(web::CART_CHANGED, move |event| set_count.set(web::detail(&event).parse().unwrap_or(0)));
        // A page that comes back from the history shows the number of then.
        web::on_window("pageshow", move |_| set_count.set(web::cookie_number("feast_count")));
    }
    #[cfg(not(feature = "hydrate"))]
    let _ = set_count;

    view! { <span class="badge" hidden=move || count.get() == 0>{count}</span> }
}
