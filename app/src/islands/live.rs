//! Pages that follow something: `<i data-follow data-events="/events/orders/1" data-kind="order" data-seen="…">`.
//!
//! Somewhere on such a page stands one mark. The server's events say that there is news; the page is then asked for again, and every
//! `data-live` region whose text differs is put in place. The region itself stays, which is what screen readers listen to. While no events
//! come through, the page asks by itself. A page without a mark (the order has arrived) is not followed any further.

use super::web;
use leptos::prelude::{document, window};
use std::cell::{Cell, RefCell};
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{DomParser, Element, EventSource, HtmlElement, Response, SupportedType};

const MARK: &str = "[data-follow]";
/// Between two questions while events do not come, unless the mark says otherwise: `data-every="1000"`.
const PAUSE_MS: i32 = 2_000;
const LONGEST_PAUSE_MS: i32 = 30_000;
/// A property of regions: what the server said last.
const SAID: &str = "feastSaid";
/// After so many pauses the page asks although events come, and a source of events that has ended for good is tried again.
const PAUSES_PER_TRY: u32 = 15;

/// The source of events of the page, and where it is.
struct Source {
    url: String,
    events: EventSource,
    // Dropped with the source it listens to.
    _news: Closure<dyn FnMut(web_sys::Event)>,
}

thread_local! {
    static SOURCE: RefCell<Option<Source>> = const { RefCell::new(None) };
    static ASKING: Cell<bool> = const { Cell::new(false) };
    static LOOKING: Cell<bool> = const { Cell::new(false) };
    static LOOK_AGAIN: Cell<bool> = const { Cell::new(false) };
}

pub fn start() {
    follow();
    web::on_window(web::SWAPPED, |_| follow());
    // A browser keeps few connections to one server: only what somebody looks at holds one.
    web::on(&document(), "visibilitychange", |_| {
        if web::visible() && followed() {
            spawn_local(async {
                look().await;
                listen(true);
            });
        } else {
            close();
        }
    });
}

fn followed() -> bool {
    matches!(document().query_selector(MARK), Ok(Some(_)))
}

fn follow() {
    listen(false);
    if followed() && !ASKING.replace(true) {
        spawn_local(async {
            ask_while_silent().await;
            ASKING.set(false);
        });
    }
}

fn close() {
    if let Some(source) = SOURCE.take() {
        source.events.close();
    }
}

/// Listens to the page's source of events, and to no other. One that has ended for good stays so until `again`.
fn listen(again: bool) {
    let url = web::attribute_of(MARK, "data-events");
    let ended = |source: &Source| again && source.events.ready_state() == EventSource::CLOSED;
    if SOURCE.with_borrow(|source| source.as_ref().is_some_and(|source| source.url == url && !ended(source))) {
        return;
    }
    close();
    if url.is_empty() || !web::visible() {
        return;
    }
    let Ok(events) = EventSource::new(&url) else { return };
    let news = Closure::<dyn FnMut(web_sys::Event)>::new(|event: web_sys::Event| {
        if is_news(&event) {
            spawn_local(async {
                look().await;
            });
        }
    });
    let _ = events.add_event_listener_with_callback(&web::attribute_of(MARK, "data-kind"), news.as_ref().unchecked_ref());
    SOURCE.set(Some(Source { url, events, _news: news }));
}

/// An event that tells only what the page says already is none. (The first one after connecting usually is.)
fn is_news(event: &web_sys::Event) -> bool {
    let data = js_sys::Reflect::get(event, &"data".into()).ok().and_then(|data| data.as_string()).unwrap_or_default();
    let seen = web::attribute_of(MARK, "data-seen");
    seen.is_empty() || !seen.split(' ').all(|moment| data.contains(&["\"updatedAt\":\"", moment].concat()))
}

fn events_come() -> bool {
    SOURCE.with_borrow(|source| source.as_ref().is_some_and(|source| source.events.ready_state() == EventSource::OPEN))
}

fn usual_pause_ms() -> i32 {
    web::attribute_of(MARK, "data-every").parse().unwrap_or(PAUSE_MS)
}

