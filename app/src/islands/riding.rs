//! Moves couriers on their maps between two looks: `<g data-leg="x y x y" data-whole="60000" data-gone="1500">`.
//!
//! Whole numbers only: text of floating-point numbers is a large piece of code.

use super::web;
use leptos::prelude::{document, window};
use std::cell::Cell;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::spawn_local;
use web_sys::Element;

/// When the ride began, by the page's own clock in milliseconds; set at the first step.
const BEGAN: &str = "data-began";
/// Smooth enough for a dot that crosses a map in a minute.
const STEP_MS: i32 = 100;
/// For those who asked for less motion: a place now and then, and nothing gliding.
const CALM_STEP_MS: i32 = 5_000;

thread_local! {
    static RUNNING: Cell<bool> = const { Cell::new(false) };
}

pub fn start() {
    ride();
    web::on_window(web::SWAPPED, |_| ride());
}

fn ride() {
    if step() && !RUNNING.replace(true) {
        let calm = window().match_media("(prefers-reduced-motion: reduce)").ok().flatten().is_some_and(|query| query.matches());
        spawn_local(async move {
            loop {
                web::sleep(if calm { CALM_STEP_MS } else { STEP_MS }).await;
                if !step() {
                    break;
                }
            }
            RUNNING.set(false);
        });
    }
}

/// Moves everybody; false when nobody is on the way.
fn step() -> bool {
    let Ok(riders) = document().query_selector_all("[data-leg]") else { return false };
    for n in 0..riders.length() {
        if let Some(rider) = riders.get(n).and_then(|node| node.dyn_into::<Element>().ok()) {
            let _ = advance(&rider);
        }
    }
    riders.length() > 0
}

fn advance(rider: &Element) -> Option<()> {
    // Wraps every fifty days, as differences may.
    let now = js_sys::Date::now() as u64 as u32;
    let number = |name: &str| rider.get_attribute(name).and_then(|text| text.parse::<u32>().ok());
    let (whole, gone) = (number("data-whole")?.max(1), number("data-gone")?);
    let began = number(BEGAN).unwrap_or_else(|| now.wrapping_sub(gone));
    rider.set_attribute(BEGAN, &began.to_string()).ok()?;
    let gone = i64::from(now.wrapping_sub(began).min(whole));
    let leg = rider.get_attribute("data-leg")?;
    let mut places = leg.split(' ').filter_map(|text| text.parse::<i32>().ok());
    let (x, y, to_x, to_y) = (places.next()?, places.next()?, places.next()?, places.next()?);
    let along = |from: i32, to: i32| from + (i64::from(to - from) * gone / i64::from(whole)) as i32;
    rider.set_attribute("transform", &format!("translate({} {})", along(x, to_x), along(y, to_y))).ok()
}
