use super::router;
use crate::fakes::{Bench, request};
use crate::place::Placed;
use crate::store::Change;
use axum::body::{Body, to_bytes};
use contract::OrderId;
use contract::order::OrderStatus;
use http::{Method, Request, StatusCode};
use runtime::clock::Clock;
use runtime::context::{self, RequestContext, Role};
use serde_json::{Value, json};
use std::sync::Arc;
use tower::ServiceExt;

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Who {
    /// Without cookies.
    Nobody,
    /// The browser that orders in these tests.
    Guest,
    OtherGuest,
    /// Logged in, and not who ordered.
    Customer,
    Staff,
    OtherStaff,
    Courier,
    Operator,
}

const EVERYBODY: [Who; 8] =
    [Who::Nobody, Who::Guest, Who::OtherGuest, Who::Customer, Who::Staff, Who::OtherStaff, Who::Courier, Who::Operator];

impl Who {
    fn context(self) -> Arc<RequestContext> {
        let base = RequestContext { service: crate::NAME, ..RequestContext::default() };
        let user = |role, name: &str, restaurant: Option<&str>| RequestContext {
            role,
            user: Some(name.into()),
            session: Some("a-browser".into()),
            staff_of: restaurant.map(Into::into),
            ..base.clone()
        };
        Arc::new(match self {
            Self::Nobody => base,
            Self::Guest => RequestContext { session: Some("guest".into()), ..base },
            Self::OtherGuest => RequestContext { session: Some("other".into()), ..base },
            Self::Customer => user(Role::Customer, "ada", None),
            Self::Staff => user(Role::Restaurant, "cook", Some("bar")),
            Self::OtherStaff => user(Role::Restaurant, "rival", Some("diner")),
            Self::Courier => user(Role::Courier, "kim", None),
            Self::Operator => RequestContext { role: Role::Operator, ..base },
        })
    }
}

impl Bench {
    async fn ask(&self, who: Who, method: Method, path: &str, body: Option<Value>) -> (StatusCode, Value) {
        let mut builder = Request::builder().method(method).uri(path);
        if body.is_some() {
            builder = builder.header("content-type", "application/json");
        }
        let request = builder.body(body.map_or_else(Body::empty, |body| Body::from(body.to_string()))).unwrap();
        let response = context::scope(who.context(), router(self.state.clone()).oneshot(request)).await.unwrap();
        let status = response.status();
        let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
    }

    /// An order of the guest's.
    async fn guests_order(&self, cart: &str) -> OrderId {
        let cart = self.world.cart(cart);
        let placing = context::scope(Who::Guest.context(), self.state.place(request(&cart), None));
        match placing.await {
            Ok(Placed::New(order)) => order.id,
            _ => panic!("not placed"),
        }
    }

    async fn at(&self, cart: &str, status: OrderStatus) -> OrderId {
        use OrderStatus::{Accepted, Assigned, Delivered, Paid, PickedUp, Preparing, Ready};
        let id = self.guests_order(cart).await;
        for to in [Paid, Accepted, Preparing, Ready, Assigned, PickedUp, Delivered] {
            if status == OrderStatus::Pending {
                break;
            }
            let by = crate::domain::Actor::ALL.into_iter().find(|actor| actor.may_make(to)).unwrap();
            let change = Change { order: id.clone(), by, to, reason: None, at: self.clock.now(), traceparent: None };
            self.state.book.change(&change).await.unwrap();
            if to == status {
                break;
            }
        }
        id
    }
}

/// 401 for who may log in first, 403 for who is somebody else, the given status for who may.
fn expected(who: Who, allowed: &[Who], granted: u16) -> u16 {
    if allowed.contains(&who) {
        granted
    } else if matches!(who, Who::Nobody | Who::Guest | Who::OtherGuest) {
        401
    } else {
        403
    }
}

#[tokio::test]
async fn only_its_restaurant_and_operators_move_an_order() {
    for who in EVERYBODY {
        let bench = Bench::new().await;
        let id = bench.at("c", OrderStatus::Paid).await;
        for (status, reached) in [("accepted", "accepted"), ("preparing", "preparing"), ("ready", "ready")] {
            let (answer, body) = bench.ask(who, Method::PATCH, &format!("/api/orders/{id}"), Some(json!({"status": status}))).await;
            assert_eq!(answer.as_u16(), expected(who, &[Who::Staff, Who::Operator], 200), "{who:?} {status}: {body}");
            if answer == StatusCode::OK {
                assert_eq!((&body["status"], &body["customerName"]), (&json!(reached), &json!("Ada")));
            }
        }
    }
}

