//! `/console/overview`: rate, errors and durations of the last minutes, what was done meanwhile, and how things stand.

use super::chart::{self, Line, Span, Unit};
use super::numbers::{bytes, hms, ms, percent, plain};
use super::{Place, detection, flag_chips, follow_events, frame, grouped, ledger, snapshot, wide};
use crate::back_office::SharedBackOffice;
use crate::control_room::SharedControlRoom;
use crate::extract::Asked;
use crate::pages::console::{proof, sign_in};
use crate::pages::staff::sentence;
use crate::render::{Meta, page};
use crate::routes::error_page;
use crate::ui::words::count;
use crate::visit::Visit;
use axum::Extension;
use axum::response::Response;
use contract::ApiError;
use contract::detection::Detection;
use contract::id::path_segment;
use contract::ledger::Ledger;
use contract::parked::{EventLag, ParkedEvent};
use contract::proof::Proof;
use contract::telemetry::{Kept, Mark, Overview, Red, RouteRow, Series, Snapshot, Source};
use leptos::either::Either;
use leptos::prelude::*;
use std::fmt::Write;
use std::sync::Arc;

const REFRESH_S: u32 = 5;

/// What the charts may be asked for. More points than that help nobody, and every one is a link.
const MINUTES: [u32; 3] = [5, 15, 60];
const MOST_POINTS: usize = 150;
/// Busiest routes on the page; the rest is a search away.
const ROUTES: usize = 12;

type Heard = Result<(Vec<EventLag>, Vec<(String, ParkedEvent)>), ApiError>;

/// What is asked for, in the address.
struct View {
    minutes: u32,
    service: String,
    source: Source,
}

impl View {
    fn to(&self, minutes: u32, service: &str) -> String {
        Self::address(minutes, service, self.source)
    }

    fn address(minutes: u32, service: &str, source: Source) -> String {
        let service = if service.is_empty() { String::new() } else { format!("&service={}", path_segment(service)) };
        format!("/console/overview?minutes={minutes}{service}{}", of(source))
    }

    /// Which telemetry is shown, and the way to the other.
    fn switch(&self, held: Option<&Snapshot>) -> impl IntoView + use<> {
        let to = |source| Self::address(self.minutes, &self.service, source);
        snapshot::switch(self.source, held, to(Source::Live), to(Source::Imported))
    }
}

/// What an address ends with to stay with this telemetry.
fn of(source: Source) -> &'static str {
    match source {
        Source::Live => "",
        Source::Imported => "&source=imported",
    }
}

/// `?minutes=5|15|60`, `?service=`, `?source=imported`. It is shown whatever is down: that is when somebody looks at it.
pub async fn show(
    Extension(visit): Extension<Arc<Visit>>,
    Extension(office): Extension<SharedBackOffice>,
    Extension(room): Extension<SharedControlRoom>,
    Asked(query): Asked,
) -> Response {
    if !visit.operator {
        return sign_in(&visit);
    }
    let minutes = query.get("minutes").parse().ok().filter(|minutes| MINUTES.contains(minutes)).unwrap_or(MINUTES[0]);
    let view = View { minutes, service: query.get("service").to_owned(), source: snapshot::source_of(&query) };
    if view.source == Source::Imported {
        return match room.overview(minutes, view.source).await {
            Ok(overview) => page(&visit, Meta::new("Overview", "How a platform stood."), || imported(&view, overview)),
            Err(error) => error_page(&error, &visit),
        };
    }
    let (overview, detection, proofs, incidents, ledger, heard) = futures::join!(
        room.overview(minutes, Source::Live),
        room.detection(),
        room.proofs(),
        room.incidents(),
        office.ledger(),
        office.events()
    );
    // Whoever guesses must not be told by the charts.
    let hidden = incidents.is_ok_and(|incidents| super::incidents::is_guessing(&incidents));
    let overview = overview.map(|mut overview| {
        overview.marks.retain(|mark| !hidden || mark.flag.is_none());
        overview
    });
    let proofs = if hidden { Vec::new() } else { proofs.unwrap_or_default() };
    let mut meta = Meta::new("Overview", "How the platform stands.");
    meta.refresh_s = Some(REFRESH_S);
    page(&visit, meta, || body(&view, overview, detection, proofs, ledger, heard))
}

