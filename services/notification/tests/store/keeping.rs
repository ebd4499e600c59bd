//! What is shown, what is kept and for how long.

use crate::books::{Books, after, id, of_load, refunded, step};
use contract::client::MessageFilter;
use contract::notification::{Channel, Message, Preferences};
use contract::order::OrderStatus::{Cancelled, Delivered, Pending};
use notification::store::Outcome;
use runtime::store::StoreError;
use testkit::{MORNING, flip};

fn of(order: &str) -> MessageFilter {
    MessageFilter { order: Some(order.to_owned()), ..MessageFilter::default() }
}

fn ids(messages: &[Message]) -> Vec<&str> {
    messages.iter().map(|message| message.id.as_str()).collect()
}

pub async fn messages_are_listed_newest_first_without_gaps(books: Books) {
    for n in 1..=10 {
        books.hear(vec![step(n, Pending)]).await;
    }
    let (mut seen, mut cursor) = (Vec::new(), None);
    loop {
        let (page, last) = books.book.list(&MessageFilter::default(), cursor, 3).await.unwrap();
        // What arrives in between does not move the pages.
        books.hear(vec![step(100 + seen.len() as u32, Pending)]).await;
        seen.extend(page.iter().map(|message| message.order_id.to_string()));
        cursor = last;
        if last.is_none() {
            break;
        }
    }
    assert_eq!(seen, (1..=10).rev().map(|n| id(n).to_string()).collect::<Vec<_>>());
}

pub async fn messages_of_an_order_are_those_of_that_order_alone(books: Books) {
    books.hear(vec![step(1, Pending), step(10, Pending), step(1, Delivered), step(11, Delivered)]).await;
    let (messages, _) = books.book.list(&of("order-1"), None, 10).await.unwrap();
    assert_eq!(ids(&messages), ["order-1/order.delivered/email", "order-1/order.delivered/push", "order-1/order.created/email"]);
    let (first, cursor) = books.book.list(&of("order-1"), None, 2).await.unwrap();
    let (rest, _) = books.book.list(&of("order-1"), cursor, 2).await.unwrap();
    assert_eq!([first, rest].concat(), messages);
    assert_eq!(books.book.list(&of("order-2"), None, 10).await.unwrap(), (Vec::new(), None));
}

pub async fn messages_of_a_channel_or_of_an_order_by_its_end_are_paged_alone(books: Books) {
    for n in [111_111, 222_222, 333_333] {
        books.hear(vec![step(n, Pending), step(n, Delivered)]).await;
    }
    let filter = |channel, order: &str| MessageFilter { channel, order: Some(order.to_owned()).filter(|order| !order.is_empty()) };
    let pushed = ["order-333333/order.delivered/push", "order-222222/order.delivered/push", "order-111111/order.delivered/push"];
    let (first, cursor) = books.book.list(&filter(Some(Channel::Push), ""), None, 2).await.unwrap();
    let (rest, _) = books.book.list(&filter(Some(Channel::Push), ""), cursor, 2).await.unwrap();
    assert_eq!((ids(&first), ids(&rest)), (pushed[..2].to_vec(), pushed[2..].to_vec()));
    // By the end that people know, in whatever case, and by the whole.
    for order in ["222222", "order-222222"] {
        let (messages, _) = books.book.list(&filter(None, order), None, 10).await.unwrap();
        assert_eq!(messages.len(), 3, "{order}");
        assert!(messages.iter().all(|message| message.order_id == id(222_222)), "{order}");
        let (messages, _) = books.book.list(&filter(Some(Channel::Push), order), None, 10).await.unwrap();
        assert_eq!(ids(&messages), [pushed[1]], "{order}");
    }
    for nobody in ["22222%", "______", "order-2", "444444"] {
        assert_eq!(books.book.list(&filter(None, nobody), None, 10).await.unwrap(), (Vec::new(), None), "{nobody}");
    }
}

