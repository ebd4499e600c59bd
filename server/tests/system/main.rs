//! The product from outside, as real processes: every test runs on the embedded platform and, unchanged, on nine processes with a
//! real Redis.
//!
//! Each module is about one promise. [`harness`] starts platforms; a test is five lines on top of it.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot be set up has failed")]

mod access;
mod bad_input;
mod binaries;
mod cart_races;
mod chaos;
mod crash;
mod exposition;
mod faults;
mod harness;
mod health;
mod idempotency;
mod identity;
mod ledger;
mod names;
mod one_file;
mod openapi;
mod ordering;
mod outage;
mod pages;
mod rehearsal;
mod replicas;
mod stock;
mod storm;
mod telemetry;
mod verify;
