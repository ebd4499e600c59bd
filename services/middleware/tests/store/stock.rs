//! What every stock does, whatever it is made of.

use crate::shelf::{INITIAL, Shelf, reservation, reserve, wanted};
use contract::ItemId;
use contract::pricing::{Reservation, ReservationState};
use middleware::domain::stock::{REFILL_BELOW, Take};
use middleware::store::{Reserved, Taken};
use runtime::store::StoreError;
use testkit::flip;
use tokio::task::JoinSet;

const NEW: Reserved = Reserved::New { refills: 0 };

fn with_refill(item: &str, quantity: i64, refill: i64) -> Take {
    Take { refill, ..wanted(item, quantity) }
}

pub async fn an_item_begins_with_its_first_take(shelf: Shelf) {
    assert_eq!(shelf.take("latte", 1).await, Taken { available: true, left: INITIAL - 1, refilled: false });
    let later = Take { initial: 999, ..wanted("latte", 1) };
    assert_eq!(shelf.stock.take(&later).await.unwrap().left, INITIAL - 2, "it began already");
    assert_eq!(shelf.level("latte").await, Some(INITIAL - 2));
}

pub async fn an_item_nobody_asked_for_has_no_level(shelf: Shelf) {
    assert!(shelf.levels().await.is_empty());
    shelf.take("latte", 1).await;
    assert_eq!(shelf.level("mocha").await, None);
}

pub async fn levels_are_sorted_by_item(shelf: Shelf) {
    for item in ["mocha", "americano", "latte", "Zebra"] {
        shelf.set(item, 1).await;
    }
    let items: Vec<String> = shelf.stock.levels().await.unwrap().into_iter().map(|level| level.item_id.to_string()).collect();
    assert_eq!(items, ["Zebra", "americano", "latte", "mocha"]);
}

pub async fn a_level_is_what_it_was_set_to(shelf: Shelf) {
    for quantity in [7, 0, 1_000_000_000, 3] {
        let answer = shelf.stock.set(&"latte".into(), quantity).await.unwrap();
        assert_eq!((answer.item_id.as_str(), answer.current_stock), ("latte", quantity));
        assert_eq!(shelf.level("latte").await, Some(quantity));
    }
    assert_eq!(shelf.take("latte", 1).await.left, 2);
}

pub async fn taking_more_than_there_is_takes_nothing(shelf: Shelf) {
    shelf.set("latte", 5).await;
    assert_eq!(shelf.take("latte", 6).await, Taken { available: false, left: 5, refilled: false });
    assert_eq!(shelf.take("mocha", INITIAL + 1).await, Taken { available: false, left: INITIAL, refilled: false });
    assert_eq!((shelf.level("latte").await, shelf.level("mocha").await), (Some(5), Some(INITIAL)));
}

pub async fn the_last_one_can_be_taken(shelf: Shelf) {
    shelf.set("latte", 5).await;
    assert_eq!(shelf.take("latte", 5).await, Taken { available: true, left: 0, refilled: false });
    assert_eq!(shelf.take("latte", 1).await, Taken { available: false, left: 0, refilled: false });
}

pub async fn an_item_is_filled_up_below_fifty_and_not_before(shelf: Shelf) {
    shelf.set("latte", REFILL_BELOW + 10).await;
    let at_the_mark = shelf.stock.take(&with_refill("latte", 10, 150)).await.unwrap();
    assert_eq!(at_the_mark, Taken { available: true, left: REFILL_BELOW, refilled: false });
    let below = shelf.stock.take(&with_refill("latte", 1, 150)).await.unwrap();
    assert_eq!(below, Taken { available: true, left: REFILL_BELOW - 1 + 150, refilled: true });
    assert_eq!(shelf.level("latte").await, Some(REFILL_BELOW - 1 + 150));
}

pub async fn nothing_is_filled_up_unless_chance_said_so(shelf: Shelf) {
    shelf.set("latte", REFILL_BELOW).await;
    assert_eq!(shelf.take("latte", 1).await, Taken { available: true, left: REFILL_BELOW - 1, refilled: false });
}

pub async fn a_take_that_is_refused_fills_nothing_up(shelf: Shelf) {
    shelf.set("latte", 5).await;
    let refused = shelf.stock.take(&with_refill("latte", 6, 150)).await.unwrap();
    assert_eq!(refused, Taken { available: false, left: 5, refilled: false });
    assert_eq!(shelf.level("latte").await, Some(5));
}

