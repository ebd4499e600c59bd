//! What every page of a kitchen stands in: whose it is, where else to go, and whether it takes orders.

use super::{Tab, refuse, tabs};
use crate::extract::Fields;
use crate::render::{Meta, page};
use crate::routes::error_page;
use crate::shop::Shop;
use crate::ui::art::planet;
use crate::ui::doors::{self, Door};
use crate::ui::forms::hidden_fields;
use crate::visit::Visit;
use axum::response::{IntoResponse, Redirect, Response};
use contract::id::path_segment;
use contract::menu::Restaurant;
use contract::{ApiError, RestaurantId, Role};
use leptos::prelude::*;

/// The field that says which kitchen a form is about: staff have one, operators all.
pub const FIELD: &str = "restaurant";

/// A kitchen that whoever is looking may work in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kitchen {
    pub id: RestaurantId,
    operator: bool,
}

/// Why there is no kitchen to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoKitchen {
    /// An operator has not said which.
    WhichOne,
    /// Nobody's staff, or another kitchen's.
    NotYours,
}

impl Kitchen {
    /// `asked` names a restaurant, or none.
    pub fn of(visit: &Visit, asked: &str) -> Result<Self, NoKitchen> {
        match (visit.role, &visit.staff_of) {
            (Role::Operator, _) if asked.is_empty() => Err(NoKitchen::WhichOne),
            (Role::Operator, _) => Ok(Self { id: RestaurantId::new(asked), operator: true }),
            (Role::Restaurant, Some(own)) if asked.is_empty() || own.as_str() == asked => Ok(Self { id: own.clone(), operator: false }),
            _ => Err(NoKitchen::NotYours),
        }
    }

    /// The kitchen a page is asked for, by `?id=`, or the answer for whoever has none.
    pub async fn asked(visit: &Visit, shop: &Shop, query: &Fields) -> Result<Self, Box<Response>> {
        match Self::of(visit, query.get("id")) {
            Ok(kitchen) => Ok(kitchen),
            Err(NoKitchen::WhichOne) => Err(Box::new(choose(visit, shop).await)),
            Err(NoKitchen::NotYours) => Err(Box::new(refuse(visit, "the restaurant's own staff"))),
        }
    }

    /// The kitchen a form is about.
    pub fn sent(visit: &Visit, fields: &Fields) -> Result<Self, Box<Response>> {
        Self::of(visit, fields.get(FIELD)).map_err(|reason| {
            Box::new(match reason {
                NoKitchen::WhichOne => Redirect::to("/restaurant").into_response(),
                NoKitchen::NotYours => refuse(visit, "the restaurant's own staff"),
            })
        })
    }

    /// An address among this kitchen's pages; operators' addresses say which kitchen.
    pub fn path(&self, to: &str) -> String {
        match (self.operator, to.contains('?')) {
            (false, _) => to.to_owned(),
            (true, false) => format!("{to}?id={}", path_segment(self.id.as_str())),
            (true, true) => format!("{to}&id={}", path_segment(self.id.as_str())),
        }
    }

    /// What every form of this kitchen carries.
    pub fn fields(&self) -> Vec<(String, String)> {
        vec![(FIELD.to_owned(), self.id.to_string())]
    }

    pub fn hidden(&self) -> impl IntoView + use<> {
        hidden_fields(self.fields())
    }
}

/// The pages of a kitchen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Board,
    Menu,
    Hours,
    Today,
}

const PLACES: [(Place, &str, &str, &str); 4] = [
    (Place::Board, "/restaurant", "🔥", "Board"),
    (Place::Menu, "/restaurant/menu", "📖", "Menu"),
    (Place::Hours, "/restaurant/hours", "🕐", "Hours"),
    (Place::Today, "/restaurant/today", "📈", "Today"),
];

/// Name, door and navigation around the body of a page. `restaurant` is `None` when the menu service has no answer: the work goes on.
pub fn frame<V: IntoView>(
    kitchen: &Kitchen,
    restaurant: Option<Restaurant>,
    here: Place,
    title: &'static str,
    body: V,
) -> impl IntoView + use<V> {
    let places = PLACES.map(|(place, to, picture, text)| Tab { to: kitchen.path(to), picture, text, here: place == here });
    let paused = restaurant.as_ref().filter(|restaurant| restaurant.paused).map(|_| paused(kitchen));
    let name = restaurant.as_ref().map_or_else(|| kitchen.id.to_string(), |restaurant| restaurant.name.clone());
    let art = restaurant.as_ref().map(|restaurant| planet(restaurant, "planet-xs"));
    let door = restaurant.as_ref().map(|restaurant| view! { <span class=Door::of(restaurant).class()>{doors::badge(restaurant)}</span> });
    let others = kitchen.operator.then(|| view! { <a href="/restaurant">"Other kitchens"</a> });
    view! {
        <header class="staff-head">
            {art}
            <div><p class="eyebrow"><bdi>{name}</bdi>" "{door}" "{others}</p><h1>{title}</h1></div>
            {tabs("Kitchen", places.into())}
        </header>
        {paused}
        {body}
    }
}

fn paused(kitchen: &Kitchen) -> impl IntoView + use<> {
    view! {
        <div class="banner-strip" role="status">
            <p><span aria-hidden="true">"⏸️ "</span><strong>"Paused."</strong>" Customers see that the kitchen is taking a break; no new orders come in."</p>
            <form method="post" action="/restaurant/pause" data-swap="">
                {kitchen.hidden()}
                <input type="hidden" name="return" value=kitchen.path("/restaurant")/>
                <button class="button" id="resume" name="paused" value="false">"Take orders again"</button>
            </form>
        </div>
    }
}

/// For operators: every kitchen.
async fn choose(visit: &Visit, shop: &Shop) -> Response {
    let restaurants = match shop.menu.restaurants().await {
        Ok(restaurants) => restaurants,
        Err(error) => return error_page(&error, visit),
    };
    page(visit, Meta::new("Kitchens", "Every kitchen's board."), || {
        let entry = |restaurant: Restaurant| {
            let to = format!("/restaurant?id={}", path_segment(restaurant.id.as_str()));
            view! {
                <li class="kitchen-choice">
                    {planet(&restaurant, "planet-xs")}
                    <div>
                        <h2><a href=to>{restaurant.name.clone()}</a></h2>
                        <p>{restaurant.city.clone()}" · "<span class=Door::of(&restaurant).class()>{doors::badge(&restaurant)}</span></p>
                    </div>
                </li>
            }
        };
        view! {
            <p class="eyebrow">"Kitchens"</p>
            <h1>"Whose board?"</h1>
            <ul class="kitchens">{restaurants.into_iter().map(entry).collect_view()}</ul>
        }
    })
}

/// A kitchen's restaurant as the menu service tells it, where the page can do without.
pub async fn restaurant(shop: &Shop, id: &RestaurantId) -> Result<Option<Restaurant>, ApiError> {
    match shop.menu.restaurant_menu(id).await {
        Ok(menu) => Ok(Some(menu.restaurant)),
        // A kitchen that does not exist has no board either.
        Err(error) if error.status == 404 => Err(error),
        Err(_) => Ok(None),
    }
}
