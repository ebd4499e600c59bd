//! What every kitchen's books do, whatever they are written in.

use crate::books::{BENGALURU, BERLIN, Books, TOKYO, at, event, later, of};
use contract::event::Event;
use contract::order::OrderStatus as Status;
use contract::{Money, RestaurantId, Timestamp};
use std::time::Duration;

const NOON: &str = "2026-11-20T11:00:00Z";

/// The whole way of an order, a minute for each step.
fn whole_way(order: &str, restaurant: &str, from: Timestamp) -> Vec<Event> {
    use Status as S;
    let way = [S::Pending, S::Paid, S::Accepted, S::Preparing, S::Ready, S::Assigned, S::PickedUp, S::Delivered];
    (0..).zip(way).map(|(minute, status)| event(order, restaurant, status, later(from, minute * 60))).collect()
}

pub async fn an_order_that_was_paid_has_a_ticket_that_is_open(books: Books) {
    books.tell_one("o1", BERLIN, Status::Paid, at(NOON)).await;
    let page = books.ledger(later(at(NOON), 3_600)).await;
    assert_eq!((page.total("tickets"), page.total("ticket_cents")), (1, 1_500));
    assert_eq!((page.open.len(), page.open[0].order_id.as_str(), page.open[0].owner.as_str()), (1, "o1", "restaurant"));
    assert!(page.open[0].since == at(NOON) && page.open[0].deadline > at(NOON));
    let rows = books.rows("SELECT restaurant_id, units, lines, state FROM tickets").await;
    assert_eq!((rows[0].text(0).unwrap().as_str(), rows[0].int(1).unwrap()), (BERLIN, 3));
    assert!(rows[0].text(2).unwrap().contains("mocha") && rows[0].text(3).unwrap() == "paid");
}

pub async fn an_order_that_was_never_paid_has_none(books: Books) {
    books.tell_one("o1", BERLIN, Status::Pending, at(NOON)).await;
    books.tell_one("o1", BERLIN, Status::Cancelled, at(NOON)).await;
    books.tell_one("o2", BERLIN, Status::PaymentFailed, at(NOON)).await;
    assert_eq!(books.totals().await, [0; 4]);
    assert_eq!(books.figures(BERLIN, at(NOON)).await.0.refunds, 0);
}

pub async fn a_ticket_ends_when_it_is_delivered(books: Books) {
    for event in whole_way("o1", BERLIN, at(NOON)) {
        books.tell(vec![event]).await;
    }
    assert!(books.ledger(at(NOON)).await.open.is_empty());
    let rows = books.rows("SELECT state, accepted_at_ms, ready_at_ms, ended_at_ms FROM tickets").await;
    let ms = |minute: u64| Some(later(at(NOON), minute * 60).millis());
    assert_eq!(rows[0].text(0).unwrap(), "delivered");
    assert_eq!([1, 2, 3].map(|column| rows[0].opt_int(column).unwrap()), [ms(2), ms(4), ms(7)]);
    assert_eq!(books.totals().await, [1, 1_500, 0, 0]);
    assert_eq!(books.figures(BERLIN, at(NOON)).await.0.cooking_seconds, 120);
    // Nothing follows the end.
    books.tell_one("o1", BERLIN, Status::Rejected, later(at(NOON), 600)).await;
    assert_eq!(books.totals().await, [1, 1_500, 0, 0]);
}

pub async fn whatever_ends_a_ticket_without_food_refunds_it(books: Books) {
    for (order, status) in [("o1", Status::Cancelled), ("o2", Status::Rejected)] {
        books.tell_one(order, BERLIN, Status::Paid, at(NOON)).await;
        books.tell_one(order, BERLIN, status, later(at(NOON), 60)).await;
    }
    books.tell_one("o3", BERLIN, Status::Paid, at(NOON)).await;
    assert_eq!(books.totals().await, [3, 4_500, 2, 3_000]);
    let (figures, _) = books.figures(BERLIN, at(NOON)).await;
    assert_eq!((figures.orders, figures.refunds, figures.refunded), (3, 2, Money::from_cents(3_000)));
    let open = books.ledger(at(NOON)).await.open;
    assert_eq!(open.iter().map(|one| one.order_id.as_str()).collect::<Vec<_>>(), ["o3"]);
}

