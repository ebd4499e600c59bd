//! How many things are in the cart.

use leptos::prelude::*;

/// The number that the server knows, in context while a page is rendered.
#[derive(Clone, Copy, Debug, Default)]
pub struct Badge(pub u32);

/// The number beside the cart's link.
#[island]
pub fn CartBadge() -> impl IntoView {
    let first = use_context::<Badge>().map_or(0, |badge| badge.0);
    let (count, set_count) = signal(first);
    let _ = set_count;
    view! { <span class="badge" hidden=move || count.get() == 0>{count}</span> }
}
