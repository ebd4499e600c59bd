//! Who is looking, and at what: the facts of one request that pages need.

use crate::cookies;
use contract::{CartId, RestaurantId, Role, SessionId, Timestamp};
use http::header::{CONTENT_TYPE, REFERER};
use http::{HeaderMap, Uri};
use std::sync::Arc;
use std::time::Duration;

/// Facts that hold for the whole process; made once.
#[derive(Clone, Debug)]
pub struct Site {
    pub version: String,
    pub mode: Mode,
    /// Where state lives, for the about page: `("carts", "memory")`, `("orders", "SQLite")`.
    pub stores: Vec<(String, String)>,
    pub assets: Assets,
    /// True behind TLS: cookies are then marked `Secure`.
    pub secure_cookies: bool,
    pub started_at: Timestamp,
}

/// Where styles, scripts and pictures are served, content hash included: `/pkg/3f2a91c0`.
#[derive(Clone, Debug)]
pub struct Assets {
    pub base: String,
}

impl Assets {
    /// Address of `target/site/{name}` or `target/site/pkg/{name}`.
    pub fn url(&self, name: &str) -> String {
        [&self.base, "/", name].concat()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Every service runs in this process.
    Embedded,
    /// At least one service is reached by its address.
    Split,
}

impl Mode {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Embedded => "embedded",
            Self::Split => "split",
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Theme {
    /// As the system says.
    #[default]
    Auto,
    Light,
    Dark,
}

impl Theme {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    pub fn from_text(text: &str) -> Option<Self> {
        [Self::Auto, Self::Light, Self::Dark].into_iter().find(|theme| theme.as_str() == text)
    }
}

/// One request, as pages see it. Handlers take it as `Extension<Arc<Visit>>`.
#[derive(Clone, Debug)]
pub struct Visit {
    pub site: Arc<Site>,
    pub session: SessionId,
    /// Whether `role` is an operator's.
    pub operator: bool,
    /// Customer for guests.
    pub role: Role,
    /// The account that is logged in.
    pub user: Option<String>,
    /// How the account wants to be called; `None` for guests.
    pub name: Option<String>,
    /// The restaurant whose staff is looking.
    pub staff_of: Option<RestaurantId>,
    /// The courier who is looking.
    pub courier: Option<String>,
    pub request_id: String,
    pub trace_id: Option<String>,
    pub now: Timestamp,
    /// Path and query of the page that is looked at: of the request, or of the page whose form was sent.
    pub path: String,
    pub cart: Option<CartId>,
    /// Things in the cart, as last told by an action; for the badge only.
    pub cart_count: u32,
    pub theme: Theme,
    /// What the previous form did, told once.
    pub notice: Option<Notice>,
}

/// What only the server knows about a request.
#[derive(Clone, Debug)]
pub struct Caller {
    pub session: SessionId,
    pub who: Who,
    pub request_id: String,
    pub trace_id: Option<String>,
    pub now: Timestamp,
}

/// Whoever is logged in; a guest by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Who {
    pub role: Role,
    pub user: Option<String>,
    pub name: Option<String>,
    pub staff_of: Option<RestaurantId>,
    pub courier: Option<String>,
}

/// An address of our own, which is safe to redirect to.
pub fn own_path(path: &str) -> Option<&str> {
    let ours = path.starts_with('/') && !path.starts_with("//") && path.bytes().all(|b| b.is_ascii_graphic() && b != b'\\');
    ours.then_some(path)
}

/// The page that a form stood on, when this request is a form.
fn form_page(headers: &HeaderMap) -> Option<&str> {
    headers.get(CONTENT_TYPE)?;
    let (_, after_scheme) = headers.get(REFERER)?.to_str().ok()?.split_once("://")?;
    own_path(&after_scheme[after_scheme.find('/')?..])
}

impl Visit {
    /// Reads cart, theme and notice from the request's cookies.
    pub fn new(site: Arc<Site>, caller: Caller, uri: &Uri, headers: &HeaderMap) -> Self {
        let Caller { session, who, request_id, trace_id, now } = caller;
        let jar = cookies::Jar::read(headers);
        let asked = uri.path_and_query().map_or("/", |path| path.as_str());
        let path = form_page(headers).unwrap_or(asked).to_owned();
        Self {
            site,
            session,
            operator: who.role == Role::Operator,
            role: who.role,
            user: who.user,
            name: who.name,
            staff_of: who.staff_of,
            courier: who.courier,
            request_id,
            trace_id,
            now,
            path,
            cart: jar.cart,
            cart_count: jar.count,
            theme: jar.theme,
            notice: jar.notice,
        }
    }