pub async fn numbers_too_large_for_any_kitchen_are_simply_not_there(shelf: Shelf) {
    assert_eq!(shelf.take("latte", 9_000_000_000_000_000).await, Taken { available: false, left: INITIAL, refilled: false });
    shelf.set("latte", 1_000_000_000).await;
    assert_eq!(shelf.take("latte", 999_999_999).await.left, 1);
}

pub async fn of_sixty_four_who_want_one_of_ten_exactly_ten_get_it(shelf: Shelf) {
    shelf.set("latte", 10).await;
    let mut taking = JoinSet::new();
    for _ in 0..64 {
        let stock = shelf.stock.clone();
        taking.spawn(async move { stock.take(&wanted("latte", 1)).await.unwrap() });
    }
    let answers = taking.join_all().await;
    assert!(answers.iter().all(|taken| taken.left >= 0), "{answers:?}");
    assert_eq!(answers.iter().filter(|taken| taken.available).count(), 10);
    assert_eq!(shelf.level("latte").await, Some(0));
}

pub async fn of_sixty_four_who_want_ten_at_once_nobody_is_sold_what_is_not_there(shelf: Shelf) {
    shelf.set("latte", 105).await;
    let mut taking = JoinSet::new();
    for _ in 0..64 {
        let stock = shelf.stock.clone();
        taking.spawn(async move { stock.take(&wanted("latte", 10)).await.unwrap() });
    }
    let answers = taking.join_all().await;
    assert!(answers.iter().all(|taken| taken.left >= 0), "{answers:?}");
    assert_eq!(answers.iter().filter(|taken| taken.available).count(), 10);
    assert_eq!(shelf.level("latte").await, Some(5));
}

pub async fn a_reservation_takes_every_line(shelf: Shelf) {
    shelf.set("latte", 10).await;
    assert_eq!(shelf.reserve("o", &[("latte", 2), ("mocha", 3)]).await, NEW);
    assert_eq!((shelf.level("latte").await, shelf.level("mocha").await), (Some(8), Some(INITIAL - 3)));
}

pub async fn a_reservation_counts_what_it_filled_up(shelf: Shelf) {
    for item in ["latte", "mocha", "frappe"] {
        shelf.set(item, REFILL_BELOW).await;
    }
    let takes = [with_refill("latte", 2, 100), wanted("mocha", 2), with_refill("frappe", 2, 200)];
    let lines = [("latte", 2), ("mocha", 2), ("frappe", 2)];
    assert_eq!(shelf.stock.reserve(&reservation("o", &lines), &takes).await.unwrap(), Reserved::New { refills: 2 });
    assert_eq!((shelf.level("latte").await, shelf.level("mocha").await, shelf.level("frappe").await), (Some(148), Some(48), Some(248)));
}

pub async fn a_reservation_takes_all_or_nothing(shelf: Shelf) {
    shelf.set("latte", 10).await;
    shelf.set("mocha", 1).await;
    let refused = shelf.reserve("o", &[("latte", 2), ("mocha", 2)]).await;
    assert_eq!(refused, Reserved::OutOfStock { item: ItemId::from("mocha"), left: 1 });
    assert_eq!((shelf.level("latte").await, shelf.level("mocha").await), (Some(10), Some(1)));
}

pub async fn a_refused_reservation_is_not_remembered(shelf: Shelf) {
    shelf.set("latte", 1).await;
    assert!(matches!(shelf.reserve("o", &[("latte", 2)]).await, Reserved::OutOfStock { .. }));
    shelf.set("latte", 10).await;
    assert_eq!(shelf.reserve("o", &[("latte", 2)]).await, NEW);
}

pub async fn a_repeated_reservation_is_answered_as_before_and_takes_nothing(shelf: Shelf) {
    shelf.set("latte", 10).await;
    shelf.reserve("o", &[("latte", 2)]).await;
    let first = Reserved::Before(reservation("o", &[("latte", 2)]));
    assert_eq!(shelf.reserve("o", &[("latte", 2)]).await, first);
    assert_eq!(shelf.reserve("o", &[("latte", 5), ("mocha", 1)]).await, first, "whatever is asked now");
    assert_eq!((shelf.level("latte").await, shelf.level("mocha").await), (Some(8), None));
}