fn body(
    view: &View,
    overview: Result<Overview, ApiError>,
    detection: Result<Detection, ApiError>,
    proofs: Vec<Proof>,
    ledger: Result<Ledger, ApiError>,
    heard: Heard,
) -> impl IntoView + use<> {
    let (books, events) = (books(ledger), events(heard));
    let ranges = ranges(view);
    let shown = overview.as_ref().ok().map(|overview| view.switch(overview.imported.as_ref()));
    let detection = match detection {
        Ok(detection) => Either::Left(detection::objectives(&detection)),
        Err(error) => Either::Right(view! { <p class="hint">{sentence(&error)}</p> }),
    };
    let (title, charts, marks, services, routes, kept) = match overview {
        Ok(overview) => parts(view, overview),
        Err(error) => {
            let told = format!("Telemetry cannot be read: {}", sentence(&error));
            (told, String::new(), None, None, None, None)
        }
    };
    frame(
        Place::Overview,
        "Press a point of a chart to see its traces.",
        view! {
            {shown}
            <div class="range-row"><h2 id="live-title" data-live="">{title}</h2>{ranges}</div>
            <div class="charts" id="live-charts" data-live="" inner_html=charts></div>
            <div class="under-charts" id="live-marks" data-live="">{on_now(proofs)}{marks}</div>
            {follow_events()}
            <div class="overview-columns">
                <section aria-labelledby="services-title"><h2 id="services-title">"Services, last minute"</h2><div id="live-services" data-live="">{services}</div></section>
                <section aria-labelledby="objectives-title">
                    <h2 id="objectives-title">"Objectives and books"</h2>
                    <div id="live-detection" data-live="">{detection}</div>
                    <div id="live-books" data-live="">{books}</div>
                    <div id="live-events" data-live="">{events}</div>
                </section>
            </div>
            <section aria-labelledby="routes-title"><h2 id="routes-title">"Busiest routes, last minute"</h2><div id="live-routes" data-live="">{routes}</div></section>
            <div id="live-kept" data-live="">{kept}</div>
        },
    )
}

fn ranges(view: &View) -> impl IntoView + use<> {
    let ranges = MINUTES.map(|minutes| {
        let current = (minutes == view.minutes).then_some("true");
        view! { <li><a href=view.to(minutes, &view.service) aria-current=current>{minutes}" min"</a></li> }
    });
    view! { <nav aria-label="Time shown"><ul class="ranges">{ranges.into_iter().collect_view()}</ul></nav> }
}

/// Charts of the snapshot, as they were when it was written. What must hold now has no place beside them.
fn imported(view: &View, overview: Overview) -> impl IntoView + use<> {
    let shown = view.switch(overview.imported.as_ref());
    let (title, charts, _, services, routes, _) = parts(view, overview);
    frame(
        Place::Overview,
        "Press a point of a chart to see its traces.",
        view! {
            {shown}
            <div class="range-row"><h2>{title}</h2>{ranges(view)}</div>
            <div class="charts" inner_html=charts></div>
            <section aria-labelledby="services-title"><h2 id="services-title">"Services, its last minute"</h2>{services}</section>
            <section aria-labelledby="routes-title"><h2 id="routes-title">"Busiest routes, its last minute"</h2>{routes}</section>
        },
    )
}

type Parts = (String, String, Option<AnyView>, Option<AnyView>, Option<AnyView>, Option<AnyView>);

fn parts(view: &View, overview: Overview) -> Parts {
    let chosen = overview.series.iter().skip(1).find(|series| series.service == view.service).or_else(|| overview.series.first());
    let Some(series) = chosen else {
        let nothing =
            r#"<p class="nothing">Nothing was measured yet. Open the shop, or start some load: charts begin with the first request.</p>"#;
        return ("No requests yet".to_owned(), nothing.to_owned(), None, None, None, Some(kept(overview.kept).into_any()));
    };
    let whole = overview.series.first().is_some_and(|first| std::ptr::eq(first, series));
    let title = if whole { "What customers meet".to_owned() } else { format!("Requests at {}", series.service) };
    let charts = charts(&overview, series, view.source);
    let marks = legend(&overview, series);
    let services = services(view, &overview.series);
    let routes = routes(&overview.routes, view.source);
    (title, charts, Some(marks.into_any()), Some(services.into_any()), Some(routes.into_any()), Some(kept(overview.kept).into_any()))
}

fn shown(series: &Series) -> &[Red] {
    &series.points[series.points.len().saturating_sub(MOST_POINTS)..]
}

/// The newest points, and the time they are of.
fn newest<'a>(overview: &Overview, series: &'a Series, query: &'a str) -> (Span<'a>, &'a [Red]) {
    let points = shown(series);
    let left_out = series.points.len() - points.len();
    let step_s = overview.step_seconds.max(1);
    let from = overview.from + std::time::Duration::from_secs(step_s * left_out as u64);
    (Span { from, step_s, points: points.len(), query }, points)
}

