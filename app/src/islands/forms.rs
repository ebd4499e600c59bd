//! Makes forms quick: they are sent in the background, and what the server answers is shown in place.
//!
//! - `data-instant`: success is a sentence and a number (JSON); anything else is a page.
//! - `data-swap`, on the form or on the button that was pressed: the answer is a page, whose main part replaces the one that is shown.
//!   From a page marked `data-stay` to one marked alike, the reader stays where he looks.
//! - `data-theme-form`: the theme changes at once.
//! - `data-once`: an ordinary form that is not sent twice by an impatient finger.
//!
//! The server's answer is what is shown, whatever it is; nothing is sent a second time unasked.

use super::web;
use leptos::prelude::{document, window};
use std::cell::RefCell;
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{
    DomParser, Element, Event, FormData, HtmlElement, HtmlFormElement, HtmlInputElement, Response, SubmitEvent, SupportedType,
    UrlSearchParams,
};

const BUSY: &str = "data-busy";
const NO_ANSWER: &str = "No connection to the shop. Please check it and try again.";

pub fn listen() {
    let document = document();
    web::on(&document, "submit", |event| {
        let _ = submitted(&event);
    });
    web::on(&document, "click", |event| {
        let _ = stepped(&event);
    });
    web::on(&document, "keydown", |event| {
        let _ = key_pressed(&event);
    });
    web::on_window("popstate", |_| gone_back());
    // A page from the history is not waiting for anything.
    web::on_window("pageshow", |_| {
        if let Ok(Some(form)) = leptos::prelude::document().query_selector("[data-busy]") {
            let _ = form.remove_attribute(BUSY);
        }
    });
}

thread_local! {
    /// Path and query of the page whose main part was put in last; `None` while the page is the one that was loaded.
    static SHOWN: RefCell<Option<String>> = const { RefCell::new(None) };
}

fn here() -> Option<String> {
    let location = window().location();
    Some(location.pathname().ok()? + &location.search().ok()?)
}

/// After parts were replaced, going back loads the page of then. A jump to a heading of the same page is no going back.
fn gone_back() {
    if SHOWN.with_borrow(|shown| shown.is_some() && *shown != here()) {
        let _ = window().location().reload();
    }
}

fn submitted(event: &Event) -> Option<()> {
    let form: HtmlFormElement = event.target()?.dyn_into().ok()?;
    let submitter = event.dyn_ref::<SubmitEvent>()?.submitter();
    let instant = form.has_attribute("data-instant");
    // A button may say otherwise than its form.
    let in_background =
        instant || form.has_attribute("data-swap") || submitter.as_ref().is_some_and(|button| button.has_attribute("data-swap"));
    let theme = form.has_attribute("data-theme-form");
    if !in_background && !theme && !form.has_attribute("data-once") {
        return None;
    }
    if form.has_attribute(BUSY) {
        event.prevent_default();
        return None;
    }
    let fields = fields(&form, submitter.as_ref())?;
    let action =
        submitter.and_then(|button| button.get_attribute("formaction")).or_else(|| form.get_attribute("action")).unwrap_or_default();
    if theme {
        event.prevent_default();
        document().document_element()?.set_attribute("data-theme", &fields.get("theme")?).ok()?;
        spawn_local(async move {
            web::post("/theme", &fields, "text/html").await;
        });
        return None;
    }
    let _ = form.set_attribute(BUSY, "");
    if in_background {
        event.prevent_default();
        spawn_local(async move {
            send(&action, &fields, instant).await;
            let _ = form.remove_attribute(BUSY);
        });
    }
    None
}

/// What the browser itself would send, the pressed button included.
fn fields(form: &HtmlFormElement, submitter: Option<&HtmlElement>) -> Option<UrlSearchParams> {
    let data = FormData::new_with_form(form).ok()?;
    if let Some(name) = submitter.and_then(|button| button.get_attribute("name")) {
        let value = submitter.and_then(|button| button.get_attribute("value")).unwrap_or_default();
        data.append_with_str(&name, &value).ok()?;
    }
    UrlSearchParams::new_with_str_sequence_sequence(&data).ok()
}

async fn send(action: &str, fields: &UrlSearchParams, instant: bool) {
    let accept = if instant { "application/json, text/html" } else { "text/html" };
    let shown = match web::post(action, fields, accept).await {
        Some(response) => show(&response).await,
        None => None,
    };
    if shown.is_none() {
        web::tell(web::TOLD, NO_ANSWER);
    }
}

