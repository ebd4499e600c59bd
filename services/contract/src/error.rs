//! One error shape everywhere: `{"error": "...", "code": "CART_NOT_FOUND", "requestId": "..."}`.
//!
//! [`Code`] is the table of everything that can go wrong, with the HTTP status of each; constructors below are facts.

use crate::id::{CartId, ItemId, OrderId, RestaurantId};
use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $name:ident = $text:literal, $status:literal;)+) => {
        /// What went wrong, as a stable machine-readable word. Clients may rely on the words.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Code {
            $($(#[doc = $doc])+ $name,)+
        }

        impl Code {
            /// Every code, for documentation and tests.
            pub const ALL: &'static [Code] = &[$(Code::$name,)+];

            pub const fn as_str(self) -> &'static str {
                match self { $(Code::$name => $text,)+ }
            }

            /// The HTTP status this code is answered with.
            pub const fn status(self) -> u16 {
                match self { $(Code::$name => $status,)+ }
            }

            /// What it means, in a sentence: the comment beside it in the table.
            pub fn meaning(self) -> &'static str {
                match self { $(Code::$name => concat!($($doc),+),)+ }.trim()
            }

            pub fn from_text(text: &str) -> Option<Self> {
                match text { $($text => Some(Code::$name),)+ _ => None }
            }
        }
    };
}

