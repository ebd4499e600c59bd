//! Forms of kitchens and couriers: the next step of an order, autopilots.

use super::see;
use crate::cookies::Cookies;
use crate::extract::{Fields, Segment, Sent};
use crate::pages::staff::kitchen::Kitchen;
use crate::pages::staff::{courier, reject};
use crate::problem;
use crate::shop::Shop;
use crate::visit::{Notice, Visit};
use axum::Extension;
use axum::response::{IntoResponse, Redirect, Response};
use contract::delivery::SetCourier;
use contract::id::path_segment;
use contract::order::{OrderStatus, SetStatus};
use contract::{ApiError, Code, Note, OrderId};
use std::sync::Arc;

/// To the next page, which tells what was done.
pub(super) fn done(visit: &Visit, to: &str, notice: Notice) -> Response {
    let mut cookies = Cookies::default();
    cookies.notice(visit, notice);
    see(to, &cookies)
}

/// The page of an error, whose way on leads to `page`, and whose button sends the form again.
pub(super) fn trouble(visit: &Visit, error: &ApiError, page: String, action: &str, fields: &Fields) -> Response {
    let visit = Visit { path: page, ..visit.clone() };
    problem::response(&visit, error, fields.retry(action))
}

/// `POST /restaurant/orders/{id}/status`: `status`; with `rejected` a `reason`, or `words` of one's own.
pub async fn set_status(
    Extension(visit): Extension<Arc<Visit>>,
    Extension(shop): Extension<Shop>,
    Segment(id): Segment,
    Sent { fields, .. }: Sent,
) -> Response {
    let kitchen = match Kitchen::sent(&visit, &fields) {
        Ok(kitchen) => kitchen,
        Err(response) => return *response,
    };
    let board = kitchen.path("/restaurant");
    let action = format!("/restaurant/orders/{}/status", path_segment(&id));
    let change = match read(&fields) {
        Ok(change) => change,
        Err(error) if fields.get("status") == OrderStatus::Rejected.as_str() => {
            return reject::show_with(&visit, &shop, &kitchen, &id, Some((fields, error))).await;
        }
        Err(error) => return trouble(&visit, &error, board, &action, &fields),
    };
    let notice = match change.status {
        OrderStatus::Accepted => Notice::OrderAccepted,
        OrderStatus::Rejected => Notice::OrderRejected,
        _ => Notice::OrderMoved,
    };
    match shop.order.set_status(&OrderId::new(id), change).await {
        Ok(_) => done(&visit, &fields.back(&board), notice),
        Err(error) => trouble(&visit, &error, board, &action, &fields),
    }
}

fn read(fields: &Fields) -> Result<SetStatus, ApiError> {
    let status = OrderStatus::from_text(fields.get("status")).ok_or_else(|| ApiError::new(Code::InvalidBody, "there is no such status"))?;
    let words = fields.filled("words").or_else(|| fields.filled("reason")).filter(|_| status == OrderStatus::Rejected);
    if status == OrderStatus::Rejected && words.is_none() {
        return Err(ApiError::new(Code::InvalidBody, "please say why: the customer reads it"));
    }
    let wrong = |_| ApiError::new(Code::InvalidBody, format!("a reason has at most {} ordinary characters", Note::MAX_CHARS));
    let reason = words.map(|words| Note::parse(&words)).transpose().map_err(wrong)?;
    Ok(SetStatus { status, reason })
}

/// `POST /restaurant/autopilot`: `on`
pub async fn set_autopilot(
    Extension(visit): Extension<Arc<Visit>>,
    Extension(shop): Extension<Shop>,
    Sent { fields, .. }: Sent,
) -> Response {
    let kitchen = match Kitchen::sent(&visit, &fields) {
        Ok(kitchen) => kitchen,
        Err(response) => return *response,
    };
    let on = fields.get("on") == "true";
    let (board, notice) = (kitchen.path("/restaurant"), if on { Notice::AutopilotOn } else { Notice::AutopilotOff });
    match shop.order.set_autopilot(&kitchen.id, on).await {
        Ok(()) => done(&visit, &board, notice),
        Err(error) => trouble(&visit, &error, board, "/restaurant/autopilot", &fields),
    }
}

/// The courier a form is about, or the answer for whoever may not speak for one.
fn rider(visit: &Visit, fields: &Fields) -> Result<String, Box<Response>> {
    match courier::courier_of(visit, fields.get(courier::FIELD)) {
        Ok(Some(id)) => Ok(id),
        Ok(None) => Err(Box::new(Redirect::to("/courier").into_response())),
        Err(()) => Err(Box::new(courier::stranger(visit))),
    }
}

/// `POST /courier/autopilot`: `on`
pub async fn set_courier(Extension(visit): Extension<Arc<Visit>>, Extension(shop): Extension<Shop>, Sent { fields, .. }: Sent) -> Response {
    let id = match rider(&visit, &fields) {
        Ok(id) => id,
        Err(response) => return *response,
    };
    let on = fields.get("on") == "true";
    let (page, notice) = (courier::path(&visit, &id), if on { Notice::AutopilotOn } else { Notice::AutopilotOff });
    match shop.delivery.set_courier(&id, SetCourier { autopilot: on }).await {
        Ok(_) => done(&visit, &page, notice),
        Err(error) => trouble(&visit, &error, page, "/courier/autopilot", &fields),
    }
}

/// `POST /courier/orders/{id}/advance`: `done` is the step that is done. One that is not the next any more changes nothing: the bike has
/// ridden by itself meanwhile, or the button was pressed twice.
pub async fn advance(
    Extension(visit): Extension<Arc<Visit>>,
    Extension(shop): Extension<Shop>,
    Segment(order): Segment,
    Sent { fields, .. }: Sent,
) -> Response {
    let id = match rider(&visit, &fields) {
        Ok(id) => id,
        Err(response) => return *response,
    };
    let (page, action) = (courier::path(&visit, &id), format!("/courier/orders/{}/advance", path_segment(&order)));
    let order = OrderId::new(order);
    let outcome = match shop.delivery.get(&order).await {
        Ok(delivery) if !courier::is_next(&delivery, &fields) => return see(&page, &Cookies::default()),
        Ok(_) => shop.delivery.advance(&id, &order).await,
        Err(error) => Err(error),
    };
    let notice = if fields.get("done") == "delivered" { Notice::Delivered } else { Notice::PickedUp };
    match outcome {
        Ok(_) => done(&visit, &page, notice),
        Err(error) => trouble(&visit, &error, page, &action, &fields),
    }
}
