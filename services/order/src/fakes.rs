//! The services around an order, as small as they can be, with faults: carts, one menu, one stock.

mod forgetful;

use crate::store::{Outgoing, Owner, Page, SCHEMA, SqlOrderBook};
use crate::{Metrics, NAME, State};
use async_trait::async_trait;
use contract::cart::{Cart, CartLine};
use contract::client::{Call, CartClient, MenuClient, MiddlewareClient, Reply, SharedTransport, Transport};
use contract::error::ErrorBody;
use contract::geo::Location;
use contract::menu::{Hours, ItemsReply, MenuItem, Restaurant};
use contract::order::{Order, PlaceOrder};
use contract::pricing::{ConfirmBatch, LineRequest, PricedLine, Quote, QuoteRequest, Reservation, ReservationRequest, ReservationState};
use contract::{ApiError, CartId, Code, CustomerName, Money, OrderId, Timestamp};
use forgetful::Forgetful;
use futures::future::BoxFuture;
use runtime::Platform;
use runtime::clock::{Clock, ManualClock};
use runtime::store::sql::Database;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard};
use testkit::MORNING;
use tokio::sync::Notify;

/// What the stock begins with.
pub const STOCK: i64 = 1_000;

/// What is wrong with a call.
#[derive(Clone, Copy, Debug)]
pub enum Fault {
    /// Nobody listens: it never arrives.
    Refused,
    /// It is done, and the answer gets lost.
    LostReply,
    /// The service says no.
    Answers(Code),
}

type Hook = Box<dyn FnOnce() -> BoxFuture<'static, ()> + Send>;

#[derive(Default)]
struct Inner {
    carts: BTreeMap<String, Cart>,
    gone_from_menu: bool,
    not_served: bool,
    closed: bool,
    paused: bool,
    taken: i64,
    reservations: BTreeMap<OrderId, Reservation>,
    /// What the orders of reservations were asked with.
    requests: Vec<ReservationRequest>,
    faults: BTreeMap<&'static str, Fault>,
    hooks: BTreeMap<&'static str, Hook>,
    calls: Vec<&'static str>,
}

/// Everything that is not the order service. Clones share it.
#[derive(Clone, Default)]
pub struct World(Arc<Mutex<Inner>>);

