//! One file a page: its handler loads, its view shows.

pub mod about;
pub mod account;
pub mod cart;
pub mod checkout;
pub mod console;
pub mod express;
pub mod home;
pub mod item;
pub mod login;
pub mod order;
pub mod orders;
pub mod restaurant;
pub mod staff;
pub mod stock;
