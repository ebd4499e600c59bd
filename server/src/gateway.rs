//! `/api/…` passed on to the service that answers it. Bodies stream; the gateway's own client span is the parent of what follows.

use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use contract::client::{MenuClient, MiddlewareClient};
use contract::error::ErrorBody;
use contract::pricing::{SetStock, StockLevel};
use contract::{ApiError, ItemId, RestaurantId};
use http::header::{AUTHORIZATION, CONNECTION, COOKIE, TRANSFER_ENCODING, UPGRADE};
use http::uri::PathAndQuery;
use http::{HeaderName, Method, Uri};
use runtime::Platform;
use runtime::boot::BootError;
use runtime::call::{ServiceClient, policy};
use runtime::http::{ApiResult, HttpError, Json, Path, headers};
use std::sync::Arc;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");

/// Public address, service, and what is taken off the front before it is passed on.
const ROUTES: &[(&str, &str, &str)] = &[
    ("/api/menu", "menu", ""),
    ("/api/menu/{id}", "menu", ""),
    ("/api/restaurants", "menu", ""),
    ("/api/restaurants/{id}", "menu", ""),
    ("/api/restaurants/{id}/menu", "menu", ""),
    ("/api/restaurants/{id}/items", "menu", ""),
    ("/api/restaurants/{id}/items/{itemId}", "menu", ""),
    ("/api/restaurants/{id}/recommendations", "menu", ""),
    ("/api/restaurants/{id}/figures", "menu", ""),
    ("/api/restaurants/{id}/orders", "order", ""),
    ("/api/restaurants/{id}/autopilot", "order", ""),
    ("/api/cart", "cart", "/api"),
    ("/api/cart/{id}", "cart", "/api"),
    ("/api/cart/{id}/items", "cart", "/api"),
    ("/api/cart/{id}/items/{itemId}", "cart", "/api"),
    ("/api/quotes", "order", ""),
    ("/api/orders", "order", ""),
    ("/api/orders/{id}", "order", ""),
    ("/api/orders/{id}/cancel", "order", ""),
    ("/api/customers", "order", ""),
    ("/api/customers/{name}/orders", "order", ""),
    ("/api/inventory", "middleware", "/api"),
    ("/api/inventory/{itemId}", "middleware", "/api"),
];

#[derive(Clone)]
struct Passage {
    client: Arc<ServiceClient>,
    prefix: &'static str,
}

/// Who may ask what, by which method, is in the table of `access.rs`.
///
/// # Errors
/// A service is neither embedded nor addressed.
pub fn router(platform: &Platform) -> Result<Router, BootError> {
    let stock = Shelf {
        menu: MenuClient::new(platform.transport(crate::NAME, "menu")?),
        middleware: MiddlewareClient::new(platform.transport(crate::NAME, "middleware")?),
    };
    let mut router = Router::from(own_routes().with_state(stock));
    for (path, service, prefix) in ROUTES {
        let passage = Passage { client: platform.client(crate::NAME, service)?, prefix };
        router = router.route(path, any(pass).with_state(passage));
    }
    Ok(router)
}

fn own_routes() -> OpenApiRouter<Shelf> {
    OpenApiRouter::default().routes(routes!(set_stock))
}

/// Every service's calls under their public addresses, and the gateway's own, described.
pub fn openapi() -> OpenApi {
    let passed_on =
        [("menu", menu::openapi()), ("cart", cart::openapi()), ("order", order::openapi()), ("middleware", middleware::openapi())];
    passed_on.into_iter().fold(own_routes().into_openapi(), |document, (service, part)| {
        let prefix = ROUTES.iter().find(|(_, answers, _)| *answers == service).map_or("", |(_, _, prefix)| prefix);
        document.nest(prefix, part)
    })
}

/// The rule of the call-policy table a public call travels under. Placing an order has a name of its own: faults aim at it.
fn call_name(method: &Method, path: &str) -> &'static str {
    match (method.as_str(), path) {
        ("POST", "/api/orders") => "order.place",
        _ => "gateway.proxy",
    }
}

async fn pass(State(passage): State<Passage>, mut request: Request) -> Response {
    let policy = policy(call_name(request.method(), request.uri().path()));
    if let Some(shorter) = request.uri().path_and_query().map(PathAndQuery::as_str).and_then(|path| path.strip_prefix(passage.prefix)) {
        match Uri::try_from(shorter) {
            Ok(uri) => *request.uri_mut() = uri,
            Err(_) => {
                return HttpError(contract::ApiError::new(contract::Code::NotFound, "there is nothing at this address")).into_response();
            }
        }
    }
    // What is between the browser and us ends here.
    for name in [COOKIE, AUTHORIZATION, CONNECTION, KEEP_ALIVE, TRANSFER_ENCODING, UPGRADE] {
        request.headers_mut().remove(name);
    }
    match passage.client.send(policy, request).await {
        Ok(mut response) => {
            for name in [CONNECTION, KEEP_ALIVE, TRANSFER_ENCODING, headers::REQUEST_ID] {
                response.headers_mut().remove(name);
            }
            response
        }
        Err(error) => HttpError(error).into_response(),
    }
}

/// What is needed to set the stock of a restaurant's dish.
#[derive(Clone)]
struct Shelf {
    menu: MenuClient,
    middleware: MiddlewareClient,
}

/// Sets how much of a dish there is
// That the caller is staff of the restaurant is known by now; that the dish is the restaurant's, the menu knows.
#[utoipa::path(put, path = "/api/restaurants/{id}/items/{itemId}/stock", tag = "Restaurants", operation_id = "setDishStock",
    params(("id" = RestaurantId, Path, description = "The restaurant."), ("itemId" = ItemId, Path, description = "The dish.")),
    request_body = SetStock,
    responses(
        (status = 200, description = "The shelf as it is now.", body = StockLevel),
        (status = 400, description = "INVALID_QUANTITY", body = ErrorBody),
        (status = 404, description = "ITEM_NOT_FOUND", body = ErrorBody),
    ))]
async fn set_stock(
    State(shelf): State<Shelf>,
    Path((restaurant, item)): Path<(RestaurantId, ItemId)>,
    Json(SetStock { stock }): Json<SetStock>,
) -> ApiResult<Json<StockLevel>> {
    if shelf.menu.item(&item).await?.restaurant_id != restaurant {
        return Err(ApiError::item_not_found(&item).into());
    }
    Ok(Json(shelf.middleware.set_stock(&item, stock).await?))
}
