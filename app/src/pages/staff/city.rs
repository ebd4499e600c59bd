//! A whole city as a courier sees it: streets every kilometre, the kitchen, the door, and where one is.
//!
//! The picture is in metres, so that every number is a whole one: the script that moves the courier between two looks needs no other kind.

use contract::Timestamp;
use contract::delivery::{Courier, Delivery, DeliveryStatus, Leg};
use contract::geo::{CITY_SIDE_M, Location};
use leptos::prelude::*;
use std::fmt::Write;

/// Radius of a marker, in metres: seen on a phone, and a fortieth of the city.
const MARKER_M: i32 = 330;

pub fn draw(courier: &Courier, delivery: Option<&Delivery>, now: Timestamp) -> impl IntoView + use<> {
    let leg = delivery.filter(|delivery| delivery.status != DeliveryStatus::Completed).and_then(|delivery| delivery.leg);
    let here = leg.map_or(courier.location, |leg| leg.at(now));
    let mut svg = String::with_capacity(3_072);
    let _ = write!(svg, r#"<svg viewBox="0 0 {CITY_SIDE_M} {CITY_SIDE_M}" aria-hidden="true" focusable="false">"#);
    streets(&mut svg);
    if let Some(delivery) = delivery {
        line(&mut svg, "way", delivery.from, delivery.to);
        if let Some(leg) = leg {
            line(&mut svg, "leg", here, leg.to);
        }
        marker(&mut svg, "kitchen", delivery.from, "🍳", "");
        marker(&mut svg, "home", delivery.to, "🏠", "");
    }
    let emoji: String = courier.emoji.chars().filter(|c| !matches!(c, '<' | '>' | '&' | '"')).collect();
    marker(&mut svg, "rider", here, &emoji, &leg.map(|leg| ride(&leg, now)).unwrap_or_default());
    svg.push_str("</svg>");
    let label = format!("Map of {}: {}", courier.city, told(delivery, here));
    view! { <div class="map city-map" role="img" aria-label=label inner_html=svg></div> }
}

fn told(delivery: Option<&Delivery>, here: Location) -> String {
    let away = |place: Location, what: &str| format!("you are {} m from {what}.", here.distance_m(place) / 10 * 10);
    match delivery {
        None => "nothing to carry.".to_owned(),
        Some(delivery) if delivery.status == DeliveryStatus::PickedUp => away(delivery.to, "the door"),
        Some(delivery) => away(delivery.from, "the kitchen"),
    }
}

fn streets(svg: &mut String) {
    let mut path = String::new();
    for at in (0..=CITY_SIDE_M).step_by(1_000) {
        let _ = write!(path, "M{at} 0v{CITY_SIDE_M}M0 {at}h{CITY_SIDE_M}");
    }
    let _ = write!(svg, r#"<path class="street" d="{path}"/>"#);
    let _ = write!(svg, r#"<path class="avenue" d="M5000 0v{CITY_SIDE_M}M0 5000h{CITY_SIDE_M}"/>"#);
    let _ = write!(svg, r#"<path class="river" d="M-2000 7600Q1500 5200 4200 6400T9000 3600T14000 2400"/>"#);
    let _ = write!(svg, r#"<circle class="park" cx="3300" cy="3700" r="620"/><circle class="park" cx="7100" cy="6900" r="820"/>"#);
}

/// North is up on paper, and y grows downwards in a picture.
const fn on_paper(place: Location) -> (i32, i32) {
    (place.x, CITY_SIDE_M - place.y)
}

fn line(svg: &mut String, class: &str, from: Location, to: Location) {
    let (from, to) = (on_paper(from), on_paper(to));
    let _ = write!(svg, r#"<path class="{class}" d="M{} {}L{} {}"/>"#, from.0, from.1, to.0, to.1);
}

fn marker(svg: &mut String, class: &str, place: Location, emoji: &str, attributes: &str) {
    let ((x, y), size) = (on_paper(place), MARKER_M * 6 / 5);
    let _ = write!(
        svg,
        r#"<g class="{class}" transform="translate({x} {y})"{attributes}><circle r="{MARKER_M}"/><text font-size="{size}" text-anchor="middle" dy=".35em">{emoji}</text></g>"#
    );
}

/// What the script needs to move the courier: the way, how long it takes, and how much of that is over, in milliseconds.
fn ride(leg: &Leg, now: Timestamp) -> String {
    let whole = leg.arrives_at.since(leg.departed_at).as_millis();
    let gone = now.since(leg.departed_at).as_millis().min(whole);
    let (from, to) = (on_paper(leg.from), on_paper(leg.to));
    format!(r#" data-leg="{} {} {} {}" data-whole="{whole}" data-gone="{gone}""#, from.0, from.1, to.0, to.1)
}

#[cfg(test)]
mod tests {
    use super::{on_paper, told};
    use contract::geo::Location;

    #[test]
    fn north_is_up() {
        assert_eq!(on_paper(Location { x: 10, y: 9_000 }), (10, 1_000));
        assert_eq!(told(None, Location::default()), "nothing to carry.");
    }
}
