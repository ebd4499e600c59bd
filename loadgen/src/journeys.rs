//! What people come for, each with its own odds: browse 80 %, buy 60 %, look at past orders 30 %, customers 10 %.

use crate::purchase;
use crate::run::{End, Run, SharedShopper};
use crate::visit::{Ask, Failure, Visit};
use contract::id::path_segment;
use contract::menu::{MenuItem, Restaurant};
use contract::order::Order;
use contract::{ItemId, RestaurantId};
use goose::goose::GooseUser;

const BROWSE_PERCENT: u64 = 80;
const PURCHASE_PERCENT: u64 = 60;
const HISTORY_PERCENT: u64 = 30;
const CUSTOMERS_PERCENT: u64 = 10;

/// Between two requests of one journey, in milliseconds.
pub const THINK_MS: (u64, u64) = (100, 500);
/// Between two rounds of journeys, in milliseconds.
const REST_MS: (u64, u64) = (500, 1500);

/// One round: each journey takes place or not, independently of the others.
///
/// With a goose user goose sends the requests; without, the shopper's own client does.
pub async fn round(user: Option<&mut GooseUser>, run: &Run, seat: &SharedShopper) {
    let mut shopper = seat.lock().await;
    let mut visit = Visit { user, run, shopper: &mut shopper };
    if visit.sets_out(BROWSE_PERCENT) {
        let end = visit.browse().await;
        visit.finish("browse", end).await;
    }
    if visit.sets_out(PURCHASE_PERCENT) {
        let end = purchase::purchase(&mut visit).await;
        visit.finish("purchase", end).await;
    }
    if visit.sets_out(HISTORY_PERCENT) {
        let end = visit.history().await;
        visit.finish("history", end).await;
    }
    if visit.sets_out(CUSTOMERS_PERCENT) {
        let end = visit.customers().await;
        visit.finish("customers", end).await;
    }
    run.think(visit.shopper, REST_MS.0, REST_MS.1).await;
}

