//! `GET /api/ledger`: what must hold, whatever fault is on, from the books of all services.
//!
//! Each side of an equation comes from another owner's store. A fact may be on its way from one to the other: whatever moved within the
//! last 30 s on either side is "in flight", and the sides may differ by that much. When nothing has moved for 30 s, they are equal or
//! something was lost.

use axum::Router;
use axum::extract::State;
use contract::client::{DeliveryClient, MenuClient, MiddlewareClient, NotificationClient, OrderClient, PaymentClient};
use contract::ledger::{Check, Ledger, LedgerItem, LedgerPage};
use contract::{ApiError, Timestamp};
use runtime::Platform;
use runtime::boot::BootError;
use runtime::clock::SharedClock;
use runtime::http::{ApiResult, Json};
use std::sync::Arc;
use tracing::Instrument;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Reads the books of all services.
#[derive(Clone)]
pub struct Auditor(Arc<Inner>);

struct Inner {
    order: OrderClient,
    menu: MenuClient,
    payment: PaymentClient,
    middleware: MiddlewareClient,
    delivery: DeliveryClient,
    notification: NotificationClient,
    clock: SharedClock,
}

/// One page a service.
#[derive(Default)]
struct Books {
    order: LedgerPage,
    menu: LedgerPage,
    payment: LedgerPage,
    middleware: LedgerPage,
    delivery: LedgerPage,
    notification: LedgerPage,
}

impl Auditor {
    /// # Errors
    /// A service is neither embedded nor addressed.
    pub fn new(platform: &Platform) -> Result<Self, BootError> {
        let client = |service| platform.transport(crate::NAME, service);
        Ok(Self(Arc::new(Inner {
            order: OrderClient::new(client("order")?),
            menu: MenuClient::new(client("menu")?),
            payment: PaymentClient::new(client("payment")?),
            middleware: MiddlewareClient::new(client("middleware")?),
            delivery: DeliveryClient::new(client("delivery")?),
            notification: NotificationClient::new(client("notification")?),
            clock: platform.clock.clone(),
        })))
    }

    /// # Errors
    /// Some service does not show its books: nothing can be said then.
    pub async fn ledger(&self) -> Result<Ledger, ApiError> {
        let inner = &*self.0;
        let reading = async {
            tokio::try_join!(
                inner.order.ledger(),
                inner.menu.ledger(),
                inner.payment.ledger(),
                inner.middleware.ledger(),
                inner.delivery.ledger(),
                inner.notification.ledger(),
            )
        };
        let span = tracing::info_span!("ledger.read", otel.name = "read the books", feast.books = 6);
        let (order, menu, payment, middleware, delivery, notification) = reading.instrument(span).await?;
        Ok(judge(&Books { order, menu, payment, middleware, delivery, notification }, inner.clock.now()))
    }
}

pub fn router(auditor: Auditor) -> Router {
    routes().with_state(auditor).into()
}

/// The same calls, described.
pub fn openapi() -> OpenApi {
    routes().into_openapi()
}

fn routes() -> OpenApiRouter<Auditor> {
    OpenApiRouter::default().routes(routes!(show))
}

/// What must hold, and whether it does
///
/// Each side of an equation is of another owner's books. They may differ by what moved within the last 30 seconds.
#[utoipa::path(get, path = "/api/ledger", tag = "Operators", operation_id = "getLedger",
    responses((status = 200, description = "The equations, and what is open.", body = Ledger)))]
async fn show(State(auditor): State<Auditor>) -> ApiResult<Json<Ledger>> {
    Ok(Json(auditor.ledger().await?))
}

/// One side of an equation: sums of one owner's book, each added or taken off.
struct Side<'a> {
    page: &'a LedgerPage,
    adds: &'static [&'static str],
    takes: &'static [&'static str],
}

impl Side<'_> {
    fn sum(&self) -> i64 {
        let of = |names: &[&str]| names.iter().map(|name| self.page.total(name)).sum::<i64>();
        of(self.adds) - of(self.takes)
    }

    fn moving(&self) -> i64 {
        self.adds.iter().chain(self.takes).map(|name| self.page.recent(name).abs()).sum()
    }
}

