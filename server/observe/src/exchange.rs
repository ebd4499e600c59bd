//! Export and import of a whole store.

use crate::errors::ImportError;
use crate::label::{Class, Label};
use crate::model::TraceId;
use crate::overview::moment;
use crate::slot::Slot;
use crate::snapshot::{Header, Piece, VERSION, read, slot, slot_piece, write_line};
use crate::store::{Inner, locked};
use contract::Timestamp;
use flate2::Compression;
use flate2::write::GzEncoder;
use std::sync::PoisonError;

/// Rates are told of the last hour.
const RATES_SECONDS: u32 = 60 * 60;

/// Locks are held for one trace or one series at a time: taking goes on meanwhile.
pub(crate) fn export(inner: &Inner) -> std::io::Result<Vec<u8>> {
    let now = (inner.clock)();
    let mut out = GzEncoder::new(Vec::new(), Compression::fast());
    write_line(&mut out, &Header { feast_flow_telemetry: VERSION, exported_at: now })?;

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

/// # Errors
/// When the file is not a snapshot, or one of another version. Nothing is taken then.
pub(crate) fn import(inner: &Inner, file: &[u8]) -> Result<(), ImportError> {
    // The whole file is read before anything of it is taken.
    read(file, |_, _| ())?;
    let now = (inner.clock)();
    locked(&inner.rates).begin_replay();
    read(file, |header, piece| take(inner, now.millis().saturating_sub(header.exported_at.millis()), piece))
}

fn take(inner: &Inner, shift_ms: i64, piece: Piece) {
    let shift_ns = shift_ms.saturating_mul(1_000_000);
    match piece {
        Piece::Trace { id, spans } => {
            let Some(trace) = crate::text::trace_id(&id) else { return };
            let spans = spans.into_iter().map(|span| span.span(trace, shift_ns)).collect();
            let rates = locked(&inner.rates);
            let mut traces = locked(&inner.traces);
            let mut names = inner.names.write().unwrap_or_else(PoisonError::into_inner);
            traces.restore(spans, &mut names);
            traces.set_spare(inner.spare(&rates, &names));
        }
        Piece::Log(log) => {
            let log = log.log(shift_ns);
            let rates = locked(&inner.rates);
            let mut traces = locked(&inner.traces);
            let mut logs = locked(&inner.logs);
            let mut names = inner.names.write().unwrap_or_else(PoisonError::into_inner);
            logs.keep(&log, &mut names);
            traces.set_spare(inner.spare(&rates, &names));
        }
        Piece::Rates { service, name, class, slots } => {
            let Some(class) = Class::from_index(class) else { return };
            let mut slots: Vec<Slot> = slots.into_iter().filter_map(|piece| slot(piece, shift_ms / 1_000)).collect();
            slots.retain(|slot| moment(slot.second) <= Timestamp::from_millis((inner.clock)().millis()));
            let mut rates = locked(&inner.rates);
            let mut traces = locked(&inner.traces);
            rates.replay(&Label { service: service.into(), name: name.into(), class }, slots);
            traces.set_spare(inner.spare(&rates, &inner.names.read().unwrap_or_else(PoisonError::into_inner)));
        }
    }
}
