//! Spans and log lines as bytes: a fifth of what they take as structures, and as many as it says.
//!
//! Numbers are written seven bits a byte, times as distances from a base, texts that repeat as numbers of [`Names`]. What is read back
//! was written here; a reader that meets something else ends early instead of guessing.

use crate::model::{Event, Kind, Log, Span, TraceId, Value};
use crate::names::Names;
use contract::telemetry::Level;
use std::sync::Arc;

const FAILED: u8 = 8;
const HAS_PARENT: u8 = 16;

const TEXT: u8 = 0;
const INT: u8 = 1;
const FLOAT: u8 = 2;
const FALSE: u8 = 3;
const TRUE: u8 = 4;

/// Attributes whose values are few. Everything else, ids above all, would only fill the names.
const FEW_VALUES: [&str; 14] = [
    "http.",
    "db.",
    "messaging.",
    "peer.",
    "chaos.",
    "feature_flag.",
    "feast.",
    "error.",
    "event.",
    "rpc.",
    "code.",
    "otel.",
    "network.",
    "server.",
];

fn has_few_values(key: &str) -> bool {
    FEW_VALUES.iter().any(|prefix| key.starts_with(prefix)) && !key.ends_with(".id")
}

pub(crate) fn put_number(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

const fn zigzag(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)) as u64
}

const fn unzigzag(number: u64) -> i64 {
    (number >> 1) as i64 ^ -((number & 1) as i64)
}

fn put_since(out: &mut Vec<u8>, base_ns: u64, at_ns: u64) {
    put_number(out, zigzag(at_ns.wrapping_sub(base_ns) as i64));
}

fn put_plain(out: &mut Vec<u8>, text: &str) {
    put_number(out, (text.len() as u64) << 1 | 1);
    out.extend_from_slice(text.as_bytes());
}

fn put_name(out: &mut Vec<u8>, name: &Arc<str>, names: &mut Names) {
    match names.id(name) {
        Some(id) => put_number(out, u64::from(id) << 1),
        None => put_plain(out, name),
    }
}

fn put_attributes(out: &mut Vec<u8>, attributes: &[(Arc<str>, Value)], names: &mut Names) {
    put_number(out, attributes.len() as u64);
    for (key, value) in attributes {
        put_name(out, key, names);
        match value {
            Value::Text(text) => {
                out.push(TEXT);
                if has_few_values(key) { put_name(out, text, names) } else { put_plain(out, text) }
            }
            Value::Int(number) => {
                out.push(INT);
                put_number(out, zigzag(*number));
            }
            Value::Float(number) => {
                out.push(FLOAT);
                out.extend_from_slice(&number.to_le_bytes());
            }
            Value::Bool(yes) => out.push(if *yes { TRUE } else { FALSE }),
        }
    }
}

/// Appends a span; its trace's id is not written.
pub(crate) fn put_span(out: &mut Vec<u8>, span: &Span, base_ns: u64, names: &mut Names) {
    let failed = if span.failed { FAILED } else { 0 };
    let has_parent = if span.parent.is_some() { HAS_PARENT } else { 0 };
    out.push(kind_code(span.kind) | failed | has_parent);
    out.extend_from_slice(&span.id.to_le_bytes());
    if let Some(parent) = span.parent {
        out.extend_from_slice(&parent.to_le_bytes());
    }
    put_name(out, &span.service, names);
    put_name(out, &span.name, names);
    put_since(out, base_ns, span.start_ns);
    put_since(out, span.start_ns, span.end_ns);
    put_plain(out, &span.message);
    put_attributes(out, &span.attributes, names);
    put_number(out, span.events.len() as u64);
    for event in &span.events {
        put_name(out, &event.name, names);
        put_since(out, span.start_ns, event.at_ns);
        put_attributes(out, &event.attributes, names);
    }
    put_number(out, span.links.len() as u64);
    for link in &span.links {
        out.extend_from_slice(&link.to_le_bytes());
    }
}

/// A log line; its time, level and trace stand beside it.
pub(crate) fn pack_log(log: &Log, names: &mut Names) -> Box<[u8]> {
    let mut out = Vec::with_capacity(log.message.len() + 24 * log.attributes.len() + 16);
    put_name(&mut out, &log.service, names);
    put_plain(&mut out, &log.message);
    out.extend_from_slice(&log.span.unwrap_or(0).to_le_bytes());
    put_attributes(&mut out, &log.attributes, names);
    out.into_boxed_slice()
}

pub(crate) fn read_log(bytes: &[u8], at_ns: u64, level: Level, trace: Option<TraceId>, names: &Names) -> Option<Log> {
    let mut reader = Reader::new(bytes);
    let service = reader.text(names)?;
    let message = reader.text(names)?.as_ref().into();
    let span = Some(u64::from_le_bytes(reader.array()?)).filter(|span| *span != 0);
    Some(Log { at_ns, level, service, message, trace, span, attributes: reader.attributes(names)? })
}

/// The spans of one trace.
pub(crate) fn read_spans(bytes: &[u8], trace: TraceId, base_ns: u64, names: &Names) -> Vec<Span> {
    let mut reader = Reader::new(bytes);
    let mut spans = Vec::new();
    while let Some(span) = reader.span(trace, base_ns, names) {
        spans.push(span);
    }
    spans
}

