//! The one way every service boots, fails, is healthy, is traced and is broken on purpose.
//!
//! What differs between services is their domain; everything else is here. `docs/architecture.md` is the map.

pub mod chance;
pub mod clock;
pub mod context;
