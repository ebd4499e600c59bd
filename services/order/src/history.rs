//! What somebody has ordered, and the slow way to it.

use crate::State;
use crate::store::{Owner, Page};
use contract::ApiError;
use contract::order::Order;
use runtime::chaos::Injected;
use serde_json::Value;

/// The flag that asks for each order by itself.
const FLAG: &str = "order-history-n-plus-one";

/// More queries an order than this no flag makes: with the longest page that is a thousand.
const MOST_QUERIES: u64 = 5;

impl State {
    /// A page of a list of orders.
    ///
    /// # Errors
    /// The book is down.
    pub(crate) async fn history(&self, owner: &Owner, customer: Option<&str>, page: &Page) -> Result<Vec<Order>, ApiError> {
        let orders = self.book.list(owner, customer, page).await?;
        let Some(active) = self.chaos.domain(FLAG).await else { return Ok(orders) };
        let queries = active.value.get("queriesPerOrder").and_then(Value::as_u64).unwrap_or(1).clamp(1, MOST_QUERIES);
        self.chaos.mark(FLAG, Injected::Behaviour, "/api/orders");
        let mut read = Vec::with_capacity(orders.len());
        for order in orders {
            let mut found = None;
            for _ in 0..queries {
                found = self.book.find(&order.id).await?;
            }
            read.extend(found.map(|record| record.order));
        }
        Ok(read)
    }
}
