//! A file of what the store holds, and reading it back.
//!
//! Gzip of JSON, one document a line: a header, then traces, log lines and rates. A reader needs no more room than its longest line.

use crate::errors::ImportError;
use crate::label::{Class, Label};
use crate::model::{Event, Kind, Log, Span, TraceId, Value};
use crate::slot::Slot;
use contract::Timestamp;
use contract::telemetry::Level;
use flate2::read::GzDecoder;
use serde::{Deserialize, Serialize};
use std::io::{BufRead, BufReader, Read, Write};
use std::sync::Arc;

pub(crate) const VERSION: u32 = 1;
/// A file may unpack to so much: a small file can be made to unpack to anything.
const MOST_BYTES: u64 = 512 * 1024 * 1024;

/// The first line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Header {
    pub feast_flow_telemetry: u32,
    pub exported_at: Timestamp,
    /// Who wrote it, in words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub platform: String,
}

/// Every other line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Piece {
    Trace { id: String, spans: Vec<SpanPiece> },
    Log(LogPiece),
    Rates { service: Box<str>, name: Box<str>, class: usize, slots: Vec<SlotPiece> },
}

type Attributes = Vec<(Box<str>, ValuePiece)>;
/// Second, total, failed, touched, microseconds, statuses, durations.
pub(crate) type SlotPiece = (u32, u32, u32, u32, u64, Vec<(u16, u32)>, Vec<(u16, u32)>);

