//! `/restaurant/new-dish`, `/restaurant/menu/{item}`: writing a dish; `/restaurant/menu/{item}/delete`: asking before it goes.

mod form;

use super::kitchen::Kitchen;
use super::{meta_of, refuse, sentence, wrong_line};
use crate::extract::{Asked, Fields, Segment};
use crate::render::{Meta, page};
use crate::routes::error_page;
use crate::shop::Shop;
use crate::ui::art::plate;
use crate::visit::Visit;
use axum::Extension;
use axum::response::Response;
use contract::id::path_segment;
use contract::menu::MenuItem;
use contract::{ApiError, ItemId};
pub use form::{FIELDS, fields_of, parse_price, parse_stock, read};
use leptos::prelude::*;
use std::sync::Arc;

/// The fields of a dish may stand in the query: a dish that was deleted a moment ago.
pub async fn new(Extension(visit): Extension<Arc<Visit>>, Extension(shop): Extension<Shop>, Asked(query): Asked) -> Response {
    let kitchen = match Kitchen::asked(&visit, &shop, &query).await {
        Ok(kitchen) => kitchen,
        Err(response) => return *response,
    };
    let typed = if query.has("name") { query } else { Fields(vec![("inStock".to_owned(), "on".to_owned())]) };
    edit_page(&visit, &shop, &kitchen, None, typed, None).await
}

pub async fn edit(
    Extension(visit): Extension<Arc<Visit>>,
    Extension(shop): Extension<Shop>,
    Segment(id): Segment,
    Asked(query): Asked,
) -> Response {
    let kitchen = match Kitchen::asked(&visit, &shop, &query).await {
        Ok(kitchen) => kitchen,
        Err(response) => return *response,
    };
    match own_item(&visit, &shop, &kitchen, &id).await {
        Ok(item) => edit_page(&visit, &shop, &kitchen, Some(item.id.as_str()), fields_of(&item), None).await,
        Err(response) => *response,
    }
}

/// A dish of this kitchen; one of another kitchen is refused.
pub async fn own_item(visit: &Visit, shop: &Shop, kitchen: &Kitchen, id: &str) -> Result<MenuItem, Box<Response>> {
    match shop.menu.item(&ItemId::new(id)).await {
        Ok(item) if item.restaurant_id == kitchen.id => Ok(item),
        Ok(_) => Err(Box::new(refuse(visit, "the restaurant's own staff"))),
        Err(error) => Err(Box::new(error_page(&error, visit))),
    }
}

/// The form with what was typed. `id` is `None` for a dish that is not on the menu yet.
pub async fn edit_page(
    visit: &Visit,
    shop: &Shop,
    kitchen: &Kitchen,
    id: Option<&str>,
    typed: Fields,
    refused: Option<ApiError>,
) -> Response {
    // Headings to choose from are a help, and no more.
    let known = shop.menu.restaurant_menu(&kitchen.id).await.map(|menu| menu.items).unwrap_or_default();
    let mut categories: Vec<String> = known.into_iter().map(|item| item.category).filter(|category| !category.is_empty()).collect();
    categories.sort_unstable();
    categories.dedup();
    let title = if id.is_some() { "Edit a dish" } else { "Add a dish" };
    let meta = meta_of(title, "A dish as customers see it.", refused.as_ref());
    page(visit, meta, || edit_body(kitchen, id, typed, categories, refused))
}

fn edit_body(
    kitchen: &Kitchen,
    id: Option<&str>,
    typed: Fields,
    categories: Vec<String>,
    refused: Option<ApiError>,
) -> impl IntoView + use<> {
    let (action, title) = match id {
        Some(id) => (format!("/restaurant/menu/{}", path_segment(id)), "Edit the dish"),
        None => ("/restaurant/new-dish".to_owned(), "A new dish"),
    };
    let delete = id.map(|id| {
        let to = kitchen.path(&format!("/restaurant/menu/{}/delete", path_segment(id)));
        view! { <a class="reject" href=to>"Delete the dish"</a> }
    });
    let wrong = refused.as_ref().map(sentence);
    view! {
        <section class="panel narrow dish-editor" aria-labelledby="dish-title">
            <p class="eyebrow"><a href=kitchen.path("/restaurant/menu")>"Menu"</a></p>
            <h1 id="dish-title">{title}</h1>
            <form class="stack" method="post" action=action data-swap="">
                {wrong_line(wrong)}
                {kitchen.hidden()}
                {form::inputs(&typed, categories, refused.is_some())}
                <button class="button wide">{if id.is_some() { "Keep the changes" } else { "Put it on the menu" }}</button>
            </form>
            <p class="after-form"><a href=kitchen.path("/restaurant/menu")>"Back to the menu"</a>" "{delete}</p>
        </section>
    }
}

pub async fn ask_to_delete(
    Extension(visit): Extension<Arc<Visit>>,
    Extension(shop): Extension<Shop>,
    Segment(id): Segment,
    Asked(query): Asked,
) -> Response {
    let kitchen = match Kitchen::asked(&visit, &shop, &query).await {
        Ok(kitchen) => kitchen,
        Err(response) => return *response,
    };
    match own_item(&visit, &shop, &kitchen, &id).await {
        Ok(item) => {
            page(&visit, Meta::new(format!("Delete {}", item.name), "Take a dish off the menu for good."), || delete_body(&kitchen, item))
        }
        Err(response) => *response,
    }
}

fn delete_body(kitchen: &Kitchen, item: MenuItem) -> impl IntoView + use<> {
    let id = path_segment(item.id.as_str());
    view! {
        <section class="panel narrow" aria-labelledby="delete-title">
            {plate(&item.emoji, "plate")}
            <h1 id="delete-title">{format!("Delete {}?", item.name)}</h1>
            <p>"It leaves the menu for good. Orders that have it already are cooked as they are. To take it off for today only, switch off “Offered” on the menu."</p>
            <div class="scene-actions">
                <form method="post" action=format!("/restaurant/menu/{id}/delete") data-swap="">{kitchen.hidden()}<button class="button danger">"Delete it"</button></form>
                <a class="button quiet" href=kitchen.path("/restaurant/menu")>"Keep it"</a>
            </div>
        </section>
    }
}
