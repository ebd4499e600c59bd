//! Rules of price, validity and stock. Nothing here knows HTTP, Redis or SQL.

pub mod charges;
pub mod market;
pub mod pricing;
pub mod stock;
pub mod validation;
