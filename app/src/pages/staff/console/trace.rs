//! `/console/traces/{id}`: one request as a waterfall, with what made it slow, what failed, and which flag touched it.

use super::numbers::{hms_ms, micros};
use super::traces::hue;
use super::{Place, flag_chips, framed, logs, order_link, snapshot};
use crate::control_room::SharedControlRoom;
use crate::extract::Segment;
use crate::pages::console::sign_in;
use crate::render::{Meta, page};
use crate::routes::error_page;
use crate::ui::words::count;
use crate::visit::Visit;
use axum::Extension;
use axum::response::Response;
use contract::Code;
use contract::id::path_segment;
use contract::telemetry::{Source, SpanEventView, SpanKind, SpanView, Trace};
use http::StatusCode;
use leptos::either::Either;
use leptos::prelude::*;
use std::sync::Arc;

/// Spans that are drawn. A page with more of them is no help, and slow.
const MOST_SPANS: usize = 500;
/// Deeper spans are indented no further.
const DEEPEST: usize = 12;
/// Steps of the critical path that are named.
const STEPS: usize = 8;

pub async fn show(
    Extension(visit): Extension<Arc<Visit>>,
    Extension(room): Extension<SharedControlRoom>,
    Segment(id): Segment,
) -> Response {
    if !visit.operator {
        return sign_in(&visit);
    }
    match room.trace(&id).await {
        Ok(trace) => page(&visit, Meta::new(format!("Trace of {}", trace.summary.name), "One request, step by step."), || body(&trace)),
        Err(error) if error.code == Code::NotFound => {
            let mut meta = Meta::new("No such trace", "It is not kept.");
            meta.status = StatusCode::NOT_FOUND;
            page(&visit, meta, || gone(&id))
        }
        Err(error) => error_page(&error, &visit),
    }
}

fn gone(id: &str) -> impl IntoView + use<> {
    let lead = "The platform remembers a bounded number of traces.";
    let body = view! {
        <div class="empty">
            <p>"This trace is not kept."</p>
            <p class="hint">"It may be on its way still (a second at most), have been left out as one of very many healthy ones, or be so old that it was let go."</p>
            <p class="reference"><code>{id.to_owned()}</code></p>
            <p class="scene-actions"><a class="button" href=format!("/console/traces/{}", path_segment(id))>"Look again"</a><a class="button quiet" href="/console/traces">"All traces"</a></p>
        </div>
    };
    framed(Place::Traces, "No such trace", lead, body)
}

/// From the first moment of a trace to its last, in microseconds.
#[derive(Clone, Copy)]
struct Scale {
    from: i64,
    whole: i64,
}

impl Scale {
    fn of(trace: &Trace) -> Self {
        let from = trace.spans.iter().map(|span| span.start_us).min().unwrap_or(0);
        let end = |span: &SpanView| span.start_us.saturating_add(i64::try_from(span.duration_us).unwrap_or(i64::MAX));
        let to = trace.spans.iter().map(end).max().unwrap_or(0);
        Self { from, whole: to.saturating_sub(from).max(1) }
    }

    fn percent(self, us: i64) -> f64 {
        (us as f64 / self.whole as f64 * 100.0).clamp(0.0, 100.0)
    }
}

