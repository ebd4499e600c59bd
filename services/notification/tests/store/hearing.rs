//! From events to messages.

use crate::books::{Books, event, fact, id, refunded, step};
use contract::event::{Fact, OrderFact};
use contract::notification::{Channel, MessageStatus, Preferences};
use contract::order::OrderStatus::{Accepted, Cancelled, Delivered, Paid, Pending, PickedUp, Rejected};
use notification::store::Letter;
use testkit::MORNING;

const NOTHING: Preferences = Preferences { email: false, sms: false, push: false };

fn channels(letters: &[Letter]) -> Vec<Channel> {
    letters.iter().map(|letter| letter.message.channel).collect()
}

pub async fn a_step_becomes_its_messages(books: Books) {
    let letters = books.hear(vec![step(1, Pending), step(1, Paid), step(1, Accepted), step(1, PickedUp), step(1, Delivered)]).await;
    assert_eq!(channels(&letters), [Channel::Email, Channel::Push, Channel::Sms, Channel::Push, Channel::Email]);
    let first = &letters[0].message;
    assert_eq!((first.id.as_str(), first.to.as_str(), first.status), ("order-1/order.created/email", "Ada", MessageStatus::Queued));
    assert_eq!((&first.order_id, first.created_at, first.sent_at), (&id(1), MORNING, None));
    let mut listed = books.all().await;
    listed.reverse();
    assert_eq!(listed, letters.into_iter().map(|letter| letter.message).collect::<Vec<_>>());
}

pub async fn the_same_event_is_told_once(books: Books) {
    assert_eq!(books.hear(vec![step(1, Delivered), step(1, Delivered)]).await.len(), 2);
    assert_eq!(books.hear(vec![step(1, Delivered)]).await, []);
    assert_eq!(books.all().await.len(), 2);
}

pub async fn what_is_not_wanted_is_not_written(books: Books) {
    let no_push = Preferences { push: false, ..Preferences::default() };
    books.book.set_preferences("session-a", &no_push, MORNING).await.unwrap();
    let letters = books.hear(vec![step(1, Accepted), step(1, Delivered)]).await;
    assert_eq!(channels(&letters), [Channel::Email]);
    books.book.set_preferences("session-a", &NOTHING, MORNING).await.unwrap();
    assert_eq!(books.hear(vec![step(2, Pending), step(2, Delivered), step(2, Cancelled)]).await, []);
}

pub async fn an_account_decides_before_its_session(books: Books) {
    books.book.set_preferences("session-a", &NOTHING, MORNING).await.unwrap();
    let known = OrderFact { user: Some("user-1".to_owned()), ..fact() };
    assert_eq!(books.hear(vec![event(1, Fact::OrderCreated(known.clone()))]).await.len(), 1);
    books.book.set_preferences("user-1", &NOTHING, MORNING).await.unwrap();
    assert_eq!(books.hear(vec![event(2, Fact::OrderCreated(known))]).await, []);
}

pub async fn a_refund_is_told_to_whom_the_order_belonged(books: Books) {
    let known = OrderFact { user: Some("user-1".to_owned()), refund: true, ..fact() };
    books.hear(vec![event(1, Fact::OrderRejected(known.clone())), event(2, Fact::OrderRejected(known))]).await;
    let letters = books.hear(vec![refunded(1)]).await;
    assert_eq!((letters.len(), letters[0].message.to.as_str()), (1, "Ada"));
    assert!(letters[0].message.body.contains("$23.50 for your order at Cosmic Coffee"), "{}", letters[0].message.body);
    books.book.set_preferences("user-1", &NOTHING, MORNING).await.unwrap();
    assert_eq!(books.hear(vec![refunded(2)]).await, []);
}

pub async fn a_refund_in_the_batch_of_its_order_is_told_too(books: Books) {
    let letters = books.hear(vec![step(1, Cancelled), refunded(1)]).await;
    assert_eq!((channels(&letters), letters[2].message.to.as_str()), (vec![Channel::Email, Channel::Sms, Channel::Email], "Ada"));
}

pub async fn a_refund_of_an_unknown_order_is_told_all_the_same(books: Books) {
    let letters = books.hear(vec![refunded(1)]).await;
    assert_eq!((letters.len(), letters[0].message.to.as_str()), (1, "space traveller"));
    books.book.set_preferences("session-a", &NOTHING, MORNING).await.unwrap();
    assert_eq!(books.hear(vec![refunded(2)]).await, []);
}

pub async fn text_of_any_script_is_kept(books: Books) {
    let fact = OrderFact {
        customer_name: "مريم 👩‍🚀".to_owned(),
        restaurant_name: "Żółć's \"Kitchen\"".to_owned(),
        reason: Some("'; DROP TABLE messages; --".to_owned()),
        ..fact()
    };
    let letters = books.hear(vec![event(1, Fact::OrderRejected(fact))]).await;
    assert_eq!(letters[0].message.to, "مريم 👩‍🚀");
    assert!(letters[0].message.body.contains("'; DROP TABLE messages; --."), "{}", letters[0].message.body);
    assert_eq!(books.all().await[1], letters[0].message);
    assert_eq!(books.hear(vec![step(2, Rejected)]).await.len(), 2);
}
