//! One picture, one sentence and one way out for every code.

use contract::{ApiError, Code};

pub struct Scene {
    pub art: &'static str,
    pub title: &'static str,
    pub text: &'static str,
    /// A class that sets the mood; may be empty.
    pub tone: &'static str,
    pub next: Next,
}

/// What to offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// The same again, and the way home beside it.
    Retry,
    Restaurants,
    Cart,
    Orders,
    /// The page that the form stood on, as it is by now.
    LookAgain,
    LogIn,
}

impl Next {
    /// Address and words of the link; `here` is the page that is looked at.
    pub fn link(self, here: &str) -> (String, &'static str) {
        let (to, text) = match self {
            Self::Retry | Self::Restaurants => ("/", "To the restaurants"),
            Self::Cart => ("/cart", "To my cart"),
            Self::Orders => ("/orders", "See my orders"),
            Self::LookAgain => (here, "Look again"),
            Self::LogIn => ("/login", "Log in"),
        };
        (to.to_owned(), text)
    }
}

const fn calm(art: &'static str, title: &'static str, text: &'static str, next: Next) -> Scene {
    Scene { art, title, text, tone: "", next }
}

const fn alarm(art: &'static str, title: &'static str, text: &'static str) -> Scene {
    Scene { art, title, text, tone: "alarm", next: Next::Retry }
}

const fn black_hole() -> Scene {
    alarm(
        "🕳️",
        "Something fell into a black hole",
        "This is our mistake, not yours. Trying again is safe: nothing is ordered or charged twice.",
    )
}