pub async fn one_batch_makes_the_same_books_as_many(books: Books) {
    // Three hundred orders, some of them undone, told at once; and the same to another restaurant, one by one.
    let told = |restaurant: &str, name: &str| -> Vec<Event> {
        let order = |n: u64| {
            let (order, from) = (format!("{name}{n:03}"), later(at(NOON), n));
            let mut events = whole_way(&order, restaurant, from);
            match n % 5 {
                0 => events.truncate(2),
                1 => {
                    events.truncate(2);
                    events.push(event(&order, restaurant, Status::Rejected, later(from, 90)));
                }
                _ => {}
            }
            events
        };
        (0..300).flat_map(order).collect()
    };
    books.tell(told(TOKYO, "a")).await;
    for events in told(BENGALURU, "b").chunks(7) {
        books.tell(events.to_vec()).await;
    }
    assert_eq!(books.totals().await, [600, 900_000, 120, 180_000]);
    let (mut batch, best) = books.figures(TOKYO, at(NOON)).await;
    let (single, best_of_single) = books.figures(BENGALURU, at(NOON)).await;
    assert_eq!((batch.orders, batch.refunds, batch.cooking_seconds, best.len()), (300, 60, 120, 2));
    assert_eq!(best, best_of_single);
    batch.hours = single.hours.clone();
    assert_eq!(batch, single, "apart from the hours, which are other hours there");
    let last = books.rows("SELECT last_number FROM ticket_days").await;
    assert!(last.iter().all(|row| row.int(0).unwrap() == 300));
    let numbers = books.rows("SELECT COUNT(DISTINCT number), MIN(number), MAX(number) FROM tickets").await;
    assert_eq!([0, 1, 2].map(|column| numbers[0].int(column).unwrap()), [300, 1, 300]);
}

pub async fn tickets_are_numbered_by_the_restaurants_own_day(books: Books) {
    // Midnight in Berlin is at 23:00 UTC, in Tokyo at 15:00.
    for (order, restaurant, moment) in [
        ("o1", BERLIN, "2026-11-20T22:00:00Z"),
        ("o2", BERLIN, "2026-11-20T22:59:59Z"),
        ("o3", BERLIN, "2026-11-20T23:00:00Z"),
        ("o4", TOKYO, "2026-11-20T14:59:00Z"),
        ("o5", TOKYO, "2026-11-20T22:00:00Z"),
    ] {
        books.tell_one(order, restaurant, Status::Paid, at(moment)).await;
    }
    let rows = books.rows("SELECT day, number FROM tickets ORDER BY order_id").await;
    let numbers: Vec<(String, i64)> = rows.iter().map(|row| (row.text(0).unwrap(), row.int(1).unwrap())).collect();
    let day = |day: &str, number| (day.to_owned(), number);
    assert_eq!(numbers, [day("2026-11-20", 1), day("2026-11-20", 2), day("2026-11-21", 1), day("2026-11-20", 1), day("2026-11-21", 1)]);
}

pub async fn figures_are_of_the_restaurants_own_day(books: Books) {
    let paid = |order: &str, moment: &str, cents, items: &[&str]| of(event(order, BERLIN, Status::Paid, at(moment)), cents, items);
    books
        .tell(vec![
            paid("o1", "2026-11-19T22:59:00Z", 900, &["mocha"]),
            paid("o2", "2026-11-19T23:01:00Z", 100, &["latte"]),
            paid("o3", "2026-11-20T11:10:00Z", 200, &["latte", "mocha"]),
            paid("o4", "2026-11-20T11:50:00Z", 300, &["latte", "tea"]),
            event("elsewhere", TOKYO, Status::Paid, at("2026-11-20T11:00:00Z")),
        ])
        .await;
    let (figures, best) = books.figures(BERLIN, at("2026-11-20T20:00:00Z")).await;
    assert_eq!((figures.day.as_str(), figures.orders, figures.revenue), ("2026-11-20", 3, Money::from_cents(600)));
    assert_eq!(figures.hours.len(), 24);
    let busy: Vec<_> =
        figures.hours.iter().filter(|hour| hour.orders > 0).map(|hour| (hour.hour, hour.orders, hour.revenue.cents())).collect();
    assert_eq!(busy, [(0, 1, 100), (12, 2, 500)]);
    assert_eq!(best, [("latte".into(), 3), ("mocha".into(), 1), ("tea".into(), 1)]);
    let (empty, _) = books.figures("nobody", at(NOON)).await;
    assert_eq!((empty.orders, empty.cooking_seconds, empty.hours.len()), (0, 0, 24));
}

pub async fn half_hour_zones_have_whole_hours(books: Books) {
    books.tell_one("o1", BENGALURU, Status::Paid, at("2026-11-20T06:25:00Z")).await;
    books.tell_one("o2", BENGALURU, Status::Paid, at("2026-11-20T06:35:00Z")).await;
    let (figures, _) = books.figures(BENGALURU, at(NOON)).await;
    let busy: Vec<_> = figures.hours.iter().filter(|hour| hour.orders > 0).map(|hour| hour.hour).collect();
    assert_eq!(busy, [11, 12]);
}

