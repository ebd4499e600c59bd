use super::*;
use contract::Money;
use contract::event::Fact;
use contract::geo::Location;
use contract::notification::Channel::{Email, Push, Sms};
use contract::order::OrderStatus;
use testkit::MORNING;

fn order() -> OrderFact {
    OrderFact {
        total: Money::from_cents(2_350),
        units: 3,
        customer_name: "Ada".to_owned(),
        user: None,
        payment_method: "card".to_owned(),
        pricing: None,
        restaurant_name: "Cosmic Coffee".to_owned(),
        lines: Vec::new(),
        from: Location::default(),
        to: Location::default(),
        refund: false,
        reason: None,
    }
}

fn event(status: OrderStatus, fact: OrderFact) -> Event {
    Event::new("o1".into(), "cosmic-coffee".into(), "Berlin", MORNING, Fact::of_order(status, fact))
}

#[test]
fn each_step_is_told_by_its_channels() {
    let channels = |status| of_order(status, &order()).into_iter().map(|draft| draft.channel).collect::<Vec<_>>();
    for (status, expected) in [
        (OrderStatus::Pending, vec![Email]),
        (OrderStatus::Paid, vec![]),
        (OrderStatus::Accepted, vec![Push]),
        (OrderStatus::Preparing, vec![]),
        (OrderStatus::Ready, vec![]),
        (OrderStatus::Assigned, vec![Push]),
        (OrderStatus::PickedUp, vec![Sms]),
        (OrderStatus::Delivered, vec![Push, Email]),
        (OrderStatus::Cancelled, vec![Email, Sms]),
        (OrderStatus::Rejected, vec![Email, Sms]),
        (OrderStatus::PaymentFailed, vec![Email, Sms]),
    ] {
        assert_eq!(channels(status), expected, "{status:?}");
    }
}

#[test]
fn what_is_listened_to_is_what_has_a_message() {
    for status in OrderStatus::ALL {
        let kind = event(status, order()).fact.kind();
        assert_eq!(KINDS.contains(&kind), !of_order(status, &order()).is_empty(), "{kind}");
    }
    assert!(KINDS.iter().all(|kind| Fact::KINDS.contains(kind)));
}

#[test]
fn every_message_has_words_and_fits_its_channel() {
    let mut long = order();
    long.restaurant_name = "The Restaurant at the End of the Universe".to_owned();
    for status in OrderStatus::ALL {
        for draft in of_order(status, &long) {
            assert!(!draft.subject.is_empty() && !draft.body.is_empty(), "{draft:?}");
            // One SMS has 160 characters.
            assert!(draft.channel != Sms || draft.body.chars().count() <= 160, "{}: {}", draft.body.chars().count(), draft.body);
        }
    }
}

#[test]
fn a_receipt_says_what_and_how_much() {
    let receipt = of_order(OrderStatus::Pending, &order()).remove(0);
    assert_eq!(receipt.subject, "Your order at Cosmic Coffee");
    assert!(receipt.body.contains("Hello Ada") && receipt.body.contains("3 things, $23.50"), "{}", receipt.body);
    let single = OrderFact { units: 1, ..order() };
    assert!(of_order(OrderStatus::Delivered, &single)[1].body.contains("one thing"), "{single:?}");
}

#[test]
fn an_order_that_ended_says_why_and_what_happens_to_the_money() {
    let paid = OrderFact { refund: true, reason: Some(" The oven is cold ".to_owned()), ..order() };
    let told = of_order(OrderStatus::Rejected, &paid);
    assert!(told[0].body.contains("declined") || told[0].body.contains("decline"), "{}", told[0].body);
    assert!(told[0].body.contains("The oven is cold. Your money is on its way back."), "{}", told[0].body);
    assert!(told[1].body.contains("Your money is on its way back."), "{}", told[1].body);
    let unpaid = of_order(OrderStatus::Cancelled, &order());
    assert!(unpaid.iter().all(|draft| draft.body.contains("Nothing was charged.")), "{unpaid:?}");
}

#[test]
fn a_refund_names_the_amount() {
    let told = of_refund("Ada", "Cosmic Coffee", Money::from_cents(599));
    assert!(told[0].body.contains("$5.99 for your order at Cosmic Coffee"), "{}", told[0].body);
    assert!(!of_refund("Ada", "", Money::from_cents(599))[0].body.contains("order at"));
}

#[test]
fn the_account_decides_before_the_session() {
    let mut event = event(OrderStatus::Pending, order());
    assert_eq!(owner(&event, &order()), None);
    event.session = Some("s1".to_owned());
    assert_eq!(owner(&event, &order()), Some("s1"));
    let known = OrderFact { user: Some("u1".to_owned()), ..order() };
    assert_eq!(owner(&event, &known), Some("u1"));
}

#[test]
fn a_message_is_named_by_its_fact_and_channel() {
    assert_eq!(message_id(&event(OrderStatus::Delivered, order()), Push), "o1/order.delivered/push");
}

#[test]
fn a_message_is_tried_for_about_an_hour() {
    let all: Duration = (1..ATTEMPTS).map(back_off).sum();
    assert!((2_700..4_500).contains(&all.as_secs()), "{all:?}");
    assert_eq!((back_off(1), back_off(2)), (Duration::from_millis(500), Duration::from_secs(1)));
}