pub async fn of_sixteen_equal_reservations_one_takes(shelf: Shelf) {
    shelf.set("latte", 10).await;
    let mut reserving = JoinSet::new();
    for _ in 0..16 {
        let stock = shelf.stock.clone();
        reserving.spawn(async move { reserve(&*stock, "o", &[("latte", 2)]).await });
    }
    let answers = reserving.join_all().await;
    assert_eq!(answers.iter().filter(|answer| **answer == NEW).count(), 1);
    let before = Reserved::Before(reservation("o", &[("latte", 2)]));
    assert_eq!(answers.iter().filter(|answer| **answer == before).count(), 15);
    assert_eq!(shelf.level("latte").await, Some(8));
}

pub async fn concurrent_reservations_of_two_items_never_oversell_either(shelf: Shelf) {
    shelf.set("latte", 10).await;
    shelf.set("mocha", 10).await;
    let mut reserving = JoinSet::new();
    for n in 0..64 {
        let stock = shelf.stock.clone();
        let lines = if n % 2 == 0 { [("latte", 1), ("mocha", 1)] } else { [("mocha", 1), ("latte", 1)] };
        reserving.spawn(async move { reserve(&*stock, &format!("o{n}"), &lines).await });
    }
    let answers = reserving.join_all().await;
    assert_eq!(answers.iter().filter(|answer| **answer == NEW).count(), 10);
    assert_eq!((shelf.level("latte").await, shelf.level("mocha").await), (Some(0), Some(0)));
}

pub async fn released_stock_is_back(shelf: Shelf) {
    shelf.set("latte", 2).await;
    shelf.reserve("o", &[("latte", 2)]).await;
    assert!(!shelf.take("latte", 1).await.available);
    shelf.release("o").await;
    assert_eq!(shelf.level("latte").await, Some(2));
    assert_eq!(shelf.reserve("p", &[("latte", 2)]).await, NEW);
}

pub async fn a_reservation_that_is_released_twice_is_given_back_once(shelf: Shelf) {
    shelf.set("latte", 10).await;
    shelf.reserve("o", &[("latte", 2), ("mocha", 1)]).await;
    shelf.release("o").await;
    shelf.release("o").await;
    assert_eq!((shelf.level("latte").await, shelf.level("mocha").await), (Some(10), Some(INITIAL)));
}

pub async fn of_sixteen_equal_releases_one_gives_back(shelf: Shelf) {
    shelf.set("latte", 10).await;
    shelf.reserve("o", &[("latte", 2)]).await;
    let mut releasing = JoinSet::new();
    for _ in 0..16 {
        let stock = shelf.stock.clone();
        releasing.spawn(async move { stock.release(&"o".into()).await.unwrap() });
    }
    releasing.join_all().await;
    assert_eq!(shelf.level("latte").await, Some(10));
}

pub async fn a_reservation_after_its_release_takes_nothing(shelf: Shelf) {
    shelf.set("latte", 10).await;
    shelf.reserve("o", &[("latte", 2)]).await;
    shelf.release("o").await;
    assert_eq!(shelf.reserve("o", &[("latte", 2)]).await, Reserved::Released);
    assert_eq!(shelf.level("latte").await, Some(10));
}

pub async fn a_release_before_its_reservation_makes_it_take_nothing(shelf: Shelf) {
    shelf.set("latte", 10).await;
    shelf.release("late").await;
    assert_eq!(shelf.reserve("late", &[("latte", 2)]).await, Reserved::Released);
    shelf.release("late").await;
    assert_eq!(shelf.level("latte").await, Some(10));
}

pub async fn reservations_and_releases_that_meet_lose_nothing(shelf: Shelf) {
    shelf.set("latte", 100).await;
    let mut meeting = JoinSet::new();
    for n in 0..32 {
        let (one, other) = (shelf.stock.clone(), shelf.stock.clone());
        meeting.spawn(async move { drop(reserve(&*one, &format!("o{n}"), &[("latte", 2)]).await) });
        meeting.spawn(async move { other.release(&format!("o{n}").as_str().into()).await.unwrap() });
    }
    meeting.join_all().await;
    // Whichever came first, a release was asked for: nothing is held any more.
    assert_eq!(shelf.level("latte").await, Some(100));
    assert_eq!(shelf.reserve("o0", &[("latte", 2)]).await, Reserved::Released);
}

