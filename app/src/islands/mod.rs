//! What moves without a page load. Every island is small, takes its first state from the server's HTML, and is an improvement only:
//! without it the page's links and forms do the same.

mod badge;
#[cfg(feature = "hydrate")]
mod board;
#[cfg(feature = "hydrate")]
mod forms;
#[cfg(feature = "hydrate")]
mod live;
#[cfg(feature = "hydrate")]
mod riding;
#[cfg(feature = "hydrate")]
mod ticking;
mod toast;
#[cfg(feature = "hydrate")]
mod web;

pub use badge::{Badge, CartBadge};
pub use toast::{News, Toast};

/// Starts what is not bound to one island: quick forms, steppers, keys, clocks, pages that follow an order, a kitchen's board.
#[cfg(feature = "hydrate")]
pub fn start() {
    forms::listen();
    ticking::start();
    live::start();
    riding::start();
    board::start();
}
