//! Clocks that count down, `<time data-countdown="249">4 min 9 s</time>`, and moments in the reader's own time,
//! `<time datetime="2026-11-20T09:30:00Z" data-clock>09:30 UTC</time>`.

use super::web;
use leptos::prelude::{document, window};
use std::cell::Cell;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::spawn_local;
use web_sys::Element;

const SECONDS: &str = "data-countdown";
/// When it ends, in seconds since 1970; set at the first tick.
const ENDS: &str = "data-ends";

thread_local! {
    static RUNNING: Cell<bool> = const { Cell::new(false) };
}

pub fn start() {
    tick_while_there_are_clocks();
    localise();
    web::on_window(web::SWAPPED, |_| {
        tick_while_there_are_clocks();
        localise();
    });
}

/// Puts moments into the reader's own time, once each.
fn localise() {
    let Ok(moments) = document().query_selector_all("time[data-clock]") else { return };
    for moment in (0..moments.length()).filter_map(|n| moments.get(n)?.dyn_into::<Element>().ok()) {
        let at = js_sys::Date::new(&moment.get_attribute("datetime").unwrap_or_default().into());
        moment.set_text_content(at.to_locale_time_string("default").as_string().as_deref());
        let _ = moment.remove_attribute("data-clock");
    }
}

fn tick_while_there_are_clocks() {
    if RUNNING.replace(true) {
        return;
    }
    spawn_local(async {
        while tick() {
            web::sleep(1_000).await;
        }
        RUNNING.set(false);
    });
}

/// Advances every clock; false when there is none.
fn tick() -> bool {
    let Ok(clocks) = document().query_selector_all("[data-countdown]") else { return false };
    for n in 0..clocks.length() {
        if let Some(clock) = clocks.get(n).and_then(|node| node.dyn_into::<Element>().ok()) {
            advance(&clock);
        }
    }
    clocks.length() > 0
}

fn advance(clock: &Element) {
    // Whole numbers only: text of floating-point numbers is a large piece of code.
    let now = (js_sys::Date::now() / 1_000.0) as u32;
    let number = |name: &str| clock.get_attribute(name).and_then(|text| text.parse::<u32>().ok());
    let ends = number(ENDS).unwrap_or_else(|| now.saturating_add(number(SECONDS).unwrap_or(0)));
    let left_s = ends.saturating_sub(now);
    let _ = clock.set_attribute(ENDS, &ends.to_string());
    let text = match left_s {
        0..60 => format!("{left_s} s"),
        60..3_600 => format!("{} min {} s", left_s / 60, left_s % 60),
        _ => format!("{} h {} min", left_s / 3_600, left_s % 3_600 / 60),
    };
    clock.set_text_content(Some(&text));
    if left_s == 0 {
        // A clock that was over from the start must not reload for ever.
        let ran = number(SECONDS).is_some_and(|seconds| seconds > 0);
        let _ = clock.remove_attribute(SECONDS);
        if let Some(words) = clock.get_attribute("data-then-say") {
            clock.set_text_content(Some(&words));
        }
        if ran && clock.has_attribute("data-then-reload") {
            let _ = window().location().reload();
        }
    }
}
