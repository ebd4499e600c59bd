//! The way of spans and logs to whoever keeps them in this process, without a socket, and at the price of a push.
//!
//! A span that ends is moved into a queue; a thread of its own takes the queue every [`DELAY`], or when it is long, and hands it over.
//! What finds the queue full is counted and forgotten: telemetry never makes a request wait.

use opentelemetry::{Context, InstrumentationScope};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::logs::{LogProcessor, SdkLogRecord};
use opentelemetry_sdk::trace::{Span, SpanData, SpanProcessor};
use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How old telemetry is when it is handed over, at most. A flip is to be seen within a second.
pub const DELAY: Duration = Duration::from_millis(200);

/// Spans that wait. Some 16 MB when it is full, which is what half a second of the busiest platform makes.
const MOST_SPANS: usize = 32_768;

/// Log records that wait.
const MOST_LOGS: usize = 16_384;

/// A queue as long as this is handed over at once. It is also what the buffers keep of their room.
const LONG: usize = 2_048;

/// Keeps what happened in this process. Called by one thread, which may take its time but not wait for others.
pub trait Sink: Send + Sync {
    /// Takes the spans out; the buffer is used again. Whose they are, the attribute [`super::SERVICE`] tells.
    fn spans(&self, spans: &mut Vec<SpanData>);
    fn logs(&self, logs: &mut Vec<SdkLogRecord>);
    /// So many spans and log records found the queue full.
    fn refused(&self, spans: u64, logs: u64);
}

#[derive(Default)]
struct Queue {
    spans: Vec<SpanData>,
    logs: Vec<SdkLogRecord>,
    refused_spans: u64,
    refused_logs: u64,
    stopped: bool,
}

impl Queue {
    fn is_long(&self) -> bool {
        self.spans.len() >= LONG || self.logs.len() >= LONG
    }
}

/// The queue in front of a sink; the same one for spans and logs.
#[derive(Clone)]
pub struct Feed(Arc<Inner>);

struct Inner {
    sink: Arc<dyn Sink>,
    queue: Mutex<Queue>,
    news: Condvar,
    /// Held while a queue is handed over, so that a flush ends after what was taken before it.
    handing: Mutex<Queue>,
}

impl fmt::Debug for Feed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Feed")
    }
}

impl Feed {
    /// # Errors
    /// No thread can be started.
    pub fn start(sink: Arc<dyn Sink>) -> std::io::Result<Self> {
        let feed = Self(Arc::new(Inner { sink, queue: Mutex::default(), news: Condvar::new(), handing: Mutex::default() }));
        let inner = feed.0.clone();
        std::thread::Builder::new().name("telemetry".to_owned()).spawn(move || inner.run())?;
        Ok(feed)
    }

    fn push(&self, put: impl FnOnce(&mut Queue)) {
        let mut queue = self.0.lock();
        let was_long = queue.is_long();
        put(&mut queue);
        // Once, and not for every span that follows.
        if !was_long && queue.is_long() {
            self.0.news.notify_one();
        }
    }

    fn flush(&self) -> OTelSdkResult {
        self.0.hand_over();
        Ok(())
    }

    fn stop(&self) -> OTelSdkResult {
        self.0.lock().stopped = true;
        self.0.news.notify_one();
        self.flush()
    }
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self) {
        loop {
            let waited = self.news.wait_timeout_while(self.lock(), DELAY, |queue| !queue.stopped && !queue.is_long());
            let stopped = waited.unwrap_or_else(PoisonError::into_inner).0.stopped;
            self.hand_over();
            if stopped {
                return;
            }
        }
    }

    fn hand_over(&self) {
        let mut taken = self.handing.lock().unwrap_or_else(PoisonError::into_inner);
        {
            let mut queue = self.lock();
            std::mem::swap(&mut queue.spans, &mut taken.spans);
            std::mem::swap(&mut queue.logs, &mut taken.logs);
            (taken.refused_spans, taken.refused_logs) = (queue.refused_spans, queue.refused_logs);
            (queue.refused_spans, queue.refused_logs) = (0, 0);
        }
        let taken = &mut *taken;
        if !taken.spans.is_empty() {
            self.sink.spans(&mut taken.spans);
            taken.spans.clear();
            taken.spans.shrink_to(LONG);
        }
        if !taken.logs.is_empty() {
            self.sink.logs(&mut taken.logs);
            taken.logs.clear();
            taken.logs.shrink_to(LONG);
        }
        if taken.refused_spans + taken.refused_logs > 0 {
            self.sink.refused(taken.refused_spans, taken.refused_logs);
        }
    }
}

