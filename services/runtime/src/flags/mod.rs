//! Feature flags: one OpenFeature provider on flagd's evaluation engine, three sources, an operator's overlay.
//!
//! [`FlagControl`] holds what is in force; a [`Source`] feeds it; operators flip over it ([`api`]); services ask by [`Flags`];
//! other processes follow it by [`sync`] and [`ofrep`]. `docs/flags.md` tells how a flag is added.

pub mod api;
mod change;
mod client;
mod control;
mod definitions;
mod hook;
pub mod ofrep;
mod overlay;
#[allow(clippy::all, clippy::unwrap_used, clippy::expect_used)]
mod proto;
mod provider;
pub(crate) mod site;
mod snapshot;
mod source;
pub mod sync;
mod value;

pub use change::{Change, ChangeKind, actor};
pub use client::{Active, At, Flags, targeting_key};
pub use control::{DEFAULT_TTL, FlagControl, MAX_TTL};
pub use definitions::{BUILT_IN, DefinitionsError};
pub use provider::PROVIDER_NAME;
pub use snapshot::Snapshot;
pub use source::{FlagSource, Source};
