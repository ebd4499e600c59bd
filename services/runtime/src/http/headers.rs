//! Names of the headers that travel between our processes.

use http::HeaderName;

pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Proof that the caller is one of us; what follows is believed only beside it.
pub const INTERNAL: HeaderName = HeaderName::from_static("x-feast-internal");
pub const SESSION: HeaderName = HeaderName::from_static("x-feast-session");
pub const CLIENT: HeaderName = HeaderName::from_static("x-feast-client");
pub const ROLE: HeaderName = HeaderName::from_static("x-feast-role");
/// Account of whoever is logged in.
pub const USER: HeaderName = HeaderName::from_static("x-feast-user");
/// The restaurant whose staff is asking.
pub const STAFF_OF: HeaderName = HeaderName::from_static("x-feast-staff-of");
/// The courier who is asking.
pub const COURIER: HeaderName = HeaderName::from_static("x-feast-courier");
/// Milliseconds the caller will still wait. A duration, because clocks of two machines differ.
pub const DEADLINE_MS: HeaderName = HeaderName::from_static("x-feast-deadline-ms");
/// W3C baggage: `synthetic=true,restaurant=...,city=...`.
pub const BAGGAGE: HeaderName = HeaderName::from_static("baggage");
pub const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// Everything that only we may say. The gateway takes these off whatever comes from outside.
pub const FROM_INSIDE_ONLY: [HeaderName; 8] = [INTERNAL, SESSION, CLIENT, ROLE, USER, STAFF_OF, COURIER, DEADLINE_MS];
