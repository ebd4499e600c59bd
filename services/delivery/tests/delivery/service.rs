//! The service as others see it: events in, events out, and its routes.

use crate::desk::{DOOR, ready};
use contract::client::DeliveryClient;
use contract::delivery::{DeliveryStatus, SetCourier};
use contract::event::Event;
use contract::{ApiError, Code, OrderId};
use runtime::Platform;
use runtime::clock::{Clock, ManualClock};
use runtime::context::{self, RequestContext, Role};
use runtime::events::bus::{Message, Parcel, Tailed};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use testkit::eventually;

const PATIENCE: Duration = Duration::from_secs(30);

struct Town {
    platform: Platform,
    clock: ManualClock,
    client: DeliveryClient,
}

impl Town {
    async fn new() -> Self {
        let (platform, clock) = testkit::platform();
        let service = delivery::build(&platform).await.unwrap();
        platform.embed(&service);
        platform.open_bus();
        let client = DeliveryClient::new(platform.transport("server", "delivery").unwrap());
        Self { platform, clock, client }
    }

    async fn publish(&self, event: &Event) {
        let document = serde_json::to_string(event).unwrap();
        let (id, kind, order) = (event.id.clone(), event.fact.kind().to_owned(), event.order_id.to_string());
        let parcel = Parcel { row: 1, message: Arc::new(Message { id, kind, order, document }) };
        self.platform.bus().await.unwrap().publish(&[parcel], &tokio::sync::mpsc::unbounded_channel().0).await.unwrap();
    }

    async fn becomes(&self, order: &str, status: DeliveryStatus) {
        let id = OrderId::new(order);
        eventually("the delivery moves on", PATIENCE, async || self.client.get(&id).await.is_ok_and(|delivery| delivery.status == status))
            .await;
    }

    /// An order in a courier's hands, whom nobody moves.
    async fn carried(&self, order: &str) -> String {
        self.publish(&ready(order, "Berlin", self.clock.now())).await;
        self.becomes(order, DeliveryStatus::Assigned).await;
        let courier = self.client.get(&OrderId::new(order)).await.unwrap().courier.unwrap().id;
        as_operator(self.client.set_courier(&courier, SetCourier { autopilot: false })).await.unwrap();
        courier
    }
}

async fn as_somebody<T>(change: impl FnOnce(&mut RequestContext), work: impl Future<Output = T>) -> T {
    let mut context =
        RequestContext { service: "server", request_id: uuid::Uuid::new_v4().to_string().into(), ..RequestContext::default() };
    change(&mut context);
    context::scope(Arc::new(context), work).await
}

async fn as_operator<T>(work: impl Future<Output = T>) -> T {
    as_somebody(|context| context.role = Role::Operator, work).await
}

async fn as_courier<T>(id: &str, work: impl Future<Output = T>) -> T {
    let set = |context: &mut RequestContext| (context.role, context.courier) = (Role::Courier, Some(id.into()));
    as_somebody(set, work).await
}

