//! Pictures: the logo, planets and plates. All are drawn; nothing is downloaded.

use contract::menu::Restaurant;
use leptos::prelude::*;

/// The steps of `app/style/hues.css`, in degrees.
const HUE_STEP: u16 = 10;

/// Classes that paint an element in a restaurant's two hues: `ha-270 hb-320`.
pub fn hue_classes(hues: [u16; 2]) -> String {
    let step = |hue: u16| (hue % 360 + HUE_STEP / 2) / HUE_STEP * HUE_STEP % 360;
    format!("ha-{} hb-{}", step(hues[0]), step(hues[1]))
}

/// Emoji that fonts draw as a square picture: they are cut round, to sit on a planet or a plate.
const SQUARE: [&str; 8] = ["🌌", "🌃", "🌆", "🌇", "🌉", "🌠", "🎆", "🎑"];

fn glyph(emoji: &str) -> impl IntoView + use<> {
    let class = SQUARE.contains(&emoji).then_some("round");
    view! { <span class=class>{emoji.to_owned()}</span> }
}

/// A restaurant as a planet with a ring.
pub fn planet(restaurant: &Restaurant, size: &'static str) -> impl IntoView + use<> {
    let class = format!("planet {size} {}", hue_classes(restaurant.hues));
    view! { <div class=class aria-hidden="true">{glyph(&restaurant.emoji)}</div> }
}

/// A dish on its plate.
pub fn plate(emoji: &str, size: &'static str) -> impl IntoView + use<> {
    view! { <div class=size aria-hidden="true">{glyph(emoji)}</div> }
}

/// A steaming bowl that is a planet, its ring a spoon's orbit. Plain text, because it is on every page and never changes.
pub const LOGO: &str = concat!(
    r##"<svg class="logo" viewBox="0 0 64 64" width="44" height="44" aria-hidden="true" focusable="false"><defs><linearGradient id="logo-bowl" x1="0" y1="0" x2="1" y2="1"><stop offset="0" stop-color="#ffd166"/><stop offset=".55" stop-color="#ff8a5b"/><stop offset="1" stop-color="#d6336c"/></linearGradient></defs>"##,
    r##"<path d="M52 17c5-1 8.5 0 9 2.5 1.2 5.5-12.5 14-30 19S2.6 43.8 2 40.5C1.6 38 4.5 35 9 32" class="ring" fill="none" stroke-width="3" stroke-linecap="round"/>"##,
    r##"<path d="M10 28h44c0 15-9.5 26-22 26S10 43 10 28z" fill="url(#logo-bowl)"/>"##,
    r##"<ellipse cx="32" cy="28" rx="22" ry="6.5" fill="#2a1250"/>"##,
    r##"<ellipse cx="32" cy="28" rx="22" ry="6.5" fill="none" stroke="#ffe3b0" stroke-width="2.5"/>"##,
    r##"<path d="M61 20c-1.5 5-14 12.5-30 17-17 4.8-28.5 6.3-29 3" class="ring" fill="none" stroke-width="3" stroke-linecap="round"/>"##,
    r##"<circle cx="24" cy="27.5" r="1.7" fill="#ffd166"/>"##,
    r##"<circle cx="33" cy="30" r="1.2" fill="#fff"/>"##,
    r##"<circle cx="41" cy="27" r="1.6" fill="#ff8fab"/>"##,
    r##"<path d="M32 4l1.9 5.1L39 11l-5.1 1.9L32 18l-1.9-5.1L25 11l5.1-1.9z" fill="#ffd166"/>"##,
    r##"<circle cx="20" cy="14" r="1.7" fill="#ff8fab"/>"##,
    r##"</svg>"##,
);

#[cfg(test)]
mod tests {
    use super::hue_classes;

    #[test]
    fn any_hue_has_a_class_in_the_style_sheet() {
        assert_eq!(hue_classes([0, 359]), "ha-0 hb-0");
        assert_eq!(hue_classes([274, 275]), "ha-270 hb-280");
        assert_eq!(hue_classes([65_535, 361]), "ha-20 hb-0");
    }
}