impl World {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap()
    }

    /// From now on, until [`World::heal`].
    pub fn fault(&self, call: &'static str, fault: Fault) {
        self.inner().faults.insert(call, fault);
    }

    pub fn heal(&self) {
        self.inner().faults.clear();
    }

    /// Runs once, when the call is done and before its answer leaves.
    pub fn when<F>(&self, call: &'static str, hook: impl FnOnce() -> F + Send + 'static)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.inner().hooks.insert(call, Box::new(move || Box::pin(hook())));
    }

    /// A cart with two lattes, which the cart believes to cost one cent.
    pub fn cart(&self, id: &str) -> CartId {
        let line = CartLine {
            item_id: "latte".into(),
            item_name: "An old name".to_owned(),
            item_emoji: String::new(),
            quantity: 2,
            base_price: Money::from_cents(1),
            added_at: MORNING,
            choice: Some("Oat".to_owned()),
        };
        let restaurant_id = Some("bar".into());
        let cart = Cart { id: id.into(), items: vec![line], restaurant_id, created_at: MORNING, updated_at: MORNING };
        self.inner().carts.insert(id.to_owned(), cart);
        id.into()
    }

    pub fn empty_cart(&self, id: &str) -> CartId {
        let cart = Cart { id: id.into(), items: Vec::new(), restaurant_id: None, created_at: MORNING, updated_at: MORNING };
        self.inner().carts.insert(id.to_owned(), cart);
        id.into()
    }

    pub fn has_cart(&self, id: &CartId) -> bool {
        self.inner().carts.contains_key(id.as_str())
    }

    pub fn take_off_the_menu(&self) {
        self.inner().gone_from_menu = true;
    }

    pub fn stop_serving(&self) {
        self.inner().not_served = true;
    }

    pub fn close(&self) {
        self.inner().closed = true;
    }

    pub fn pause(&self, paused: bool) {
        self.inner().paused = paused;
    }

    /// What is left of the stock.
    pub fn left(&self) -> i64 {
        STOCK - self.inner().taken
    }

    pub fn sell_out(&self) {
        self.inner().taken = STOCK;
    }

    pub fn reservation(&self, order: &OrderId) -> Option<ReservationState> {
        self.inner().reservations.get(order).map(|reservation| reservation.state)
    }

    pub fn requests(&self) -> Vec<ReservationRequest> {
        self.inner().requests.clone()
    }

    /// How often this call was sent, whatever became of it.
    pub fn count(&self, call: &str) -> usize {
        self.inner().calls.iter().filter(|name| **name == call).count()
    }

    fn answer(&self, call: &Call) -> Reply {
        match call.name {
            "cart.get" => self.read_cart(call),
            "cart.delete" => self.delete_cart(call),
            "menu.items" => self.menu(),
            "middleware.quote" => quote(call),
            "middleware.reserve" => self.reserve(call),
            "middleware.release" => self.release(call),
            "middleware.confirm" => self.confirm(call),
            other => panic!("nobody expected {other}"),
        }
    }

    fn read_cart(&self, call: &Call) -> Reply {
        let id = call.path.trim_start_matches("/cart/");
        self.inner().carts.get(id).map_or_else(|| refusal(&ApiError::cart_not_found(&id.into())), |cart| reply(200, cart))
    }

    fn delete_cart(&self, call: &Call) -> Reply {
        let id = call.path.trim_start_matches("/cart/");
        let cart = self.inner().carts.remove(id);
        cart.map_or_else(|| refusal(&ApiError::cart_not_found(&id.into())), |cart| reply(200, &cart))
    }

    fn menu(&self) -> Reply {
        let inner = self.inner();
        let latte = MenuItem {
            id: "latte".into(),
            name: "Nebula Latte".to_owned(),
            description: String::new(),
            emoji: "🌌".to_owned(),
            base_price: Money::from_cents(599),
            in_stock: !inner.not_served,
            restaurant_id: "bar".into(),
            category: String::new(),
            tags: Vec::new(),
            options: Vec::new(),
        };
        let bar = Restaurant {
            id: "bar".into(),
            name: "The Bar".to_owned(),
            tagline: String::new(),
            description: String::new(),
            emoji: String::new(),
            cuisine: String::new(),
            city: "Berlin".to_owned(),
            time_zone: "Europe/Berlin".to_owned(),
            hues: [0, 0],
            item_count: 1,
            location: Location { x: 5_000, y: 5_000 },
            hours: Hours::default(),
            paused: inner.paused,
            open: !inner.paused && !inner.closed,
        };
        let items = if inner.gone_from_menu { Vec::new() } else { vec![latte] };
        reply(200, &ItemsReply { items, restaurants: vec![bar] })
    }

    fn reserve(&self, call: &Call) -> Reply {
        let request: ReservationRequest = serde_json::from_slice(&call.body).unwrap();
        let mut inner = self.inner();
        inner.requests.push(request.clone());
        match inner.reservations.get(&request.order_id) {
            Some(gone) if gone.state == ReservationState::Released => {
                return refusal(&ApiError::new(Code::ReservationReleased, "given up"));
            }
            Some(before) => return reply(200, before),
            None => {}
        }
        let wanted: i64 = request.lines.iter().map(|line| i64::from(line.quantity)).sum();
        if wanted > STOCK - inner.taken {
            return refusal(&ApiError::new(Code::OutOfStock, "sold out"));
        }
        inner.taken += wanted;
        let lines = priced(&request.lines);
        let total = lines.iter().map(|line| line.total).sum();
        let reservation = Reservation {
            order_id: request.order_id.clone(),
            state: ReservationState::Reserved,
            lines,
            fees: Vec::new(),
            discounts: Vec::new(),
            subtotal: total,
            total,
            pricing: "v1".to_owned(),
        };
        inner.reservations.insert(request.order_id, reservation.clone());
        reply(200, &reservation)
    }

    fn release(&self, call: &Call) -> Reply {
        let id = OrderId::from(call.path.trim_start_matches("/reservations/").trim_end_matches("/release"));
        let mut inner = self.inner();
        let gone = Reservation {
            order_id: id.clone(),
            state: ReservationState::Released,
            lines: Vec::new(),
            fees: Vec::new(),
            discounts: Vec::new(),
            subtotal: Money::ZERO,
            total: Money::ZERO,
            pricing: String::new(),
        };
        if let Some(before) = inner.reservations.insert(id, gone) {
            inner.taken -= before.lines.iter().map(|line| i64::from(line.quantity)).sum::<i64>();
        }
        reply(204, &())
    }

    fn confirm(&self, call: &Call) -> Reply {
        let batch: ConfirmBatch = serde_json::from_slice(&call.body).unwrap();
        let mut inner = self.inner();
        for order in batch.order_ids {
            if let Some(open) = inner.reservations.get_mut(&order).filter(|open| open.state == ReservationState::Reserved) {
                open.state = ReservationState::Confirmed;
            }
        }
        reply(204, &())
    }
}