pub async fn a_confirmed_reservation_is_answered_as_confirmed_and_stays_taken(shelf: Shelf) {
    shelf.set("latte", 10).await;
    shelf.reserve("o", &[("latte", 2)]).await;
    shelf.confirm(&["o"]).await;
    let confirmed = Reservation { state: ReservationState::Confirmed, ..reservation("o", &[("latte", 2)]) };
    assert_eq!(shelf.reserve("o", &[("latte", 2)]).await, Reserved::Before(confirmed));
    assert_eq!(shelf.level("latte").await, Some(8));
}

pub async fn a_confirmed_reservation_can_still_be_given_back_once(shelf: Shelf) {
    shelf.set("latte", 10).await;
    shelf.reserve("o", &[("latte", 2)]).await;
    shelf.confirm(&["o"]).await;
    shelf.release("o").await;
    shelf.release("o").await;
    assert_eq!(shelf.level("latte").await, Some(10));
    assert_eq!(shelf.reserve("o", &[("latte", 2)]).await, Reserved::Released);
}

pub async fn confirming_passes_over_what_is_unknown_confirmed_or_released(shelf: Shelf) {
    shelf.set("latte", 10).await;
    for order in ["open", "confirmed", "released"] {
        shelf.reserve(order, &[("latte", 1)]).await;
    }
    shelf.confirm(&["confirmed"]).await;
    shelf.release("released").await;
    shelf.confirm(&["unknown", "released", "open", "confirmed", "open"]).await;
    assert_eq!(shelf.level("latte").await, Some(8));
    assert_eq!(shelf.reserve("released", &[("latte", 1)]).await, Reserved::Released);
    assert_eq!(shelf.reserve("unknown", &[("latte", 1)]).await, NEW, "nothing was remembered of it");
    for order in ["open", "confirmed"] {
        let before = Reservation { state: ReservationState::Confirmed, ..reservation(order, &[("latte", 1)]) };
        assert_eq!(shelf.reserve(order, &[("latte", 1)]).await, Reserved::Before(before));
    }
}

pub async fn confirming_nothing_is_no_error(shelf: Shelf) {
    shelf.confirm(&[]).await;
    assert!(shelf.levels().await.is_empty());
}

pub async fn names_of_any_script_are_kept(shelf: Shelf) {
    let items = ["café-☕", "مشروب", "'; DROP TABLE stock;--", "a b\tc", "{\"json\": true}", "🥡🏳️‍🌈"];
    let lines: Vec<(&str, i64)> = items.iter().map(|item| (*item, 2)).collect();
    let order = "заказ '1' 🛵";
    assert_eq!(shelf.reserve(order, &lines).await, NEW);
    assert_eq!(shelf.reserve(order, &lines).await, Reserved::Before(reservation(order, &lines)));
    for item in items {
        assert_eq!(shelf.level(item).await, Some(INITIAL - 2), "{item}");
    }
    shelf.release(order).await;
    for item in items {
        assert_eq!(shelf.level(item).await, Some(INITIAL), "{item}");
    }
}

pub async fn a_store_that_is_down_is_unavailable_and_changes_nothing(shelf: Shelf) {
    shelf.set("latte", 10).await;
    shelf.reserve("o", &[("latte", 2)]).await;
    flip(&shelf.platform, "store-down", "middleware");
    let down = |error: StoreError| assert!(matches!(error, StoreError::Unavailable(_)), "{error}");
    down(shelf.stock.take(&wanted("latte", 1)).await.unwrap_err());
    down(shelf.stock.reserve(&reservation("p", &[("latte", 1)]), &[wanted("latte", 1)]).await.unwrap_err());
    down(shelf.stock.confirm(&["o".into()]).await.unwrap_err());
    down(shelf.stock.release(&"o".into()).await.unwrap_err());
    down(shelf.stock.set(&"latte".into(), 0).await.unwrap_err());
    down(shelf.stock.levels().await.unwrap_err());
    flip(&shelf.platform, "store-down", "off");
    assert_eq!(shelf.level("latte").await, Some(8));
    assert_eq!(shelf.reserve("o", &[("latte", 2)]).await, Reserved::Before(reservation("o", &[("latte", 2)])));
    assert_eq!(shelf.reserve("p", &[("latte", 1)]).await, NEW);
}