fn judge(books: &Books, at: Timestamp) -> Ledger {
    fn side<'a>(page: &'a LedgerPage, adds: &'static [&'static str], takes: &'static [&'static str]) -> Side<'a> {
        Side { page, adds, takes }
    }
    let Books { order, menu, payment, middleware, delivery, notification } = books;
    let nothing = LedgerPage::default();
    let zero = || side(&nothing, &[], &[]);
    let equations = [
        ("tickets", "paid orders = kitchen tickets", side(order, &["paid"], &[]), side(menu, &["tickets"], &[])),
        (
            "ticketMoney",
            "cents of paid orders = cents on kitchen tickets",
            side(order, &["paid_cents"], &[]),
            side(menu, &["ticket_cents"], &[]),
        ),
        (
            "pricing",
            "cents of paid orders = what the pricing algorithms earned",
            side(order, &["paid_cents"], &[]),
            side(middleware, &["priced_cents"], &[]),
        ),
        ("payments", "accepted orders = orders handed to payment", side(order, &["orders"], &[]), side(payment, &["payments"], &[])),
        (
            "money",
            "charges − refunds = cents of paid orders − cents to give back",
            side(payment, &["charged_cents"], &["refunded_cents"]),
            side(order, &["paid_cents"], &["refund_due_cents"]),
        ),
        (
            "bank",
            "charges − refunds in our books = in the bank's",
            side(payment, &["charged_cents"], &["refunded_cents"]),
            side(payment, &["bank_charged_cents"], &["bank_refunded_cents"]),
        ),
        (
            "sold",
            "units of standing orders = units taken − units released",
            side(order, &["sold_units"], &["released_units"]),
            side(middleware, &["sold_units"], &["released_units"]),
        ),
        (
            "stock",
            "stock on the shelves = initial + replenished − sold + released",
            side(middleware, &["stock"], &[]),
            side(middleware, &["movements"], &[]),
        ),
        ("noNegativeStock", "items with a negative stock = 0", side(middleware, &["negative_items"], &[]), zero()),
        (
            "oneOrderAKey",
            "requests that were answered with an order = orders",
            side(order, &["requests_done"], &[]),
            side(order, &["orders"], &[]),
        ),
        ("delivered", "delivered orders = completed deliveries", side(order, &["delivered"], &[]), side(delivery, &["completed"], &[])),
        ("told", "messages queued = messages sent", side(notification, &["queued"], &[]), side(notification, &["sent"], &[])),
        ("owners", "overdue orders that nobody has = 0", side(order, &["overdue_without_owner"], &[]), zero()),
    ];
    let checks: Vec<Check> = equations
        .into_iter()
        .map(|(name, says, left, right)| {
            let (l, r, in_flight) = (left.sum(), right.sum(), left.moving() + right.moving());
            Check {
                name: name.to_owned(),
                says: says.to_owned(),
                left: l,
                right: r,
                in_flight,
                holds: l.abs_diff(r) <= in_flight.unsigned_abs(),
            }
        })
        .collect();
    let mut open: Vec<LedgerItem> =
        [order, menu, payment, middleware, delivery, notification].into_iter().flat_map(|page| page.open.iter().cloned()).collect();
    open.sort_by(|a, b| a.since.cmp(&b.since).then_with(|| a.order_id.cmp(&b.order_id)));
    open.truncate(LedgerPage::MAX_OPEN);
    Ledger {
        balanced: checks.iter().all(|check| check.holds),
        settled: checks.iter().all(|check| check.left == check.right),
        checks,
        open,
        at,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(totals: &[(&str, i64)], recent: &[(&str, i64)]) -> LedgerPage {
        let map = |pairs: &[(&str, i64)]| pairs.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect();
        LedgerPage { totals: map(totals), recent: map(recent), open: Vec::new() }
    }

    fn broken(books: &Books) -> Vec<String> {
        let ledger = judge(books, Timestamp::from_millis(0));
        assert_eq!(ledger.balanced, ledger.checks.iter().all(|check| check.holds));
        ledger.checks.into_iter().filter(|check| !check.holds).map(|check| check.name).collect()
    }

    #[test]
    fn a_shop_without_orders_is_balanced_and_settled() {
        let ledger = judge(&Books::default(), Timestamp::from_millis(0));
        assert!(ledger.balanced && ledger.settled);
    }

    #[test]
    fn what_is_in_flight_may_differ_and_what_is_not_may_not() {
        let books = |recent: i64| Books {
            order: page(&[("paid", 10)], &[("paid", recent)]),
            menu: page(&[("tickets", 8)], &[]),
            ..Books::default()
        };
        assert_eq!(broken(&books(2)), Vec::<String>::new());
        assert_eq!(broken(&books(1)), ["tickets"]);
        assert!(!judge(&books(2), Timestamp::from_millis(0)).settled);
    }

    #[test]
    fn money_given_back_leaves_both_sides() {
        let books = |refunded| Books {
            order: page(&[("paid_cents", 5_000), ("refund_due_cents", 2_000)], &[]),
            menu: page(&[("ticket_cents", 5_000)], &[]),
            middleware: page(&[("priced_cents", 5_000)], &[]),
            payment: page(
                &[("charged_cents", 5_000), ("refunded_cents", refunded), ("bank_charged_cents", 5_000), ("bank_refunded_cents", refunded)],
                &[],
            ),
            ..Books::default()
        };
        assert_eq!(broken(&books(2_000)), Vec::<String>::new());
        assert_eq!(broken(&books(0)), ["money"]);
    }

    #[test]
    fn one_unit_that_nobody_sold_is_seen() {
        let books = Books { middleware: page(&[("stock", 100), ("movements", 101)], &[]), ..Books::default() };
        assert_eq!(broken(&books), ["stock"]);
    }
}
