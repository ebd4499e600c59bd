//! What every stock does that outlives its process: a journal that adds up, and nothing lost by a restart.

use crate::shelf::{INITIAL, Shelf, reservation, reserve, wanted};
use contract::pricing::{Reservation, ReservationState};
use middleware::domain::stock::Take;
use middleware::store::{Reserved, SETTLED_SECONDS, forget_settled};
use runtime::args;
use runtime::store::sql::Database;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::task::JoinSet;

/// Some of everything, much of it at once.
async fn busy_hour(shelf: &Shelf) {
    shelf.set("latte", 60).await;
    let mut ordering = JoinSet::new();
    for n in 0..48 {
        let stock = shelf.stock.clone();
        ordering.spawn(async move {
            let order = format!("o{n}");
            reserve(&*stock, &order, &[("latte", 2), ("mocha", 1)]).await;
            match n % 3 {
                0 => stock.release(&order.as_str().into()).await.unwrap(),
                1 => stock.confirm(&[order.as_str().into()]).await.unwrap(),
                _ => drop(stock.take(&Take { refill: 100, ..wanted("latte", 1) }).await.unwrap()),
            }
        });
    }
    ordering.join_all().await;
    shelf.set("frappe", 7).await;
    shelf.set("frappe", 3).await;
}

pub async fn movements_add_up_to_the_levels(shelf: Shelf) {
    busy_hour(&shelf).await;
    let levels = shelf.levels().await;
    assert_eq!(levels.len(), 3);
    assert_eq!(shelf.sums().await, levels);
}

pub async fn every_movement_says_what_it_was(shelf: Shelf) {
    shelf.reserve("o", &[("latte", 2)]).await;
    shelf.release("o").await;
    shelf.set("latte", 50).await;
    shelf.stock.take(&Take { refill: 100, ..wanted("latte", 1) }).await.unwrap();
    let expected = [
        ("initial", INITIAL, ""),
        ("take", -2, "o"),
        ("release", 2, "o"),
        ("set", 50 - INITIAL, ""),
        ("take", -1, ""),
        ("refill", 100, ""),
    ];
    let told: Vec<_> = shelf.movements().await.into_iter().map(|(_, kind, quantity, order)| (kind, quantity, order)).collect();
    assert_eq!(told, expected.map(|(kind, quantity, order)| (kind.to_owned(), quantity, order.to_owned())));
}

pub async fn a_refused_take_moves_nothing(shelf: Shelf) {
    shelf.set("latte", 1).await;
    let before = shelf.movements().await;
    shelf.take("latte", 2).await;
    shelf.reserve("o", &[("latte", 2)]).await;
    shelf.release("o").await;
    shelf.reserve("o", &[("latte", 1)]).await;
    assert_eq!(shelf.movements().await, before);
}

pub async fn levels_are_the_same_after_a_restart(shelf: Shelf) {
    busy_hour(&shelf).await;
    let before = shelf.levels().await;
    let shelf = shelf.restarted().await;
    assert_eq!(shelf.levels().await, before);
    assert_eq!(shelf.sums().await, before);
    assert_eq!(shelf.take("mocha", 1).await.left, before[&"mocha".into()] - 1, "it has begun before");
}

pub async fn an_open_reservation_is_given_back_after_a_restart_once(shelf: Shelf) {
    shelf.set("latte", 10).await;
    shelf.reserve("o", &[("latte", 2), ("mocha", 1)]).await;
    let shelf = shelf.restarted().await;
    let lines = [("latte", 2), ("mocha", 1)];
    assert_eq!(shelf.reserve("o", &lines).await, Reserved::Before(reservation("o", &lines)));
    shelf.release("o").await;
    let shelf = shelf.restarted().await;
    shelf.release("o").await;
    assert_eq!(shelf.levels().await, BTreeMap::from([("latte".into(), 10), ("mocha".into(), INITIAL)]));
}

pub async fn a_reservation_that_was_confirmed_long_before_a_restart_is_given_back_once(shelf: Shelf) {
    shelf.set("latte", 2_000).await;
    shelf.reserve("old", &[("latte", 2)]).await;
    shelf.confirm(&["old"]).await;
    let mut later = JoinSet::new();
    for n in 0..400 {
        let stock = shelf.stock.clone();
        later.spawn(async move {
            let order = format!("o{n}");
            reserve(&*stock, &order, &[("latte", 1)]).await;
            stock.confirm(&[order.as_str().into()]).await.unwrap();
        });
    }
    later.join_all().await;
    let shelf = shelf.restarted().await;
    for _ in 0..2 {
        shelf.release("old").await;
        assert_eq!(shelf.levels().await, BTreeMap::from([("latte".into(), 1_600)]));
    }
    assert_eq!(shelf.sums().await, shelf.levels().await);
}

pub async fn a_confirmed_reservation_is_confirmed_after_a_restart(shelf: Shelf) {
    shelf.reserve("o", &[("latte", 2)]).await;
    shelf.confirm(&["o"]).await;
    let shelf = shelf.restarted().await;
    let confirmed = Reservation { state: ReservationState::Confirmed, ..reservation("o", &[("latte", 2)]) };
    assert_eq!(shelf.reserve("o", &[("latte", 2)]).await, Reserved::Before(confirmed));
    assert_eq!(shelf.level("latte").await, Some(INITIAL - 2));
}

