//! The catalogue: every restaurant and its dishes, checked once and never changed afterwards.

mod data_file;
mod search;

use contract::menu::{MenuItem, RestaurantMenu};
use contract::{ItemId, RestaurantId};
use std::collections::HashMap;

pub use search::Filter;
use search::SearchIndex;

/// The restaurant whose dishes `GET /api/menu` lists.
pub const COFFEE_BAR: &str = "cosmic-coffee";

/// Marks a dish may carry. A list, so that a misspelt one is found at start and not by a customer.
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

/// All restaurants, in the order of the data file, with what finds them.
#[derive(Debug)]
pub struct Catalogue {
    menus: Vec<RestaurantMenu>,
    restaurants_by_id: HashMap<RestaurantId, usize>,
    /// Place of the restaurant and place of the dish in it.
    items_by_id: HashMap<ItemId, (usize, usize)>,
    search: Vec<SearchIndex>,
}

impl Catalogue {
    /// Reads and checks a data file; its own comment says what the fields are.
    ///
    /// # Errors
    /// The first thing that is wrong, with its line and the restaurant or dish it belongs to.
    pub fn parse(text: &str) -> Result<Self, CatalogueError> {
        data_file::read(text).map(Self::new)
    }

    fn new(menus: Vec<RestaurantMenu>) -> Self {
        let restaurants_by_id = menus.iter().enumerate().map(|(at, menu)| (menu.restaurant.id.clone(), at)).collect();
        let items_by_id = menus
            .iter()
            .enumerate()
            .flat_map(|(at, menu)| menu.items.iter().enumerate().map(move |(place, item)| (item.id.clone(), (at, place))))
            .collect();
        let search = menus.iter().map(SearchIndex::of).collect();
        Self { menus, restaurants_by_id, items_by_id, search }
    }

    /// Every restaurant with its dishes, in menu order.
    pub fn menus(&self) -> &[RestaurantMenu] {
        &self.menus
    }

    pub fn menu(&self, id: &RestaurantId) -> Option<&RestaurantMenu> {
        self.menus.get(*self.restaurants_by_id.get(id)?)
    }

    /// A dish of any restaurant.
    pub fn item(&self, id: &ItemId) -> Option<&MenuItem> {
        let (at, place) = self.place_of(id)?;
        self.menus.get(at)?.items.get(place)
    }

    /// Place of the dish's restaurant in [`Self::menus`], and place of the dish on its menu.
    pub fn place_of(&self, id: &ItemId) -> Option<(usize, usize)> {
        self.items_by_id.get(id).copied()
    }

    /// Places in [`Self::menus`] of the restaurants that satisfy the whole filter, in menu order.
    pub fn search(&self, filter: &Filter) -> impl Iterator<Item = usize> {
        self.search.iter().enumerate().filter(|(_, index)| filter.accepts(index)).map(|(at, _)| at)
    }
}

#[cfg(test)]
mod tests;
