//! The words. Short, warm, and no more space travel than a hungry person can bear.

use contract::Money;
use contract::event::OrderFact;
use contract::notification::Channel;
use contract::order::OrderStatus;

/// A message before anybody decided whether it is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    pub channel: Channel,
    pub subject: String,
    pub body: String,
}

fn draft(channel: Channel, subject: impl Into<String>, body: impl Into<String>) -> Draft {
    Draft { channel, subject: subject.into(), body: body.into() }
}

/// What an order that reached `status` has to tell its customer.
pub fn of_order(status: OrderStatus, order: &OrderFact) -> Vec<Draft> {
    let (name, restaurant) = (&order.customer_name, &order.restaurant_name);
    match status {
        OrderStatus::Pending => vec![draft(
            Channel::Email,
            format!("Your order at {restaurant}"),
            format!(
                "Hello {name}, we have your order: {}, {} in all. The next you hear is that the kitchen has taken it on.",
                things(order.units),
                order.total
            ),
        )],
        OrderStatus::PaymentFailed => ending(
            order,
            "Your payment did not go through",
            format!("your payment for {restaurant} did not go through"),
            "Nothing was charged. You are welcome to try another card.",
        ),
        OrderStatus::Accepted => {
            vec![draft(Channel::Push, format!("{restaurant} is on it"), "The kitchen has taken your order and is firing up its engines.")]
        }
        OrderStatus::Assigned => {
            vec![draft(Channel::Push, "Your courier is set", format!("Your order has found its courier. First {restaurant}, then you."))]
        }
        OrderStatus::PickedUp => {
            vec![draft(Channel::Sms, "On its way", format!("Lift-off! Your order from {restaurant} is on its way to you."))]
        }
        OrderStatus::Delivered => vec![
            draft(Channel::Push, "It has landed", format!("Your order from {restaurant} is there. Enjoy!")),
            draft(
                Channel::Email,
                format!("Enjoy your {restaurant}"),
                format!(
                    "Hello {name}, your order has landed: {}, {} in all. Enjoy, and come back hungry.",
                    things(order.units),
                    order.total
                ),
            ),
        ],
        OrderStatus::Cancelled => {
            ending(order, "Your order is cancelled", format!("your order at {restaurant} is cancelled"), about_money(order))
        }
        OrderStatus::Rejected => ending(
            order,
            format!("{restaurant} cannot cook for you today"),
            format!("{restaurant} had to decline your order"),
            about_money(order),
        ),
        // Of these the order's page tells.
        OrderStatus::Paid | OrderStatus::Preparing | OrderStatus::Ready => Vec::new(),
    }
}

/// The money is back.
pub fn of_refund(name: &str, restaurant: &str, amount: Money) -> Vec<Draft> {
    let of = if restaurant.is_empty() { String::new() } else { format!(" for your order at {restaurant}") };
    let body = format!("Hello {name}, we have sent {amount}{of} back to where it came from. Your bank may take a day to show it.");
    vec![draft(Channel::Email, "Your money is on its way back", body)]
}

/// An order that ended without food: by e-mail, and by SMS because somebody may be waiting at the door.
fn ending(order: &OrderFact, subject: impl Into<String>, what: String, then: &str) -> Vec<Draft> {
    let why = order.reason.as_deref().map(|reason| format!(" {}", sentence(reason))).unwrap_or_default();
    let (subject, name) = (subject.into(), &order.customer_name);
    vec![
        draft(Channel::Email, subject.clone(), format!("Hello {name}, we are sorry: {what}.{why} {then}")),
        draft(Channel::Sms, subject, format!("We are sorry: {what}. {then}")),
    ]
}

const fn about_money(order: &OrderFact) -> &'static str {
    if order.refund { "Your money is on its way back." } else { "Nothing was charged." }
}

fn things(units: u32) -> String {
    if units == 1 { "one thing".to_owned() } else { format!("{units} things") }
}

/// Somebody's reason, with an end.
fn sentence(reason: &str) -> String {
    let reason = reason.trim();
    if reason.ends_with(['.', '!', '?', '…']) { reason.to_owned() } else { format!("{reason}.") }
}
