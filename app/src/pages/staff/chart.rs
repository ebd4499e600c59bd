//! A day by the hour, drawn by the server.

use contract::menu::HourFigures;
use leptos::prelude::*;
use std::fmt::Write;

const HOURS: usize = 24;
/// A chart shows no fewer hours than that, or one bar would fill it.
const FEWEST: usize = 8;
/// One hour's place, and its bar, in units of the picture.
const STEP: usize = 30;
const BAR: usize = 20;
const HEIGHT: u64 = 150;
/// Room for numbers above the bars, and for the hours below.
const HEAD: u64 = 22;
const FOOT: u64 = 24;

/// Orders of each hour as bars. The same numbers stand in a table beside it, so that nobody has to read a picture.
pub fn bars(hours: &[HourFigures]) -> impl IntoView + use<> {
    let svg = draw(hours);
    let busiest = hours.iter().max_by_key(|hour| hour.orders).filter(|hour| hour.orders > 0);
    let label = busiest.map_or_else(
        || "Chart: no orders yet today.".to_owned(),
        |hour| format!("Chart: orders by the hour. Most, {}, from {}:00.", hour.orders, hour.hour),
    );
    view! { <div class="bars" role="img" aria-label=label inner_html=svg></div> }
}

fn draw(hours: &[HourFigures]) -> String {
    let most = hours.iter().map(|hour| hour.orders).max().unwrap_or(0).max(1);
    let (first, last) = shown(hours);
    let (width, height) = ((last - first + 1) * STEP, HEAD + HEIGHT + FOOT);
    let mut svg = String::with_capacity(4_096);
    let _ = write!(svg, r#"<svg viewBox="0 0 {width} {height}" aria-hidden="true" focusable="false">"#);
    let _ = write!(svg, r#"<path class="axis" d="M0 {0}H{width}"/>"#, HEAD + HEIGHT);
    for hour in first..=last {
        let orders = hours.iter().find(|figures| usize::from(figures.hour) == hour).map_or(0, |figures| figures.orders);
        let left = (hour - first) * STEP;
        let (bar, middle) = (left + (STEP - BAR) / 2, left + STEP / 2);
        if hour % 3 == 0 {
            let _ = write!(svg, r#"<text class="hour" x="{middle}" y="{}">{hour}</text>"#, HEAD + HEIGHT + 19);
        }
        if orders > 0 {
            let tall = (u64::from(orders) * HEIGHT / u64::from(most)).max(3);
            let top = HEAD + HEIGHT - tall;
            let _ = write!(svg, r#"<rect class="bar" x="{bar}" y="{top}" width="{BAR}" height="{tall}" rx="4"/>"#);
            let _ = write!(svg, r#"<text class="value" x="{middle}" y="{}">{orders}</text>"#, top - 6);
        }
    }
    svg.push_str("</svg>");
    svg
}

/// From the first hour with orders to the last: the narrower the chart, the larger its numbers on a phone.
fn shown(hours: &[HourFigures]) -> (usize, usize) {
    let busy = || hours.iter().filter(|hour| hour.orders > 0).map(|hour| usize::from(hour.hour).min(HOURS - 1));
    let (Some(first), Some(last)) = (busy().min(), busy().max()) else { return (0, HOURS - 1) };
    let first = first.min((last + 1).saturating_sub(FEWEST));
    (first, last.max(first + FEWEST - 1))
}

#[cfg(test)]
mod tests {
    use super::{draw, shown};
    use contract::Money;
    use contract::menu::HourFigures;

    #[test]
    fn only_hours_with_orders_have_a_bar_and_the_busiest_is_the_tallest() {
        let hour = |hour, orders| HourFigures { hour, orders, revenue: Money::ZERO };
        let svg = draw(&[hour(11, 2), hour(12, 8), hour(13, 0)]);
        assert_eq!(svg.matches("class=\"bar\"").count(), 2);
        assert!(svg.contains(r#"height="150""#) && svg.contains(r#"height="37""#), "{svg}");
        assert_eq!(draw(&[]).matches("class=\"bar\"").count(), 0);
    }

    #[test]
    fn a_chart_shows_the_busy_part_of_the_day() {
        let at = |hours: &[u8]| {
            let figures: Vec<_> = hours.iter().map(|hour| HourFigures { hour: *hour, orders: 1, revenue: Money::ZERO }).collect();
            shown(&figures)
        };
        assert_eq!([at(&[]), at(&[3]), at(&[8, 20]), at(&[23])], [(0, 23), (0, 7), (8, 20), (16, 23)]);
    }
}
