//! Pages and forms against fake services: status, words, cookies.
#![cfg(feature = "ssr")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod account;
mod browser;
mod checkout;
#[path = "../common/mod.rs"]
mod common;
mod express;
mod order;
mod shop;
mod style;
mod trouble;