async fn ask_while_silent() {
    let (mut pause_ms, mut pauses) = (usual_pause_ms(), 0_u32);
    loop {
        web::sleep(pause_ms).await;
        if !followed() {
            return close();
        }
        pauses += 1;
        let try_anew = pauses.is_multiple_of(PAUSES_PER_TRY);
        let asks = try_anew || !matches!(document().query_selector("[data-follow][data-ask]"), Ok(None));
        if !web::visible() || events_come() && !asks {
            pause_ms = usual_pause_ms();
            continue;
        }
        pause_ms = if look().await { usual_pause_ms() } else { (pause_ms * 3 / 2).min(LONGEST_PAUSE_MS) };
        listen(try_anew);
    }
}

/// Asks for the page and shows what is new on it; one question at a time. False when there was no answer.
///
/// News that comes meanwhile is looked at afterwards, once, and after a pause as long as the look took: a page that is slow to show must not
/// take all of its browser's time. Whoever looks away in between is not served.
async fn look() -> bool {
    if LOOKING.replace(true) {
        LOOK_AGAIN.set(true);
        return true;
    }
    let answered = loop {
        LOOK_AGAIN.set(false);
        let begin = js_sys::Date::now();
        let answered = show_news().await.is_some();
        if !answered || !LOOK_AGAIN.get() {
            break answered;
        }
        web::sleep(((js_sys::Date::now() - begin) as i32).clamp(0, LONGEST_PAUSE_MS)).await;
        if !web::visible() {
            break answered;
        }
    };
    LOOKING.set(false);
    if let Ok(Some(stale)) = document().query_selector("[data-stale]") {
        let _ = if answered { stale.set_attribute("hidden", "") } else { stale.remove_attribute("hidden") };
    }
    answered
}

async fn show_news() -> Option<()> {
    let here = window().location().href().ok()?;
    let response: Response = JsFuture::from(window().fetch_with_str(&here)).await.ok()?.dyn_into().ok()?;
    if !response.ok() {
        return None;
    }
    let html = JsFuture::from(response.text().ok()?).await.ok()?.as_string()?;
    // Somebody may have gone on meanwhile.
    if window().location().href().ok()? != here {
        return Some(());
    }
    let page = DomParser::new().ok()?.parse_from_string(&html, SupportedType::TextHtml).ok()?;
    let document = document();
    let regions = document.query_selector_all("[data-live]").ok()?;
    for n in 0..regions.length() {
        let Some(old) = regions.get(n).and_then(|node| node.dyn_into::<Element>().ok()) else { continue };
        let new = page.get_element_by_id(&old.id()).map(|new| new.inner_html()).unwrap_or_default();
        // Compared with what the server said last: clocks have changed the text since.
        let said = js_sys::Reflect::get(&old, &SAID.into()).ok().and_then(|said| said.as_string());
        if said.unwrap_or_else(|| old.inner_html()) != new {
            // Not under a finger: what is pressed would be gone before it is let go. The next look is soon.
            if old.matches(":active").unwrap_or(false) {
                continue;
            }
            put(&old, &new);
            let _ = js_sys::Reflect::set(&old, &SAID.into(), &JsValue::from_str(&new));
            // Each in a task of its own: in between the browser draws and hears what is pressed.
            web::sleep(0).await;
            continue;
        }
        let _ = js_sys::Reflect::set(&old, &SAID.into(), &JsValue::from_str(&new));
    }
    if window().location().href().ok()? != here {
        return Some(());
    }
    // A frame that says by its class how things stand, around parts that must not be replaced: a card with a form that is being filled in.
    let frames = document.query_selector_all("[data-live-class]").ok()?;
    for frame in (0..frames.length()).filter_map(|n| frames.get(n)?.dyn_into::<Element>().ok()) {
        if let Some(new) = page.get_element_by_id(&frame.id()).filter(|new| new.class_name() != frame.class_name()) {
            frame.set_class_name(&new.class_name());
        }
    }
    let main = document.get_element_by_id("main")?;
    web::raise(&main, web::SWAPPED, "");
    Some(())
}

/// What a region says now. The focus stays on the element of the same id.
fn put(region: &Element, html: &str) {
    let document = document();
    let focused = document.active_element().filter(|element| region.contains(Some(element))).map(|element| element.id());
    region.set_inner_html(html);
    if let Some(element) = focused.filter(|id| !id.is_empty()).and_then(|id| document.get_element_by_id(&id)) {
        let _ = element.dyn_ref::<HtmlElement>().map(HtmlElement::focus);
    }
}