pub(crate) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn number(&mut self) -> Option<u64> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = self.0.split_first()?;
            self.0 = rest;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    fn byte(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    fn since(&mut self, base_ns: u64) -> Option<u64> {
        Some(base_ns.wrapping_add(unzigzag(self.number()?) as u64))
    }

    fn text(&mut self, names: &Names) -> Option<Arc<str>> {
        let number = self.number()?;
        if number & 1 == 0 {
            return names.get(u32::try_from(number >> 1).ok()?).cloned();
        }
        let bytes = self.take(usize::try_from(number >> 1).ok()?)?;
        std::str::from_utf8(bytes).ok().map(Arc::from)
    }

    fn attributes(&mut self, names: &Names) -> Option<Vec<(Arc<str>, Value)>> {
        let count = self.number()?;
        let mut attributes = Vec::new();
        for _ in 0..count {
            let key = self.text(names)?;
            let value = match self.byte()? {
                TEXT => Value::Text(self.text(names)?),
                INT => Value::Int(unzigzag(self.number()?)),
                FLOAT => Value::Float(f64::from_le_bytes(self.array()?)),
                FALSE => Value::Bool(false),
                TRUE => Value::Bool(true),
                _ => return None,
            };
            attributes.push((key, value));
        }
        Some(attributes)
    }

    fn span(&mut self, trace: TraceId, base_ns: u64, names: &Names) -> Option<Span> {
        let head = self.byte()?;
        let id = u64::from_le_bytes(self.array()?);
        let parent = if head & HAS_PARENT == 0 { None } else { Some(u64::from_le_bytes(self.array()?)) };
        let (service, name) = (self.text(names)?, self.text(names)?);
        let start_ns = self.since(base_ns)?;
        let end_ns = self.since(start_ns)?;
        let message = self.text(names)?.as_ref().into();
        let attributes = self.attributes(names)?;
        let mut events = Vec::new();
        for _ in 0..self.number()? {
            events.push(Event { name: self.text(names)?, at_ns: self.since(start_ns)?, attributes: self.attributes(names)? });
        }
        let mut links = Vec::new();
        for _ in 0..self.number()? {
            links.push(TraceId::from_le_bytes(self.array()?));
        }
        let (kind, failed) = (kind_of(head & 7), head & FAILED != 0);
        Some(Span { trace, id, parent, service, name, kind, start_ns, end_ns, failed, message, attributes, events, links })
    }
}

const fn kind_code(kind: Kind) -> u8 {
    match kind {
        Kind::Internal => 0,
        Kind::Server => 1,
        Kind::Client => 2,
        Kind::Producer => 3,
        Kind::Consumer => 4,
    }
}

const fn kind_of(code: u8) -> Kind {
    match code {
        1 => Kind::Server,
        2 => Kind::Client,
        3 => Kind::Producer,
        4 => Kind::Consumer,
        _ => Kind::Internal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn value() -> impl Strategy<Value = Value> {
        prop_oneof![
            "[a-zäß]{0,12}".prop_map(|text| Value::Text(text.into())),
            any::<i64>().prop_map(Value::Int),
            (-1e9_f64..1e9).prop_map(Value::Float),
            any::<bool>().prop_map(Value::Bool),
        ]
    }

    fn attributes() -> impl Strategy<Value = Vec<(Arc<str>, Value)>> {
        let key = prop_oneof![Just("http.route"), Just("order.id"), Just("x")];
        prop::collection::vec((key.prop_map(Arc::from), value()), 0..4)
    }

    fn span() -> impl Strategy<Value = Span> {
        let ids = (any::<u64>(), any::<Option<u64>>(), "[a-z]{1,8}", "[a-z ]{0,9}", 0_u8..5);
        let times = (any::<u64>(), any::<u64>(), any::<bool>(), ".{0,5}");
        let event = ("[a-z]{1,5}", any::<u64>(), attributes());
        (ids, times, attributes(), prop::collection::vec(event, 0..3), prop::collection::vec(any::<u128>(), 0..3)).prop_map(
            |((id, parent, service, name, kind), (start_ns, end_ns, failed, message), attributes, events, links)| Span {
                trace: 7,
                id,
                parent,
                service: service.into(),
                name: name.into(),
                kind: kind_of(kind),
                start_ns,
                end_ns,
                failed,
                message: message.into(),
                attributes,
                events: events.into_iter().map(|(name, at_ns, attributes)| Event { name: name.into(), at_ns, attributes }).collect(),
                links,
            },
        )
    }

    proptest! {
        #[test]
        fn spans_are_read_as_they_were_written(spans in prop::collection::vec(span(), 0..4), base_ns: u64, room in 0_usize..2_000) {
            let mut names = Names::new(room);
            let mut bytes = Vec::new();
            for span in &spans {
                put_span(&mut bytes, span, base_ns, &mut names);
            }
            prop_assert_eq!(read_spans(&bytes, 7, base_ns, &names), spans);
            prop_assert!(names.bytes() <= room);
        }

        #[test]
        fn bytes_that_are_no_spans_end_the_reading(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            read_spans(&bytes, 7, 0, &Names::new(1_000));
        }
    }
}
