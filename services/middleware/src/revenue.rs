//! What each pricing algorithm earns, from the orders that were paid.

use async_trait::async_trait;
use contract::event::{Event, Fact};
use runtime::args;
use runtime::events::{Handler, HandlerError};
use runtime::store::sql::Connection;
use std::collections::BTreeMap;

pub struct Revenue;

#[async_trait]
impl Handler for Revenue {
    fn kinds(&self) -> &'static [&'static str] {
        &["order.paid"]
    }

    async fn apply(&self, transaction: &mut Connection<'_>, events: &[Event]) -> Result<(), HandlerError> {
        let mut earned: BTreeMap<&str, (i64, i64)> = BTreeMap::new();
        for event in events {
            if let Fact::OrderPaid(order) = &event.fact {
                let (orders, cents) = earned.entry(order.pricing.as_deref().unwrap_or("v1")).or_default();
                *orders += 1;
                *cents += order.total.cents();
            }
        }
        let add = "INSERT INTO pricing_variants (variant, orders, cents) VALUES ($1, $2, $3) ON CONFLICT (variant) DO UPDATE \
            SET orders = pricing_variants.orders + excluded.orders, cents = pricing_variants.cents + excluded.cents";
        for (variant, (orders, cents)) in earned {
            transaction.run(add, args![variant, orders, cents]).await?;
        }
        Ok(())
    }
}
