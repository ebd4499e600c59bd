//! W3C trace context in HTTP headers and in outbox rows.

use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::Context;
use opentelemetry::propagation::{Extractor, Injector};
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

struct Incoming<'a>(&'a HeaderMap);

impl Extractor for Incoming<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.to_str().ok()
    }
    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(HeaderName::as_str).collect()
    }
}

struct Outgoing<'a>(&'a mut HeaderMap);

impl Injector for Outgoing<'_> {
    fn set(&mut self, key: &str, value: String) {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(key), HeaderValue::try_from(value)) {
            self.0.insert(name, value);
        }
    }
}

/// Makes the trace that came in with `headers` the parent of `span`. Call before the span is first entered.
pub fn continue_trace(span: &Span, headers: &HeaderMap) {
    if headers.contains_key("traceparent") {
        let parent = opentelemetry::global::get_text_map_propagator(|propagator| propagator.extract(&Incoming(headers)));
        // Fails only when no OpenTelemetry layer is installed, as in unit tests.
        let _ = span.set_parent(parent);
    }
}

/// Writes the trace `span` belongs to into `headers`.
pub fn inject(span: &Span, headers: &mut HeaderMap) {
    let context: Context = span.context();
    opentelemetry::global::get_text_map_propagator(|propagator| propagator.inject_context(&context, &mut Outgoing(headers)));
}

/// The trace id of the running span, as 32 hexadecimal digits.
pub fn trace_id(span: &Span) -> Option<String> {
    let context = span.context();
    let span = context.span();
    let span_context = span.span_context();
    span_context.is_valid().then(|| span_context.trace_id().to_string())
}

/// The running trace as one line of text, for events: `00-{trace}-{span}-{flags}`. `None` without a valid span.
pub fn traceparent(span: &Span) -> Option<String> {
    let context = span.context();
    let span = context.span();
    let span = span.span_context();
    span.is_valid().then(|| format!("00-{}-{}-{:02x}", span.trace_id(), span.span_id(), span.trace_flags().to_u8()))
}

/// The other way round. `None` when it is not what [`traceparent`] writes.
fn span_context(traceparent: &str) -> Option<SpanContext> {
    let mut parts = traceparent.split('-');
    let (Some("00"), Some(trace), Some(span), Some(flags), None) = (parts.next(), parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return None;
    };
    let flags = TraceFlags::new(u8::from_str_radix(flags, 16).ok()?);
    let context = SpanContext::new(TraceId::from_hex(trace).ok()?, SpanId::from_hex(span).ok()?, flags, true, TraceState::default());
    context.is_valid().then_some(context)
}

/// Links of one span. Tools show a few; more cost more than they tell.
const MOST_LINKS: usize = 64;

/// Links `span` to those who wrote these lines; a single one becomes its parent, too. Call before the span is first entered.
pub fn follow<'t>(span: &Span, traceparents: impl Iterator<Item = &'t str>) {
    let contexts: Vec<SpanContext> = traceparents.take(MOST_LINKS).filter_map(span_context).collect();
    if let [cause] = contexts.as_slice() {
        // Fails only when no OpenTelemetry layer is installed, as in unit tests.
        let _ = span.set_parent(Context::new().with_remote_span_context(cause.clone()));
    }
    for context in contexts {
        span.add_link(context);
    }
}

#[cfg(test)]
mod tests {
    use super::span_context;

    #[test]
    fn a_traceparent_is_read_or_refused() {
        let line = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        let context = span_context(line).unwrap();
        assert!(context.is_sampled() && context.is_remote());
        assert_eq!(context.trace_id().to_string(), "0af7651916cd43dd8448eb211c80319c");
        for wrong in ["", "00-0-0-01", "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", &format!("{line}-x")] {
            assert!(span_context(wrong).is_none(), "{wrong}");
        }
    }
}