async fn show(response: &Response) -> Option<()> {
    let kind = response.headers().get("content-type").ok()??;
    if kind.starts_with("application/json") {
        let told = JsFuture::from(response.json().ok()?).await.ok()?;
        web::tell(web::CART_CHANGED, &web::field(&told, "count")?);
        web::tell(web::ADDED, &web::field(&told, "notice")?);
        return Some(());
    }
    let html = JsFuture::from(response.text().ok()?).await.ok()?.as_string()?;
    swap(&html, response)
}

/// Puts the main part of a page in place of the one that is shown.
fn swap(html: &str, response: &Response) -> Option<()> {
    let page = DomParser::new().ok()?.parse_from_string(html, SupportedType::TextHtml).ok()?;
    let new = page.get_element_by_id("main")?;
    let document = document();
    let old = document.get_element_by_id("main")?;
    let focused = document.active_element().map(|element| element.id()).filter(|id| !id.is_empty());

    let text = |selector: &str| page.query_selector(selector).ok().flatten().and_then(|element| element.text_content()).unwrap_or_default();
    let (count, news) = (text(".badge"), text(".toast-text"));
    document.set_title(&page.title());
    let stays = [&old, &new].iter().all(|main| matches!(main.query_selector("[data-stay]"), Ok(Some(_))));
    let seen_from = window().scroll_y().ok().filter(|_| stays);
    old.replace_with_with_node_1(&new).ok()?;
    if response.redirected() {
        let url = response.url();
        if window().location().href().ok()? != url {
            let _ = window().history().ok()?.push_state_with_url(&JsValue::NULL, "", Some(&url));
        }
        SHOWN.set(here());
    }
    let focused = focused.and_then(|id| document.get_element_by_id(&id)).filter(|element| !element.has_attribute("disabled"));
    if let Some(element) = focused.as_ref().unwrap_or(&new).dyn_ref::<HtmlElement>() {
        let _ = element.focus();
    }
    match seen_from {
        Some(y) => window().scroll_to_with_x_and_y(0.0, y),
        None if focused.is_none() => window().scroll_to_with_x_and_y(0.0, 0.0),
        None => {}
    }
    web::tell(web::CART_CHANGED, count.trim());
    web::tell(web::TOLD, news.trim());
    web::raise(&new, web::SWAPPED, "");
    Some(())
}

/// The plus and minus beside a number, and what prints the page.
fn stepped(event: &Event) -> Option<()> {
    let button = event.target()?.dyn_into::<Element>().ok()?.closest("[data-step], [data-print]").ok()??;
    if button.has_attribute("data-print") {
        return window().print().ok();
    }
    let by: i32 = button.get_attribute("data-step")?.parse().ok()?;
    let input: HtmlInputElement = button.parent_element()?.query_selector("input").ok()??.dyn_into().ok()?;
    let limit = |name: &str| input.get_attribute(name).and_then(|text| text.parse::<i32>().ok());
    let value = input.value().parse::<i32>().unwrap_or(1).saturating_add(by);
    let value = value.max(limit("min").unwrap_or(value)).min(limit("max").unwrap_or(value));
    input.set_value(&value.to_string());
    None
}

/// A single key that presses a form's button, follows a link, opens what is folded or goes to a field, unless somebody is typing.
fn key_pressed(event: &Event) -> Option<()> {
    let text = |name: &str| js_sys::Reflect::get(event, &name.into()).ok();
    let typing = event.target()?.dyn_into::<Element>().ok()?.closest("input, select, textarea").ok()?.is_some();
    let modified = ["ctrlKey", "metaKey", "altKey"].iter().any(|key| text(key).is_some_and(|pressed| pressed.is_truthy()));
    if typing || modified {
        return None;
    }
    let known = |key: &String| key.len() == 1 && (key.as_bytes()[0].is_ascii_alphanumeric() || key == "/" || key == "?");
    let key = text("key")?.as_string().filter(known)?;
    let marked: HtmlElement = document().query_selector(&format!("[data-key='{}']", key.to_ascii_lowercase())).ok()??.dyn_into().ok()?;
    if marked.has_type::<HtmlInputElement>() {
        // The key itself is not to be typed.
        event.prevent_default();
        return marked.focus().ok();
    }
    let pressed = if marked.has_type::<HtmlFormElement>() { marked.query_selector("button").ok()??.dyn_into().ok()? } else { marked };
    pressed.click();
    None
}
