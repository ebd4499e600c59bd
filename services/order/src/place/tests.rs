use super::Placed;
use crate::fakes::{Bench, Fault, STOCK, request};
use crate::relay::drain;
use crate::sweep::{STALE_AFTER, sweep};
use contract::order::{Order, OrderStatus, PlaceOrder, QuoteCart};
use contract::pricing::ReservationState;
use contract::{ApiError, CartId, Code, CustomerName, Money, Note, QuoteId};
use runtime::context::{self, RequestContext};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use testkit::{MORNING, eventually, flip};
use tokio::sync::Notify;
use tokio::task::JoinSet;

const SOON: Duration = Duration::from_secs(10);

impl Bench {
    async fn place(&self, cart: &CartId) -> Result<Order, ApiError> {
        self.place_with(request(cart), None).await.map(|(order, _)| order)
    }

    /// The order, and whether it is an answer given before.
    async fn place_with(&self, request: PlaceOrder, key: Option<&str>) -> Result<(Order, bool), ApiError> {
        match self.state.place(request, key.map(str::to_owned)).await? {
            Placed::New(order) => Ok((order, false)),
            Placed::Replayed(order) => Ok((order, true)),
        }
    }

    /// Everything works again, time passes, and the background work has had its turn.
    async fn settle(&self) {
        self.world.heal();
        self.lose_commits.store(false, Ordering::SeqCst);
        flip(&self.platform, "store-down", "off");
        self.clock.advance(STALE_AFTER + Duration::from_millis(1));
        sweep(&self.state, None).await.unwrap();
        while !self.due().await.is_empty() {
            drain(&self.state).await;
        }
    }

    /// What must hold once nothing is under way: an order and its stock, or neither.
    async fn adds_up(&self, orders: usize) {
        assert!(self.unfinished().await.is_empty());
        let standing = self.orders().await;
        assert_eq!(standing.len(), orders);
        let sold: u32 = standing.iter().flat_map(|order| &order.items).map(|line| line.quantity).sum();
        assert_eq!(self.world.left(), STOCK - i64::from(sold));
        for order in standing {
            assert_eq!(self.world.reservation(&order.id), Some(ReservationState::Confirmed));
        }
    }
}

#[tokio::test]
async fn a_cart_becomes_an_order_at_the_menus_prices_and_names() {
    let bench = Bench::new().await;
    let cart = bench.world.cart("c");
    let wish = Some(Note::parse("not too hot").unwrap());
    let (order, replayed) = bench.place_with(PlaceOrder { special_instructions: wish.clone(), ..request(&cart) }, None).await.unwrap();
    assert!(!replayed);
    assert_eq!((order.status, order.total_price, order.timestamp), (OrderStatus::Pending, Money::from_cents(1_198), MORNING));
    assert_eq!((order.items[0].item_name.as_str(), order.items[0].base_price), ("Nebula Latte", Money::from_cents(599)));
    assert_eq!((order.restaurant_name.as_str(), order.special_instructions.clone()), ("The Bar", wish));
    assert_eq!(bench.orders().await, std::slice::from_ref(&order));
    let asked = &bench.world.requests()[0];
    assert_eq!((&asked.order_id, asked.time_zone.as_str()), (&order.id, "Europe/Berlin"));
    bench.settle().await;
    bench.adds_up(1).await;
    assert!(!bench.world.has_cart(&cart));
}

#[tokio::test]
async fn an_address_makes_a_way_and_without_one_there_is_none() {
    let bench = Bench::new().await;
    let (one, other) = (bench.world.cart("one"), bench.world.cart("other"));
    let address = Some(Note::parse("Main Street 1").unwrap());
    let (order, _) = bench.place_with(PlaceOrder { address: address.clone(), ..request(&one) }, None).await.unwrap();
    let place = contract::geo::locate("Berlin", "Main Street 1");
    assert_eq!((order.city.as_str(), order.to, order.address.clone()), ("Berlin", Some(place), address));
    let way = bench.world.requests()[0].way.clone().unwrap();
    assert_eq!((way.city.as_str(), Some(way.from), way.to), ("Berlin", order.from, place));
    let blank = Some(Note::parse(" ").unwrap());
    let (order, _) = bench.place_with(PlaceOrder { address: blank, ..request(&other) }, None).await.unwrap();
    assert_eq!((order.to, order.address, &bench.world.requests()[1].way), (None, None, &None));
}