fn code<T: std::fmt::Debug>(answer: Result<T, ApiError>) -> Code {
    answer.unwrap_err().code
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_that_is_ready_is_brought_to_the_door_and_everybody_hears_of_it() {
    let town = Town::new().await;
    let mut tail = town.platform.bus().await.unwrap().tail();
    assert_eq!(code(town.client.get(&OrderId::new("a")).await), Code::DeliveryNotFound);
    let order = ready("a", "Berlin", town.clock.now());
    town.publish(&order).await;
    town.becomes("a", DeliveryStatus::Assigned).await;
    town.clock.advance(Duration::from_secs(20));
    town.becomes("a", DeliveryStatus::PickedUp).await;
    town.clock.advance(Duration::from_secs(20));
    town.becomes("a", DeliveryStatus::Completed).await;

    let heard = async {
        let mut kinds = Vec::new();
        while kinds.len() < 4 {
            if let Some(Tailed::Event(event)) = tail.next().await {
                kinds.push(event.fact.kind());
            }
        }
        kinds
    };
    let kinds = tokio::time::timeout(PATIENCE, heard).await.unwrap();
    assert_eq!(kinds, ["order.ready", "delivery.assigned", "delivery.pickedUp", "delivery.completed"]);
    let page = town.client.ledger().await.unwrap();
    assert_eq!((page.total("deliveries"), page.total("completed"), page.open.len()), (1, 1, 0));
    assert_eq!(town.client.couriers("Berlin").await.unwrap().iter().filter(|courier| courier.location == DOOR).count(), 1);
    let metrics = town.platform.metrics.prometheus_text();
    for status in ["queued", "assigned", "pickedUp", "completed"] {
        assert!(metrics.contains(&format!("feast_delivery_status=\"{status}\"")), "{metrics}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_courier_moves_their_own_order_and_nobody_elses() {
    let town = Town::new().await;
    let order = OrderId::new("a");
    let id = town.carried("a").await;
    assert_eq!(code(town.client.advance(&id, &order).await), Code::Forbidden);
    assert_eq!(code(as_courier("berlin-99", town.client.advance(&id, &order)).await), Code::Forbidden);
    assert_eq!(code(as_courier("berlin-99", town.client.advance("berlin-99", &order)).await), Code::DeliveryNotFound);
    let delivery = as_courier(&id, town.client.advance(&id, &order)).await.unwrap();
    assert_eq!((delivery.status, delivery.customer_name.as_str()), (DeliveryStatus::PickedUp, "Ada"));
    let twice = async {
        let first = town.client.advance(&id, &order).await.unwrap();
        (first.status, town.client.advance(&id, &order).await.unwrap().status)
    };
    assert_eq!(as_operator(twice).await, (DeliveryStatus::Completed, DeliveryStatus::Completed));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_a_courier_or_an_operator_takes_the_handlebars() {
    let town = Town::new().await;
    let by_hand = || SetCourier { autopilot: false };
    assert_eq!(code(town.client.set_courier("berlin-01", by_hand()).await), Code::Forbidden);
    assert_eq!(code(as_courier("berlin-02", town.client.set_courier("berlin-01", by_hand())).await), Code::Forbidden);
    assert!(!as_courier("berlin-01", town.client.set_courier("berlin-01", by_hand())).await.unwrap().autopilot);
    assert!(as_operator(town.client.set_courier("berlin-01", SetCourier { autopilot: true })).await.unwrap().autopilot);
    assert_eq!(code(as_operator(town.client.set_courier("nobody", by_hand())).await), Code::CourierNotFound);
    assert_eq!(code(town.client.courier("nobody").await), Code::CourierNotFound);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stranger_learns_neither_names_nor_order_ids() {
    let town = Town::new().await;
    let order = OrderId::new("a");
    let id = town.carried("a").await;
    let seen = async || (town.client.get(&order).await.unwrap().customer_name, town.client.courier(&id).await.unwrap().order_id.is_some());
    let listed = async || town.client.couriers("Berlin").await.unwrap().iter().filter(|courier| courier.order_id.is_some()).count();
    let stranger = |context: &mut RequestContext| context.session = Some("session-b".into());
    assert_eq!(as_somebody(stranger, seen()).await, (String::new(), false));
    assert_eq!(as_somebody(stranger, listed()).await, 0);
    let customer = |context: &mut RequestContext| context.session = Some("session-a".into());
    assert_eq!(as_somebody(customer, seen()).await, ("Ada".to_owned(), false));
    let staff = |context: &mut RequestContext| (context.role, context.staff_of) = (Role::Restaurant, Some("cosmic-coffee".into()));
    assert_eq!(as_somebody(staff, seen()).await, ("Ada".to_owned(), false));
    let others = |context: &mut RequestContext| (context.role, context.staff_of) = (Role::Restaurant, Some("sushi".into()));
    assert_eq!(as_somebody(others, seen()).await, (String::new(), false));
    assert_eq!(as_courier(&id, seen()).await, ("Ada".to_owned(), true));
    assert_eq!(as_courier("berlin-99", seen()).await, (String::new(), false));
    assert_eq!(as_operator(seen()).await, ("Ada".to_owned(), true));
    assert_eq!(as_operator(listed()).await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_an_operator_begins_anew() {
    let town = Town::new().await;
    let id = town.carried("a").await;
    assert_eq!(code(town.client.upkeep().reset().await), Code::Unauthorized);
    assert_eq!(code(as_courier(&id, town.client.upkeep().reset()).await), Code::Unauthorized);
    as_operator(town.client.upkeep().reset()).await.unwrap();
    assert_eq!(code(town.client.get(&OrderId::new("a")).await), Code::DeliveryNotFound);
    assert!(town.client.courier(&id).await.unwrap().autopilot);
    assert_eq!(town.client.ledger().await.unwrap().total("deliveries"), 0);
}
