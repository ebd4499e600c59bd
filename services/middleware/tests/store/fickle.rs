//! A journal that refuses: what it did not take has not happened.

use crate::shelf::{INITIAL, reservation, reserve, wanted};
use async_trait::async_trait;
use contract::OrderId;
use contract::pricing::{Reservation, ReservationState};
use middleware::NAME;
use middleware::domain::stock::Take;
use middleware::store::{Appending, Entry, Found, Journal, MemoryStock, Recovered, Reserved, Stock};
use runtime::store::StoreError;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use testkit::eventually;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

const SOON: Duration = Duration::from_secs(10);

const NEW: Reserved = Reserved::New { refills: 0 };

/// A step that waits to be taken or refused.
type Step = oneshot::Sender<Result<(), StoreError>>;

/// Answers when the test says so, and what the test says.
#[derive(Clone, Default)]
struct Fickle(Arc<Mutex<VecDeque<Step>>>);

#[async_trait]
impl Journal for Fickle {
    fn append(&self, _: Entry) -> Appending {
        let (answer, told) = oneshot::channel();
        self.0.lock().unwrap().push_back(answer);
        Box::pin(async move { told.await.unwrap() })
    }

    async fn recover(&self) -> Result<Recovered, StoreError> {
        Ok(Recovered::default())
    }

    async fn find(&self, _: &OrderId) -> Result<Option<Found>, StoreError> {
        Ok(None)
    }
}

struct Shelf {
    stock: Arc<MemoryStock<Fickle>>,
    journal: Fickle,
}

impl Shelf {
    async fn new() -> Self {
        let (platform, _) = testkit::platform();
        let journal = Fickle::default();
        let guard = platform.guard(NAME, "stock", "memory");
        let stock = MemoryStock::recover(journal.clone(), platform.clock.clone(), guard).await.unwrap();
        Self { stock: Arc::new(stock), journal }
    }

    /// Lets the journal take or refuse its oldest step, once it has one.
    async fn answer(&self, answer: Result<(), StoreError>) {
        eventually("a step waits for the journal", SOON, || async { !self.journal.0.lock().unwrap().is_empty() }).await;
        let waiting = self.journal.0.lock().unwrap().pop_front().unwrap();
        waiting.send(answer).unwrap();
    }

    async fn accept(&self) {
        self.answer(Ok(())).await;
    }

    async fn refuse(&self) {
        self.answer(Err(StoreError::Unavailable("the disk is full".to_owned()))).await;
    }

    /// Waits until this many steps wait for the journal.
    async fn waiting(&self, steps: usize) {
        eventually("the steps wait for the journal", SOON, || async { self.journal.0.lock().unwrap().len() == steps }).await;
    }

    fn taking(&self, take: Take) -> JoinHandle<Result<(bool, i64), StoreError>> {
        let stock = self.stock.clone();
        tokio::spawn(async move { stock.take(&take).await.map(|taken| (taken.available, taken.left)) })
    }

    fn reserving(&self, order: &'static str, quantity: i64) -> JoinHandle<Result<Reserved, StoreError>> {
        let stock = self.stock.clone();
        tokio::spawn(async move {
            let lines = [("latte", quantity)];
            stock.reserve(&reservation(order, &lines), &[wanted("latte", quantity)]).await
        })
    }

    fn releasing(&self, order: &'static str) -> JoinHandle<Result<(), StoreError>> {
        let stock = self.stock.clone();
        tokio::spawn(async move { stock.release(&order.into()).await })
    }

    fn confirming(&self, orders: &'static [&'static str]) -> JoinHandle<Result<(), StoreError>> {
        let stock = self.stock.clone();
        tokio::spawn(async move { stock.confirm(&orders.iter().map(|order| (*order).into()).collect::<Vec<_>>()).await })
    }

    async fn reserved(&self, order: &'static str, quantity: i64) {
        let reserving = self.reserving(order, quantity);
        self.accept().await;
        assert_eq!(reserving.await.unwrap().unwrap(), NEW);
    }

    /// Level of the only item, if it has begun.
    async fn latte(&self) -> Option<i64> {
        self.stock.levels().await.unwrap().first().map(|level| level.current_stock)
    }
}

