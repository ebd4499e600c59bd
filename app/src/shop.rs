//! What pages may ask of the services.

use contract::client::{CartClient, MenuClient, MiddlewareClient, OrderClient};

/// Clients of one request: their transports carry its identity, deadline and trace.
#[derive(Clone)]
pub struct Shop {
    pub menu: MenuClient,
    pub cart: CartClient,
    pub order: OrderClient,
    pub middleware: MiddlewareClient,
}