codes! {
    /// The body is not JSON, or a field is missing or of the wrong type.
    InvalidBody = "INVALID_BODY", 400;
    /// A quantity is no whole number from 1 to 10, or a stock none that can be.
    InvalidQuantity = "INVALID_QUANTITY", 400;
    /// A name is empty, too long, or holds control characters.
    InvalidName = "INVALID_NAME", 400;
    /// A query parameter is of the wrong type, too long, or a cursor that no page ended with.
    InvalidQuery = "INVALID_QUERY", 400;
    /// There is no promotion of this code.
    PromotionUnknown = "PROMOTION_UNKNOWN", 400;
    /// Not an e-mail address, or a password that is too short or too long.
    InvalidAccount = "INVALID_ACCOUNT", 400;
    /// A menu, opening hours or a courier described in a way that cannot be.
    InvalidMenu = "INVALID_MENU", 400;
    /// Nobody is logged in, or the call needs the operator's token.
    Unauthorized = "UNAUTHORIZED", 401;
    /// E-mail and password do not belong together.
    WrongPassword = "WRONG_PASSWORD", 401;
    /// Whoever is asking may not do this, or the request does not come from our own pages.
    Forbidden = "FORBIDDEN", 403;
    /// There is nothing at this address.
    NotFound = "NOT_FOUND", 404;
    /// There is no such cart, or nobody used it for an hour.
    CartNotFound = "CART_NOT_FOUND", 404;
    /// The cart has no line of this item.
    CartLineNotFound = "CART_LINE_NOT_FOUND", 404;
    /// No menu has this item.
    ItemNotFound = "ITEM_NOT_FOUND", 404;
    /// There is no such restaurant.
    RestaurantNotFound = "RESTAURANT_NOT_FOUND", 404;
    /// There is no such order.
    OrderNotFound = "ORDER_NOT_FOUND", 404;
    /// No stock is reserved for this order.
    ReservationNotFound = "RESERVATION_NOT_FOUND", 404;
    /// There is no flag of this key.
    FlagNotFound = "FLAG_NOT_FOUND", 404;
    /// There is no such account.
    AccountNotFound = "ACCOUNT_NOT_FOUND", 404;
    /// There is no such courier.
    CourierNotFound = "COURIER_NOT_FOUND", 404;
    /// The order has no delivery, or none yet.
    DeliveryNotFound = "DELIVERY_NOT_FOUND", 404;
    /// The order has no payment, or none yet.
    PaymentNotFound = "PAYMENT_NOT_FOUND", 404;
    /// No such event is parked.
    EventNotFound = "EVENT_NOT_FOUND", 404;
    /// A web replica was asked what only the process with the console answers.
    NotTheConsole = "NOT_THE_CONSOLE", 404;
    /// The address does not take this method.
    MethodNotAllowed = "METHOD_NOT_ALLOWED", 405;
    /// The cart holds nothing that could be ordered.
    CartEmpty = "CART_EMPTY", 409;
    /// The cart holds dishes of another restaurant.
    CartOtherRestaurant = "CART_OTHER_RESTAURANT", 409;
    /// The addition would take a line past ten.
    CartLineLimit = "CART_LINE_LIMIT", 409;
    /// The cart has as many lines as a cart may have.
    CartFull = "CART_FULL", 409;
    /// Another change to the same cart kept winning; try again.
    CartBusy = "CART_BUSY", 409;
    /// An order was made of this cart already.
    CartAlreadyOrdered = "CART_ALREADY_ORDERED", 409;
    /// Sold out, or not served today.
    OutOfStock = "OUT_OF_STOCK", 409;
    /// Outside its hours, or it takes no orders right now.
    RestaurantClosed = "RESTAURANT_CLOSED", 409;
    /// The code exists, but not for this order: too small, used up, over.
    PromotionNotApplicable = "PROMOTION_NOT_APPLICABLE", 409;
    /// There is an account with this e-mail address.
    EmailTaken = "EMAIL_TAKEN", 409;
    /// The restaurant has a dish of this name.
    ItemExists = "ITEM_EXISTS", 409;
    /// Somebody else changed it in between.
    Conflict = "CONFLICT", 409;
    /// The quote is older than five minutes; ask for another one.
    QuoteExpired = "QUOTE_EXPIRED", 409;
    /// The quote was made for another cart content.
    QuoteMismatch = "QUOTE_MISMATCH", 409;
    /// From where the order is it cannot go there.
    IllegalTransition = "ILLEGAL_TRANSITION", 409;
    /// The stock of this order was given back.
    ReservationReleased = "RESERVATION_RELEASED", 409;
    /// The same request is being worked on; ask again in a moment.
    IdempotencyInFlight = "IDEMPOTENCY_IN_FLIGHT", 409;
    /// The body is larger than this call takes.
    BodyTooLarge = "BODY_TOO_LARGE", 413;
    /// The body is not of the type this call takes: JSON, with `content-type: application/json`.
    UnsupportedMediaType = "UNSUPPORTED_MEDIA_TYPE", 415;
    /// The Idempotency-Key was used with another body.
    IdempotencyMismatch = "IDEMPOTENCY_MISMATCH", 422;
    /// Too many requests of one client; `Retry-After` says when to go on.
    RateLimited = "RATE_LIMITED", 429;
    /// Our mistake. The log has its cause.
    Internal = "INTERNAL", 500;
    /// Injected by a chaos flag.
    FeatureFlagChaos = "FEATURE_FLAG_CHAOS", 503;
    /// A service that was needed did not answer or refused the connection.
    ServiceUnavailable = "SERVICE_UNAVAILABLE", 503;
    /// A store that was needed is down.
    StoreUnavailable = "STORE_UNAVAILABLE", 503;
    /// More calls in flight than the policy allows.
    Overloaded = "OVERLOADED", 503;
    /// The deadline of the request passed.
    Timeout = "TIMEOUT", 504;
}

/// The wire form of every error.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ErrorBody {
    /// For people.
    #[cfg_attr(feature = "openapi", schema(examples("cart 4711 does not exist or has expired")))]
    pub error: String,
    /// For programs.
    #[cfg_attr(feature = "openapi", schema(value_type = Code))]
    pub code: String,
    /// For whoever looks into it: the log and the trace have the same.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(required = true, examples("0b7c7e5b7d3f4e0f9f1f2a3b4c5d6e7f")))]
    pub request_id: String,
}

/// An error as the caller sees it. `message` is for people and never holds a cause, an address or a secret;
/// the cause is logged where it happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiError {
    pub code: Code,
    /// Usually `code.status()`; a status a newer peer sent is kept.
    pub status: u16,
    pub message: String,
    /// Seconds after which trying again makes sense (429 and 503 always carry one).
    pub retry_after_s: Option<u32>,
    /// The request this happened in; filled in at the edge.
    pub request_id: Option<String>,
    /// The feature flag that caused it, when a fault was injected on purpose.
    pub flag: Option<String>,
}