    pub fn uptime(&self) -> Duration {
        self.now.since(self.site.started_at)
    }
}

macro_rules! notices {
    ($($name:ident = $word:literal, $text:literal;)+) => {
        /// A sentence shown once, after a form has done its work.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Notice { $($name,)+ }

        impl Notice {
            /// How the cookie says it.
            pub const fn word(self) -> &'static str {
                match self { $(Self::$name => $word,)+ }
            }
            /// How people read it.
            pub const fn text(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }
            pub fn from_word(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$name),)+ _ => None }
            }
        }
    };
}

notices! {
    Added = "added", "Added to your cart.";
    Renewed = "renewed", "Your old cart had expired: this is a fresh one.";
    Replaced = "replaced", "Started a new cart.";
    Updated = "updated", "Cart updated.";
    Removed = "removed", "Removed from your cart.";
    Cleared = "cleared", "Your cart is empty now.";
    Reordered = "reordered", "The same again: here is a new cart.";
    Cancelled = "cancelled", "Your order is cancelled.";
    SignedUp = "signed-up", "Welcome aboard: your account is ready.";
    LoggedIn = "logged-in", "You are logged in.";
    LoggedOut = "logged-out", "You are logged out.";
    NameChanged = "name-changed", "Your name is changed.";
    AddressAdded = "address-added", "The address is kept.";
    AddressRemoved = "address-removed", "The address is removed.";
    PreferencesChanged = "preferences-changed", "Noted: that is how you will hear from us.";
    PasswordChanged = "password-changed", "Your password is changed. Other log-ins have ended.";
    OrderAccepted = "order-accepted", "Accepted. The customer knows.";
    OrderRejected = "order-rejected", "Rejected. The customer is told why and gets the money back.";
    OrderMoved = "order-moved", "Moved on. The customer sees it.";
    AutopilotOn = "autopilot-on", "Autopilot is on: it goes by itself now.";
    AutopilotOff = "autopilot-off", "Autopilot is off: it is your turn.";
    DishAdded = "dish-added", "The dish is on the menu.";
    DishChanged = "dish-changed", "The dish is changed.";
    DishDeleted = "dish-deleted", "The dish is deleted.";
    DishOffered = "dish-offered", "The dish is offered again.";
    DishWithheld = "dish-withheld", "The dish is sold out on the menu, until you switch it on again.";
    StockSet = "stock-set", "The stock is set.";
    HoursKept = "hours-kept", "The new hours hold from now on.";
    KitchenPaused = "kitchen-paused", "A break: no new orders come in.";
    KitchenResumed = "kitchen-resumed", "The kitchen takes orders again.";
    PickedUp = "picked-up", "Picked up. Off you go.";
    Delivered = "delivered", "Delivered. Well done.";
    Replayed = "replayed", "The event is applied.";
    ReplayedBefore = "replayed-before", "The event had been applied before; it is parked no more.";
    PromotionKept = "promotion-kept", "The promotion is kept.";
    PromotionOn = "promotion-on", "The promotion is on.";
    PromotionOff = "promotion-off", "The promotion is off.";
    FlagSet = "flag-set", "Flag flipped. It ends by itself when its time is over.";
    FlagCleared = "flag-cleared", "Flag back to its default.";
    LoadSet = "load-set", "The load generator is asked.";
    IncidentPlays = "incident-plays", "It plays.";
    IncidentPaused = "incident-paused", "Paused: its clock stands still.";
    IncidentResumed = "incident-resumed", "It goes on.";
    IncidentSkipped = "incident-skipped", "On to the next step.";
    IncidentStopped = "incident-stopped", "Stopped, and everything it did is cleared.";
    QuizRight = "quiz-right", "That is it.";
    QuizWrong = "quiz-wrong", "That is not it.";
    GuardrailOn = "guardrail-on", "The guardrail is on.";
    GuardrailOff = "guardrail-off", "The guardrail is off.";
    SnapshotRead = "snapshot-read", "The snapshot is read. It stands beside what is live.";
    SnapshotForgotten = "snapshot-forgotten", "The snapshot is forgotten.";
    AllClear = "all-clear", "All clear: every flag is back to its default.";
}