#[async_trait]
impl Transport for World {
    async fn call(&self, call: Call) -> Result<Reply, ApiError> {
        let fault = {
            let mut inner = self.inner();
            inner.calls.push(call.name);
            inner.faults.get(call.name).copied()
        };
        let service = call.name.split('.').next().unwrap_or_default();
        let answer = match fault {
            Some(Fault::Refused) => return Err(ApiError::service_unavailable(service)),
            Some(Fault::Answers(code)) => return Ok(refusal(&ApiError::new(code, "no"))),
            Some(Fault::LostReply) | None => self.answer(&call),
        };
        let hook = self.inner().hooks.remove(call.name);
        if let Some(hook) = hook {
            hook().await;
        }
        if fault.is_some() { Err(ApiError::timeout(service)) } else { Ok(answer) }
    }
}

fn reply(status: u16, body: &impl Serialize) -> Reply {
    Reply { status, body: serde_json::to_vec(body).unwrap().into(), retry_after_s: None, link: None }
}

fn refusal(error: &ApiError) -> Reply {
    let body = ErrorBody { error: error.message.clone(), code: error.code.as_str().to_owned(), request_id: String::new() };
    reply(error.status, &body)
}

fn priced(lines: &[LineRequest]) -> Vec<PricedLine> {
    let line = |line: &LineRequest| PricedLine {
        item_id: line.item_id.clone(),
        quantity: line.quantity,
        base_price: line.base_price,
        total: line.base_price.times(line.quantity),
        rules: Vec::new(),
    };
    lines.iter().map(line).collect()
}

fn quote(call: &Call) -> Reply {
    let request: QuoteRequest = serde_json::from_slice(&call.body).unwrap();
    let lines = priced(&request.lines);
    let total = lines.iter().map(|line| line.total).sum();
    let (fees, discounts) = (Vec::new(), Vec::new());
    reply(
        200,
        &Quote {
            quote_id: "quote-1".into(),
            lines,
            fees,
            discounts,
            subtotal: total,
            total,
            expires_at: MORNING,
            pricing: "v1".to_owned(),
            promotion: request.promotion,
            way: request.way,
        },
    )
}

/// The order service in that world, without its background work: tests run that themselves.
pub struct Bench {
    pub state: State,
    pub world: World,
    pub clock: ManualClock,
    pub platform: Arc<Platform>,
    pub lose_commits: Arc<AtomicBool>,
    /// What the book is kept in: for what others tell, and what they are told.
    pub database: Database,
}

impl Bench {
    pub async fn new() -> Self {
        let (platform, clock) = testkit::platform();
        let world = World::default();
        let transport: SharedTransport = Arc::new(world.clone());
        let database = Database::in_memory(NAME, &SCHEMA).await.unwrap();
        let lose_commits = Arc::new(AtomicBool::new(false));
        let book = SqlOrderBook::new(database.clone(), platform.guard(NAME, "orders", "sqlite"), platform.chance.clone());
        let state = State {
            book: Arc::new(Forgetful { book, lose_commits: lose_commits.clone() }),
            carts: CartClient::new(transport.clone()),
            menu: MenuClient::new(transport.clone()),
            middleware: MiddlewareClient::new(transport),
            clock: Arc::new(clock.clone()),
            chaos: platform.chaos(NAME),
            wake: Arc::new(Notify::new()),
            events: None,
            metrics: Metrics::new(&platform),
        };
        Self { state, world, clock, platform: Arc::new(platform), lose_commits, database }
    }

    /// Orders that stand, newest first.
    pub async fn orders(&self) -> Vec<Order> {
        self.state.book.list(&Owner::Everybody, None, &Page { after: None, limit: 1_000 }).await.unwrap()
    }

    /// Requests that are neither an order nor nothing.
    pub async fn unfinished(&self) -> Vec<OrderId> {
        self.state.book.stale(Timestamp::from_millis(i64::MAX), 1_000).await.unwrap()
    }

    /// Tasks that are due now.
    pub async fn due(&self) -> Vec<Outgoing> {
        self.state.book.due(self.clock.now(), 1_000).await.unwrap()
    }
}

pub fn request(cart: &CartId) -> PlaceOrder {
    PlaceOrder {
        customer_name: CustomerName::parse("Ada").unwrap(),
        cart_id: cart.clone(),
        special_instructions: None,
        address: None,
        payment_method: None,
        promotion: None,
        quote_id: None,
    }
}