impl SpanProcessor for Feed {
    fn on_start(&self, _span: &mut Span, _cx: &Context) {}

    fn on_end(&self, span: SpanData) {
        if !span.span_context.is_sampled() {
            return;
        }
        self.push(|queue| match queue.spans.len() < MOST_SPANS {
            true => queue.spans.push(span),
            false => queue.refused_spans += 1,
        });
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.flush()
    }

    fn shutdown_with_timeout(&self, _timeout: Duration) -> OTelSdkResult {
        self.stop()
    }
}

impl LogProcessor for Feed {
    fn emit(&self, record: &mut SdkLogRecord, _scope: &InstrumentationScope) {
        let record = record.clone();
        self.push(|queue| match queue.logs.len() < MOST_LOGS {
            true => queue.logs.push(record),
            false => queue.refused_logs += 1,
        });
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.flush()
    }

    fn shutdown_with_timeout(&self, _timeout: Duration) -> OTelSdkResult {
        self.stop()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context;
    use crate::telemetry::SERVICE;
    use crate::telemetry::by_service::SpanOwner;
    use opentelemetry::trace::{Span as _, Tracer, TracerProvider};
    use opentelemetry_sdk::trace::SdkTracerProvider;

    #[derive(Default)]
    struct Kept(Mutex<Vec<(String, String)>>, Mutex<u64>);

    impl Sink for Kept {
        fn spans(&self, spans: &mut Vec<SpanData>) {
            let owner =
                |span: &SpanData| span.attributes.iter().find(|mark| mark.key.as_str() == SERVICE).map(|mark| mark.value.to_string());
            let named = spans.drain(..).map(|span| (owner(&span).unwrap_or_default(), span.name.into_owned()));
            self.0.lock().unwrap().extend(named);
        }
        fn logs(&self, logs: &mut Vec<SdkLogRecord>) {
            logs.clear();
        }
        fn refused(&self, spans: u64, _logs: u64) {
            *self.1.lock().unwrap() += spans;
        }
    }

    #[tokio::test]
    async fn a_span_that_ends_is_handed_over_under_the_service_that_was_running() {
        let kept = Arc::new(Kept::default());
        let feed = Feed::start(kept.clone()).unwrap();
        let provider = SdkTracerProvider::builder().with_span_processor(SpanOwner::new("server").then(feed)).build();
        let tracer = provider.tracer("test");
        tracer.start("edge").end();
        context::scope(context::background("cart"), async { tracer.start("add").end() }).await;
        provider.force_flush().unwrap();
        let mut spans = kept.0.lock().unwrap().clone();
        spans.sort();
        assert_eq!(spans, [("cart".to_owned(), "add".to_owned()), ("server".to_owned(), "edge".to_owned())]);
    }

    #[test]
    fn what_finds_the_queue_full_is_counted() {
        let kept = Arc::new(Kept::default());
        // Without its thread, so that nobody empties it meanwhile.
        let feed = Feed(Arc::new(Inner { sink: kept.clone(), queue: Mutex::default(), news: Condvar::new(), handing: Mutex::default() }));
        let provider = SdkTracerProvider::builder().with_span_processor(feed).build();
        let tracer = provider.tracer("test");
        for _ in 0..MOST_SPANS + 3 {
            tracer.start("span").end();
        }
        provider.shutdown().unwrap();
        assert_eq!((kept.0.lock().unwrap().len(), *kept.1.lock().unwrap()), (MOST_SPANS, 3));
    }
}