impl Visit<'_> {
    fn sets_out(&mut self, percent: u64) -> bool {
        let goes = self.shopper.chance.percent(percent);
        goes && !self.run.is_over() && !self.shopper.is_leaving()
    }

    pub async fn think(&mut self) {
        self.run.think(self.shopper, THINK_MS.0, THINK_MS.1).await;
    }

    /// Books how a journey ended. After a failure, waits as the server asked.
    async fn finish(&mut self, journey: &'static str, end: Result<End, Failure>) {
        let end = match end {
            Ok(end) => end,
            Err(failure) => {
                self.wait_after(&failure).await;
                match failure {
                    Failure::Left => End::Abandoned,
                    failure if failure.is_fair() => End::Refused,
                    _ => End::Failed,
                }
            }
        };
        self.run.tally(journey, end);
    }

    /// The restaurants, one menu, one dish.
    async fn browse(&mut self) -> Result<End, Failure> {
        let restaurant = self.some_restaurant().await?;
        self.think().await;
        let menu = self.menu_of(&restaurant).await?;
        if let Some(item) = self.shopper.chance.pick(&menu).map(|item| item.id.clone()) {
            self.think().await;
            self.look_at(&item, &restaurant).await?;
        }
        Ok(End::Completed)
    }

    /// Reads the list of restaurants and chooses one that is open.
    async fn some_restaurant(&mut self) -> Result<RestaurantId, Failure> {
        let ask = Ask::get("GET /api/restaurants", "/api/restaurants");
        let not_empty = |list: &Vec<Restaurant>| if list.is_empty() { Err("there is no restaurant") } else { Ok(()) };
        self.shopper.restaurants = self.ask(ask, not_empty).await?.value;
        self.shopper.restaurants.retain(|restaurant| restaurant.open);
        self.known_restaurant().ok_or(Failure::Wrong("no restaurant is open"))
    }

    fn known_restaurant(&mut self) -> Option<RestaurantId> {
        self.shopper.chance.pick(&self.shopper.restaurants).map(|restaurant| restaurant.id.clone())
    }

    /// One of the restaurants seen before; somebody new reads the list first.
    pub async fn any_restaurant(&mut self) -> Result<RestaurantId, Failure> {
        match self.known_restaurant() {
            Some(restaurant) => Ok(restaurant),
            None => self.some_restaurant().await,
        }
    }

    pub async fn menu_of(&mut self, restaurant: &RestaurantId) -> Result<Vec<MenuItem>, Failure> {
        let path = format!("/api/restaurants/{}/menu", path_segment(restaurant.as_str()));
        let own = |menu: &Vec<MenuItem>| {
            if menu.is_empty() {
                return Err("the menu is empty");
            }
            let foreign = menu.iter().any(|item| item.restaurant_id != *restaurant);
            if foreign { Err("the menu has another restaurant's dish") } else { Ok(()) }
        };
        Ok(self.ask(Ask::get("GET /api/restaurants/{id}/menu", path), own).await?.value)
    }

    async fn look_at(&mut self, item: &ItemId, restaurant: &RestaurantId) -> Result<(), Failure> {
        let path = format!("/api/menu/{}", path_segment(item.as_str()));
        let same = |found: &MenuItem| {
            if found.id != *item {
                return Err("it is another dish");
            }
            if found.restaurant_id == *restaurant { Ok(()) } else { Err("the dish is another restaurant's") }
        };
        self.ask(Ask::get("GET /api/menu/{id}", path), same).await.map(drop)
    }

    /// Own orders, newest first; sometimes the second page.
    async fn history(&mut self) -> Result<End, Failure> {
        let (name, latest) = (self.shopper.name.clone(), self.shopper.latest.clone());
        let first = |orders: &Vec<Order>| {
            own_orders(orders, &name)?;
            let has_latest = latest.as_ref().is_none_or(|id| orders.iter().any(|order| order.id == *id));
            if has_latest { Ok(()) } else { Err("the newest order is not on the first page") }
        };
        let page = self.ask(Ask::get("GET /api/orders", "/api/orders"), first).await?;
        let next = page.link.as_deref().and_then(next_page);
        if let Some(path) = next.filter(|_| self.shopper.chance.percent(50)) {
            self.think().await;
            self.ask(Ask::get("GET /api/orders (next page)", path), |orders: &Vec<Order>| own_orders(orders, &name)).await?;
        }
        Ok(End::Completed)
    }

    /// The names this session ordered under, and the orders of one.
    async fn customers(&mut self) -> Result<End, Failure> {
        let name = self.shopper.name.clone();
        let own = |names: &Vec<String>| {
            if names.iter().all(|customer| *customer == name) { Ok(()) } else { Err("it has somebody else's name") }
        };
        self.ask(Ask::get("GET /api/customers", "/api/customers"), own).await?;
        self.think().await;
        let path = format!("/api/customers/{}/orders", path_segment(&name));
        let ask = Ask::get("GET /api/customers/{name}/orders", path);
        self.ask(ask, |orders: &Vec<Order>| own_orders(orders, &name)).await?;
        Ok(End::Completed)
    }
}

fn own_orders(orders: &[Order], name: &str) -> Result<(), &'static str> {
    let foreign = |order: &Order| order.customer_name.as_ref().is_none_or(|customer| customer.as_str() != name);
    if orders.iter().any(foreign) {
        return Err("it has somebody else's order");
    }
    let mut ids: Vec<&str> = orders.iter().map(|order| order.id.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    if ids.len() == orders.len() { Ok(()) } else { Err("one order is listed twice") }
}

/// Path and query of the next page, from `Link: </api/orders?cursor=abc>; rel="next"`.
pub fn next_page(link: &str) -> Option<String> {
    let entry = link.split(',').find(|entry| entry.contains("rel=\"next\"") || entry.contains("rel=next"))?;
    let target = entry.split_once('<')?.1.split_once('>')?.0;
    let path = match target.split_once("://") {
        Some((_, rest)) => &rest[rest.find('/')?..],
        None => target,
    };
    path.starts_with('/').then(|| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::next_page;

    #[test]
    fn the_next_page_is_where_the_link_says() {
        assert_eq!(next_page("</api/orders?cursor=a%2Bb&limit=5>; rel=\"next\"").as_deref(), Some("/api/orders?cursor=a%2Bb&limit=5"));
        assert_eq!(next_page("<http://h:1/api/orders?cursor=a>; rel=next").as_deref(), Some("/api/orders?cursor=a"));
        assert_eq!(next_page("</a>; rel=\"prev\", </b>; rel=\"next\"").as_deref(), Some("/b"));
        assert_eq!(next_page("</a>; rel=\"prev\""), None);
        assert_eq!(next_page("nonsense"), None);
    }
}
