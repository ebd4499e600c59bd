//! The whole store as a file.

use crate::label::Label;
use crate::model::TraceId;
use crate::snapshot::{Header, Piece, VERSION, slot_piece, write_line};
use crate::store::{Inner, locked};
use flate2::Compression;
use flate2::write::GzEncoder;
use std::sync::PoisonError;

/// Rates are told of the last hour.
const RATES_SECONDS: u32 = 60 * 60;

/// Locks are held for one trace or one series at a time: taking goes on meanwhile.
pub(crate) fn export(inner: &Inner, platform: &str) -> std::io::Result<Vec<u8>> {
    let now = (inner.clock)();
    let mut out = GzEncoder::new(Vec::new(), Compression::fast());
    write_line(&mut out, &Header { feast_flow_telemetry: VERSION, exported_at: now, platform: platform.to_owned() })?;

    let mut traces: Vec<(u64, TraceId)> = locked(&inner.traces).each().map(|(trace, entry)| (entry.first.start_ns, trace)).collect();
    traces.sort_unstable();
    for (_, trace) in traces {
        let spans =
            locked(&inner.traces).get(trace).map(|entry| entry.spans(trace, &inner.names.read().unwrap_or_else(PoisonError::into_inner)));
        if let Some(spans) = spans {
            write_line(&mut out, &Piece::trace(trace, spans))?;
        }
    }
    let lines = locked(&inner.logs).all();
    for line in lines {
        let log = line.log(&inner.names.read().unwrap_or_else(PoisonError::into_inner));
        if let Some(log) = log {
            write_line(&mut out, &Piece::Log(log.into()))?;
        }
    }
    let to = inner.now().saturating_add(1);
    let labels: Vec<Label> = locked(&inner.rates).each().map(|(label, _)| label.clone()).collect();
    for (place, label) in labels.iter().enumerate() {
        let mut slots = Vec::new();
        // A label may have moved meanwhile; then it is told another time, or not.
        if let Some((_, series)) = locked(&inner.rates).each().nth(place).filter(|(known, _)| *known == label) {
            series.each(to.saturating_sub(RATES_SECONDS), to, |slot| slots.push(slot_piece(slot)));
        }
        if !slots.is_empty() {
            write_line(&mut out, &Piece::rates(label, slots))?;
        }
    }
    out.finish()
}
