//! Charts drawn by the server: SVG without a fixed size, so that texts stay readable on a phone and on a projector alike.
//!
//! Lines are in a picture that is stretched; everything with letters is placed by percentages beside it. Over it stands a column for each
//! point, which is a link to the traces of that time: one element each, because hundreds are put in place every second. The links are no stops of the tab key (there would be hundreds): the same numbers and links stand in a table.

use super::numbers::{hms, ms, percent, plain};
use contract::Timestamp;
use contract::telemetry::{Mark, MarkKind};
use std::fmt::Write;
use std::time::Duration;

/// Marks that get a letter; older ones are lines only.
pub const LETTERS: usize = 12;

/// What the vertical axis says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    PerSecond,
    Percent,
    Millis,
}

impl Unit {
    pub fn text(self, value: f64) -> String {
        match self {
            Self::PerSecond => format!("{}/s", plain(value)),
            Self::Percent => percent(value),
            Self::Millis => ms(value),
        }
    }

    /// An axis is never shorter than this, so that noise stays small.
    const fn least(self) -> f64 {
        match self {
            Self::PerSecond | Self::Percent => 1.0,
            Self::Millis => 10.0,
        }
    }
}

/// The time a chart shows, and whose traces its columns lead to.
#[derive(Clone, Debug)]
pub struct Span<'a> {
    pub from: Timestamp,
    pub step_s: u64,
    pub points: usize,
    /// Added to the address of traces: `&service=cart`.
    pub query: &'a str,
}

impl Span<'_> {
    pub fn start(&self, point: usize) -> Timestamp {
        self.from + Duration::from_secs(self.step_s * point as u64)
    }

    /// Traces of one point.
    pub fn link(&self, point: usize) -> String {
        let (from, to) = (self.start(point).millis(), self.start(point + 1).millis());
        format!("/console/traces?from={from}&to={to}{}", self.query)
    }

    /// Where a moment is, 0-100; `None` outside.
    fn place(&self, at: Timestamp) -> Option<f64> {
        let whole = (self.step_s * self.points as u64 * 1_000) as f64;
        let here = (at.millis() - self.from.millis()) as f64 / whole.max(1.0) * 100.0;
        (0.0..=100.0).contains(&here).then_some(here)
    }
}

/// One line of a chart. Where a point has no value, the line is broken.
pub struct Line {
    pub class: &'static str,
    pub values: Vec<Option<f64>>,
    /// The ground under it is filled.
    pub filled: bool,
}

/// Text as it may stand in SVG.
pub fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// The next round number: 1, 2 or 5 times a power of ten.
pub fn round_up(value: f64) -> f64 {
    if value <= 0.0 {
        return 1.0;
    }
    let power = 10_f64.powf(value.log10().floor());
    [1.0, 2.0, 5.0, 10.0].into_iter().map(|step| step * power).find(|round| *round >= value * 0.999).unwrap_or(power * 10.0)
}

/// The marks that are on the chart, newest last, with the letters they go by.
pub fn lettered<'a>(span: &Span<'_>, marks: &'a [Mark]) -> Vec<(Option<char>, &'a Mark)> {
    let mut shown: Vec<&Mark> = marks.iter().filter(|mark| span.place(mark.at).is_some()).collect();
    shown.sort_by_key(|mark| mark.at);
    let without = shown.len().saturating_sub(LETTERS);
    let letter = |n: usize| n.checked_sub(without).and_then(|n| u8::try_from(n).ok()).map(|n| char::from(b'A' + n));
    shown.into_iter().enumerate().map(|(n, mark)| (letter(n), mark)).collect()
}

pub const fn mark_class(kind: MarkKind) -> &'static str {
    match kind {
        MarkKind::FlagOn => "flag-on",
        MarkKind::FlagOff => "flag-off",
        MarkKind::Incident => "incident",
        MarkKind::Alert => "fired",
        MarkKind::Load => "load",
        MarkKind::Operator => "operator",
    }
}

