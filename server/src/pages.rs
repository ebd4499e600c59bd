//! What the shop's pages need of each request.

use crate::accounts::AccountDesk;
use crate::identity::Identified;
use app::accounts::SharedAccounts;
use app::back_office::SharedBackOffice;
use app::control_room::SharedControlRoom;
use app::desk::SharedDesk;
use app::features::SharedFeatures;
use app::shop::Shop;
use app::visit::{Assets, Caller, Mode, Site, Visit, Who};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use contract::client::{
    CartClient, DeliveryClient, MenuClient, MiddlewareClient, NotificationClient, OrderClient, PaymentClient, UserClient,
};
use contract::{ApiError, Code, RestaurantId, SessionId};
use runtime::Platform;
use runtime::boot::BootError;
use runtime::clock::SharedClock;
use runtime::context::{self, RequestContext};
use runtime::http::HttpError;
use runtime::telemetry::propagation::trace_id;
use std::sync::Arc;
use tracing::Span;

/// What the console's pages are answered by.
#[derive(Clone)]
pub struct BackRooms {
    pub desk: SharedDesk,
    pub office: SharedBackOffice,
    pub room: SharedControlRoom,
}

#[derive(Clone)]
pub struct Pages {
    site: Arc<Site>,
    shop: Shop,
    accounts: SharedAccounts,
    /// Where the console is.
    rooms: Option<BackRooms>,
    features: SharedFeatures,
    clock: SharedClock,
}

/// Nobody here speaks TLS; a proxy that does may send on plain cookies all the same.
pub const SECURE_COOKIES: bool = false;

impl Pages {
    pub fn new(platform: &Platform, accounts: AccountDesk, rooms: Option<BackRooms>) -> Result<Self, BootError> {
        let client = |service| platform.transport(crate::NAME, service);
        let shop = Shop {
            menu: MenuClient::new(client("menu")?),
            cart: CartClient::new(client("cart")?),
            order: OrderClient::new(client("order")?),
            middleware: MiddlewareClient::new(client("middleware")?),
            payment: PaymentClient::new(client("payment")?),
            delivery: DeliveryClient::new(client("delivery")?),
            notification: NotificationClient::new(client("notification")?),
            user: UserClient::new(client("user")?),
        };
        let settings = &platform.settings;
        let database = match settings.database_url.as_deref() {
            Some(url) if url.starts_with("postgres") => "PostgreSQL",
            _ => "SQLite",
        };
        let shared = if settings.redis_url.is_some() { "Redis" } else { "memory" };
        let stock = if settings.redis_url.is_some() { "Redis" } else { "memory, with a journal in SQL" };
        let place = |service: &str, store: &str| {
            if settings.addresses(service).is_empty() { store.to_owned() } else { format!("the {service} service") }
        };
        let site = Site {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            mode: if settings.is_split() { Mode::Split } else { Mode::Embedded },
            stores: vec![
                ("menus".to_owned(), place("menu", database)),
                ("carts".to_owned(), place("cart", shared)),
                ("stock".to_owned(), place("middleware", stock)),
                ("orders".to_owned(), place("order", database)),
                ("accounts".to_owned(), place("user", database)),
                ("payments".to_owned(), place("payment", database)),
                ("deliveries".to_owned(), place("delivery", database)),
                ("messages".to_owned(), place("notification", database)),
                ("events".to_owned(), shared.to_owned()),
            ],
            assets: Assets { base: crate::assets::BASE.to_owned() },
            secure_cookies: SECURE_COOKIES,
            started_at: platform.clock.now(),
        };
        Ok(Self {
            site: Arc::new(site),
            shop,
            accounts: Arc::new(accounts),
            rooms,
            features: Arc::new(crate::features::Offered(platform.chaos(crate::NAME))),
            clock: platform.clock.clone(),
        })
    }
}

/// Addresses that programs ask: JSON whatever happens, no cookies of the shop read.
fn is_api(path: &str) -> bool {
    path != app::handbook::ADDRESS && ["/api/", "/ofrep/", "/pkg/"].iter().any(|prefix| path.starts_with(prefix))
}

fn who(context: &RequestContext, identified: Option<&Identified>) -> Who {
    Who {
        role: context.role,
        user: context.user.as_deref().map(str::to_owned),
        name: match identified {
            Some(Identified::Account { name }) => Some(name.clone()),
            _ => None,
        },
        staff_of: context.staff_of.as_deref().map(RestaurantId::new),
        courier: context.courier.as_deref().map(str::to_owned),
    }
}

/// Puts the clients, the visit, the flag desk and the accounts on the request of a page.
pub async fn equip(State(pages): State<Pages>, mut request: Request, next: Next) -> Response {
    if is_api(request.uri().path()) {
        return next.run(request).await;
    }
    let context = context::current();
    let caller = Caller {
        session: SessionId::new(context.session.as_deref().unwrap_or_default()),
        who: who(&context, request.extensions().get()),
        request_id: context.request_id.to_string(),
        trace_id: trace_id(&Span::current()),
        now: pages.clock.now(),
    };
    let visit = Arc::new(Visit::new(pages.site.clone(), caller, request.uri(), request.headers()));
    let extensions = request.extensions_mut();
    extensions.insert(pages.shop.clone());
    extensions.insert(visit);
    extensions.insert(pages.accounts.clone());
    extensions.insert(pages.features.clone());
    if let Some(BackRooms { desk, office, room }) = &pages.rooms {
        extensions.insert(desk.clone());
        extensions.insert(office.clone());
        extensions.insert(room.clone());
    }
    next.run(request).await
}

/// Nothing is here: JSON for programs, a page for people.
pub async fn nothing_here(request: Request) -> Response {
    let error = ApiError::new(Code::NotFound, "there is nothing at this address");
    answer(&request, error)
}

pub async fn wrong_method(request: Request) -> Response {
    answer(&request, ApiError::new(Code::MethodNotAllowed, "this address does not take this method"))
}

/// A page where the visit is known, JSON everywhere else.
pub fn answer(request: &Request, error: ApiError) -> Response {
    match request.extensions().get::<Arc<Visit>>() {
        Some(visit) => app::error_page(&error, visit),
        None => HttpError(error).into_response(),
    }
}
