//! The frame around every page: head, header, footer.

use crate::islands::{CartBadge, Toast};
use crate::visit::Visit;
use leptos::prelude::*;

/// A whole document.
pub fn document(visit: &Visit, title: &str, description: &str, body: AnyView) -> impl IntoView + use<> {
    let assets = &visit.site.assets;
    let title = format!("{title} · Feast Flow");
    let description = description.to_owned();
    view! {
        <!DOCTYPE html>
        <html lang="en" data-theme=visit.theme.as_str()>
            <head>
                <meta charset="utf-8"/>
                <title>{title}</title>
                <meta name="viewport" content="width=device-width, initial-scale=1"/>
                <meta name="description" content=description/>
                <link rel="stylesheet" href=assets.url("feast.css")/>
                <link rel="modulepreload" href=assets.url("feast.js")/>
                <script type="module" src=assets.url("boot.js")></script>
            </head>
            <body>
                <a class="skip" href="#main">"Skip to content"</a>
                <header><a href="/">"Feast Flow"</a><a href="/cart">"Cart" <CartBadge/></a></header>
                <main id="main" tabindex="-1">{body}</main>
                <Toast/>
            </body>
        </html>
    }
}