pub async fn everything_is_wanted_unless_said_otherwise(books: Books) {
    assert_eq!(books.book.preferences("user-1").await.unwrap(), Preferences { email: true, sms: true, push: true });
    for wish in [Preferences { email: false, sms: true, push: false }, Preferences { email: true, sms: false, push: false }] {
        books.book.set_preferences("user-1", &wish, MORNING).await.unwrap();
        assert_eq!(books.book.preferences("user-1").await.unwrap(), wish);
    }
    assert_eq!(books.book.preferences("user-2").await.unwrap(), Preferences::default());
}

pub async fn old_messages_are_removed_and_stay_in_the_sums(books: Books) {
    for n in 1..=6 {
        let letters = books.hear(vec![of_load(step(n, Pending)), step(100 + n, Pending)]).await;
        // One of load is never taken.
        books.settle(&letters[usize::from(n == 1)..], Outcome::Sent).await;
    }
    assert_eq!(books.book.prune(true, 2, 2).await.unwrap(), 2, "no more than asked for at once");
    assert_eq!(books.book.prune(true, 2, 2).await.unwrap(), 1);
    assert_eq!(books.book.prune(true, 2, 2).await.unwrap(), 0);
    let left = books.all().await;
    let of_load: Vec<_> = ids(&left).into_iter().filter(|id| !id.starts_with("order-10")).collect();
    assert_eq!(of_load, ["order-6/order.created/email", "order-5/order.created/email", "order-1/order.created/email"]);
    assert_eq!((left.len(), books.totals().await), (9, [12, 11, 0]));
    assert_eq!(books.book.prune(false, 4, 100).await.unwrap(), 2);
    assert_eq!((books.all().await.len(), books.totals().await), (7, [12, 11, 0]));
}

pub async fn whom_a_refund_concerns_is_forgotten_in_time(books: Books) {
    books.hear(vec![step(1, Cancelled)]).await;
    books.hear_at(vec![step(2, Cancelled)], after(10_000)).await;
    books.book.forget_contacts(after(5_000)).await.unwrap();
    let letters = books.hear(vec![refunded(1), refunded(2)]).await;
    assert_eq!(letters.iter().map(|letter| letter.message.to.as_str()).collect::<Vec<_>>(), ["space traveller", "Ada"]);
}

pub async fn a_reset_keeps_what_people_want(books: Books) {
    let wish = Preferences { email: true, sms: false, push: false };
    books.book.set_preferences("user-1", &wish, MORNING).await.unwrap();
    let letters = books.hear(vec![step(1, Cancelled)]).await;
    books.book.reset().await.unwrap();
    assert_eq!((books.all().await.len(), books.totals().await), (0, [0, 0, 0]));
    assert_eq!(books.book.preferences("user-1").await.unwrap(), wish);
    // What was under way has no effect any more.
    books.settle(&letters, Outcome::Sent).await;
    assert_eq!(books.totals().await, [0, 0, 0]);
    assert_eq!(books.hear(vec![step(1, Pending)]).await.len(), 1);
    assert_eq!(books.totals().await, [1, 0, 0]);
}

pub async fn a_store_that_is_down_is_unavailable_and_changes_nothing(books: Books) {
    let letters = books.hear(vec![step(1, Pending)]).await;
    let before = books.all().await;
    flip(&books.platform, "store-down", "all");
    assert!(matches!(books.book.list(&MessageFilter::default(), None, 10).await, Err(StoreError::Unavailable(_))));
    let settled = books.book.settle(vec![(letters[0].seq, Outcome::Sent)], MORNING).await;
    assert!(matches!(settled, Err(StoreError::Unavailable(_))));
    let set = books.book.set_preferences("user-1", &Preferences { email: false, ..Preferences::default() }, MORNING).await;
    assert!(matches!(set, Err(StoreError::Unavailable(_))));
    flip(&books.platform, "store-down", "off");
    assert_eq!(books.all().await, before);
    assert_eq!(books.book.preferences("user-1").await.unwrap(), Preferences::default());
}
