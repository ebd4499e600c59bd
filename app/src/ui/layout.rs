//! The frame around every page: head, header, footer.

use super::art::LOGO;
use crate::islands::{CartBadge, Toast};
use crate::render::Meta;
use crate::visit::Visit;
use contract::Role;
use leptos::either::Either;
use leptos::prelude::*;

/// The part of an address that says which place of the navigation it belongs to.
fn place(path: &str) -> &str {
    let path = path.split(['?', '#']).next().unwrap_or(path);
    match path.split('/').nth(1).unwrap_or_default() {
        "" | "restaurants" | "items" => "eat",
        "cart" | "checkout" => "cart",
        "login" | "signup" => "account",
        other => other,
    }
}

/// A whole document around the HTML of its main part.
pub fn document(visit: &Visit, meta: &Meta, main: String) -> impl IntoView + use<> {
    let assets = &visit.site.assets;
    let title = format!("{} · Feast Flow", meta.title);
    let description = meta.description.clone();
    let refresh = meta.refresh_s.map(|seconds| view! { <noscript><meta http-equiv="refresh" content=seconds.to_string()/></noscript> });
    view! {
        <!DOCTYPE html>
        <html lang="en" data-theme=visit.theme.as_str()>
            <head>
                <meta charset="utf-8"/>
                <title>{title}</title>
                <meta name="viewport" content="width=device-width, initial-scale=1"/>
                <meta name="description" content=description/>
                <meta name="color-scheme" content="dark light"/>
                {refresh}
                <link rel="icon" type="image/svg+xml" href=assets.url("favicon.svg")/>
                <link rel="stylesheet" href=assets.url("feast.css")/>
                <link rel="preload" href=assets.url("feast.wasm") r#as="fetch" r#type="application/wasm" crossorigin=""/>
                // Named here too, so that it is fetched beside boot.js and not after it. (A modulepreload is an error where scripts are off.)
                <script type="module" src=assets.url("feast.js")></script>
                <script type="module" src=assets.url("boot.js")></script>
            </head>
            <body>
                <a class="skip" href="#main">"Skip to content"</a>
                {header(visit)}
                <main id="main" tabindex="-1" inner_html=main></main>
                {footer(visit)}
                <Toast/>
            </body>
        </html>
    }
}

fn header(visit: &Visit) -> impl IntoView + use<> {
    let here = place(&visit.path);
    let current = |name: &str| (here == name).then_some("page");
    let work = match visit.role {
        Role::Customer => None,
        Role::Restaurant => Some(("/restaurant", "restaurant", "🍳", "Kitchen")),
        Role::Courier => Some(("/courier", "courier", "🛵", "Rides")),
        Role::Operator => Some(("/console/flags", "console", "🎛️", "Console")),
    };
    let work = work.map(|(to, name, picture, text)| {
        view! { <li><a href=to aria-current=current(name)><span aria-hidden="true">{picture}</span>{text}</a></li> }
    });
    view! {
        <header class="top">
            <a class="brand" href="/"><span class="brand-logo" inner_html=LOGO></span><span class="sr-only">"Feast Flow, to the restaurants"</span><b aria-hidden="true">"Feast"<i>"Flow"</i></b></a>
            <nav class="places" aria-label="Places">
                <ul>
                    <li><a href="/" aria-current=current("eat")><span aria-hidden="true">"🪐"</span>"Eat"</a></li>
                    <li><a href="/orders" aria-current=current("orders")><span aria-hidden="true">"🧾"</span>"Orders"</a></li>
                    <li><a href="/about" aria-current=current("about")><span aria-hidden="true">"🔭"</span>"About"</a></li>
                    {work}
                    <li class="to-cart"><a href="/cart" aria-current=current("cart")><span aria-hidden="true">"🛒"</span>"Cart"<CartBadge/></a></li>
                </ul>
            </nav>
            {who(visit, current("account"))}
            <form class="theme" method="post" action="/theme" data-theme-form="">
                <button class="to-light" name="theme" value="light" aria-label="Light theme" title="Light theme"><span aria-hidden="true">"☀️"</span></button>
                <button class="to-dark" name="theme" value="dark" aria-label="Dark theme" title="Dark theme"><span aria-hidden="true">"🌙"</span></button>
            </form>
        </header>
    }
}

/// The name of whoever is logged in, or the way to log in.
fn who(visit: &Visit, current: Option<&'static str>) -> impl IntoView + use<> {
    if visit.user.is_none() {
        return Either::Left(view! { <a class="who" href="/login" aria-current=current>"Log in"</a> });
    }
    let name = visit.name.clone().unwrap_or_else(|| "Account".to_owned());
    Either::Right(
        view! { <a class="who" href="/account" aria-current=current><span class="sr-only">"Account of "</span><bdi>{name}</bdi></a> },
    )
}

fn footer(visit: &Visit) -> impl IntoView + use<> {
    let version = format!("Feast Flow {}", visit.site.version);
    view! {
        <footer class="bottom">
            <p>{version}" · dinner from across the galaxy · "<a href=crate::handbook::ADDRESS>"API"</a></p>
            <form class="to-auto" method="post" action="/theme" data-theme-form="">
                <button class="link-button" name="theme" value="auto">"Theme as my system says"</button>
            </form>
        </footer>
    }
}

#[cfg(test)]
mod tests {
    use super::place;

    #[test]
    fn every_address_has_its_place_in_the_navigation() {
        for (path, expected) in [
            ("/", "eat"),
            ("/?q=x", "eat"),
            ("/items/a", "eat"),
            ("/checkout", "cart"),
            ("/orders/1", "orders"),
            ("/console/flags", "console"),
        ] {
            assert_eq!(place(path), expected, "{path}");
        }
    }
}
