//! How much is left of what a page shows.

use crate::shop::Shop;
use crate::ui::forms::Stock;
use contract::menu::MenuItem;
use contract::pricing::StockLevel;

/// Counted stock. An item that is not counted yet is in plenty; so is everything while the counter is out of reach: the order
/// decides in the end, and a menu is worth showing before that.
pub struct Shelf(Vec<StockLevel>);

impl Shelf {
    pub async fn load(shop: &Shop) -> Self {
        let mut levels = shop.middleware.inventory().await.unwrap_or_default();
        levels.sort_unstable_by(|a, b| a.item_id.cmp(&b.item_id));
        Self(levels)
    }

    /// Those dishes of which there are any.
    pub fn left_of(&self, items: &[MenuItem]) -> Vec<MenuItem> {
        items.iter().filter(|item| self.of(item) != Stock::SoldOut).cloned().collect()
    }

    pub fn of(&self, item: &MenuItem) -> Stock {
        let counted = self.0.binary_search_by(|level| level.item_id.cmp(&item.id)).ok();
        Stock::of(item, counted.and_then(|n| self.0.get(n)).map(|level| level.current_stock))
    }
}
