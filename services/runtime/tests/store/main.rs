//! The parts that stores are made of.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod sqlite;