#[tokio::test]
async fn a_restaurant_rejects_with_a_reason_that_the_customer_reads() {
    let bench = Bench::new().await;
    let id = bench.at("c", OrderStatus::Paid).await;
    let body = json!({"status": "rejected", "reason": "We ran out of oat milk."});
    let (answer, order) = bench.ask(Who::Staff, Method::PATCH, &format!("/api/orders/{id}"), Some(body)).await;
    assert_eq!((answer.as_u16(), &order["reason"]), (200, &json!("We ran out of oat milk.")));
    let (_, order) = bench.ask(Who::Guest, Method::GET, &format!("/api/orders/{id}"), None).await;
    assert_eq!((&order["status"], &order["reason"]), (&json!("rejected"), &json!("We ran out of oat milk.")));
}

#[tokio::test]
async fn an_illegal_move_names_both_states_and_a_foreign_one_is_forbidden() {
    let bench = Bench::new().await;
    let id = bench.at("c", OrderStatus::Pending).await;
    let path = format!("/api/orders/{id}");
    let (answer, body) = bench.ask(Who::Staff, Method::PATCH, &path, Some(json!({"status": "ready"}))).await;
    assert_eq!((answer.as_u16(), &body["code"]), (409, &json!("ILLEGAL_TRANSITION")));
    let message = body["error"].as_str().unwrap();
    assert!(message.contains("pending") && message.contains("ready"), "{message}");
    for who in [Who::Staff, Who::Operator] {
        let (answer, body) = bench.ask(who, Method::PATCH, &path, Some(json!({"status": "paid"}))).await;
        assert_eq!((answer.as_u16(), &body["code"]), (403, &json!("FORBIDDEN")), "{who:?} has not seen the money");
    }
    let (answer, _) = bench.ask(Who::Operator, Method::PATCH, "/api/orders/none", Some(json!({"status": "ready"}))).await;
    assert_eq!(answer.as_u16(), 404);
}

#[tokio::test]
async fn whoever_ordered_and_operators_cancel() {
    for who in EVERYBODY {
        let bench = Bench::new().await;
        let id = bench.at("c", OrderStatus::Paid).await;
        let (answer, body) = bench.ask(who, Method::POST, &format!("/api/orders/{id}/cancel"), None).await;
        let granted = matches!(who, Who::Guest | Who::Operator);
        assert_eq!(answer.as_u16(), if granted { 200 } else { 403 }, "{who:?}: {body}");
        let order = bench.state.book.find(&id).await.unwrap().unwrap().order;
        assert_eq!(order.status, if granted { OrderStatus::Cancelled } else { OrderStatus::Paid });
    }
}

#[tokio::test]
async fn an_order_can_be_cancelled_until_the_restaurant_accepts_and_once() {
    for status in OrderStatus::ALL {
        if matches!(status, OrderStatus::Cancelled | OrderStatus::Rejected | OrderStatus::PaymentFailed) {
            continue;
        }
        let bench = Bench::new().await;
        let id = bench.at("c", status).await;
        let path = format!("/api/orders/{id}/cancel");
        let (answer, body) = bench.ask(Who::Guest, Method::POST, &path, None).await;
        let possible = matches!(status, OrderStatus::Pending | OrderStatus::Paid);
        assert_eq!(answer.as_u16(), if possible { 200 } else { 409 }, "{status:?}: {body}");
        let (again, _) = bench.ask(Who::Guest, Method::POST, &path, None).await;
        assert_eq!(again.as_u16(), 409);
    }
    let bench = Bench::new().await;
    assert_eq!(bench.ask(Who::Guest, Method::POST, "/api/orders/none/cancel", None).await.0.as_u16(), 404);
}

#[tokio::test]
async fn who_knows_the_id_sees_the_status_and_who_may_sees_the_name() {
    let bench = Bench::new().await;
    let id = bench.at("c", OrderStatus::Paid).await;
    for who in EVERYBODY {
        let (answer, order) = bench.ask(who, Method::GET, &format!("/api/orders/{id}"), None).await;
        assert_eq!((answer.as_u16(), &order["status"]), (200, &json!("paid")), "{who:?}");
        let sees_all = matches!(who, Who::Guest | Who::Staff | Who::Operator);
        assert_eq!(order["customerName"].is_string(), sees_all, "{who:?}");
    }
}

