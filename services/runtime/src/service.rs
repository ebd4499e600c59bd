//! A service, ready to be embedded or served.

use crate::health::SharedProbe;
use crate::http::{Inbound, inbound, with_fallbacks};
use crate::platform::Platform;
use crate::{chaos, process};
use axum::Router;
use axum::middleware::from_fn_with_state;
use tower::ServiceBuilder;

/// What a service crate's `build` answers: its routes and what it depends on.
pub struct Service {
    pub name: &'static str,
    pub router: Router,
    pub probes: Vec<SharedProbe>,
}

impl Service {
    /// Puts the layers that every service has around the routes of one. The order matters: the inbound layer is outermost, so that
    /// injected faults have a context, a span and a measured duration like any other failure.
    pub fn new(platform: &Platform, name: &'static str, routes: Router, probes: Vec<SharedProbe>) -> Self {
        let entry = Inbound::new(name, platform.internal_token(), &platform.meter(name));
        // One stack: for each layer of its own a router boxes and copies what is below.
        let layers =
            ServiceBuilder::new().layer(from_fn_with_state(entry, inbound)).layer(from_fn_with_state(platform.chaos(name), chaos::inbound));
        let router = with_fallbacks(routes).layer(layers);
        attend(platform, name);
        Self { name, router, probes }
    }
}

/// What goes on in a process beside its requests: it is measured, and flags of the point `process` are followed.
pub fn attend(platform: &Platform, name: &'static str) {
    process::measure(&platform.meter(name));
    chaos::follow(platform, name);
}
