//! The way of the food on a map of the city, drawn by the server.
//!
//! The picture is in metres, so that every number is a whole one: the script that moves the courier between two looks needs no other kind.

use crate::ui::words::distance;
use contract::Timestamp;
use contract::delivery::{Delivery, DeliveryStatus, Leg};
use contract::geo::{CITY_SIDE_M, Location};
use contract::order::Order;
use leptos::prelude::*;
use std::fmt::Write;

/// A neighbourhood at least: two doors beside each other are no map.
const MIN_WIDTH_M: i32 = 2_600;
/// Width and height of the picture.
const ASPECT: (i32, i32) = (16, 10);
const BLOCK_M: i32 = 260;
/// Every so many streets one is an avenue.
const AVENUE: i32 = 4;
/// Widths of a marker that fit beside each other into the picture.
const MARKERS: i32 = 9;

/// `None` while nothing is known of the places.
pub fn draw(order: &Order, delivery: Option<&Delivery>, now: Timestamp) -> Option<impl IntoView + use<>> {
    let (from, to) = match delivery {
        Some(delivery) => (delivery.from, delivery.to),
        None => (order.from?, order.to?),
    };
    let leg = delivery.filter(|delivery| delivery.status != DeliveryStatus::Completed).and_then(|delivery| delivery.leg);
    let courier = delivery.and_then(|delivery| delivery.courier.as_ref());
    let frame = Frame::around([Some(from), Some(to), leg.map(|leg| leg.from)]);
    let mut svg = String::with_capacity(4_096);
    frame.open(&mut svg);
    frame.line(&mut svg, "way", from, to);
    if let Some(leg) = leg {
        frame.line(&mut svg, "leg", leg.at(now), leg.to);
    }
    frame.marker(&mut svg, "kitchen", from, "🍳", "");
    frame.marker(&mut svg, "home", to, "🏠", "");
    let mut label = format!("Map: from the kitchen to you it is {}.", distance(from.distance_m(to)));
    if let (Some(leg), Some(courier)) = (leg, courier) {
        let emoji: String = courier.emoji.chars().filter(|c| !matches!(c, '<' | '>' | '&' | '"')).collect();
        frame.marker(&mut svg, "rider", leg.at(now), &emoji, &ride(&leg, now));
        let goal = if leg.to == to { "you" } else { "the kitchen" };
        label = format!("Map: {} is {} from {goal}.", courier.name, distance(leg.at(now).distance_m(leg.to)));
    }
    svg.push_str("</svg>");
    Some(view! { <div class="map" role="img" aria-label=label inner_html=svg></div> })
}

/// What the script needs to move the courier: the way, how long it takes, and how much of that is over, in milliseconds.
fn ride(leg: &Leg, now: Timestamp) -> String {
    let whole = leg.arrives_at.since(leg.departed_at).as_millis();
    let gone = now.since(leg.departed_at).as_millis().min(whole);
    let (from, to) = (on_paper(leg.from), on_paper(leg.to));
    format!(r#" data-leg="{} {} {} {}" data-whole="{whole}" data-gone="{gone}""#, from.0, from.1, to.0, to.1)
}

/// North is up on paper, and y grows downwards in a picture.
const fn on_paper(place: Location) -> (i32, i32) {
    (place.x, CITY_SIDE_M - place.y)
}

/// The part of the city that is shown, in metres.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Frame {
    left: i32,
    top: i32,
    width: i32,
    height: i32,
}

impl Frame {
    /// Everything with some air around it, in the picture's shape.
    fn around(places: [Option<Location>; 3]) -> Self {
        let points = || places.iter().flatten().map(|place| on_paper(*place));
        let (left, right) = (points().map(|p| p.0).min().unwrap_or(0), points().map(|p| p.0).max().unwrap_or(0));
        let (top, bottom) = (points().map(|p| p.1).min().unwrap_or(0), points().map(|p| p.1).max().unwrap_or(0));
        let wide = (right - left).max((bottom - top) * ASPECT.0 / ASPECT.1);
        let width = (wide * 3 / 2).max(MIN_WIDTH_M);
        let height = width * ASPECT.1 / ASPECT.0;
        Self { left: i32::midpoint(left, right) - width / 2, top: i32::midpoint(top, bottom) - height / 2, width, height }
    }

