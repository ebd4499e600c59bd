//! A verdict as a sentence, with its numbers.

use super::history::Episode;
use super::judge::{Because, Judged};
use contract::flags::{Audience, Signal, SignalKind};
use contract::id::path_segment;
use contract::proof::Measured;

/// `%`, `a request`, `a second`, or what the metric's name says.
pub fn unit(signal: &Signal) -> &'static str {
    match signal.kind {
        SignalKind::Errors | SignalKind::Status | SignalKind::Slow | SignalKind::Tagged => "%",
        SignalKind::Calls => "a request",
        SignalKind::Lines => "a second",
        SignalKind::Level => match signal.metric.as_deref().unwrap_or_default() {
            // Seconds of processors a second.
            name if name.ends_with("cpu.time") => "cores",
            name if name.contains("memory") || name.ends_with(".size") || name.ends_with(".bytes") => "bytes",
            name if name.contains("duration") || name.contains("time") => "s",
            _ => "",
        },
    }
}

/// Shares are written in percent.
pub fn in_unit(signal: &Signal, measured: Measured) -> Measured {
    let factor = if unit(signal) == "%" { 100.0 } else { 1.0 };
    Measured { value: measured.value * factor, of: measured.of }
}

/// "14.8 %", "3.2 a request", "41.3 MB".
fn amount(signal: &Signal, value: f64) -> String {
    let digits = |value: f64| match value.abs() {
        small if small > 0.0 && small < 1.0 => format!("{value:.2}"),
        middle if middle < 100.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    };
    match unit(signal) {
        "bytes" => format!("{} MB", digits(value / 1e6)),
        "" => digits(value),
        unit => format!("{} {unit}", digits(value)),
    }
}

/// "14.8 % of 412 requests".
fn measured(signal: &Signal, value: Measured) -> String {
    let amount = amount(signal, value.value);
    match signal.kind {
        SignalKind::Lines | SignalKind::Level => format!("{amount} over {} s", value.of),
        _ if value.of == 1 => format!("{amount} of 1 request"),
        SignalKind::Calls => format!("{amount} over {} requests", value.of),
        _ => format!("{amount} of {} requests", value.of),
    }
}

/// What was compared: "14.8 % of 412 requests, 0.0 % of 800 requests before".
fn numbers(signal: &Signal, judged: &Judged) -> String {
    let since = measured(signal, in_unit(signal, judged.since));
    if judged.before.of == 0 {
        return format!("{since}, and nothing before to compare with");
    }
    format!("{since}, {} before", measured(signal, in_unit(signal, judged.before)))
}

/// The verdict in one sentence. `expect` is half of what is expected, in the values' own unit; `detail` follows the numbers.
pub fn says(signal: &Signal, judged: &Judged, audience: &Audience, least: f64, seen_after_ms: Option<u64>, detail: &str) -> String {
    let numbers = numbers(signal, judged);
    let least = amount(signal, in_unit(signal, Measured { value: least, of: 0 }).value);
    let sentence = match judged.because {
        Because::Shown => match seen_after_ms {
            Some(ms) => format!("Seen {} after the flip: {numbers}{detail}.", after(ms)),
            None => format!("Seen: {numbers}{detail}."),
        },
        Because::Absent => format!("Not seen: {numbers}{detail}; a change of {least} and more was expected."),
        Because::Needs(requests) => format!("Too few to tell: {numbers}; {requests} requests are needed."),
        Because::TooEarly => format!("Too early to tell: {numbers}."),
        Because::Unclear => format!("Not clear yet: {numbers}; a change of {least} and more is expected."),
        Because::NothingBefore => format!("Nothing to compare with: {numbers}. Without load before the flip this one cannot be told."),
        Because::Nothing => match signal.kind {
            SignalKind::Level => format!("Nobody reports {}.", signal.metric.as_deref().unwrap_or("the metric")),
            _ => format!("No traffic: nothing has reached {} since the flip.", signal.route.as_deref().unwrap_or("this path")),
        },
    };
    match (judged.because, reach(audience)) {
        (Because::Shown, _) | (_, None) => sentence,
        (_, Some(reach)) => format!("{sentence} It reaches {reach}."),
    }
}

/// "0.4 s", "12 s".
fn after(ms: u64) -> String {
    let seconds = ms as f64 / 1_000.0;
    if seconds < 10.0 { format!("{seconds:.1} s") } else { format!("{seconds:.0} s") }
}

fn reach(audience: &Audience) -> Option<String> {
    match audience {
        Audience::Everyone => None,
        Audience::Synthetic => Some("only synthetic users".to_owned()),
        Audience::Session(_) => Some("only one browser".to_owned()),
        Audience::Restaurant(restaurant) => Some(format!("only {restaurant}")),
        Audience::City(city) => Some(format!("only {city}")),
        Audience::Percent(share) => Some(format!("only {share} % of sessions")),
    }
}

/// The query that shows its traces: those the fault touched, or, for what no fault marks, those of the signal.
pub fn traces(episode: &Episode, touched: u64) -> String {
    let Some(signal) = episode.signal.as_ref().filter(|_| touched == 0) else { return format!("flag={}", path_segment(&episode.flag)) };
    let mut query = Vec::new();
    if let Some(service) = &signal.service {
        query.push(format!("service={}", path_segment(service)));
    }
    if let Some(route) = &signal.route {
        query.push(format!("route={}", path_segment(route)));
    }
    match signal.kind {
        SignalKind::Errors => query.push("outcome=error".to_owned()),
        SignalKind::Slow => query.extend(signal.ms.map(|ms| format!("minMs={ms}"))),
        _ => {}
    }
    query.join("&")
}