#[tokio::test]
async fn a_board_is_its_restaurants_alone() {
    let bench = Bench::new().await;
    bench.at("c", OrderStatus::Paid).await;
    for who in EVERYBODY {
        let (answer, board) = bench.ask(who, Method::GET, "/api/restaurants/bar/orders", None).await;
        assert_eq!(answer.as_u16(), expected(who, &[Who::Staff, Who::Operator], 200), "{who:?}: {board}");
        if answer == StatusCode::OK {
            assert_eq!((board["new"].as_array().unwrap().len(), &board["autopilot"]), (1, &json!(true)));
        }
        let off = Some(json!({"on": false}));
        let (answer, _) = bench.ask(who, Method::PUT, "/api/restaurants/bar/autopilot", off).await;
        assert_eq!(answer.as_u16(), expected(who, &[Who::Staff, Who::Operator], 200), "{who:?}");
        bench.state.book.set_autopilot(&"bar".into(), true).await.unwrap();
    }
}

#[tokio::test]
async fn lists_hold_what_the_caller_owns() {
    let bench = Bench::new().await;
    bench.at("c", OrderStatus::Paid).await;
    for who in EVERYBODY {
        for path in ["/api/orders", "/api/customers", "/api/customers/Ada/orders"] {
            let (answer, list) = bench.ask(who, Method::GET, path, None).await;
            let owns = matches!(who, Who::Guest | Who::Operator);
            assert_eq!((answer.as_u16(), list.as_array().unwrap().len()), (200, usize::from(owns)), "{who:?} {path}");
        }
    }
}

#[tokio::test]
async fn a_guest_who_logs_in_takes_the_orders_along_and_nobody_takes_others() {
    let bench = Bench::new().await;
    let id = bench.guests_order("c").await;
    let claim = Some(json!({"session": "guest", "user": "ada"}));
    for who in EVERYBODY.into_iter().filter(|who| !matches!(who, Who::Guest | Who::Operator)) {
        let (answer, _) = bench.ask(who, Method::POST, "/internal/orders/claim", claim.clone()).await;
        assert_eq!(answer.as_u16(), 403, "{who:?}");
    }
    let (answer, _) = bench.ask(Who::Guest, Method::POST, "/internal/orders/claim", claim).await;
    assert_eq!(answer.as_u16(), 204);
    let (_, mine) = bench.ask(Who::Customer, Method::GET, "/api/orders", None).await;
    assert_eq!(mine[0]["id"], json!(id));
    let (_, guests) = bench.ask(Who::Guest, Method::GET, "/api/orders", None).await;
    assert_eq!(guests, json!([]));
}

#[tokio::test]
async fn a_browser_that_calls_itself_like_an_account_is_not_that_account() {
    let bench = Bench::new().await;
    bench.guests_order("c").await;
    bench.ask(Who::Guest, Method::POST, "/internal/orders/claim", Some(json!({"session": "guest", "user": "ada"}))).await;
    for session in ["ada", "u:ada", "s:ada"] {
        let context = Arc::new(RequestContext { session: Some(session.into()), ..RequestContext::default() });
        let request = Request::get("/api/orders").body(Body::empty()).unwrap();
        let response = context::scope(context, router(bench.state.clone()).oneshot(request)).await.unwrap();
        assert_eq!(&to_bytes(response.into_body(), 1_000).await.unwrap()[..], b"[]", "{session}");
    }
}

#[tokio::test]
async fn only_operators_reset_and_nothing_is_left() {
    for who in EVERYBODY {
        let bench = Bench::new().await;
        bench.at("c", OrderStatus::Paid).await;
        let (answer, _) = bench.ask(who, Method::POST, "/internal/reset", None).await;
        assert_eq!(answer.as_u16(), if who == Who::Operator { 204 } else { 401 }, "{who:?}");
        let left = usize::from(who != Who::Operator);
        assert_eq!(bench.orders().await.len(), left);
        let (_, books) = bench.ask(Who::Operator, Method::GET, "/internal/ledger", None).await;
        assert_eq!((&books["totals"]["orders"], &books["totals"]["paid"]), (&json!(left), &json!(left)));
    }
}
