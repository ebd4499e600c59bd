//! Short news for eyes and screen readers.

use leptos::prelude::*;

/// What the last form did, in context while a page is rendered.
#[derive(Clone, Copy, Debug, Default)]
pub struct News(pub &'static str);

/// The place where news appears.
#[island]
pub fn Toast() -> impl IntoView {
    let first = use_context::<News>().unwrap_or_default().0.to_owned();
    let (text, set_text) = signal(first);
    let (link, set_link) = signal(false);
    let (again, set_again) = signal(false);
    #[cfg(feature = "hydrate")]
    {
        use super::web;
        let show = move |event: &web_sys::Event, with_link: bool| {
            set_link.set(with_link);
            set_again.update(|again| *again = !*again);
            set_text.set(web::detail(event));
        };
        web::on_window(web::ADDED, move |event| show(&event, true));
        web::on_window(web::TOLD, move |event| show(&event, false));
    }
    #[cfg(not(feature = "hydrate"))]
    let _ = (set_text, set_link, set_again);

    // The text changes inside an element that stays, which is what screen readers announce.
    view! {
        <div class="toast" role="status" class:shown=move || text.with(|text| !text.trim().is_empty()) class:again=again>
            <span class="toast-text">{text}</span>
            <a href="/cart" hidden=move || !link.get()>"View cart"</a>
        </div>
    }
}
