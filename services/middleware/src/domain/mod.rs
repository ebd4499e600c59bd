//! Rules of price, validity and stock. Nothing here knows HTTP, Redis or SQL.

pub mod pricing;
pub mod stock;
pub mod validation;
