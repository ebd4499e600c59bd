//! The catalogue: every restaurant and its dishes, as they are at one moment. A change makes another catalogue.

mod data_file;
pub mod edit;
pub mod local_time;
pub mod recommend;
mod search;

use contract::menu::{MenuItem, RestaurantMenu};
use contract::{ItemId, RestaurantId, Timestamp};
use jiff::tz::TimeZone;
use std::collections::HashMap;
use std::sync::Arc;

pub use search::Filter;
use search::SearchIndex;

/// The restaurant whose dishes `GET /api/menu` lists.
pub const COFFEE_BAR: &str = "cosmic-coffee";

/// Marks a dish of the data file may carry. A list, so that a misspelt one is found at start and not by a customer.
pub const TAGS: [&str; 9] = ["vegan", "vegetarian", "gluten-free", "spicy", "nuts", "seafood", "iced", "shareable", "signature"];

/// What is wrong with the data file, and where: one sentence for the person who edits it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}, line {line}: {problem}")]
pub struct CatalogueError {
    /// Name of the data file.
    pub file: &'static str,
    /// Counted from 1.
    pub line: usize,
    pub problem: String,
}

/// All restaurants, in their order, with what finds them.
#[derive(Clone, Debug)]
pub struct Catalogue {
    menus: Vec<RestaurantMenu>,
    /// What does not change while time passes; for each of `menus`, in the same order.
    fixed: Arc<Fixed>,
}

#[derive(Debug)]
struct Fixed {
    restaurants_by_id: HashMap<RestaurantId, usize>,
    /// Place of the restaurant and place of the dish in it.
    items_by_id: HashMap<ItemId, (usize, usize)>,
    search: Vec<SearchIndex>,
    zones: Vec<TimeZone>,
}

impl Catalogue {
    /// Reads and checks a data file; its own comment says what the fields are.
    ///
    /// # Errors
    /// The first thing that is wrong, with its line and the restaurant or dish it belongs to.
    pub fn parse(text: &str) -> Result<Self, CatalogueError> {
        data_file::read(text).map(Self::new)
    }

    /// The dishes of one category come to stand together, where the first of them stands.
    pub fn new(mut menus: Vec<RestaurantMenu>) -> Self {
        for menu in &mut menus {
            let mut categories: Vec<String> = Vec::new();
            for item in &menu.items {
                if !categories.contains(&item.category) {
                    categories.push(item.category.clone());
                }
            }
            menu.items.sort_by_key(|item| categories.iter().position(|category| *category == item.category));
            menu.restaurant.item_count = u32::try_from(menu.items.len()).unwrap_or(u32::MAX);
        }
        let restaurants_by_id = menus.iter().enumerate().map(|(at, menu)| (menu.restaurant.id.clone(), at)).collect();
        let items_by_id = menus
            .iter()
            .enumerate()
            .flat_map(|(at, menu)| menu.items.iter().enumerate().map(move |(place, item)| (item.id.clone(), (at, place))))
            .collect();
        let search = menus.iter().map(SearchIndex::of).collect();
        let zones = menus.iter().map(|menu| local_time::zone(&menu.restaurant.time_zone)).collect();
        Self { menus, fixed: Arc::new(Fixed { restaurants_by_id, items_by_id, search, zones }) }
    }

    /// The catalogue as it is at `now`, when somebody has opened or closed since; `None` when nobody has.
    #[must_use]
    pub fn at(&self, now: Timestamp) -> Option<Self> {
        let open = |(menu, zone): (&RestaurantMenu, &TimeZone)| local_time::is_open(&menu.restaurant, zone, now);
        let open: Vec<bool> = self.menus.iter().zip(&self.fixed.zones).map(open).collect();
        if self.menus.iter().zip(&open).all(|(menu, open)| menu.restaurant.open == *open) {
            return None;
        }
        let mut later = self.clone();
        for (menu, open) in later.menus.iter_mut().zip(open) {
            menu.restaurant.open = open;
        }
        Some(later)
    }

    /// Every restaurant with its dishes, in menu order.
    pub fn menus(&self) -> &[RestaurantMenu] {
        &self.menus
    }

    pub fn menu(&self, id: &RestaurantId) -> Option<&RestaurantMenu> {
        self.menus.get(self.place(id)?)
    }

    /// A dish of any restaurant.
    pub fn item(&self, id: &ItemId) -> Option<&MenuItem> {
        let (at, place) = self.place_of(id)?;
        self.menus.get(at)?.items.get(place)
    }

    /// The restaurant's place in [`Self::menus`].
    pub fn place(&self, id: &RestaurantId) -> Option<usize> {
        self.fixed.restaurants_by_id.get(id).copied()
    }

    /// Place of the dish's restaurant in [`Self::menus`], and place of the dish on its menu.
    pub fn place_of(&self, id: &ItemId) -> Option<(usize, usize)> {
        self.fixed.items_by_id.get(id).copied()
    }

    /// The restaurant's time zone; UTC for one that is not there (any more).
    pub fn zone(&self, id: &RestaurantId) -> TimeZone {
        self.place(id).and_then(|at| self.fixed.zones.get(at)).cloned().unwrap_or(TimeZone::UTC)
    }

    /// Places in [`Self::menus`] of the restaurants that satisfy the whole filter, in menu order.
    pub fn search(&self, filter: &Filter) -> impl Iterator<Item = usize> {
        let all = self.menus.iter().zip(&self.fixed.search).enumerate();
        all.filter(|(_, (menu, index))| filter.accepts(&menu.restaurant, index)).map(|(at, _)| at)
    }
}

#[cfg(test)]
mod tests;