    fn open(self, svg: &mut String) {
        let Self { left, top, width, height } = self;
        let _ = write!(svg, r#"<svg viewBox="{left} {top} {width} {height}" aria-hidden="true" focusable="false">"#);
        let _ = write!(svg, r#"<path class="street" d="{}"/><path class="avenue" d="{}"/>"#, self.streets(false), self.streets(true));
        // One river through every city, and two parks: enough to see that the map moves.
        let _ = write!(svg, r#"<path class="river" d="M-2000 7600Q1500 5200 4200 6400T9000 3600T14000 2400"/>"#);
        let _ = write!(svg, r#"<circle class="park" cx="3300" cy="3700" r="620"/><circle class="park" cx="7100" cy="6900" r="820"/>"#);
    }

    /// Streets are not quite evenly spaced: which ones, is the same on every map.
    fn streets(self, avenues: bool) -> String {
        let mut path = String::new();
        let at = |n: i32| n * BLOCK_M + n.wrapping_mul(7_919).rem_euclid(120);
        let lines = |start: i32, length: i32| {
            let first = start.div_euclid(BLOCK_M) - 1;
            (first..=first + length / BLOCK_M + 3).filter(move |n| (n.rem_euclid(AVENUE) == 0) == avenues).map(at)
        };
        for x in lines(self.left, self.width) {
            let _ = write!(path, "M{x} {}v{}", self.top, self.height);
        }
        for y in lines(self.top, self.height) {
            let _ = write!(path, "M{} {y}h{}", self.left, self.width);
        }
        path
    }

    fn line(self, svg: &mut String, class: &str, from: Location, to: Location) {
        let (from, to) = (on_paper(from), on_paper(to));
        let _ = write!(svg, r#"<path class="{class}" d="M{} {}L{} {}"/>"#, from.0, from.1, to.0, to.1);
    }

    /// A picture in a circle, as large on every map.
    fn marker(self, svg: &mut String, class: &str, place: Location, emoji: &str, attributes: &str) {
        let ((x, y), r) = (on_paper(place), self.width / MARKERS / 2);
        let _ = write!(
            svg,
            r#"<g class="{class}" transform="translate({x} {y})"{attributes}><circle r="{r}"/><text font-size="{}" text-anchor="middle" dy=".35em">{emoji}</text></g>"#,
            r * 6 / 5
        );
    }
}

#[cfg(test)]
mod tests {
    use super::{ASPECT, Frame, MIN_WIDTH_M, on_paper, ride};
    use contract::Timestamp;
    use contract::delivery::Leg;
    use contract::geo::Location;

    #[test]
    fn every_place_is_in_the_picture_whatever_lies_where() {
        let corners = [(0, 0), (10_000, 10_000), (5_000, 0), (5_000, 9_999), (4_000, 4_000), (4_001, 4_000)];
        for a in corners {
            for b in corners {
                let places = [a, b].map(|(x, y)| Location { x, y });
                let frame = Frame::around([Some(places[0]), None, Some(places[1])]);
                assert!(frame.width >= MIN_WIDTH_M && frame.height == frame.width * ASPECT.1 / ASPECT.0, "{frame:?}");
                for (x, y) in places.map(on_paper) {
                    let air = frame.width / 20;
                    assert!(x >= frame.left + air && x <= frame.left + frame.width - air, "{x} in {frame:?}");
                    assert!(y >= frame.top + air && y <= frame.top + frame.height - air, "{y} in {frame:?}");
                }
            }
        }
    }

    #[test]
    fn the_ride_is_told_in_milliseconds_and_never_past_its_end() {
        let leg = Leg {
            from: Location { x: 1, y: 10_000 },
            to: Location { x: 3, y: 9_000 },
            departed_at: Timestamp::from_millis(1_000),
            arrives_at: Timestamp::from_millis(5_000),
        };
        assert_eq!(ride(&leg, Timestamp::from_millis(2_500)), r#" data-leg="1 0 3 1000" data-whole="4000" data-gone="1500""#);
        assert!(ride(&leg, Timestamp::from_millis(99_000)).ends_with(r#"data-gone="4000""#));
    }
}
