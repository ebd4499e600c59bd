//! Forms of the console. Operators only.

use super::see;
use super::staff::{done, trouble};
use crate::back_office::SharedBackOffice;
use crate::cookies::Cookies;
use crate::extract::{Fields, Sent};
use crate::pages::console::sign_in;
use crate::pages::staff::console::admin::GOES_ON;
use crate::pages::staff::console::promotions;
use crate::shop::Shop;
use crate::visit::{Notice, Visit};
use axum::Extension;
use axum::response::Response;
use contract::{ApiError, Code};
use std::sync::Arc;

/// `POST /console/events/replay`: `service`, `id`
pub async fn replay(
    Extension(visit): Extension<Arc<Visit>>,
    Extension(office): Extension<SharedBackOffice>,
    Sent { fields, .. }: Sent,
) -> Response {
    if !visit.operator {
        return sign_in(&visit);
    }
    match office.replay(fields.get("service"), fields.get("id")).await {
        Ok(true) => done(&visit, "/console/events", Notice::Replayed),
        Ok(false) => done(&visit, "/console/events", Notice::ReplayedBefore),
        Err(error) => trouble(&visit, &error, "/console/events".to_owned(), "/console/events/replay", &fields),
    }
}

/// `POST /console/admin/reset`
pub async fn reset(Extension(visit): Extension<Arc<Visit>>, Extension(office): Extension<SharedBackOffice>) -> Response {
    if !visit.operator {
        return sign_in(&visit);
    }
    match office.reset().await {
        Ok(Some(took_ms)) => see(&format!("/console/admin?reset={took_ms}"), &Cookies::default()),
        Ok(None) => see(&format!("/console/admin?reset={GOES_ON}"), &Cookies::default()),
        Err(error) => trouble(&visit, &error, "/console/admin".to_owned(), "/console/admin/reset", &Fields::default()),
    }
}

/// `POST /console/promotions`: a promotion, new or changed.
pub async fn put_promotion(
    Extension(visit): Extension<Arc<Visit>>,
    Extension(shop): Extension<Shop>,
    Sent { fields, .. }: Sent,
) -> Response {
    if !visit.operator {
        return sign_in(&visit);
    }
    let outcome = match promotions::read(&fields) {
        Ok(promotion) => shop.middleware.put_promotion(&promotion).await,
        Err(error) => Err(error),
    };
    match outcome {
        Ok(_) => done(&visit, "/console/promotions", Notice::PromotionKept),
        Err(error) if error.code == Code::InvalidBody => {
            let code = fields.get("code").to_uppercase();
            promotions::show_with(&visit, &shop, &code, Some((fields, error))).await
        }
        Err(error) => trouble(&visit, &error, "/console/promotions".to_owned(), "/console/promotions", &fields),
    }
}

/// `POST /console/promotions/switch`: `code`, `active`
pub async fn switch_promotion(
    Extension(visit): Extension<Arc<Visit>>,
    Extension(shop): Extension<Shop>,
    Sent { fields, .. }: Sent,
) -> Response {
    if !visit.operator {
        return sign_in(&visit);
    }
    let active = fields.get("active") == "true";
    match switch(&shop, fields.get("code"), active).await {
        Ok(()) => done(&visit, "/console/promotions", if active { Notice::PromotionOn } else { Notice::PromotionOff }),
        Err(error) => trouble(&visit, &error, "/console/promotions".to_owned(), "/console/promotions/switch", &fields),
    }
}

async fn switch(shop: &Shop, code: &str, active: bool) -> Result<(), ApiError> {
    let promotions = shop.middleware.promotions().await?;
    let found = promotions.into_iter().find(|promotion| promotion.code == code);
    let mut promotion = found.ok_or_else(|| ApiError::new(Code::PromotionUnknown, "there is no such promotion"))?;
    promotion.active = active;
    shop.middleware.put_promotion(&promotion).await.map(drop)
}
