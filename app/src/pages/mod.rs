//! One file a page: its handler loads, its view shows.

pub mod home;
pub mod restaurant;