#[tokio::test]
async fn an_order_says_what_was_chosen_how_it_is_paid_and_how_it_was_priced() {
    let bench = Bench::new().await;
    let cart = bench.world.cart("c");
    let wallet = Some(Note::parse("wallet").unwrap());
    let asked = PlaceOrder { payment_method: wallet, promotion: Some("WELCOME10".to_owned()), ..request(&cart) };
    let (order, _) = bench.place_with(asked, None).await.unwrap();
    assert_eq!((order.items[0].choice.as_deref(), order.payment_method.as_deref()), (Some("Oat"), Some("wallet")));
    assert_eq!((order.promotion.as_deref(), order.pricing.as_deref()), (Some("WELCOME10"), Some("v1")));
    let sent = &bench.world.requests()[0];
    assert_eq!((sent.promotion.as_deref(), sent.restaurant_id.as_ref()), (Some("WELCOME10"), Some(&order.restaurant_id)));
}

#[tokio::test]
async fn a_restaurant_that_is_closed_or_paused_takes_no_order_and_no_stock() {
    let bench = Bench::new().await;
    let cart = bench.world.cart("c");
    bench.world.pause(true);
    assert_eq!(bench.place(&cart).await.unwrap_err().code, Code::RestaurantClosed);
    bench.world.pause(false);
    bench.place(&cart).await.unwrap();
    bench.world.close();
    let other = bench.world.cart("other");
    assert_eq!(bench.place(&other).await.unwrap_err().code, Code::RestaurantClosed);
    let quote = QuoteCart { cart_id: other, promotion: None, address: None };
    assert_eq!(bench.state.quote(&quote).await.unwrap_err().code, Code::RestaurantClosed);
    bench.settle().await;
    bench.adds_up(1).await;
}

#[tokio::test]
async fn the_quote_a_customer_saw_is_the_quote_that_is_reserved_by() {
    let bench = Bench::new().await;
    let cart = bench.world.cart("c");
    let quote = bench.state.quote(&QuoteCart { cart_id: cart.clone(), promotion: None, address: None }).await.unwrap();
    assert_eq!((quote.total, quote.lines[0].item_name.as_str()), (Money::from_cents(1_198), "Nebula Latte"));
    assert_eq!(bench.world.left(), STOCK, "a quote reserves nothing");
    bench.place_with(PlaceOrder { quote_id: Some(quote.quote_id.clone()), ..request(&cart) }, None).await.unwrap();
    assert_eq!(bench.world.requests()[0].quote_id, Some(QuoteId::from("quote-1")));
}

fn with_fault(bench: &Bench, call: &'static str, fault: Fault) -> CartId {
    bench.world.fault(call, fault);
    bench.world.cart("c")
}

#[tokio::test]
async fn whatever_is_refused_leaves_no_order_and_no_stock_missing_and_may_be_tried_again() {
    type Trouble = fn(&Bench) -> CartId;
    let troubles: [(Trouble, Code); 12] = [
        (|_| "nobody".into(), Code::CartNotFound),
        (|bench| bench.world.empty_cart("c"), Code::CartEmpty),
        (|bench| with_fault(bench, "cart.get", Fault::Refused), Code::ServiceUnavailable),
        (|bench| with_fault(bench, "cart.get", Fault::LostReply), Code::Timeout),
        (|bench| with_fault(bench, "cart.get", Fault::Answers(Code::StoreUnavailable)), Code::StoreUnavailable),
        (|bench| with_fault(bench, "menu.items", Fault::Refused), Code::ServiceUnavailable),
        (|bench| with_fault(bench, "menu.items", Fault::LostReply), Code::Timeout),
        (|bench| with_fault(bench, "middleware.reserve", Fault::Refused), Code::ServiceUnavailable),
        (|bench| with_fault(bench, "middleware.reserve", Fault::LostReply), Code::Timeout),
        (|bench| with_fault(bench, "middleware.reserve", Fault::Answers(Code::OutOfStock)), Code::OutOfStock),
        (|bench| with_fault(bench, "middleware.reserve", Fault::Answers(Code::QuoteExpired)), Code::QuoteExpired),
        (|bench| with_fault(bench, "middleware.reserve", Fault::Answers(Code::Internal)), Code::Internal),
    ];
    for (trouble, code) in troubles {
        let bench = Bench::new().await;
        let cart = trouble(&bench);
        let error = bench.place(&cart).await.unwrap_err();
        assert_eq!(error.code, code);
        // At once, without the sweeper.
        bench.adds_up(0).await;
        assert!(bench.due().await.is_empty());

        bench.world.heal();
        bench.world.cart(cart.as_str());
        let order = bench.place(&cart).await.unwrap_or_else(|again| panic!("after {code:?}: {again}"));
        bench.settle().await;
        bench.adds_up(1).await;
        assert_eq!(bench.orders().await, [order]);
    }
}