#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum ValuePiece {
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(Box<str>),
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SpanPiece {
    id: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    parent: Option<u64>,
    service: Box<str>,
    name: Box<str>,
    kind: u8,
    start_ns: u64,
    end_ns: u64,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    failed: bool,
    #[serde(default, skip_serializing_if = "str::is_empty")]
    message: Box<str>,
    attributes: Attributes,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    events: Vec<(Box<str>, u64, Attributes)>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    links: Vec<String>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LogPiece {
    at_ns: u64,
    level: Level,
    service: Box<str>,
    message: Box<str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    trace: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    span: Option<u64>,
    attributes: Attributes,
}

fn pack_attributes(attributes: Vec<(Arc<str>, Value)>) -> Attributes {
    let pack = |value| match value {
        Value::Text(text) => ValuePiece::Text((&*text).into()),
        Value::Int(number) => ValuePiece::Int(number),
        // JSON knows no infinity; what it cannot write is told as text.
        Value::Float(number) if number.is_finite() => ValuePiece::Float(number),
        Value::Float(number) => ValuePiece::Text(number.to_string().into()),
        Value::Bool(yes) => ValuePiece::Bool(yes),
    };
    attributes.into_iter().map(|(key, value)| ((&*key).into(), pack(value))).collect()
}

fn unpack_attributes(attributes: Attributes) -> Vec<(Arc<str>, Value)> {
    let unpack = |value| match value {
        ValuePiece::Text(text) => Value::Text(text.into()),
        ValuePiece::Int(number) => Value::Int(number),
        ValuePiece::Float(number) => Value::Float(number),
        ValuePiece::Bool(yes) => Value::Bool(yes),
    };
    attributes.into_iter().map(|(key, value)| (key.into(), unpack(value))).collect()
}

fn hex(trace: TraceId) -> String {
    format!("{trace:032x}")
}

impl Piece {
    pub fn trace(trace: TraceId, spans: Vec<Span>) -> Self {
        Self::Trace { id: hex(trace), spans: spans.into_iter().map(SpanPiece::from).collect() }
    }

    pub fn rates(label: &Label, slots: Vec<SlotPiece>) -> Self {
        Self::Rates { service: (&*label.service).into(), name: (&*label.name).into(), class: label.class.index(), slots }
    }
}

impl From<Span> for SpanPiece {
    fn from(span: Span) -> Self {
        Self {
            id: span.id,
            parent: span.parent,
            service: (&*span.service).into(),
            name: (&*span.name).into(),
            kind: Class::Spans(span.kind).index() as u8,
            start_ns: span.start_ns,
            end_ns: span.end_ns,
            failed: span.failed,
            message: span.message,
            attributes: pack_attributes(span.attributes),
            events: span.events.into_iter().map(|event| ((&*event.name).into(), event.at_ns, pack_attributes(event.attributes))).collect(),
            links: span.links.into_iter().map(hex).collect(),
        }
    }
}

impl SpanPiece {
    pub fn span(self, trace: TraceId) -> Span {
        let event = |(name, at_ns, attributes): (Box<str>, u64, Attributes)| Event {
            name: name.into(),
            at_ns,
            attributes: unpack_attributes(attributes),
        };
        let kind = match Class::from_index(usize::from(self.kind)) {
            Some(Class::Spans(kind)) => kind,
            _ => Kind::Internal,
        };
        Span {
            trace,
            id: self.id,
            parent: self.parent,
            service: self.service.into(),
            name: self.name.into(),
            kind,
            start_ns: self.start_ns,
            end_ns: self.end_ns,
            failed: self.failed,
            message: self.message,
            attributes: unpack_attributes(self.attributes),
            events: self.events.into_iter().map(event).collect(),
            links: self.links.iter().filter_map(|link| crate::text::trace_id(link)).collect(),
        }
    }
}

impl From<Log> for LogPiece {
    fn from(log: Log) -> Self {
        Self {
            at_ns: log.at_ns,
            level: log.level,
            service: (&*log.service).into(),
            message: log.message,
            trace: log.trace.map(hex),
            span: log.span,
            attributes: pack_attributes(log.attributes),
        }
    }
}

impl LogPiece {
    pub fn log(self) -> Log {
        Log {
            at_ns: self.at_ns,
            level: self.level,
            service: self.service.into(),
            message: self.message,
            trace: self.trace.as_deref().and_then(crate::text::trace_id),
            span: self.span,
            attributes: unpack_attributes(self.attributes),
        }
    }
}

pub(crate) fn slot_piece(slot: &Slot) -> SlotPiece {
    (slot.second, slot.total, slot.failed, slot.touched, slot.sum_us, slot.statuses.clone(), slot.durations.clone())
}

pub(crate) fn slot(piece: SlotPiece) -> Slot {
    let (second, total, failed, touched, sum_us, mut statuses, mut durations) = piece;
    statuses.sort_unstable();
    statuses.dedup_by_key(|(status, _)| *status);
    durations.sort_unstable();
    durations.dedup_by_key(|(bucket, _)| *bucket);
    Slot { second, total, failed, touched, sum_us, statuses, durations }
}

/// A line of the file. It is put together first: packing many small pieces costs ten times as much.
pub(crate) fn write_line(out: &mut impl Write, line: &impl Serialize) -> std::io::Result<()> {
    let mut bytes = serde_json::to_vec(line)?;
    bytes.push(b'\n');
    out.write_all(&bytes)
}

/// Goes over a file, visits every piece after the header, and answers the header.
///
/// # Errors
/// When the file is not a snapshot, one of another version, or breaks off; pieces before that were visited.
pub(crate) fn read(file: &[u8], mut visit: impl FnMut(&Header, Piece)) -> Result<Header, ImportError> {
    let mut lines = BufReader::new(GzDecoder::new(file).take(MOST_BYTES));
    let mut line = Vec::new();
    let mut header = None;
    while lines.read_until(b'\n', &mut line).map_err(ImportError::Packed)? > 0 {
        if lines.get_ref().limit() == 0 {
            return Err(ImportError::TooLarge(MOST_BYTES));
        }
        match &header {
            Some(header) => visit(header, serde_json::from_slice(&line).map_err(ImportError::Content)?),
            None => {
                let first: Header = serde_json::from_slice(&line).map_err(ImportError::Content)?;
                if first.feast_flow_telemetry != VERSION {
                    return Err(ImportError::Version(first.feast_flow_telemetry, VERSION));
                }
                header = Some(first);
            }
        }
        line.clear();
    }
    header.ok_or_else(|| ImportError::Content(serde::de::Error::custom("the file is empty")))
}