pub fn scene(error: &ApiError) -> Scene {
    use Code as C;
    match error.code {
        C::CartEmpty => calm("🛸", "Your cart is floating empty", "There is nothing in it to order yet.", Next::Restaurants),
        C::CartNotFound => calm(
            "⌛",
            "This cart has drifted away",
            "A cart is kept for one hour without use, then it is let go. Nothing was ordered and nothing was charged. The kitchens are still open.",
            Next::Restaurants,
        ),
        C::CartLineNotFound => calm("🍃", "That dish left the cart", "It was removed already, perhaps in another window.", Next::Cart),
        C::CartOtherRestaurant => calm(
            "🪐",
            "One cart, one planet",
            "Your cart holds dishes of another restaurant. Order those first, or empty the cart.",
            Next::Cart,
        ),
        C::CartLineLimit => {
            calm("🔟", "Ten of a dish is the limit", "That would have been more than ten. Your cart is as it was.", Next::Cart)
        }
        C::CartFull => {
            calm("📦", "The cart is full to the rim", "It cannot hold another kind of dish. Your cart is as it was.", Next::Cart)
        }
        C::CartBusy => {
            calm("🌀", "Many hands in one cart", "It was being changed somewhere else at the same moment. Please try again.", Next::Retry)
        }
        C::CartAlreadyOrdered => calm(
            "🧾",
            "This cart is an order already",
            "It was sent before, so nothing was ordered twice. You find it among your orders.",
            Next::Orders,
        ),
        C::IdempotencyMismatch => calm(
            "🧾",
            "This checkout was sent already",
            "It was sent before with other details, and one checkout makes one order. You find it among your orders.",
            Next::Orders,
        ),
        C::IdempotencyInFlight => calm(
            "🛰️",
            "Your order is just arriving",
            "The same order is being taken this very second. Try again in a moment to see it.",
            Next::Retry,
        ),
        C::OutOfStock => calm(
            "🍽️",
            "Sold out, down to the last crumb",
            "There is not enough left of something in your cart. Nothing was ordered. Take fewer, or choose another dish.",
            Next::Cart,
        ),
        C::ReservationReleased => calm(
            "⏳",
            "That took too long",
            "What was put aside for you has gone back on the shelf. Nothing was ordered. Please check out again.",
            Next::Cart,
        ),
        C::QuoteExpired | C::QuoteMismatch => {
            calm("⏳", "The price has changed", "Nothing was ordered. Please look at the new price.", Next::Cart)
        }
        C::PromotionUnknown => calm("🎟️", "That code opens nothing", "The promotion code is not known. Nothing was ordered.", Next::Cart),
        C::RateLimited => calm("🚦", "Easy, astronaut", "That was a lot in a short time. Take a breath, then try again.", Next::Retry),
        C::ItemNotFound => {
            calm("🔭", "No such dish in this galaxy", "It may have left the menu. There are many others.", Next::Restaurants)
        }
        C::RestaurantNotFound => calm("🔭", "No such planet", "This restaurant is not on our charts. There are others.", Next::Restaurants),
        C::OrderNotFound => {
            calm("🔭", "No order at this address", "Please check the link. An order is found only by its full address.", Next::Orders)
        }
        C::NotFound
        | C::FlagNotFound
        | C::ReservationNotFound
        | C::AccountNotFound
        | C::CourierNotFound
        | C::DeliveryNotFound
        | C::PaymentNotFound
        | C::EventNotFound
        | C::MethodNotAllowed => calm("🔭", "Nothing in this part of the sky", "There is no page at this address.", Next::Restaurants),
        C::NotTheConsole => calm(
            "🛰️",
            "The bridge is on another ship",
            "This one serves the shop and has no console. Operators find it at the address of the process that was started with ROLE=console.",
            Next::Restaurants,
        ),
        C::RestaurantClosed => calm(
            "🌙",
            "The kitchen is closed",
            "This restaurant takes no orders right now. Your cart is kept for an hour. Others are open.",
            Next::Restaurants,
        ),
        C::PromotionNotApplicable => {
            calm("🎟️", "Not for this order", "The promotion code is good, but not for this order. Nothing was ordered.", Next::Cart)
        }
        C::WrongPassword => {
            calm("🗝️", "That key does not fit", "E-mail address and password do not belong together. Please try again.", Next::Retry)
        }
        C::EmailTaken => calm("📇", "We know this address", "There is an account with this e-mail address. Log in instead.", Next::Retry),
        C::ItemExists | C::Conflict => {
            calm("🔀", "Somebody was quicker", "It was changed somewhere else in between. Look again, then decide.", Next::LookAgain)
        }
        C::InvalidAccount | C::InvalidMenu => {
            calm("📝", "Something in the form is not right", "Nothing was changed. Please go back and look at it again.", Next::Retry)
        }
        C::Unauthorized | C::Forbidden => calm(
            "🔑",
            "This door needs a key",
            "You are not logged in for this, or the form came from another site. Nothing was changed.",
            Next::LogIn,
        ),
        C::InvalidQuantity => {
            calm("🔢", "From one to ten, please", "A quantity is a whole number from 1 to 10. Your cart is as it was.", Next::Cart)
        }
        C::BodyTooLarge => calm("🐋", "That is too large", "More was sent than is taken here. Nothing was changed.", Next::LookAgain),
        C::InvalidBody | C::InvalidName | C::InvalidQuery | C::UnsupportedMediaType => {
            calm("📡", "That message was garbled", "What was sent could not be understood. Nothing was changed.", Next::Restaurants)
        }
        C::IllegalTransition => {
            calm("🧭", "The order has moved on", "It cannot go there from where it is now. Nothing was changed.", Next::LookAgain)
        }
        C::Timeout => alarm(
            "🐌",
            "The kitchen takes its time",
            "There was no answer in time. Trying again is safe: nothing is ordered or charged twice.",
        ),
        C::Internal => black_hole(),
        C::FeatureFlagChaos if error.status == 500 => black_hole(),
        C::FeatureFlagChaos | C::ServiceUnavailable | C::StoreUnavailable | C::Overloaded => alarm(
            "🛰️",
            "We lost contact for a moment",
            "A part of the shop does not answer right now. Trying again is safe: nothing is ordered or charged twice.",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::{Next, scene};
    use contract::{ApiError, Code};

    #[test]
    fn every_temporary_error_offers_to_try_again() {
        for code in Code::ALL.iter().filter(|code| matches!(code.status(), 429 | 500..)) {
            assert_eq!(scene(&ApiError::new(*code, "x")).next, Next::Retry, "{code:?}");
        }
    }
}
