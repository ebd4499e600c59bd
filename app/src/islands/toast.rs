//! Short news for eyes and screen readers.

use leptos::prelude::*;

/// The place where news appears.
#[island]
pub fn Toast() -> impl IntoView {
    let (text, _set) = signal(String::new());
    view! { <div class="toast" role="status" aria-live="polite">{text}</div> }
}
