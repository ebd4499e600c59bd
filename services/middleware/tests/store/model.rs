//! Stock against a model that is as simple as stock can be and knows nothing of SQL, Redis or locks: whatever is asked in whatever
//! order, the answers and the levels are the same.

use crate::shelf::{Shelf, reservation};
use contract::pricing::{Reservation, ReservationState};
use middleware::domain::stock::{REFILL_BELOW, Take};
use middleware::store::{Reserved, Taken};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use proptest::test_runner::{Config, TestRunner};
use std::collections::BTreeMap;
use tokio::runtime::Runtime;

const ITEMS: [&str; 3] = ["latte", "mocha", "☕"];
const ORDERS: [&str; 4] = ["o1", "o2", "o3", "o4"];

#[derive(Clone, Debug)]
enum Step {
    Take(Take),
    Reserve(&'static str, Vec<Take>),
    Confirm(Vec<&'static str>),
    Release(&'static str),
    Set(&'static str, i64),
}

fn take(item: &'static str, most: i64) -> impl Strategy<Value = Take> {
    let refill = prop_oneof![Just(0), 100..=200_i64];
    (1..=most, 40..=60_i64, refill).prop_map(move |(quantity, initial, refill)| Take { item: item.into(), quantity, initial, refill })
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let lines =
        subsequence(&ITEMS[..], 1..=ITEMS.len()).prop_flat_map(|items| items.into_iter().map(|item| take(item, 10)).collect::<Vec<_>>());
    let step = prop_oneof![
        3 => select(&ITEMS[..]).prop_flat_map(|item| take(item, 70)).prop_map(Step::Take),
        4 => (select(&ORDERS[..]), lines).prop_map(|(order, lines)| Step::Reserve(order, lines)),
        2 => subsequence(&ORDERS[..], 0..=2).prop_map(Step::Confirm),
        3 => select(&ORDERS[..]).prop_map(Step::Release),
        1 => (select(&ITEMS[..]), 0..=60_i64).prop_map(|(item, quantity)| Step::Set(item, quantity)),
    ];
    vec(step, 1..40)
}

#[derive(Debug, PartialEq)]
enum Answer {
    Taken(Taken),
    Reserved(Reserved),
    Done,
}

#[derive(Default)]
struct Model {
    levels: BTreeMap<String, i64>,
    orders: BTreeMap<&'static str, (ReservationState, Reservation)>,
}

impl Model {
    fn answer(&mut self, step: &Step) -> Answer {
        match step {
            Step::Take(take) => {
                let left = self.begun(take);
                if left < take.quantity {
                    return Answer::Taken(Taken { available: false, left, refilled: false });
                }
                let refilled = self.taken(take);
                Answer::Taken(Taken { available: true, left: self.begun(take), refilled })
            }
            Step::Reserve(order, takes) => Answer::Reserved(self.reserve(order, takes)),
            Step::Confirm(orders) => {
                for order in orders {
                    if let Some((state @ ReservationState::Reserved, _)) = self.orders.get_mut(order) {
                        *state = ReservationState::Confirmed;
                    }
                }
                Answer::Done
            }
            Step::Release(order) => {
                let gone = (ReservationState::Released, reservation(order, &[]));
                if let Some((state, held)) = self.orders.insert(order, gone)
                    && state != ReservationState::Released
                {
                    for line in held.lines {
                        *self.levels.get_mut(line.item_id.as_str()).unwrap() += i64::from(line.quantity);
                    }
                }
                Answer::Done
            }
            Step::Set(item, quantity) => {
                self.levels.insert((*item).to_owned(), *quantity);
                Answer::Done
            }
        }
    }

    fn begun(&mut self, take: &Take) -> i64 {
        *self.levels.entry(take.item.to_string()).or_insert(take.initial)
    }

    /// True when it was filled up.
    fn taken(&mut self, take: &Take) -> bool {
        let level = self.levels.get_mut(take.item.as_str()).unwrap();
        *level -= take.quantity;
        let refilled = *level < REFILL_BELOW && take.refill > 0;
        if refilled {
            *level += take.refill;
        }
        refilled
    }

    fn reserve(&mut self, order: &'static str, takes: &[Take]) -> Reserved {
        match self.orders.get(order) {
            Some((ReservationState::Released, _)) => return Reserved::Released,
            Some((state, held)) => return Reserved::Before(Reservation { state: *state, ..held.clone() }),
            None => {}
        }
        for take in takes {
            let left = self.begun(take);
            if left < take.quantity {
                return Reserved::OutOfStock { item: take.item.clone(), left };
            }
        }
        let refills = takes.iter().filter(|take| self.taken(take)).count();
        self.orders.insert(order, (ReservationState::Reserved, asked(order, takes)));
        Reserved::New { refills: refills as u64 }
    }
}

fn asked(order: &str, takes: &[Take]) -> Reservation {
    let lines: Vec<(&str, i64)> = takes.iter().map(|take| (take.item.as_str(), take.quantity)).collect();
    reservation(order, &lines)
}

async fn answer(shelf: &Shelf, step: &Step) -> Answer {
    match step {
        Step::Take(take) => Answer::Taken(shelf.stock.take(take).await.unwrap()),
        Step::Reserve(order, takes) => Answer::Reserved(shelf.stock.reserve(&asked(order, takes), takes).await.unwrap()),
        Step::Confirm(orders) => {
            shelf.confirm(orders).await;
            Answer::Done
        }
        Step::Release(order) => {
            shelf.release(order).await;
            Answer::Done
        }
        Step::Set(item, quantity) => {
            shelf.set(item, *quantity).await;
            Answer::Done
        }
    }
}

async fn agrees(shelf: &Shelf, steps: &[Step]) -> Result<(), TestCaseError> {
    let mut model = Model::default();
    for step in steps {
        prop_assert_eq!(answer(shelf, step).await, model.answer(step), "{:?}", step);
        let levels: BTreeMap<String, i64> = shelf.levels().await.into_iter().map(|(item, level)| (item.to_string(), level)).collect();
        prop_assert_eq!(&levels, &model.levels, "after {:?}", step);
        prop_assert!(levels.values().all(|level| *level >= 0));
    }
    Ok(())
}

fn check(cases: u32, test: impl Fn(Vec<Step>) -> Result<(), TestCaseError>) {
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    TestRunner::new(config).run(&steps(), test).unwrap();
}

#[test]
fn memory_does_what_the_model_does() {
    let runtime = Runtime::new().unwrap();
    check(256, |steps| runtime.block_on(async { agrees(&Shelf::in_memory().await, &steps).await }));
}

#[test]
fn sqlite_does_what_the_model_does_and_its_journal_adds_up() {
    let runtime = Runtime::new().unwrap();
    check(24, |steps| {
        runtime.block_on(async {
            let shelf = Shelf::in_sqlite().await;
            agrees(&shelf, &steps).await?;
            let levels = shelf.levels().await;
            prop_assert_eq!(shelf.sums().await, levels.clone());
            prop_assert_eq!(shelf.restarted().await.levels().await, levels);
            Ok(())
        })
    });
}

#[test]
fn redis_does_what_the_model_does_and_its_journal_adds_up() {
    let runtime = Runtime::new().unwrap();
    let shelf = runtime.block_on(Shelf::in_redis());
    check(32, |steps| {
        runtime.block_on(async {
            shelf.emptied().await;
            agrees(&shelf, &steps).await?;
            let mut sums = shelf.sums().await;
            sums.retain(|_, sum| *sum != 0);
            let mut levels = shelf.levels().await;
            levels.retain(|_, level| *level != 0);
            prop_assert_eq!(sums, levels);
            Ok(())
        })
    });
}
