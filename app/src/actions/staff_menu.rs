//! Forms of a kitchen's menu and hours.

use super::staff::{done, trouble};
use crate::extract::{Fields, Segment, Sent};
use crate::pages::staff::dish::{self, own_item};
use crate::pages::staff::hours;
use crate::pages::staff::kitchen::Kitchen;
use crate::pages::staff::menu::{self, Refused};
use crate::shop::Shop;
use crate::visit::{Notice, Visit};
use axum::Extension;
use axum::response::Response;
use contract::id::path_segment;
use contract::menu::{ChangeItem, ChangeRestaurant};
use contract::{ApiError, Code, ItemId};
use std::sync::Arc;

type Who = Extension<Arc<Visit>>;
type Services = Extension<Shop>;

/// Whether whoever typed it can do something about it.
fn is_about_the_form(error: &ApiError) -> bool {
    matches!(error.code, Code::InvalidMenu | Code::InvalidBody | Code::InvalidQuantity | Code::InvalidName | Code::ItemExists)
}

/// `POST /restaurant/new-dish`
pub async fn add(Extension(visit): Who, Extension(shop): Services, Sent { fields, .. }: Sent) -> Response {
    let kitchen = match Kitchen::sent(&visit, &fields) {
        Ok(kitchen) => kitchen,
        Err(response) => return *response,
    };
    let outcome = match dish::read(&fields) {
        Ok(item) => shop.menu.add_item(&kitchen.id, &item).await,
        Err(error) => Err(error),
    };
    match outcome {
        Ok(_) => done(&visit, &kitchen.path("/restaurant/menu"), Notice::DishAdded),
        Err(error) if is_about_the_form(&error) => dish::edit_page(&visit, &shop, &kitchen, None, fields, Some(error)).await,
        Err(error) => trouble(&visit, &error, kitchen.path("/restaurant/new-dish"), "/restaurant/new-dish", &fields),
    }
}

/// `POST /restaurant/menu/{item}`
pub async fn replace(Extension(visit): Who, Extension(shop): Services, Segment(id): Segment, Sent { fields, .. }: Sent) -> Response {
    let kitchen = match Kitchen::sent(&visit, &fields) {
        Ok(kitchen) => kitchen,
        Err(response) => return *response,
    };
    let outcome = match dish::read(&fields) {
        Ok(item) => shop.menu.replace_item(&kitchen.id, &ItemId::new(id.as_str()), &item).await,
        Err(error) => Err(error),
    };
    let action = format!("/restaurant/menu/{}", path_segment(&id));
    match outcome {
        Ok(_) => done(&visit, &kitchen.path("/restaurant/menu"), Notice::DishChanged),
        Err(error) if is_about_the_form(&error) => dish::edit_page(&visit, &shop, &kitchen, Some(&id), fields, Some(error)).await,
        Err(error) => trouble(&visit, &error, kitchen.path(&action), &action, &fields),
    }
}

/// `POST /restaurant/menu/{item}/available`: `inStock`
pub async fn set_available(Extension(visit): Who, Extension(shop): Services, Segment(id): Segment, Sent { fields, .. }: Sent) -> Response {
    let kitchen = match Kitchen::sent(&visit, &fields) {
        Ok(kitchen) => kitchen,
        Err(response) => return *response,
    };
    let offered = fields.get("inStock") == "true";
    let change = ChangeItem { base_price: None, in_stock: Some(offered) };
    let (page, notice) = (kitchen.path("/restaurant/menu"), if offered { Notice::DishOffered } else { Notice::DishWithheld });
    match shop.menu.change_item(&kitchen.id, &ItemId::new(id.as_str()), &change).await {
        Ok(_) => done(&visit, &page, notice),
        Err(error) => trouble(&visit, &error, page, &format!("/restaurant/menu/{}/available", path_segment(&id)), &fields),
    }
}

