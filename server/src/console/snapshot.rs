//! What the platform remembers, as a file and back.

use super::Topic;
use super::room::Room;
use axum::body::Bytes;
use contract::telemetry::{MarkKind, Snapshot};
use contract::{ApiError, Code, Timestamp};
use observe::{ImportError, Imported};
use std::sync::Arc;

const SUBJECT: &str = "snapshot";

impl Room {
    /// A name with the date, and the file.
    pub(super) async fn export_snapshot(&self) -> Result<(String, Bytes), ApiError> {
        let platform = format!("Feast Flow {} at {}", env!("CARGO_PKG_VERSION"), self.1);
        let inner = &*self.0.0;
        let (store, now) = (inner.store.clone(), inner.clock.now());
        let file = tokio::task::spawn_blocking(move || store.export(&platform)).await.map_err(|_| ApiError::internal())?;
        Ok((file_name(now), file.into()))
    }

    pub(super) async fn import_snapshot(&self, file: Bytes) -> Result<Snapshot, ApiError> {
        let inner = &*self.0.0;
        let store = inner.store.clone();
        let read = tokio::task::spawn_blocking(move || store.import(&file)).await.map_err(|_| ApiError::internal())?;
        let about = read.map_err(refused)?;
        let whose = if about.platform.is_empty() { "an unnamed platform" } else { &about.platform };
        let told =
            format!("{} traces, {} spans, {} lines of {whose}, written {}", about.traces, about.spans, about.logs, about.exported_at);
        inner.audit.note("telemetry.imported", SUBJECT, told);
        inner.marks.add(MarkKind::Operator, "snapshot imported", None);
        inner.nudges.about(Topic::Audit);
        Ok(about)
    }

    pub(super) fn forget_snapshot(&self) -> Result<(), ApiError> {
        let inner = &*self.0.0;
        if !inner.store.forget_imported() {
            return Err(none());
        }
        inner.audit.note("telemetry.forgotten", SUBJECT, "");
        inner.nudges.about(Topic::Audit);
        Ok(())
    }

    /// # Errors
    /// `NOT_FOUND` when no snapshot is held.
    pub(super) fn imported(&self) -> Result<Arc<Imported>, ApiError> {
        self.0.0.store.imported().ok_or_else(none)
    }
}

fn none() -> ApiError {
    ApiError::new(Code::NotFound, "no snapshot is imported, or it is forgotten")
}

/// What is wrong with the file is for whoever sent it.
fn refused(error: ImportError) -> ApiError {
    let code = match error {
        ImportError::TooLarge(_) => Code::BodyTooLarge,
        _ => Code::InvalidBody,
    };
    ApiError::new(code, error.to_string())
}

/// `feast-telemetry-2025-11-20T09-30-00Z.json.gz`: no colons, which some file systems do not take.
fn file_name(now: Timestamp) -> String {
    let second = now.to_string();
    let second = second.get(..19).unwrap_or(&second).replace(':', "-");
    format!("feast-telemetry-{second}Z.json.gz")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_named_by_the_second_it_was_written_in() {
        assert_eq!(file_name(Timestamp::from_millis(1_763_631_000_999)), "feast-telemetry-2025-11-20T09-30-00Z.json.gz");
    }
}
