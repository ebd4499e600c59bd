//! The few browser calls that islands need.

use js_sys::{Promise, Reflect};
use leptos::prelude::{document, window};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{CustomEvent, CustomEventInit, Event, EventTarget, Headers, RequestInit, Response, UrlSearchParams, VisibilityState};

/// The number of things in the cart changed; the detail is the number.
pub const CART_CHANGED: &str = "feast:cart";
/// Something was added to the cart; the detail is the sentence.
pub const ADDED: &str = "feast:added";
/// Anything else worth a sentence.
pub const TOLD: &str = "feast:told";
/// A part of the page was replaced; its islands sleep still.
pub const SWAPPED: &str = "feast:swapped";

/// Calls `handle` for every event of this name, for as long as the page lives.
pub fn on(target: &EventTarget, name: &str, handle: impl FnMut(Event) + 'static) {
    let closure = Closure::<dyn FnMut(Event)>::new(handle);
    let _ = target.add_event_listener_with_callback(name, closure.as_ref().unchecked_ref());
    closure.forget();
}

pub fn on_window(name: &str, handle: impl FnMut(Event) + 'static) {
    on(&window(), name, handle);
}

/// Raises an event that bubbles up to the window.
pub fn raise(target: &EventTarget, name: &str, detail: &str) {
    let init = CustomEventInit::new();
    init.set_bubbles(true);
    init.set_detail(&JsValue::from_str(detail));
    if let Ok(event) = CustomEvent::new_with_event_init_dict(name, &init) {
        let _ = target.dispatch_event(&event);
    }
}

pub fn tell(name: &str, detail: &str) {
    raise(&window(), name, detail);
}

pub fn detail(event: &Event) -> String {
    event.dyn_ref::<CustomEvent>().and_then(|event| event.detail().as_string()).unwrap_or_default()
}

pub async fn sleep(ms: i32) {
    let promise = Promise::new(&mut |resolve, _| {
        let _ = window().set_timeout_with_callback_and_timeout_and_arguments_0(&resolve, ms);
    });
    let _ = JsFuture::from(promise).await;
}

pub fn visible() -> bool {
    document().visibility_state() == VisibilityState::Visible
}

/// A cookie that holds a number; 0 when it is absent.
pub fn cookie_number(name: &str) -> u32 {
    let cookies = Reflect::get(&document(), &"cookie".into()).ok().and_then(|text| text.as_string()).unwrap_or_default();
    let found = cookies.split("; ").find_map(|pair| pair.split_once('=').filter(|(key, _)| *key == name).and_then(|(_, n)| n.parse().ok()));
    found.unwrap_or(0)
}

/// An attribute of the first element that `selector` finds; empty when there is none.
pub fn attribute_of(selector: &str, name: &str) -> String {
    document().query_selector(selector).ok().flatten().and_then(|element| element.get_attribute(name)).unwrap_or_default()
}

/// A field of a JSON object, as text.
pub fn field(object: &JsValue, name: &str) -> Option<String> {
    let value = Reflect::get(object, &name.into()).ok()?;
    value.as_string().or_else(|| value.as_f64().map(|number| (number as i32).to_string()))
}

/// Sends a form. `None` when there was no answer at all.
pub async fn post(action: &str, form: &UrlSearchParams, accept: &str) -> Option<Response> {
    let headers = Headers::new().ok()?;
    headers.set("accept", accept).ok()?;
    let init = RequestInit::new();
    init.set_method("POST");
    init.set_headers(&headers);
    init.set_body(form);
    JsFuture::from(window().fetch_with_str_and_init(action, &init)).await.ok()?.dyn_into().ok()
}