impl ApiError {
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        let retry_after_s = match code {
            Code::RateLimited | Code::IdempotencyInFlight | Code::CartBusy => Some(1),
            _ if code.status() == 503 => Some(2),
            _ => None,
        };
        Self { code, status: code.status(), message: message.into(), retry_after_s, request_id: None, flag: None }
    }

    #[must_use]
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after_s = Some(seconds);
        self
    }

    /// Reads the error shape from a reply; a body that is not ours becomes the nearest code for its status.
    pub fn from_reply(status: u16, body: &[u8], retry_after_s: Option<u32>) -> Self {
        let parsed = serde_json::from_slice::<ErrorBody>(body).ok();
        let code = parsed.as_ref().and_then(|b| Code::from_text(&b.code)).unwrap_or(match status {
            401 => Code::Unauthorized,
            403 => Code::Forbidden,
            404 => Code::NotFound,
            413 => Code::BodyTooLarge,
            415 => Code::UnsupportedMediaType,
            429 => Code::RateLimited,
            503 => Code::ServiceUnavailable,
            504 => Code::Timeout,
            400..=499 => Code::InvalidBody,
            _ => Code::Internal,
        });
        let (message, request_id) = match parsed {
            Some(body) => (body.error, Some(body.request_id)),
            None => ("the service answered in a form that was not understood".to_owned(), None),
        };
        Self { code, status, message, retry_after_s, request_id, flag: None }
    }

    /// True when the same request may succeed later without any change to it.
    pub const fn is_temporary(&self) -> bool {
        matches!(self.status, 429 | 502..=504)
    }

    pub fn cart_not_found(id: &CartId) -> Self {
        Self::new(Code::CartNotFound, format!("cart {id} does not exist or has expired"))
    }
    pub fn item_not_found(id: &ItemId) -> Self {
        Self::new(Code::ItemNotFound, format!("there is no item {id} on any menu"))
    }
    pub fn restaurant_not_found(id: &RestaurantId) -> Self {
        Self::new(Code::RestaurantNotFound, format!("there is no restaurant {id}"))
    }
    pub fn order_not_found(id: &OrderId) -> Self {
        Self::new(Code::OrderNotFound, format!("order {id} does not exist"))
    }
    pub fn service_unavailable(service: &str) -> Self {
        Self::new(Code::ServiceUnavailable, format!("the {service} service is not available right now"))
    }
    pub fn timeout(service: &str) -> Self {
        Self::new(Code::Timeout, format!("the {service} service did not answer in time"))
    }
    pub fn store_unavailable() -> Self {
        Self::new(Code::StoreUnavailable, "the data store is not available right now")
    }
    pub fn internal() -> Self {
        Self::new(Code::Internal, "something went wrong on our side")
    }
    pub fn operator_only() -> Self {
        Self::new(Code::Unauthorized, "this call needs the operator's token")
    }
    /// Somebody is logged in, or nobody, who has no business here.
    pub fn forbidden(who_may: &str) -> Self {
        Self::new(Code::Forbidden, format!("only {who_may} may do this"))
    }
    pub fn log_in_first() -> Self {
        Self::new(Code::Unauthorized, "log in first")
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.message, self.code.as_str())
    }
}

impl std::error::Error for ApiError {}

#[cfg(test)]
mod tests {
    use super::{ApiError, Code};

    #[test]
    fn every_code_reads_back_from_its_word() {
        for code in Code::ALL {
            assert_eq!(Code::from_text(code.as_str()), Some(*code));
        }
    }

    #[test]
    fn every_503_and_429_says_when_to_try_again() {
        for code in Code::ALL.iter().filter(|code| matches!(code.status(), 429 | 503)) {
            assert!(ApiError::new(*code, "x").retry_after_s.is_some(), "{code:?}");
        }
    }

    #[test]
    fn a_reply_that_is_not_ours_is_still_an_error_with_its_status() {
        let error = ApiError::from_reply(502, b"<html>", None);
        assert_eq!((error.status, error.code), (502, Code::Internal));
    }
}