/// `says` tells what a point was, for who points at it.
pub fn draw(span: &Span<'_>, unit: Unit, lines: &[Line], marks: &[(Option<char>, &Mark)], says: impl Fn(usize) -> String) -> String {
    let highest = lines.iter().flat_map(|line| &line.values).flatten().copied().fold(0.0, f64::max);
    let top = round_up(highest.max(unit.least()));
    let mut svg = String::with_capacity(16_384);
    svg.push_str(r#"<div class="plot-frame"><svg class="plot" aria-hidden="true" focusable="false"><svg class="plot-area">"#);
    for (share, value) in [(0, top), (50, top / 2.0), (100, 0.0)] {
        let _ = write!(svg, r#"<line class="grid" x1="0" x2="100%" y1="{share}%" y2="{share}%"/>"#);
        let (dy, y) = if share == 100 { ("-0.35em", share) } else { ("1.05em", share) };
        let _ = write!(svg, r#"<text class="y" x="2" y="{y}%" dy="{dy}">{}</text>"#, escaped(&unit.text(value)));
    }
    let width = span.points.max(1);
    let _ = write!(svg, r#"<svg width="100%" height="100%" viewBox="0 0 {width} 100" preserveAspectRatio="none">"#);
    for line in lines {
        stroke(&mut svg, line, top);
    }
    svg.push_str("</svg></svg>");
    for (letter, mark) in marks {
        let Some(x) = span.place(mark.at) else { continue };
        let class = mark_class(mark.kind);
        let says = escaped(&format!("{} {}", hms(mark.at), mark.text));
        let _ = write!(svg, r#"<g class="mark {class}"><title>{says}</title><line x1="{x:.2}%" x2="{x:.2}%" y1="16" y2="100%"/>"#);
        if let Some(letter) = letter {
            let _ = write!(svg, r#"<circle cx="{x:.2}%" cy="9" r="8.5"/><text x="{x:.2}%" y="9" dy="0.36em">{letter}</text>"#);
        }
        svg.push_str("</g>");
    }
    svg.push_str(r#"</svg><div class="columns" aria-hidden="true">"#);
    for point in 0..span.points {
        let (to, says) = (escaped(&span.link(point)), escaped(&says(point)));
        let _ = write!(svg, r#"<a href="{to}" class="point" tabindex="-1" title="{says}"></a>"#);
    }
    svg.push_str("</div></div>");
    svg
}

fn stroke(svg: &mut String, line: &Line, top: f64) {
    let y = |value: f64| 100.0 - (value / top * 100.0).clamp(0.0, 100.0);
    // Runs of points that have values; a lone one is a short dash.
    let mut runs: Vec<Vec<(f64, f64)>> = vec![Vec::new()];
    for (n, value) in line.values.iter().enumerate() {
        match (value, runs.last_mut()) {
            (Some(value), Some(run)) => run.push((n as f64 + 0.5, y(*value))),
            (None, Some(run)) if !run.is_empty() => runs.push(Vec::new()),
            _ => {}
        }
    }
    let mut path = String::new();
    let mut area = String::new();
    for run in runs.iter().filter(|run| !run.is_empty()) {
        let (first, last) = (run[0], run[run.len() - 1]);
        if run.len() == 1 {
            let _ = write!(path, "M{} {:.1}h0.8", first.0 - 0.4, first.1);
            continue;
        }
        let mut points = String::new();
        for (n, (x, y)) in run.iter().enumerate() {
            let _ = write!(points, "{}{x} {y:.1}", if n == 0 { 'M' } else { 'L' });
        }
        if line.filled {
            let _ = write!(area, "{points}L{} 100L{} 100Z", last.0, first.0);
        }
        path.push_str(&points);
    }
    if line.filled {
        let _ = write!(svg, r#"<path class="area {}" d="{area}"/>"#, line.class);
    }
    let _ = write!(svg, r#"<path class="line {}" d="{path}"/>"#, line.class);
}

/// A small picture of a rate, with the failed share of it in another colour.
pub fn spark(rates: &[f64], failed: &[f64]) -> String {
    let top = rates.iter().copied().fold(0.0, f64::max).max(0.1);
    let width = rates.len().max(1);
    let mut svg =
        format!(r#"<svg class="spark" viewBox="0 0 {width} 100" preserveAspectRatio="none" aria-hidden="true" focusable="false">"#);
    for (class, values) in [("rate", rates), ("errors", failed)] {
        let mut path = "M0 100".to_owned();
        for (n, value) in values.iter().enumerate() {
            let _ = write!(path, "L{n}.5 {:.1}", 100.0 - (value / top * 100.0).clamp(0.0, 100.0));
        }
        let _ = write!(svg, r#"<path class="area {class}" d="{path}L{width} 100Z"/>"#);
    }
    svg.push_str("</svg>");
    svg
}

#[cfg(test)]
mod tests {
    use super::{LETTERS, Line, Span, Unit, draw, lettered, round_up};
    use contract::Timestamp;
    use contract::telemetry::{Mark, MarkKind};

    fn mark(at: i64, text: &str) -> Mark {
        Mark { at: Timestamp::from_millis(at), kind: MarkKind::FlagOn, text: text.into(), flag: None }
    }

    const SPAN: Span<'_> = Span { from: Timestamp::from_millis(0), step_s: 5, points: 12, query: "&service=cart" };

    #[test]
    fn an_axis_ends_at_a_round_number() {
        assert_eq!([0.0, 0.7, 1.0, 3.0, 34.0, 180.0].map(round_up), [1.0, 1.0, 1.0, 5.0, 50.0, 200.0]);
    }

    #[test]
    fn every_point_leads_to_its_traces() {
        assert_eq!(SPAN.link(2), "/console/traces?from=10000&to=15000&service=cart");
        let line = Line { class: "rate", values: vec![Some(1.0); 12], filled: true };
        let svg = draw(&SPAN, Unit::PerSecond, &[line], &[], |_| "a <b>".into());
        assert_eq!(svg.matches("<a href=").count(), 12);
        assert!(svg.contains("a &lt;b&gt;") && !svg.contains("<b>"));
    }

    #[test]
    fn a_line_is_broken_where_there_is_no_value() {
        let values = vec![Some(1.0), Some(2.0), None, Some(1.0)];
        let svg = draw(&SPAN, Unit::Millis, &[Line { class: "p50", values, filled: false }], &[], |_| String::new());
        let path = svg.split("class=\"line p50\" d=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
        assert_eq!(path.matches('M').count(), 2, "{path}");
    }

    #[test]
    fn the_newest_marks_have_letters_and_those_outside_are_left_out() {
        let marks: Vec<Mark> =
            (0..i64::try_from(LETTERS).unwrap() + 2).map(|n| mark(n * 1_000, "on")).chain([mark(99_000, "later")]).collect();
        let shown = lettered(&SPAN, &marks);
        assert_eq!(shown.len(), LETTERS + 2);
        assert_eq!(shown.iter().filter_map(|(letter, _)| *letter).collect::<String>(), "ABCDEFGHIJKL");
    }
}