fn body(trace: &Trace) -> impl IntoView + use<> {
    let summary = &trace.summary;
    let scale = Scale::of(trace);
    let total = u64::try_from(scale.whole).unwrap_or(0);
    let later = total > summary.duration_us.saturating_add(summary.duration_us / 10).max(summary.duration_us + 1_000);
    let (class, outcome) = match (summary.failed, summary.status) {
        (true, Some(status)) => ("chip not-seen", format!("failed with {status}")),
        (true, None) => ("chip not-seen", "failed".to_owned()),
        (false, Some(status)) => ("chip seen", status.to_string()),
        (false, None) => ("chip seen", "went well".to_owned()),
    };
    let inner = (!summary.failed && summary.errors > 0)
        .then(|| view! { <span class="chip not-seen">{count(summary.errors as u64, "span failed", "spans failed")}</span> });
    let order = summary.order.as_deref().map(|order| view! { <span>{order_link(order)}</span> });
    let later = later.then(|| view! { <span>"with what followed "<b>{micros(total)}</b></span> });
    let orphans = (trace.orphans > 0).then(|| view! { <p class="hint">{count(trace.orphans as u64, "span has", "spans have")}" a parent that was not seen: it was let go, or is on its way."</p> });
    let drawn = trace.spans.len().min(MOST_SPANS);
    let more =
        (trace.spans.len() > drawn).then(|| view! { <p class="hint">"The first "{drawn}" of "{trace.spans.len()}" spans are drawn."</p> });
    // Opened at once: what somebody came to see.
    let first = trace.spans.iter().position(|span| span.flag.is_some()).or_else(|| trace.spans.iter().rposition(|span| span.failed));
    let rows: Vec<_> = trace.spans.iter().take(MOST_SPANS).enumerate().map(|(n, each)| span(each, scale, Some(n) == first)).collect();
    let services = summary
        .services
        .iter()
        .map(|service| view! { <span class=format!("service {}", hue(service))><i></i>{service.clone()}</span> })
        .collect_view();
    let ticks = [0, 25, 50, 75, 100].map(|share| view! { <span>{micros(total * share / 100)}</span> });
    let log_lines = log_lines(trace);
    let imported = (summary.source == Source::Imported).then(|| view! { <a class="chip imported" href=snapshot::PAGE>"imported"</a> });
    let all = if imported.is_some() { format!("/console/traces?{}", snapshot::QUERY) } else { "/console/traces".to_owned() };
    framed(
        Place::Traces,
        summary.name.clone(),
        view! { <code class="trace-id">{summary.trace_id.clone()}</code> },
        view! {
            <p class="trace-head">{imported}<span class=class>{outcome}</span>{inner}<span><b>{micros(summary.duration_us)}</b></span>{later}<span>{count(summary.spans as u64, "span", "spans")}</span><time datetime=summary.started_at.to_string()>{hms_ms(summary.started_at)}" UTC"</time>{order}</p>
            {touched(trace)}
            {critical(trace)}
            <section class="waterfall" aria-labelledby="spans-title">
                <div class="waterfall-head">
                    <h2 id="spans-title">"Spans"</h2>
                    <label class="only-critical"><input type="checkbox" id="only-critical"/>"Critical path only"</label>
                    <p class="trace-services">{services}</p>
                </div>
                <p class="ticks" aria-hidden="true">{ticks.into_iter().collect_view()}</p>
                <ol class="spans">{rows}</ol>
                {orphans}{more}
            </section>
            <section aria-labelledby="logs-title"><h2 id="logs-title">"Log lines"</h2>{log_lines}</section>
            <p class="list-tools"><a class="button quiet" href=all>"All traces"</a></p>
        },
    )
}

/// Which flags, and the spans they touched.
fn touched(trace: &Trace) -> impl IntoView + use<> {
    if trace.summary.flags.is_empty() {
        return None;
    }
    let spans: Vec<_> = trace
        .spans
        .iter()
        .filter(|span| span.flag.is_some())
        .take(STEPS)
        .map(|span| view! { <a href=format!("#s{}", span.span_id)>{span.service.clone()}": "{span.name.clone()}</a> })
        .collect();
    let chips = flag_chips(&trace.summary.flags);
    Some(view! { <div class="touched"><p><strong>"Touched by "</strong>{chips}</p><p class="touched-spans">{spans}</p></div> })
}

/// What the caller waited for, longest first.
fn critical(trace: &Trace) -> impl IntoView + use<> {
    let path: Vec<&SpanView> = trace.spans.iter().filter(|span| span.critical).collect();
    if path.len() < 2 {
        return None;
    }
    let own = |span: &SpanView| {
        let children =
            path.iter().filter(|child| child.parent_id.as_deref() == Some(span.span_id.as_str())).map(|child| child.duration_us).sum();
        span.duration_us.saturating_sub(children)
    };
    let mut steps: Vec<(u64, &SpanView)> = path.iter().map(|span| (own(span), *span)).collect();
    steps.sort_by_key(|(own, _)| std::cmp::Reverse(*own));
    let whole = trace.summary.duration_us.max(1);
    let rows: Vec<_> = steps
        .iter()
        .take(STEPS)
        .filter(|(own, _)| *own * 100 >= whole)
        .map(|(own, span)| {
            let share = (*own as f64 / whole as f64 * 100.0).min(100.0);
            view! { <li class=hue(&span.service)><a href=format!("#s{}", span.span_id)>{span.service.clone()}": "{span.name.clone()}</a>" "<b>{micros(*own)}</b>" "<span class="hint">{format!("{share:.0} %")}</span></li> }
        })
        .collect();
    (!rows.is_empty()).then(|| view! { <div class="waited"><h2>"What it waited for"</h2><ol>{rows}</ol></div> })
}

