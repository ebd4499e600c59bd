//! What pages may ask of the services.

use contract::client::{
    CartClient, DeliveryClient, MenuClient, MiddlewareClient, NotificationClient, OrderClient, PaymentClient, UserClient,
};

/// Clients of one request: their transports carry its identity, deadline and trace.
#[derive(Clone)]
pub struct Shop {
    pub menu: MenuClient,
    pub cart: CartClient,
    pub order: OrderClient,
    pub middleware: MiddlewareClient,
    pub payment: PaymentClient,
    pub delivery: DeliveryClient,
    pub notification: NotificationClient,
    /// Accounts as operators see them. What somebody does with the own account goes through [`crate::accounts::Accounts`].
    pub user: UserClient,
}