fn before(order: &str, quantity: i64, state: ReservationState) -> Reserved {
    Reserved::Before(Reservation { state, ..reservation(order, &[("latte", quantity)]) })
}

#[tokio::test]
async fn a_refused_take_leaves_the_level_as_it_was() {
    let shelf = Shelf::new().await;
    let first = shelf.taking(wanted("latte", 1));
    shelf.accept().await;
    first.await.unwrap().unwrap();
    let second = shelf.taking(Take { refill: 100, ..wanted("latte", INITIAL - 10) });
    shelf.refuse().await;
    assert!(second.await.unwrap().is_err());
    assert_eq!(shelf.latte().await, Some(INITIAL - 1));
}

#[tokio::test]
async fn an_item_whose_beginning_is_refused_begins_anew() {
    let shelf = Shelf::new().await;
    let first = shelf.taking(wanted("latte", 1));
    shelf.refuse().await;
    assert!(first.await.unwrap().is_err());
    assert_eq!(shelf.latte().await, None);
    let second = shelf.taking(Take { initial: 300, ..wanted("latte", 1) });
    shelf.accept().await;
    assert_eq!(second.await.unwrap().unwrap(), (true, 299));
}

#[tokio::test]
async fn steps_that_counted_on_a_refused_beginning_leave_nothing_behind() {
    let shelf = Shelf::new().await;
    let first = shelf.taking(wanted("latte", 1));
    shelf.waiting(1).await;
    let second = shelf.taking(wanted("latte", 2));
    shelf.waiting(2).await;
    shelf.refuse().await;
    assert!(first.await.unwrap().is_err());
    // Between the two refusals the item is neither there nor may it begin: the journal still has to judge the second step.
    assert_eq!(shelf.stock.take(&wanted("latte", 1)).await.unwrap().left, 0);
    shelf.refuse().await;
    assert!(second.await.unwrap().is_err());
    assert_eq!(shelf.latte().await, None);
    let third = shelf.taking(wanted("latte", 5));
    shelf.accept().await;
    assert_eq!(third.await.unwrap().unwrap(), (true, INITIAL - 5));
}

#[tokio::test]
async fn a_level_that_could_not_be_set_is_as_it_was() {
    let shelf = Shelf::new().await;
    for (quantity, accepted) in [(10, true), (99, false)] {
        let stock = shelf.stock.clone();
        let setting = tokio::spawn(async move { stock.set(&"latte".into(), quantity).await });
        if accepted {
            shelf.accept().await
        } else {
            shelf.refuse().await
        }
        assert_eq!(setting.await.unwrap().is_ok(), accepted);
    }
    assert_eq!(shelf.latte().await, Some(10));
}

#[tokio::test]
async fn a_refused_reservation_takes_nothing_and_may_be_repeated() {
    let shelf = Shelf::new().await;
    shelf.reserved("before", 1).await;
    let first = shelf.reserving("o", 2);
    shelf.refuse().await;
    assert!(first.await.unwrap().is_err());
    assert_eq!(shelf.latte().await, Some(INITIAL - 1));
    shelf.reserved("o", 2).await;
    assert_eq!(shelf.latte().await, Some(INITIAL - 3));
}

#[tokio::test]
async fn a_refused_release_keeps_the_reservation() {
    let shelf = Shelf::new().await;
    shelf.reserved("o", 2).await;
    let first = shelf.releasing("o");
    shelf.refuse().await;
    assert!(first.await.unwrap().is_err());
    assert_eq!(shelf.latte().await, Some(INITIAL - 2));
    assert_eq!(reserve(&*shelf.stock, "o", &[("latte", 2)]).await, before("o", 2, ReservationState::Reserved));
    let second = shelf.releasing("o");
    shelf.accept().await;
    second.await.unwrap().unwrap();
    assert_eq!(shelf.latte().await, Some(INITIAL));
}

#[tokio::test]
async fn a_refused_release_of_what_never_was_does_not_stand_in_the_way() {
    let shelf = Shelf::new().await;
    let releasing = shelf.releasing("o");
    shelf.refuse().await;
    assert!(releasing.await.unwrap().is_err());
    shelf.reserved("o", 2).await;
}

