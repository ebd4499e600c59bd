//! Every service whose `*_URL` is not set lives in this process.

use runtime::boot::BootError;
use runtime::config::Settings;
use runtime::health::SharedProbe;
use runtime::{Platform, Service};

/// Builds what is to be embedded, callees before callers; answers what their health depends on.
pub async fn embed_all(platform: &Platform) -> Result<Vec<SharedProbe>, BootError> {
    let mut probes = Vec::new();
    let mut take = |service: Service| {
        platform.embed(&service);
        probes.extend(service.probes);
    };
    let here = |service: &str| platform.settings.addresses(service).is_empty();
    if here("menu") {
        take(menu::build(platform).await?);
    }
    if here("middleware") {
        take(middleware::build(platform).await?);
    }
    if here("cart") {
        take(cart::build(platform).await?);
    }
    if here("order") {
        take(order::build(platform).await?);
    }
    if here("user") {
        take(user::build(platform).await?);
    }
    if here("payment") {
        take(payment::build(platform).await?);
    }
    if here("delivery") {
        take(delivery::build(platform).await?);
    }
    if here("notification") {
        take(notification::build(platform).await?);
    }
    platform.open_bus();
    let mut seen: Vec<&str> = Vec::new();
    probes.retain(|probe| {
        let new = !seen.contains(&probe.name());
        seen.push(probe.name());
        new
    });
    probes.extend(Settings::SERVICES.into_iter().filter_map(|service| platform.remote_probe(crate::NAME, service)));
    Ok(probes)
}