/// `POST /restaurant/menu/{item}/stock`: `stock`. The counter knows dishes and not whose they are: that is checked here.
pub async fn set_stock(Extension(visit): Who, Extension(shop): Services, Segment(id): Segment, Sent { fields, .. }: Sent) -> Response {
    let kitchen = match Kitchen::sent(&visit, &fields) {
        Ok(kitchen) => kitchen,
        Err(response) => return *response,
    };
    let item = match own_item(&visit, &shop, &kitchen, &id).await {
        Ok(item) => item,
        Err(response) => return *response,
    };
    let outcome = match dish::parse_stock(fields.get("stock")) {
        Ok(stock) => shop.middleware.set_stock(&item.id, stock).await.map(drop),
        Err(error) => Err(error),
    };
    let page = kitchen.path("/restaurant/menu");
    match outcome {
        Ok(()) => done(&visit, &page, Notice::StockSet),
        Err(error) if is_about_the_form(&error) => {
            let refused = Refused { item: id, typed: fields, error };
            menu::show_with(&visit, &shop, &kitchen, &Fields::default(), Some(refused)).await
        }
        Err(error) => trouble(&visit, &error, page, &format!("/restaurant/menu/{}/stock", path_segment(&id)), &fields),
    }
}

/// `POST /restaurant/menu/{item}/delete`. The next page offers to put the dish back.
pub async fn delete(Extension(visit): Who, Extension(shop): Services, Segment(id): Segment, Sent { fields, .. }: Sent) -> Response {
    let kitchen = match Kitchen::sent(&visit, &fields) {
        Ok(kitchen) => kitchen,
        Err(response) => return *response,
    };
    let item = match own_item(&visit, &shop, &kitchen, &id).await {
        Ok(item) => item,
        Err(response) => return *response,
    };
    let was: Vec<String> = dish::fields_of(&item).0.iter().map(|(name, value)| format!("{name}={}", path_segment(value))).collect();
    let menu = kitchen.path(&format!("/restaurant/menu?undo={}&{}", path_segment(&item.name), was.join("&")));
    match shop.menu.delete_item(&kitchen.id, &item.id).await {
        Ok(()) => done(&visit, &menu, Notice::DishDeleted),
        Err(error) => {
            let action = format!("/restaurant/menu/{}/delete", path_segment(&id));
            trouble(&visit, &error, kitchen.path("/restaurant/menu"), &action, &fields)
        }
    }
}

/// `POST /restaurant/hours`: `opens`, `closes`, or `always`
pub async fn set_hours(Extension(visit): Who, Extension(shop): Services, Sent { fields, .. }: Sent) -> Response {
    let kitchen = match Kitchen::sent(&visit, &fields) {
        Ok(kitchen) => kitchen,
        Err(response) => return *response,
    };
    let outcome = match hours::read(&fields) {
        Ok(hours) => {
            shop.menu.change_restaurant(&kitchen.id, &ChangeRestaurant { hours: Some(hours), ..ChangeRestaurant::default() }).await
        }
        Err(error) => Err(error),
    };
    match outcome {
        Ok(_) => done(&visit, &kitchen.path("/restaurant/hours"), Notice::HoursKept),
        Err(error) if is_about_the_form(&error) => hours::show_with(&visit, &shop, &kitchen, Some((fields, error))).await,
        Err(error) => trouble(&visit, &error, kitchen.path("/restaurant/hours"), "/restaurant/hours", &fields),
    }
}

/// `POST /restaurant/pause`: `paused`
pub async fn pause(Extension(visit): Who, Extension(shop): Services, Sent { fields, .. }: Sent) -> Response {
    let kitchen = match Kitchen::sent(&visit, &fields) {
        Ok(kitchen) => kitchen,
        Err(response) => return *response,
    };
    let paused = fields.get("paused") == "true";
    let page = fields.back(&kitchen.path("/restaurant/hours"));
    let notice = if paused { Notice::KitchenPaused } else { Notice::KitchenResumed };
    match shop.menu.change_restaurant(&kitchen.id, &ChangeRestaurant { paused: Some(paused), ..ChangeRestaurant::default() }).await {
        Ok(_) => done(&visit, &page, notice),
        Err(error) => trouble(&visit, &error, page, "/restaurant/pause", &fields),
    }
}