fn charts(overview: &Overview, series: &Series, source: Source) -> String {
    let query = format!("&service={}{}", path_segment(&series.service), of(source));
    let (span, points) = newest(overview, series, &query);
    let marks = chart::lettered(&span, &overview.marks);
    let asked = |red: &Red| red.requests > 0;
    let line = |class, filled, value: fn(&Red) -> f64| Line {
        class,
        filled,
        values: points.iter().map(|red| asked(red).then(|| value(red))).collect(),
    };
    let whole = |class, value: fn(&Red) -> f64| Line { class, filled: true, values: points.iter().map(|red| Some(value(red))).collect() };
    let time = |point: usize| hms(span.start(point));
    let told = |point: usize| &points[point];

    let rate = chart::draw(&span, Unit::PerSecond, &[whole("rate", |red| red.rate)], &marks, |n| {
        format!("{} UTC: {}/s, {} requests", time(n), plain(told(n).rate), told(n).requests)
    });
    let failed = Span { query: &format!("{query}&outcome=error"), ..span.clone() };
    let errors = chart::draw(&failed, Unit::Percent, &[whole("errors", |red| red.error_percent)], &marks, |n| {
        format!("{} UTC: {} failed, {} of {}", time(n), percent(told(n).error_percent), told(n).failed, told(n).requests)
    });
    let lines = [line("p99", false, |red| red.p99_ms), line("p95", false, |red| red.p95_ms), line("p50", false, |red| red.p50_ms)];
    let times = chart::draw(&span, Unit::Millis, &lines, &marks, |n| {
        format!("{} UTC: p50 {}, p95 {}, p99 {}", time(n), ms(told(n).p50_ms), ms(told(n).p95_ms), ms(told(n).p99_ms))
    });
    let now = series.now;
    let ends = match source {
        Source::Live => [format!("{} min ago", span.step_s * span.points as u64 / 60), "now".to_owned()],
        Source::Imported => [hms(span.from), format!("{} UTC", hms(overview.to))],
    };
    let mut html = String::with_capacity(rate.len() * 3 + 2_048);
    figure(&mut html, "Requests a second", &format!("<b>{}</b>", plain(now.rate)), &rate, &ends);
    let alarm = if now.failed > 0 { " class=\"bad\"" } else { "" };
    figure(&mut html, "Failed", &format!("<b{alarm}>{}</b>", percent(now.error_percent)), &errors, &ends);
    let values = format!(
        "<span class=\"p50\"><i></i>p50 <b>{}</b></span><span class=\"p95\"><i></i>p95 <b>{}</b></span><span class=\"p99\"><i></i>p99 <b>{}</b></span>",
        ms(now.p50_ms),
        ms(now.p95_ms),
        ms(now.p99_ms)
    );
    figure(&mut html, "Time to answer", &values, &times, &ends);
    html
}

/// Title with the numbers of the last minute, picture, and the ends of its time.
fn figure(html: &mut String, title: &str, now: &str, svg: &str, [from, to]: &[String; 2]) {
    let _ = write!(
        html,
        r#"<figure class="chart"><figcaption><span>{title}</span><span class="chart-now">{now}</span></figcaption>{svg}<p class="chart-x" aria-hidden="true"><span>{from}</span><span>{to}</span></p></figure>"#
    );
}

/// What the letters on the charts mean, and the same numbers as a table.
fn legend(overview: &Overview, series: &Series) -> impl IntoView + use<> {
    let query = format!("&service={}", path_segment(&series.service));
    let (span, _) = newest(overview, series, &query);
    let marks = chart::lettered(&span, &overview.marks);
    let row = |letter: Option<char>, mark: &Mark| {
        let class = format!("mark-letter {}", chart::mark_class(mark.kind));
        view! { <li><span class=class>{letter}</span><span>{mark.text.clone()}</span>" "<time datetime=mark.at.to_string()>{hms(mark.at)}</time></li> }
    };
    let rows: Vec<_> = marks.iter().rev().filter(|(letter, _)| letter.is_some()).map(|(letter, mark)| row(*letter, mark)).collect();
    (!rows.is_empty()).then(|| view! { <ol class="marks" aria-label="Marks on the charts, newest first">{rows}</ol> })
}

/// Faults that are on, with what is seen of them.
fn on_now(proofs: Vec<Proof>) -> impl IntoView {
    let rows: Vec<_> = proofs
        .into_iter()
        .filter(|proof| proof.cleared_at.is_none())
        .map(|proof| {
            let chip = proof::chip(proof.verdict);
            view! { <li>{flag_chips(std::slice::from_ref(&proof.flag))}<code>{proof.variant}</code>{chip}</li> }
        })
        .collect();
    (!rows.is_empty()).then(|| view! { <ul class="on-now" aria-label="Faults that are on">{rows}</ul> })
}