pub async fn a_released_reservation_takes_nothing_after_a_restart(shelf: Shelf) {
    shelf.reserve("o", &[("latte", 2)]).await;
    shelf.release("o").await;
    shelf.release("never-reserved").await;
    let shelf = shelf.restarted().await;
    for order in ["o", "never-reserved"] {
        assert_eq!(shelf.reserve(order, &[("latte", 2)]).await, Reserved::Released);
    }
    assert_eq!(shelf.level("latte").await, Some(INITIAL));
}

pub async fn a_settled_reservation_is_known_for_a_week_and_an_open_one_until_it_is_settled(shelf: Shelf) {
    for order in ["open", "confirmed", "released"] {
        shelf.reserve(order, &[("latte", 2)]).await;
    }
    shelf.confirm(&["confirmed"]).await;
    shelf.release("released").await;
    assert_eq!(shelf.known_for_s("open").await, None);
    let week = i64::from(SETTLED_SECONDS);
    assert!(week >= 7 * 24 * 3_600);
    for order in ["confirmed", "released"] {
        let known_for_s = shelf.known_for_s(order).await.unwrap();
        assert!((week - 60..=week).contains(&known_for_s), "{order}: {known_for_s}");
    }
}

pub async fn settled_reservations_are_forgotten_in_steps_and_open_ones_are_not(shelf: Shelf) {
    shelf.set("latte", 100).await;
    for order in ["open", "confirmed", "released"] {
        shelf.reserve(order, &[("latte", 2)]).await;
    }
    shelf.confirm(&["confirmed"]).await;
    shelf.release("released").await;
    let database = shelf.database().await;
    let plant = "INSERT INTO reservations (order_id, state, document, at_ms) SELECT value, 'confirmed', '', 1 FROM list_of($1)";
    let orders: Vec<String> = (0..900).map(|n| format!("old-{n}")).collect();
    database.run(plant, args![serde_json::to_string(&orders).unwrap()]).await.unwrap();
    let now = shelf.platform.clock.now();
    for (before, gone) in [(now, [500, 400, 0]), (now + Duration::from_millis(1), [2, 0, 0])] {
        for expected in gone {
            assert_eq!(forget_settled(&database, before).await.unwrap(), expected);
        }
    }
    let shelf = shelf.restarted().await;
    for order in ["open", "released"] {
        shelf.release(order).await;
    }
    assert_eq!(shelf.levels().await, BTreeMap::from([("latte".into(), 98)]));
    assert_eq!(shelf.sums().await, shelf.levels().await);
}

pub async fn the_stock_table_is_the_sum_of_all_movements(shelf: Shelf) {
    busy_hour(&shelf).await;
    let rows = shelf.database().await.all("SELECT item_id, quantity FROM stock ORDER BY item_id", args![]).await.unwrap();
    let stored: Vec<(String, i64)> = rows.iter().map(|row| (row.text(0).unwrap(), row.int(1).unwrap())).collect();
    let sums: Vec<(String, i64)> = shelf.sums().await.into_iter().map(|(item, sum)| (item.to_string(), sum)).collect();
    assert_eq!(stored, sums);
}

/// Makes the database refuse every movement of one item.
async fn poison(shelf: &Shelf) -> Database {
    let database = shelf.database().await;
    if database.is_shared() {
        let refuse = "ALTER TABLE movements ADD CONSTRAINT poisoned CHECK (item_id <> 'poison') NOT VALID";
        database.run(refuse, args![]).await.unwrap();
    } else {
        let refuse =
            "CREATE TRIGGER poisoned BEFORE INSERT ON movements WHEN NEW.item_id = 'poison' BEGIN SELECT RAISE(ABORT, 'poisoned'); END";
        database.run(refuse, args![]).await.unwrap();
    }
    database
}

async fn cure(database: &Database) {
    let cure = if database.is_shared() { "ALTER TABLE movements DROP CONSTRAINT poisoned" } else { "DROP TRIGGER poisoned" };
    database.run(cure, args![]).await.unwrap();
}

pub async fn a_database_that_refuses_one_step_refuses_that_step_alone(shelf: Shelf) {
    shelf.set("poison", 100).await;
    poison(&shelf).await;
    let mut taking = JoinSet::new();
    for n in 0..64 {
        let stock = shelf.stock.clone();
        let item = if n % 4 == 0 { "poison" } else { "latte" };
        taking.spawn(async move { (item, stock.take(&wanted(item, 1)).await.is_ok()) });
    }
    for (item, taken) in taking.join_all().await {
        assert_eq!(taken, item == "latte", "{item}");
    }
    assert_eq!(shelf.levels().await, BTreeMap::from([("latte".into(), INITIAL - 48), ("poison".into(), 100)]));
    assert_eq!(shelf.sums().await, shelf.levels().await);
    let before = shelf.levels().await;
    assert_eq!(shelf.restarted().await.levels().await, before);
}

pub async fn a_reservation_that_the_database_refuses_takes_none_of_its_lines_and_may_be_repeated(shelf: Shelf) {
    shelf.set("poison", 10).await;
    shelf.set("latte", 10).await;
    let database = poison(&shelf).await;
    let lines = [("latte", 2), ("poison", 1)];
    let takes = lines.map(|(item, quantity)| wanted(item, quantity));
    assert!(shelf.stock.reserve(&reservation("o", &lines), &takes).await.is_err());
    assert_eq!((shelf.level("latte").await, shelf.level("poison").await), (Some(10), Some(10)));
    cure(&database).await;
    assert_eq!(shelf.reserve("o", &lines).await, Reserved::New { refills: 0 });
    assert_eq!(shelf.sums().await, shelf.levels().await);
}