pub async fn rows_that_were_planted_count(books: Books) {
    books.tell_one("o1", BERLIN, Status::Paid, at(NOON)).await;
    books
        .run(
            "INSERT INTO tickets (order_id, restaurant_id, day, number, state, state_at_ms, total_cents, units, lines, paid_at_ms) \
             VALUES ('planted', 'nowhere', '2026-01-01', 1, 'paid', 1, 250, 1, '[]', 1), \
             ('planted-too', 'nowhere', '2026-01-01', 2, 'paid', 1, 50, 1, '[]', 1)",
        )
        .await;
    assert_eq!(books.totals().await, [3, 1_800, 0, 0]);
    books.run("UPDATE tickets SET total_cents = 2000 WHERE order_id = 'o1'").await;
    assert_eq!(books.totals().await, [3, 2_300, 0, 0]);
    books.run("UPDATE tickets SET refunded_at_ms = 5 WHERE order_id <> 'planted-too'").await;
    assert_eq!(books.totals().await, [3, 2_300, 2, 2_250]);
    books.run("UPDATE tickets SET refunded_at_ms = NULL, total_cents = 1 WHERE order_id = 'o1'").await;
    assert_eq!(books.totals().await, [3, 301, 1, 250]);
    books.run("DELETE FROM tickets").await;
    assert_eq!(books.totals().await, [0; 4]);
}

pub async fn what_moved_of_late_is_named(books: Books) {
    books.tell_one("o1", BERLIN, Status::Paid, at(NOON)).await;
    books.tell_one("o2", BERLIN, Status::Paid, later(at(NOON), 20)).await;
    books.tell_one("o1", BERLIN, Status::Rejected, later(at(NOON), 25)).await;
    let recent = async |seconds: u64| {
        let page = books.ledger(later(at(NOON), seconds)).await;
        ["tickets", "ticket_cents", "refunded_tickets", "refunded_cents"].map(|name| page.recent(name))
    };
    assert_eq!(recent(29).await, [2, 3_000, 1, 1_500]);
    assert_eq!(recent(31).await, [1, 1_500, 1, 1_500]);
    assert_eq!(recent(60).await, [0; 4]);
}

pub async fn items_ordered_together_are_counted_in_pairs(books: Books) {
    let paid = |order: &str, items: &[&str]| of(event(order, BERLIN, Status::Paid, at(NOON)), 100, items);
    books.tell(vec![paid("o1", &["mocha", "latte"]), paid("o2", &["latte", "mocha", "tea"])]).await;
    books.tell(vec![paid("o3", &["mocha", "latte"]), paid("o4", &["tea"]), paid("o5", &["tea", "tea"])]).await;
    let pairs = books.reports.pairs(&RestaurantId::new(BERLIN)).await.unwrap();
    let pair = |one: &str, other: &str| (one.into(), other.into());
    assert_eq!(pairs, [pair("latte", "mocha"), pair("latte", "tea"), pair("mocha", "tea")]);
    assert!(books.reports.pairs(&RestaurantId::new(TOKYO)).await.unwrap().is_empty());
    let mut sold = books.reports.sold(&RestaurantId::new(BERLIN), Timestamp::default()).await.unwrap();
    sold.sort_by_key(|sold| sold.units);
    let sold: Vec<_> = sold.iter().map(|sold| (sold.item.as_str(), sold.units, sold.hour)).collect();
    assert!(sold.iter().all(|(_, _, hour)| *hour == at(NOON)) && sold.len() == 3, "{sold:?}");
    assert_eq!(sold.iter().map(|(_, units, _)| units).sum::<i64>(), 10);
}

pub async fn a_banquet_makes_few_pairs(books: Books) {
    let names: Vec<String> = (0..50).map(|n| format!("dish-{n}")).collect();
    let items: Vec<&str> = names.iter().map(String::as_str).collect();
    books.tell(vec![of(event("o1", BERLIN, Status::Paid, at(NOON)), 100, &items)]).await;
    assert_eq!(books.reports.pairs(&RestaurantId::new(BERLIN)).await.unwrap().len(), 15);
}

pub async fn old_roll_ups_are_forgotten_and_totals_are_not(books: Books) {
    books.tell_one("o1", BERLIN, Status::Paid, at(NOON)).await;
    let day = Duration::from_secs(24 * 3600);
    books.tell_one("o2", BERLIN, Status::Paid, at(NOON) + day * 40).await;
    assert_eq!(books.reports.forget(at(NOON) + day * 40).await.unwrap(), 3, "two items and a day's numbers");
    assert_eq!(books.figures(BERLIN, at(NOON)).await.0.orders, 1, "hours are kept for longer");
    assert_eq!(books.reports.sold(&RestaurantId::new(BERLIN), Timestamp::default()).await.unwrap().len(), 2);
    assert_eq!(books.totals().await, [2, 3_000, 0, 0]);
}
