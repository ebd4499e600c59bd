//! What reads are answered from: a catalogue and every fixed body, serialised once.

use crate::domain::{COFFEE_BAR, Catalogue, Filter, local_time};
use crate::served::Served;
use bytes::Bytes;
use contract::menu::RestaurantMenu;
use contract::{ItemId, RestaurantId, Timestamp};
use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicI64, Ordering};

/// All menus at one moment. It does not change; what changes is which one is current.
#[derive(Debug)]
pub struct Snapshot {
    /// Of the menus it was made from.
    pub version: i64,
    catalogue: Catalogue,
    restaurants: Served,
    coffee_bar: Served,
    /// One for each of [`Catalogue::menus`], in the same order.
    pages: Vec<RestaurantPages>,
    pages_by_id: HashMap<String, usize>,
    items: HashMap<String, Served>,
    /// The minute after the one for which it is known who is open.
    open_until_ms: AtomicI64,
}

/// The bodies of one restaurant's addresses.
#[derive(Debug)]
pub struct RestaurantPages {
    /// Without dishes.
    pub restaurant: Served,
    /// The dishes alone, as an array.
    pub items: Served,
    /// Both.
    pub menu: Served,
}

impl Snapshot {
    /// # Errors
    /// A menu has no JSON form.
    pub fn new(version: i64, catalogue: Catalogue, now: Timestamp) -> Result<Self, serde_json::Error> {
        let catalogue = catalogue.at(now).unwrap_or(catalogue);
        let menus = catalogue.menus();
        let page = |menu: &RestaurantMenu| -> Result<_, serde_json::Error> {
            let (restaurant, items) = (Served::json(&menu.restaurant)?, Served::json(&menu.items)?);
            Ok(RestaurantPages { restaurant, items, menu: Served::json(menu)? })
        };
        let pages = menus.iter().map(page).collect::<Result<Vec<_>, _>>()?;
        let pages_by_id: HashMap<_, _> = menus.iter().enumerate().map(|(at, menu)| (menu.restaurant.id.to_string(), at)).collect();
        let items = menus.iter().flat_map(|menu| &menu.items);
        let items = items.map(|item| Ok((item.id.to_string(), Served::json(item)?))).collect::<Result<_, serde_json::Error>>()?;
        let restaurants = Served::new(array(pages.iter().map(|page| page.restaurant.bytes())));
        let coffee_bar = pages_by_id.get(COFFEE_BAR).and_then(|at| pages.get(*at));
        let coffee_bar = coffee_bar.map_or_else(|| Served::new("[]"), |page| page.items.clone());
        let open_until_ms = AtomicI64::new(local_time::next_minute(now).millis());
        Ok(Self { version, restaurants, coffee_bar, pages, pages_by_id, items, catalogue, open_until_ms })
    }

    /// True for the first who asks in a minute in which nobody has looked yet whether somebody opened or closed: then he should.
    pub fn is_due(&self, now: Timestamp) -> bool {
        let until = self.open_until_ms.load(Ordering::Relaxed);
        let next = local_time::next_minute(now).millis();
        now.millis() >= until && self.open_until_ms.compare_exchange(until, next, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    /// The same menus at `now`; `None` when nobody has opened or closed since.
    pub fn at(&self, now: Timestamp) -> Option<Self> {
        let catalogue = self.catalogue.at(now)?;
        // What could be written as JSON before can be written again.
        Self::new(self.version, catalogue, now).ok()
    }

    pub fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    pub fn coffee_bar(&self) -> &Served {
        &self.coffee_bar
    }

    pub fn restaurants(&self) -> &Served {
        &self.restaurants
    }

    pub fn restaurant(&self, id: &RestaurantId) -> Option<&RestaurantPages> {
        self.pages.get(*self.pages_by_id.get(id.as_str())?)
    }

    pub fn item(&self, id: &ItemId) -> Option<&Served> {
        self.items.get(id.as_str())
    }

    /// The restaurants a filter accepts, as a JSON array.
    pub fn search(&self, filter: &Filter) -> Bytes {
        array(self.catalogue.search(filter).filter_map(|at| self.pages.get(at)).map(|page| page.restaurant.bytes())).into()
    }

    /// The dishes that exist among `ids`, each once, and their restaurants: a JSON `contract::menu::ItemsReply`.
    pub fn items<'a>(&self, ids: impl Iterator<Item = &'a str>) -> Bytes {
        let ids: BTreeSet<&str> = ids.collect();
        let found: Vec<(&Served, usize)> =
            ids.into_iter().filter_map(|id| Some((self.items.get(id)?, self.catalogue.place_of(&ItemId::new(id))?.0))).collect();
        let places: BTreeSet<usize> = found.iter().map(|(_, at)| *at).collect();
        let items = array(found.iter().map(|(item, _)| item.bytes()));
        let restaurants = array(places.into_iter().filter_map(|at| self.pages.get(at)).map(|page| page.restaurant.bytes()));
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
