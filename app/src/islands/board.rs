//! A kitchen's board: it rings when an order comes in, counts the new ones in the title, lets the waiting times grow, and a key moves a
//! card on. What it has to know stands in `<i data-board data-title="(2) Board" data-new="id id">`.

use super::web;
use leptos::prelude::{document, window};
use std::cell::{Cell, RefCell};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;
use web_sys::{AudioContext, Element, Event, HtmlElement};

const MARK: &str = "[data-board]";
const SOUND: &str = "[data-sound]";
/// Where the browser remembers that somebody wants quiet.
const QUIET: &str = "feast-quiet";
/// Minutes are shown: often enough for them.
const TICK_MS: i32 = 5_000;
/// When a waiting began, in seconds since 1970; set at the first tick.
const BEGAN: &str = "data-began";

thread_local! {
    /// Ids of the orders that were new at the last look; `None` before the first.
    static KNOWN: RefCell<Option<String>> = const { RefCell::new(None) };
    /// There is none before somebody has pressed something: browsers allow no sound until then.
    static AUDIO: RefCell<Option<AudioContext>> = const { RefCell::new(None) };
    static TICKING: Cell<bool> = const { Cell::new(false) };
}

pub fn start() {
    look();
    web::on_window(web::SWAPPED, |_| look());
    let document = document();
    web::on(&document, "click", |event| {
        allow_sound();
        let _ = toggled(&event);
    });
    web::on(&document, "keydown", |event| {
        allow_sound();
        let _ = moved_on(&event);
    });
}

fn there_is_a_board() -> bool {
    matches!(document().query_selector(MARK), Ok(Some(_)))
}

/// The board may be a new one.
fn look() {
    if !there_is_a_board() {
        KNOWN.take();
        return;
    }
    let title = web::attribute_of(MARK, "data-title");
    if document().title() != title {
        document().set_title(&title);
    }
    let new = web::attribute_of(MARK, "data-new");
    let known = KNOWN.replace(Some(new.clone()));
    let came_in = known.is_some_and(|known| new.split_ascii_whitespace().any(|id| known.split(' ').all(|other| other != id)));
    if came_in && !is_quiet() {
        AUDIO.with_borrow(|audio| audio.as_ref().map(ring));
    }
    show_sound();
    if !TICKING.replace(true) {
        spawn_local(async {
            while there_is_a_board() {
                tick();
                web::sleep(TICK_MS).await;
            }
            TICKING.set(false);
        });
    }
    tick();
}

fn is_quiet() -> bool {
    window().local_storage().ok().flatten().and_then(|kept| kept.get_item(QUIET).ok().flatten()).is_some()
}

/// The switch as it stands, and what the browser needs first.
fn show_sound() {
    let quiet = is_quiet();
    let Ok(Some(switch)) = document().query_selector(SOUND) else { return };
    let _ = switch.set_attribute("aria-pressed", if quiet { "false" } else { "true" });
    if let Ok(Some(hint)) = document().query_selector("[data-sound-hint]") {
        let waits = !quiet && AUDIO.with_borrow(Option::is_none);
        let _ = if waits { hint.remove_attribute("hidden") } else { hint.set_attribute("hidden", "") };
    }
}

fn allow_sound() {
    if there_is_a_board() && AUDIO.with_borrow(Option::is_none) {
        AUDIO.set(AudioContext::new().ok());
        show_sound();
    }
}

fn toggled(event: &Event) -> Option<()> {
    event.target()?.dyn_into::<Element>().ok()?.closest(SOUND).ok()??;
    let kept = window().local_storage().ok()??;
    if is_quiet() {
        kept.remove_item(QUIET).ok()?;
        AUDIO.with_borrow(|audio| audio.as_ref().map(ring));
    } else {
        kept.set_item(QUIET, "1").ok()?;
    }
    show_sound();
    Some(())
}

/// Two notes, as of a bell on a counter.
fn ring(audio: &AudioContext) -> Option<()> {
    let now = audio.current_time();
    for (after, hertz) in [(0.0, 880.0), (0.16, 1_320.0)] {
        let (note, loudness) = (audio.create_oscillator().ok()?, audio.create_gain().ok()?);
        note.frequency().set_value(hertz);
        loudness.gain().set_value_at_time(0.3, now + after).ok()?;
        loudness.gain().exponential_ramp_to_value_at_time(0.001, now + after + 0.5).ok()?;
        note.connect_with_audio_node(&loudness).ok()?.connect_with_audio_node(&audio.destination()).ok()?;
        note.start_with_when(now + after).ok()?;
        note.stop_with_when(now + after + 0.5).ok()?;
    }
    Some(())
}

/// Enter on a card presses its button.
fn moved_on(event: &Event) -> Option<()> {
    let card: Element = event.target()?.dyn_into().ok()?;
    let enter = js_sys::Reflect::get(event, &"key".into()).ok()?.as_string()? == "Enter";
    if enter && card.has_attribute("data-enter") {
        card.query_selector("form button").ok()??.dyn_into::<HtmlElement>().ok()?.click();
    }
    None
}

fn tick() {
    let Ok(clocks) = document().query_selector_all("[data-waits]") else { return };
    for clock in (0..clocks.length()).filter_map(|n| clocks.get(n)?.dyn_into::<Element>().ok()) {
        // Whole numbers only: text of floating-point numbers is a large piece of code.
        let now = (js_sys::Date::now() / 1_000.0) as u32;
        let number = |name: &str| clock.get_attribute(name).and_then(|text| text.parse::<u32>().ok());
        let began = number(BEGAN).unwrap_or_else(|| now.saturating_sub(number("data-waits").unwrap_or(0)));
        let _ = clock.set_attribute(BEGAN, &began.to_string());
        let text = match now.saturating_sub(began) / 60 {
            0 => "just now".to_owned(),
            minutes @ 1..60 => format!("{minutes} min"),
            minutes => format!("{} h {} min", minutes / 60, minutes % 60),
        };
        clock.set_text_content(Some(&text));
    }
}
