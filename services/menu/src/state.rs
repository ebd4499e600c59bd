//! What the routes answer from: the catalogue and every fixed body, serialised at start.

use crate::domain::{COFFEE_BAR, Catalogue, CatalogueError, Filter};
use crate::served::Served;
use bytes::Bytes;
use contract::{ItemId, RestaurantId};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

const EMBEDDED_DATA: &str = include_str!("../data/restaurants.toml");

/// Why a menu could not be made ready to serve.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    #[error("the catalogue cannot be used: {0}")]
    Catalogue(#[from] CatalogueError),
    #[error("the catalogue has no JSON form")]
    Json(#[from] serde_json::Error),
}

/// The state of the menu service. Clones share everything.
#[derive(Clone, Debug)]
pub struct Menu(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    catalogue: Catalogue,
    restaurants: Served,
    coffee_bar: Served,
    /// One for each of [`Catalogue::menus`], in the same order.
    pages: Vec<RestaurantPages>,
    pages_by_id: HashMap<String, usize>,
    items: HashMap<String, Served>,
}

/// The bodies of one restaurant's addresses.
#[derive(Debug)]
pub(crate) struct RestaurantPages {
    /// Without dishes.
    pub restaurant: Served,
    /// The dishes alone, as an array.
    pub items: Served,
    /// Both.
    pub menu: Served,
}

impl Menu {
    /// The catalogue that was compiled in.
    ///
    /// # Errors
    /// When the data file is wrong, with the line and the culprit.
    pub fn from_embedded_data() -> Result<Self, LoadError> {
        Self::from_toml(EMBEDDED_DATA)
    }

    /// A catalogue of the same form as `data/restaurants.toml`.
    ///
    /// # Errors
    /// When the text is wrong, with the line and the culprit.
    pub fn from_toml(text: &str) -> Result<Self, LoadError> {
        let catalogue = Catalogue::parse(text)?;
        let menus = catalogue.menus();
        let page = |menu: &contract::menu::RestaurantMenu| -> Result<_, serde_json::Error> {
            let (restaurant, items) = (Served::json(&menu.restaurant)?, Served::json(&menu.items)?);
            Ok(RestaurantPages { restaurant, items, menu: Served::json(menu)? })
        };
        let pages = menus.iter().map(page).collect::<Result<Vec<_>, _>>()?;
        let pages_by_id: HashMap<_, _> = menus.iter().enumerate().map(|(at, menu)| (menu.restaurant.id.to_string(), at)).collect();
        let items = menus.iter().flat_map(|menu| &menu.items);
        let items = items.map(|item| Ok((item.id.to_string(), Served::json(item)?))).collect::<Result<_, serde_json::Error>>()?;
        let restaurants = Served::new(array(pages.iter().map(|page| page.restaurant.bytes())));
        // `Catalogue::parse` refuses a file without the coffee bar.
        let coffee_bar =
            pages_by_id.get(COFFEE_BAR).and_then(|at| pages.get(*at)).map_or_else(|| Served::new("[]"), |page| page.items.clone());
        Ok(Self(Arc::new(Inner { restaurants, coffee_bar, pages, pages_by_id, items, catalogue })))
    }

    pub fn catalogue(&self) -> &Catalogue {
        &self.0.catalogue
    }

    pub(crate) fn coffee_bar(&self) -> &Served {
        &self.0.coffee_bar
    }

    pub(crate) fn restaurants(&self) -> &Served {
        &self.0.restaurants
    }

    pub(crate) fn restaurant(&self, id: &RestaurantId) -> Option<&RestaurantPages> {
        self.0.pages.get(*self.0.pages_by_id.get(id.as_str())?)
    }

    pub(crate) fn item(&self, id: &ItemId) -> Option<&Served> {
        self.0.items.get(id.as_str())
    }

    /// The restaurants a filter accepts, as a JSON array.
    pub(crate) fn search(&self, filter: &Filter) -> Bytes {
        array(self.0.catalogue.search(filter).filter_map(|at| self.0.pages.get(at)).map(|page| page.restaurant.bytes())).into()
    }

    /// The dishes that exist among `ids`, each once, and their restaurants: a JSON `contract::menu::ItemsReply`.
    pub(crate) fn items<'a>(&self, ids: impl Iterator<Item = &'a str>) -> Bytes {
        let ids: BTreeSet<&str> = ids.collect();
        let found: Vec<(&Served, usize)> =
            ids.into_iter().filter_map(|id| Some((self.0.items.get(id)?, self.0.catalogue.place_of(&ItemId::new(id))?.0))).collect();
        let places: BTreeSet<usize> = found.iter().map(|(_, at)| *at).collect();
        let items = array(found.iter().map(|(item, _)| item.bytes()));
        let restaurants = array(places.into_iter().filter_map(|at| self.0.pages.get(at)).map(|page| page.restaurant.bytes()));
        [br#"{"items":"#, &*items, br#","restaurants":"#, &*restaurants, b"}"].concat().into()
    }
}

/// A JSON array of values that are JSON already.
fn array<'a>(values: impl Iterator<Item = &'a Bytes>) -> Vec<u8> {
    let mut out = vec![b'['];
    for (place, value) in values.enumerate() {
        if place > 0 {
            out.push(b',');
        }
        out.extend_from_slice(value);
    }
    out.push(b']');
    out
}
