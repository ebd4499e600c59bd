//! How an order is paid, and what came of it.

use super::Told;
use contract::payment::{METHODS, Payment, PaymentStatus};
use leptos::prelude::*;

/// Whether money is on its way, there or back.
pub fn moves(payment: &Payment) -> bool {
    matches!(payment.status, PaymentStatus::Charging | PaymentStatus::Refunding)
}

fn name_of(method: &str) -> &str {
    METHODS.iter().find(|(word, _)| *word == method).map_or(method, |(_, name)| name)
}

pub fn lines(told: &Told) -> impl IntoView + use<> {
    let paid = match &told.payment {
        Some(payment) => Some(sentence(payment)),
        None => told.order.payment_method.as_deref().map(|method| format!("To be paid by: {}.", name_of(method))),
    };
    let code = told.order.promotion.clone().map(|code| view! { <p class="hint">"Promotion code "<code>{code.to_uppercase()}</code></p> });
    view! { {paid.map(|paid| view! { <p class="paid">{paid}</p> })} {code} }
}

fn sentence(payment: &Payment) -> String {
    let (amount, method) = (payment.amount, name_of(&payment.method));
    let why = payment.reason.as_deref().map(|why| format!(" ({})", why.trim_end_matches('.'))).unwrap_or_default();
    match payment.status {
        PaymentStatus::Charging => format!("Payment is being taken: {amount}. {method}."),
        PaymentStatus::Completed => format!("Paid {amount}. {method}."),
        PaymentStatus::Failed => format!("The payment failed{why}. Nothing was taken. {method}."),
        PaymentStatus::Refunding => format!("A refund of {amount} is on its way. {method}."),
        PaymentStatus::Refunded => format!("Refunded {amount}. {method}."),
        PaymentStatus::Void => "Nothing was charged.".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::sentence;
    use contract::payment::{METHODS, Payment, PaymentStatus};
    use contract::{Money, Timestamp};

    #[test]
    fn a_payment_is_told_with_amount_card_and_reason() {
        let payment = |status| Payment {
            order_id: "o".into(),
            restaurant_id: "r".into(),
            status,
            amount: Money::from_cents(1_318),
            method: METHODS[2].0.to_owned(),
            reason: Some("card declined.".to_owned()),
            created_at: Timestamp::default(),
            updated_at: Timestamp::default(),
        };
        assert_eq!(
            sentence(&payment(PaymentStatus::Failed)),
            "The payment failed (card declined). Nothing was taken. Test card: declined."
        );
        assert_eq!(sentence(&payment(PaymentStatus::Refunded)), "Refunded $13.18. Test card: declined.");
    }
}
