//! An order's steps as the events that others hear.

use crate::store::Whose;
use contract::event::{Event, Fact, OrderFact, OrderedLine};
use contract::order::{Order, OrderStatus};
use contract::{CustomerName, Timestamp, payment};

/// The event of an order that has reached `status`. Its id says order and status alone, so that telling it again is harmless.
pub fn reached(order: &Order, whose: &Whose, status: OrderStatus, at: Timestamp, refund: bool, reason: Option<&str>) -> Event {
    let from = order.from.unwrap_or_default();
    // Who does not know yet what was ordered learns it from these two.
    let tells_lines = matches!(status, OrderStatus::Pending | OrderStatus::Paid);
    let line =
        |line: &contract::order::OrderLine| OrderedLine { item_id: line.item_id.clone(), quantity: line.quantity, total: line.item_total };
    let fact = OrderFact {
        total: order.total_price,
        units: order.items.iter().map(|line| line.quantity).sum(),
        customer_name: order.customer_name.as_ref().map(CustomerName::to_string).unwrap_or_default(),
        user: whose.user.clone(),
        payment_method: order.payment_method.clone().unwrap_or_else(|| payment::method("").to_owned()),
        pricing: order.pricing.clone(),
        restaurant_name: order.restaurant_name.clone(),
        lines: if tells_lines { order.items.iter().map(line).collect() } else { Vec::new() },
        from,
        // Without an address it is handed over at the counter.
        to: order.to.unwrap_or(from),
        refund,
        reason: reason.map(str::to_owned),
    };
    let mut event = Event::new(order.id.clone(), order.restaurant_id.clone(), order.city.clone(), at, Fact::of_order(status, fact));
    event.synthetic = whose.synthetic;
    event.session = whose.session.clone();
    event.traceparent = whose.traceparent.clone();
    event
}
