//! What moves without a page load. Every island is small, takes its first state from the server's HTML, and is an improvement only:
//! without it the page's links and forms do the same.

mod badge;
mod toast;

pub use badge::{Badge, CartBadge};
pub use toast::Toast;

/// Starts what is not bound to one island.
#[cfg(feature = "hydrate")]
pub fn start() {}