const fn kind(kind: SpanKind) -> &'static str {
    match kind {
        SpanKind::Internal => "internal",
        SpanKind::Server => "server",
        SpanKind::Client => "client",
        SpanKind::Producer => "producer",
        SpanKind::Consumer => "consumer",
    }
}

fn span(span: &SpanView, scale: Scale, open: bool) -> impl IntoView + use<> {
    let duration = i64::try_from(span.duration_us).unwrap_or(i64::MAX);
    let (x, width) = (scale.percent(span.start_us - scale.from), scale.percent(duration).max(0.2));
    let mut bar = format!(
        r#"<svg class="span-bar" aria-hidden="true" focusable="false"><line class="quarter" x1="25%" x2="25%" y2="100%"/><line class="quarter" x1="50%" x2="50%" y2="100%"/><line class="quarter" x1="75%" x2="75%" y2="100%"/><rect class="value" x="{:.2}%" width="{width:.2}%" y="15%" height="70%" rx="3"/>"#,
        x.min(99.8)
    );
    for event in span.events.iter().take(20) {
        let at = scale.percent(event.at_us - scale.from);
        bar.push_str(&format!(r#"<circle class="event" cx="{at:.2}%" cy="50%" r="3.5"/>"#));
    }
    bar.push_str("</svg>");
    let mut class = format!("span depth-{} {}", span.depth.min(DEEPEST), hue(&span.service));
    for (is, name) in [(span.failed, " failed"), (span.critical, " critical"), (span.flag.is_some(), " flagged")] {
        if is {
            class.push_str(name);
        }
    }
    let flag = span.flag.clone().map(|flag| view! { <span class="flag-chip"><span aria-hidden="true">"🚩"</span>{flag}</span> });
    let failed = span.failed.then(|| view! { <span class="span-failed">"failed"</span> });
    let critical = span.critical.then(|| view! { <span class="sr-only">", on the critical path"</span> });
    let details = details(span);
    view! {
        <li class=class id=format!("s{}", span.span_id)>
            <details open=open>
                <summary>
                    <span class="span-label"><span class="service"><i></i>{span.service.clone()}</span><span class="span-name">{span.name.clone()}</span>{flag}{failed}{critical}</span>
                    <span class="span-picture" inner_html=bar></span>
                    <span class="span-time">{micros(span.duration_us)}</span>
                </summary>
                {details}
            </details>
        </li>
    }
}

fn details(span: &SpanView) -> impl IntoView + use<> {
    let message = (!span.message.is_empty()).then(|| view! { <p class="why">{span.message.clone()}</p> });
    let pair = |(name, value): &(String, String)| {
        let class = name.starts_with("chaos.").then_some("chaos");
        view! { <div class=class><dt>{name.clone()}</dt><dd>{value.clone()}</dd></div> }
    };
    let attributes: Vec<_> = span.attributes.iter().map(pair).collect();
    let event = |event: &SpanEventView| {
        let attributes = event.attributes.iter().map(pair).collect::<Vec<_>>();
        view! { <li><p><strong>{event.name.clone()}</strong>" at "{micros(u64::try_from(event.at_us).unwrap_or(0))}</p><dl>{attributes}</dl></li> }
    };
    let events: Vec<_> = span.events.iter().map(event).collect();
    let events = (!events.is_empty()).then(|| view! { <h3>"Events"</h3><ul class="span-events">{events}</ul> });
    let links: Vec<_> = span
        .links
        .iter()
        .map(|id| view! { <li><a href=format!("/console/traces/{}", path_segment(id))><code>{id.clone()}</code></a></li> })
        .collect();
    let links = (!links.is_empty()).then(|| view! { <h3>"Linked traces"</h3><ul>{links}</ul> });
    let start = micros(u64::try_from(span.start_us).unwrap_or(0));
    view! {
        <div class="span-details">
            {message}
            <dl class="attributes"><div><dt>"kind"</dt><dd>{kind(span.kind)}</dd></div><div><dt>"starts at"</dt><dd>{start}</dd></div><div><dt>"span"</dt><dd>{span.span_id.clone()}</dd></div>{attributes}</dl>
            {events}
            {links}
        </div>
    }
}

fn log_lines(trace: &Trace) -> impl IntoView + use<> {
    if trace.logs.is_empty() {
        return Either::Left(view! { <p class="nothing">"Nobody logged anything about it."</p> });
    }
    let lines: Vec<_> = trace.logs.iter().map(|line| logs::line(line, false)).collect();
    Either::Right(view! { <ol class="log">{lines}</ol> })
}
