//! The store as its users meet it: what goes in by the intake comes out by questions.

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
