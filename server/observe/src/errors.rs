//! What can be wrong with a question or a file.

/// A cursor that no answer of this store ended with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the cursor is not one of ours")]
pub struct BadCursor;

/// Why a file is not taken as a snapshot. Nothing of it was taken.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    #[error("the file cannot be unpacked: it is not gzip, or it was cut off")]
    Packed(#[source] std::io::Error),
    #[error("the file unpacks to more than {0} bytes")]
    TooLarge(u64),
    #[error("the file is not a snapshot of telemetry")]
    Content(#[source] serde_json::Error),
    #[error("the snapshot has version {0}; this program reads version {1}")]
    Version(u32, u32),
}