#[tokio::test]
async fn a_refused_confirmation_changes_no_order() {
    let shelf = Shelf::new().await;
    for order in ["open", "confirmed", "released"] {
        shelf.reserved(order, 1).await;
    }
    let confirming = shelf.confirming(&["confirmed"]);
    shelf.accept().await;
    confirming.await.unwrap().unwrap();
    let releasing = shelf.releasing("released");
    shelf.accept().await;
    releasing.await.unwrap().unwrap();

    let all = shelf.confirming(&["open", "confirmed", "released", "unknown"]);
    shelf.refuse().await;
    assert!(all.await.unwrap().is_err());
    assert_eq!(reserve(&*shelf.stock, "open", &[("latte", 1)]).await, before("open", 1, ReservationState::Reserved));
    assert_eq!(reserve(&*shelf.stock, "confirmed", &[("latte", 1)]).await, before("confirmed", 1, ReservationState::Confirmed));
    assert_eq!(reserve(&*shelf.stock, "released", &[("latte", 1)]).await, Reserved::Released);
    assert_eq!(shelf.latte().await, Some(INITIAL - 2));

    let again = shelf.confirming(&["open", "confirmed", "released", "unknown"]);
    shelf.accept().await;
    again.await.unwrap().unwrap();
    assert_eq!(reserve(&*shelf.stock, "open", &[("latte", 1)]).await, before("open", 1, ReservationState::Confirmed));
}

#[tokio::test]
async fn a_repeated_reservation_is_answered_when_the_first_one_lasts() {
    let shelf = Shelf::new().await;
    let first = shelf.reserving("o", 2);
    shelf.waiting(1).await;
    let second = shelf.reserving("o", 2);
    shelf.accept().await;
    assert_eq!(first.await.unwrap().unwrap(), NEW);
    assert_eq!(second.await.unwrap().unwrap(), before("o", 2, ReservationState::Reserved));
    assert_eq!(shelf.latte().await, Some(INITIAL - 2));
}

#[tokio::test]
async fn a_repeated_reservation_takes_when_the_first_one_is_refused() {
    let shelf = Shelf::new().await;
    let first = shelf.reserving("o", 2);
    shelf.waiting(1).await;
    let second = shelf.reserving("o", 2);
    shelf.refuse().await;
    assert!(first.await.unwrap().is_err());
    shelf.accept().await;
    assert_eq!(second.await.unwrap().unwrap(), NEW);
    assert_eq!(shelf.latte().await, Some(INITIAL - 2));
}

#[tokio::test]
async fn a_repeated_release_does_not_say_it_is_done_before_it_is() {
    let shelf = Shelf::new().await;
    shelf.reserved("o", 2).await;
    let first = shelf.releasing("o");
    shelf.waiting(1).await;
    let second = shelf.releasing("o");
    shelf.refuse().await;
    assert!(first.await.unwrap().is_err());
    shelf.refuse().await;
    assert!(second.await.unwrap().is_err());
    assert_eq!(shelf.latte().await, Some(INITIAL - 2));
}

#[tokio::test]
async fn a_reservation_whose_caller_has_gone_can_be_repeated_and_released() {
    let shelf = Shelf::new().await;
    let gone = shelf.reserving("o", 2);
    shelf.waiting(1).await;
    gone.abort();
    assert!(gone.await.unwrap_err().is_cancelled());
    shelf.accept().await;
    assert_eq!(reserve(&*shelf.stock, "o", &[("latte", 2)]).await, before("o", 2, ReservationState::Reserved));
    let releasing = shelf.releasing("o");
    shelf.accept().await;
    releasing.await.unwrap().unwrap();
    assert_eq!(shelf.latte().await, Some(INITIAL));
}

#[tokio::test]
async fn a_refused_step_is_undone_when_its_caller_has_gone() {
    let shelf = Shelf::new().await;
    shelf.reserved("before", 1).await;
    let gone = shelf.reserving("o", 2);
    shelf.waiting(1).await;
    gone.abort();
    assert!(gone.await.unwrap_err().is_cancelled());
    shelf.refuse().await;
    eventually("the step is undone", SOON, || async { shelf.latte().await == Some(INITIAL - 1) }).await;
    shelf.reserved("o", 2).await;
}
