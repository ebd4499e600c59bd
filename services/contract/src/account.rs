//! People with an account, and what they may do.

use crate::id::RestaurantId;
use crate::text::{CustomerName, Note};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Who may do what. The gateway decides; services believe only what the gateway signed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub enum Role {
    /// Guests too.
    #[default]
    Customer,
    /// Staff of one restaurant.
    Restaurant,
    Courier,
    Operator,
}

impl Role {
    pub const ALL: [Self; 4] = [Self::Customer, Self::Restaurant, Self::Courier, Self::Operator];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Restaurant => "restaurant",
            Self::Courier => "courier",
            Self::Operator => "operator",
        }
    }

    pub fn from_text(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == text)
    }
}

/// An account, without anything secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Account {
    pub id: String,
    #[cfg_attr(feature = "openapi", schema(examples("ada@example.com")))]
    pub email: String,
    pub name: CustomerName,
    pub role: Role,
    /// The restaurant whose staff this is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub staff_of: Option<RestaurantId>,
    /// The courier this is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub courier_id: Option<String>,
    pub addresses: Vec<Address>,
    pub created_at: Timestamp,
}

impl Account {
    /// How the ids of the demonstration's accounts begin, and of no others.
    pub const DEMO: &str = "demo-";

    /// Anybody may log in to it by one click, so it counts on loopback only.
    pub fn is_demo(&self) -> bool {
        self.id.starts_with(Self::DEMO)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Address {
    pub id: String,
    /// "Home", "Office".
    pub label: String,
    pub text: Note,
}

/// A password on its way in. It never shows itself and is never written out by `Debug`.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(format = Password))]
#[serde(transparent)]
pub struct Password(String);

impl Password {
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself, for hashing and nothing else.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

/// `POST /api/users`
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SignUp {
    #[cfg_attr(feature = "openapi", schema(examples("ada@example.com")))]
    pub email: String,
    pub name: CustomerName,
    pub password: Password,
}

/// `POST /api/session`
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LogIn {
    #[cfg_attr(feature = "openapi", schema(examples("ada@example.com")))]
    pub email: String,
    pub password: Password,
}

/// A fresh log-in. The token goes into an HttpOnly cookie and nowhere else.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LoggedIn {
    pub token: Password,
    pub account: Account,
}

/// `POST /internal/sessions/lookup`, `/internal/sessions/end`, `/internal/tokens` (bearer JWT)
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Token {
    pub token: Password,
}

/// `PATCH /api/profile`; what is absent stays.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ChangeProfile {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<CustomerName>,
    /// Replaces all addresses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub addresses: Option<Vec<NewAddress>>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NewAddress {
    pub label: String,
    pub text: Note,
}

/// `POST /api/profile/password`
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ChangePassword {
    pub current: Password,
    pub new: Password,
    /// Token of the log-in that goes on; all others end. The server fills it in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep: Option<Password>,
}
