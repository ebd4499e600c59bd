//! The shop's pages. Server HTML does all the work; islands make it quicker.
//!
//! With the feature `ssr` this crate is a set of axum routes ([`router`]): a page's handler loads what it needs from the services
//! ([`shop::Shop`]), then renders it in one synchronous pass. Forms post to [`actions`], which answer with a redirect or with a
//! designed page for what went wrong ([`problem`]). With the feature `hydrate` it is [`islands`] only.

pub mod islands;

#[cfg(feature = "ssr")]
pub mod accounts;
#[cfg(feature = "ssr")]
pub mod actions;
#[cfg(feature = "ssr")]
pub mod back_office;
#[cfg(feature = "ssr")]
pub mod control_room;
#[cfg(feature = "ssr")]
pub mod cookies;
#[cfg(feature = "ssr")]
pub mod desk;
#[cfg(feature = "ssr")]
mod extract;
#[cfg(feature = "ssr")]
pub mod features;
#[cfg(feature = "ssr")]
pub mod handbook;
#[cfg(feature = "ssr")]
mod pages;
#[cfg(feature = "ssr")]
pub mod problem;
#[cfg(feature = "ssr")]
mod render;
#[cfg(feature = "ssr")]
mod routes;
#[cfg(feature = "ssr")]
pub mod shop;
#[cfg(feature = "ssr")]
mod ui;
#[cfg(feature = "ssr")]
mod upload;
#[cfg(feature = "ssr")]
pub mod visit;

#[cfg(feature = "ssr")]
pub use routes::{error_page, not_found, router};
