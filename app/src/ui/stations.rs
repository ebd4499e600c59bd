//! The way of an order in words and pictures.

use contract::order::OrderStatus;

/// A stop on the way of an order that goes well.
pub struct Station {
    pub status: OrderStatus,
    pub text: &'static str,
    pub picture: &'static str,
}

const fn stop(status: OrderStatus, text: &'static str, picture: &'static str) -> Station {
    Station { status, text, picture }
}

pub const STATIONS: [Station; 8] = [
    stop(OrderStatus::Pending, "Order received", "📡"),
    stop(OrderStatus::Paid, "Paid", "💳"),
    stop(OrderStatus::Accepted, "Accepted by the kitchen", "👩‍🍳"),
    stop(OrderStatus::Preparing, "Being cooked", "🔥"),
    stop(OrderStatus::Ready, "Ready for pick-up", "🛎️"),
    stop(OrderStatus::Assigned, "Courier on the way to the kitchen", "🛰️"),
    stop(OrderStatus::PickedUp, "On the way to you", "🚀"),
    stop(OrderStatus::Delivered, "Delivered. Enjoy!", "🪐"),
];

/// One sentence for a status.
pub fn headline(status: OrderStatus) -> &'static str {
    match status {
        OrderStatus::Cancelled => "Cancelled",
        OrderStatus::Rejected => "The kitchen had to decline",
        OrderStatus::PaymentFailed => "The payment failed",
        _ => station(status).and_then(|at| STATIONS.get(at)).map_or("On its way", |stop| stop.text),
    }
}

/// Where the status stands on the way; `None` when the order left it.
pub fn station(status: OrderStatus) -> Option<usize> {
    STATIONS.iter().position(|stop| stop.status == status)
}

/// Whether the order ended without food.
pub fn ended_early(status: OrderStatus) -> bool {
    station(status).is_none()
}

#[cfg(test)]
mod tests {
    use super::{headline, station};
    use contract::order::OrderStatus;

    #[test]
    fn every_status_has_words_and_a_place_or_an_end() {
        for status in OrderStatus::ALL {
            assert_ne!(headline(status), "On its way", "{status:?}");
            assert!(station(status).is_some() || status.is_final(), "{status:?}");
        }
    }
}