fn services(view: &View, series: &[Series]) -> impl IntoView + use<> {
    let rows: Vec<_> = series
        .iter()
        .enumerate()
        .map(|(n, series)| {
            let name = if n == 0 { "All of it".to_owned() } else { series.service.clone() };
            let to = view.to(view.minutes, if n == 0 { "" } else { &series.service });
            let current = if n == 0 { view.service.is_empty() } else { view.service == series.service }.then_some("true");
            let points = shown(series);
            let rates: Vec<f64> = points.iter().map(|red| red.rate).collect();
            let failed: Vec<f64> = points.iter().map(|red| red.rate * red.error_percent / 100.0).collect();
            let spark = chart::spark(&rates, &failed);
            view! {
                <tr>
                    <th scope="row"><a href=to aria-current=current>{name}</a></th>
                    <td class="spark-cell" inner_html=spark></td>
                    {red(&series.now)}
                </tr>
            }
        })
        .collect();
    wide(
        "Services",
        view! {
            <table class="numbers-table red-table">
                <thead><tr><th scope="col">"Service"</th><th scope="col">"Rate"</th><th scope="col">"/s"</th><th scope="col">"Failed"</th><th scope="col">"p50"</th><th scope="col">"p95"</th><th scope="col">"p99"</th></tr></thead>
                <tbody>{rows}</tbody>
            </table>
        },
    )
}

/// The cells of a row of numbers.
fn red(red: &Red) -> impl IntoView + use<> {
    let class = (red.failed > 0).then_some("bad");
    let time = |value: f64| if red.requests == 0 { "–".to_owned() } else { ms(value) };
    view! { <td>{plain(red.rate)}</td><td class=class>{percent(red.error_percent)}</td><td>{time(red.p50_ms)}</td><td>{time(red.p95_ms)}</td><td>{time(red.p99_ms)}</td> }
}

fn routes(routes: &[RouteRow], source: Source) -> impl IntoView + use<> {
    if routes.is_empty() {
        return Either::Left(view! { <p class="nothing">"No requests in the last minute."</p> });
    }
    let rows: Vec<_> = routes
        .iter()
        .take(ROUTES)
        .map(|row| {
            let to = format!("/console/traces?service={}&route={}{}", path_segment(&row.service), path_segment(&row.route), of(source));
            view! { <tr><th scope="row"><a href=to>{row.route.clone()}</a></th><td class="words">{row.service.clone()}</td>{red(&row.red)}</tr> }
        })
        .collect();
    Either::Right(wide(
        "Routes",
        view! {
            <table class="numbers-table red-table">
                <thead><tr><th scope="col">"Route"</th><th scope="col">"Service"</th><th scope="col">"/s"</th><th scope="col">"Failed"</th><th scope="col">"p50"</th><th scope="col">"p95"</th><th scope="col">"p99"</th></tr></thead>
                <tbody>{rows}</tbody>
            </table>
        },
    ))
}

fn kept(kept: Kept) -> impl IntoView {
    let number = |n: u64| grouped(i64::try_from(n).unwrap_or(i64::MAX));
    let lost = kept.refused_spans;
    let refused = (lost > 0).then(|| view! { " · "<strong class="mark-broken">{number(lost)}" refused: a queue was full"</strong> });
    view! {
        <p class="hint kept">
            "Kept: "{number(kept.traces)}" traces, "{number(kept.spans)}" spans, "{number(kept.logs)}" log lines in "{bytes(kept.bytes as f64)}" of "{bytes(kept.bound_bytes as f64)}
            " · received "{number(kept.received_spans)}" spans, left out "{number(kept.sampled_out_spans)}" of healthy traces, let go "{number(kept.evicted_spans)}" of the oldest"{refused}
        </p>
    }
}

fn books(ledger: Result<Ledger, ApiError>) -> impl IntoView {
    match ledger {
        Ok(ledger) => {
            let open = count(ledger.open.len() as u64, "order is under way", "orders are under way");
            Either::Left(view! { {ledger::verdict(&ledger)} <p class="hint">{ledger.checks.len()}" checks · "{open}"."</p> })
        }
        Err(error) => Either::Right(view! {
            <p class="verdict unknown"><span aria-hidden="true">"?"</span><strong>"The ledger cannot be read: a service does not show its books."</strong></p>
            <p class="hint">{sentence(&error)}</p>
        }),
    }
}

fn events(heard: Heard) -> impl IntoView {
    let Ok((lags, parked)) = heard else {
        return Either::Left(view! { <p class="hint">"How far services are behind with events cannot be read."</p> });
    };
    let behind: u64 = lags.iter().map(|lag| lag.waiting + lag.pending + lag.outbox).sum();
    let behind = i64::try_from(behind).unwrap_or(i64::MAX);
    let parked: u64 = lags.iter().map(|lag| lag.parked).sum::<u64>().max(parked.len() as u64);
    let parked_text = if parked == 0 {
        Either::Left("none parked")
    } else {
        Either::Right(view! { <strong class="mark-broken">{parked}" parked"</strong> })
    };
    Either::Right(view! { <p class="hint">{lags.len()}" services listen · events on their way: "{grouped(behind)}" · "{parked_text}</p> })
}