#[tokio::test]
async fn what_is_not_on_the_menu_any_more_is_not_sold() {
    let bench = Bench::new().await;
    let cart = bench.world.cart("c");
    bench.world.stop_serving();
    assert_eq!(bench.place(&cart).await.unwrap_err().code, Code::OutOfStock);
    bench.world.take_off_the_menu();
    assert_eq!(bench.place(&cart).await.unwrap_err().code, Code::ItemNotFound);
    bench.adds_up(0).await;
    assert_eq!(bench.world.count("middleware.reserve"), 0);
}

#[tokio::test]
async fn a_sold_out_dish_is_an_error_and_the_cart_stays() {
    let bench = Bench::new().await;
    let cart = bench.world.cart("c");
    bench.world.sell_out();
    assert_eq!(bench.place(&cart).await.unwrap_err().code, Code::OutOfStock);
    assert!(bench.orders().await.is_empty() && bench.unfinished().await.is_empty());
    assert_eq!(bench.world.left(), 0);
    assert!(bench.world.has_cart(&cart));
}

#[tokio::test]
async fn a_reservation_whose_answer_was_lost_is_given_back_at_once() {
    let bench = Bench::new().await;
    let cart = with_fault(&bench, "middleware.reserve", Fault::LostReply);
    assert_eq!(bench.place(&cart).await.unwrap_err().code, Code::Timeout);
    let asked = bench.world.requests();
    assert_eq!(bench.world.reservation(&asked[0].order_id), Some(ReservationState::Released), "a late one takes nothing either");
    assert_eq!(bench.world.left(), STOCK);
}

#[tokio::test]
async fn an_order_that_the_sweeper_gave_up_meanwhile_is_not_accepted() {
    let bench = Bench::new().await;
    let cart = bench.world.cart("c");
    let (state, world, clock) = (bench.state.clone(), bench.world.clone(), bench.clock.clone());
    bench.world.when("middleware.reserve", move || async move {
        assert_eq!(world.left(), STOCK - 2);
        clock.advance(STALE_AFTER + Duration::from_millis(1));
        sweep(&state, None).await.unwrap();
    });
    assert_eq!(bench.place(&cart).await.unwrap_err().code, Code::ServiceUnavailable);
    bench.adds_up(0).await;
}

#[tokio::test]
async fn a_commit_whose_answer_was_lost_is_an_accepted_order() {
    let bench = Bench::new().await;
    let cart = bench.world.cart("c");
    bench.lose_commits.store(true, Ordering::SeqCst);
    let order = bench.place(&cart).await.unwrap();
    assert_eq!(bench.world.reservation(&order.id), Some(ReservationState::Reserved), "nothing was given back");
    bench.settle().await;
    bench.adds_up(1).await;
}

#[tokio::test]
async fn an_order_book_that_goes_down_before_the_commit_leaves_the_rest_to_the_sweeper() {
    let bench = Bench::new().await;
    let cart = bench.world.cart("c");
    let platform = bench.platform.clone();
    bench.world.when("middleware.reserve", move || async move { flip(&platform, "store-down", "order") });
    assert_eq!(bench.place(&cart).await.unwrap_err().code, Code::StoreUnavailable);
    assert_eq!(bench.world.left(), STOCK - 2, "nobody knows yet whether the order stands");
    bench.settle().await;
    bench.adds_up(0).await;
    let order = bench.place(&cart).await.unwrap();
    bench.settle().await;
    assert_eq!(bench.orders().await, [order]);
    bench.adds_up(1).await;
}

#[tokio::test]
async fn an_order_book_that_is_down_from_the_start_changes_nothing() {
    let bench = Bench::new().await;
    let cart = bench.world.cart("c");
    flip(&bench.platform, "store-down", "order");
    assert_eq!(bench.place(&cart).await.unwrap_err().code, Code::StoreUnavailable);
    assert_eq!(bench.world.count("cart.get"), 0);
    flip(&bench.platform, "store-down", "off");
    bench.adds_up(0).await;
}

#[tokio::test]
async fn stock_that_cannot_be_released_now_is_released_by_the_sweeper() {
    for fault in [Fault::Refused, Fault::Answers(Code::StoreUnavailable), Fault::LostReply] {
        let bench = Bench::new().await;
        let cart = with_fault(&bench, "middleware.reserve", Fault::LostReply);
        bench.world.fault("middleware.release", fault);
        assert_eq!(bench.place(&cart).await.unwrap_err().code, Code::Timeout, "{fault:?}");
        assert_eq!(bench.unfinished().await.len(), 1, "{fault:?}");
        bench.settle().await;
        bench.adds_up(0).await;
    }
}

#[tokio::test]
async fn whoever_asks_again_need_not_wait_for_the_sweeper() {
    let bench = Bench::new().await;
    let cart = with_fault(&bench, "middleware.reserve", Fault::LostReply);
    bench.world.fault("middleware.release", Fault::Refused);
    bench.place(&cart).await.unwrap_err();
    assert_eq!(bench.place(&cart).await.unwrap_err().code, Code::ServiceUnavailable, "still down");
    bench.world.heal();
    bench.place(&cart).await.unwrap();
    bench.settle().await;
    bench.adds_up(1).await;
}

