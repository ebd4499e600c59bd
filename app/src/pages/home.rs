//! `/`: the restaurants, by city, kitchen and word; those that are open first.

use crate::extract::{Asked, Fields};
use crate::render::{Meta, page};
use crate::routes::error_page;
use crate::shop::Shop;
use crate::ui::art::planet;
use crate::ui::doors::{self, Door};
use crate::ui::words::count;
use crate::visit::Visit;
use axum::Extension;
use axum::response::Response;
use contract::id::path_segment;
use contract::menu::Restaurant;
use leptos::either::Either;
use leptos::prelude::*;
use std::sync::Arc;

pub async fn show(Extension(visit): Extension<Arc<Visit>>, Extension(shop): Extension<Shop>, Asked(query): Asked) -> Response {
    let all = match shop.menu.restaurants().await {
        Ok(restaurants) => restaurants,
        Err(error) => return error_page(&error, &visit),
    };
    let filter = Filter::read(&query);
    let mut found: Vec<Restaurant> = all.iter().filter(|restaurant| filter.matches(restaurant)).cloned().collect();
    found.sort_by_key(|restaurant| !Door::of(restaurant).is_open());
    let description = "Order from the galaxy's kitchens: coffee, noodles, pizza and more, delivered while you watch.";
    page(&visit, Meta::new("Restaurants", description), || view! { {hero(&all, &filter)} {results(found, filter)} })
}

#[derive(Default)]
struct Filter {
    word: String,
    city: String,
    cuisine: String,
    /// Only those that take orders right now.
    open: bool,
}

impl Filter {
    fn read(query: &Fields) -> Self {
        let field = |name| query.get(name).chars().take(100).collect();
        Self { word: field("q"), city: field("city"), cuisine: field("cuisine"), open: !query.get("open").is_empty() }
    }

    fn is_empty(&self) -> bool {
        self.word.is_empty() && self.city.is_empty() && self.cuisine.is_empty() && !self.open
    }

    fn matches(&self, r: &Restaurant) -> bool {
        let word = self.word.to_lowercase();
        let texts = [&r.name, &r.tagline, &r.description, &r.cuisine, &r.city];
        (!self.open || Door::of(r).is_open())
            && (self.city.is_empty() || r.city == self.city)
            && (self.cuisine.is_empty() || r.cuisine == self.cuisine)
            && (word.is_empty() || texts.iter().any(|text| text.to_lowercase().contains(&word)))
    }
}

fn hero(all: &[Restaurant], filter: &Filter) -> impl IntoView + use<> {
    let cities = choices(all.iter().map(|r| r.city.as_str()).collect(), &filter.city);
    let cuisines = choices(all.iter().map(|r| r.cuisine.as_str()).collect(), &filter.cuisine);
    let orbit = all.iter().skip(1).take(6).map(|r| view! { <span>{r.emoji.clone()}</span> }).collect_view();
    view! {
        <section class="hero">
            <div class="hero-words">
                <p class="eyebrow">"Now serving this arm of the galaxy"</p>
                <h1>"Dinner from "<em>"another planet."</em></h1>
                <p class="lead">{format!("{} worlds of cooking, one orbit away. Choose a planet, fill a cart, watch it land.", all.len())}</p>
            </div>
            <div class="orbits" aria-hidden="true"><i></i>{orbit}</div>
            <form class="finder" method="get" action="/" role="search" aria-label="Restaurants">
                <input type="search" name="q" value=filter.word.clone() placeholder="Noodles, pizza, coffee…" maxlength="100" aria-label="Search"/>
                <button class="button">"Find"</button>
                <select name="city" aria-label="City"><option value="">"Every city"</option>{cities}</select>
                <select name="cuisine" aria-label="Kitchen"><option value="">"Every kitchen"</option>{cuisines}</select>
                <label class="pill"><input type="checkbox" name="open" value="now" checked=filter.open/><span>"Open now"</span></label>
            </form>
        </section>
    }
}

fn choices(mut values: Vec<&str>, chosen: &str) -> impl IntoView + use<> {
    values.sort_unstable();
    values.dedup();
    let option = |value: &str| view! { <option value=value.to_owned() selected={value == chosen}>{value.to_owned()}</option> };
    values.into_iter().map(option).collect_view()
}

fn results(found: Vec<Restaurant>, filter: Filter) -> impl IntoView {
    if found.is_empty() {
        return Either::Left(view! {
            <section class="scene small">
                <p class="scene-art" aria-hidden="true">"🔭"</p>
                <h2>"No kitchen in sight"</h2>
                <p>"Nothing matches that. Try another word, or look at the whole sky."</p>
                <p class="scene-actions"><a class="button" href="/">"Show every restaurant"</a></p>
            </section>
        });
    }
    let told = count(found.len() as u64, "restaurant", "restaurants");
    let clear = (!filter.is_empty()).then(|| view! { <a href="/">"Show all"</a> });
    Either::Right(view! {
        <section aria-labelledby="found">
            <div class="section-head"><h2 id="found">{told}</h2>{clear}</div>
            <ul class="worlds">{found.into_iter().map(card).collect_view()}</ul>
        </section>
    })
}

fn card(restaurant: Restaurant) -> impl IntoView {
    let dishes = count(u64::from(restaurant.item_count), "dish", "dishes");
    let door = Door::of(&restaurant);
    let (class, badge) = (if door.is_open() { "world" } else { "world shut" }, doors::badge(&restaurant));
    view! {
        <li class=class>
            {planet(&restaurant, "planet-m")}
            <div class="world-text">
                <h3><a href=["/restaurants/", &path_segment(restaurant.id.as_str())].concat()>{restaurant.name}</a></h3>
                <p>{restaurant.tagline}</p>
                <p class="facts"><span>{restaurant.cuisine}</span><span>{restaurant.city}</span><span>{dishes}</span></p>
                <p class=door.class()>{badge}</p>
            </div>
        </li>
    }
}
