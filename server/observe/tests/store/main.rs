//! The store as its users meet it: what goes in by the intake comes out by questions.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod bound;
mod common;
mod logs;
mod map;
mod metrics;
mod rates;
mod search;
mod snapshot;
mod storm;
mod trace;