#[tokio::test]
async fn a_repeated_request_is_answered_with_its_order() {
    let bench = Bench::new().await;
    let cart = bench.world.cart("c");
    let (order, _) = bench.place_with(request(&cart), Some("key")).await.unwrap();
    assert_eq!(bench.place_with(request(&cart), Some("key")).await.unwrap(), (order.clone(), true));
    bench.settle().await;
    // The cart is gone by now; the answer is not.
    assert_eq!(bench.place_with(request(&cart), Some("key")).await.unwrap(), (order, true));
    assert_eq!(bench.world.count("middleware.reserve"), 1);
    bench.adds_up(1).await;
}

#[tokio::test]
async fn without_a_key_the_cart_is_the_key() {
    let bench = Bench::new().await;
    let cart = bench.world.cart("c");
    let order = bench.place(&cart).await.unwrap();
    assert_eq!(bench.place_with(request(&cart), None).await.unwrap(), (order.clone(), true));
    let other = bench.place_with(request(&cart), Some("another key")).await.unwrap_err();
    assert_eq!(other.code, Code::CartAlreadyOrdered);
    assert!(other.message.contains(order.id.as_str()), "{other}");
}

#[tokio::test]
async fn a_key_with_another_body_is_refused() {
    let bench = Bench::new().await;
    let cart = bench.world.cart("c");
    bench.place_with(request(&cart), Some("key")).await.unwrap();
    let other = PlaceOrder { customer_name: CustomerName::parse("Bo").unwrap(), ..request(&cart) };
    assert_eq!(bench.place_with(other, Some("key")).await.unwrap_err().code, Code::IdempotencyMismatch);
    bench.settle().await;
    bench.adds_up(1).await;
}

#[tokio::test]
async fn keys_of_two_clients_do_not_meet() {
    let bench = Bench::new().await;
    for client in ["ada", "bo"] {
        let cart = bench.world.cart(client);
        let who = Arc::new(RequestContext { client: Some(client.into()), session: Some(client.into()), ..RequestContext::default() });
        let (order, replayed) = context::scope(who, bench.place_with(request(&cart), Some("key"))).await.unwrap();
        assert!(!replayed);
        assert_eq!(bench.state.book.find(&order.id).await.unwrap().unwrap().owner, Some(format!("s:{client}")));
    }
    bench.settle().await;
    bench.adds_up(2).await;
}

#[tokio::test]
async fn keys_of_no_use_are_refused_before_anything_happens() {
    let bench = Bench::new().await;
    let cart = bench.world.cart("c");
    for key in ["", &"x".repeat(201)] {
        assert_eq!(bench.place_with(request(&cart), Some(key)).await.unwrap_err().code, Code::InvalidBody);
    }
    bench.adds_up(0).await;
    bench.place_with(request(&cart), Some(&"é".repeat(200))).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cart_that_is_sent_many_times_at_once_becomes_one_order() {
    let bench = Arc::new(Bench::new().await);
    let cart = bench.world.cart("c");
    let mut sending = JoinSet::new();
    for n in 0..16 {
        let (bench, cart) = (bench.clone(), cart.clone());
        // Half of them by one form with one key, half by people who send none.
        let key = (n % 2 == 0).then_some("form");
        sending.spawn(async move { bench.place_with(request(&cart), key).await });
    }
    for answer in sending.join_all().await {
        match answer {
            Ok((order, _)) => assert_eq!(bench.orders().await, [order]),
            Err(error) => assert!(matches!(error.code, Code::IdempotencyInFlight | Code::CartAlreadyOrdered), "{error}"),
        }
    }
    bench.settle().await;
    bench.adds_up(1).await;
}

#[tokio::test]
async fn an_order_is_brought_to_its_end_when_the_customer_hangs_up() {
    let bench = Bench::new().await;
    let cart = bench.world.cart("c");
    let (reached, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (at_stock, told) = (reached.clone(), go_on.clone());
    bench.world.when("middleware.reserve", move || async move {
        at_stock.notify_one();
        told.notified().await;
    });
    let state = bench.state.clone();
    let request = request(&cart);
    let placing = tokio::spawn(async move { state.place(request, None).await.is_ok() });
    reached.notified().await;
    placing.abort();
    assert!(placing.await.unwrap_err().is_cancelled());
    go_on.notify_one();
    eventually("the order stands", SOON, || async { bench.orders().await.len() == 1 }).await;
    bench.settle().await;
    bench.adds_up(1).await;
}
