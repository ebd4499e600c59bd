//! A kitchen's menu, stock and hours.

use super::as_;
use super::browser::Browser;
use contract::Code;

const LATTE: &str = "restaurant=soup-one&name=Moon+Latte&description=Round.&emoji=%E2%98%95&price=4%2C50&category=Drinks&tags=hot%2C+new&options=Milk%3A+Whole%2C+Oat&inStock=on";

fn dish(browser: &Browser, id: &str) -> Option<contract::menu::MenuItem> {
    browser.world().menus.iter().flat_map(|menu| &menu.items).find(|item| item.id.as_str() == id).cloned()
}

#[tokio::test]
async fn a_dish_is_written_read_and_changed() {
    let mut cook = as_("cook");
    assert_eq!(cook.post("/restaurant/new-dish", LATTE).await.is(303).to, "/restaurant/menu");
    let latte = dish(&cook, "moon-latte").unwrap();
    assert_eq!((latte.base_price.cents(), latte.tags.len(), latte.options[0].choices.len()), (450, 2, 2));
    cook.get("/restaurant/menu").await.says("The dish is on the menu.").says("Moon Latte").says("Drinks");
    cook.get("/restaurant/menu/moon-latte").await.is(200).says("value=\"4.50\"").says("Milk: Whole, Oat").says("Edit the dish");
    cook.post("/restaurant/menu/moon-latte", &LATTE.replace("4%2C50", "5")).await.is(303);
    assert_eq!(dish(&cook, "moon-latte").unwrap().base_price.cents(), 500);
}

#[tokio::test]
async fn a_price_that_cannot_be_read_is_said_and_what_was_typed_is_kept() {
    let mut cook = as_("cook");
    let seen = cook.post("/restaurant/new-dish", &LATTE.replace("4%2C50", "four+<b>")).await;
    seen.is(400).says("“four &lt;b&gt;” is no price").says("value=\"Moon Latte\"").says("Milk: Whole, Oat").says("role=\"alert\"");
    let seen = cook.post("/restaurant/menu/hot-soup", &LATTE.replace("Milk%3A", "Milk")).await;
    seen.is(400).says("cannot be read").says("value=\"Moon Latte\"").says("/restaurant/menu/hot-soup/delete");
    assert_eq!(dish(&cook, "hot-soup").unwrap().base_price.cents(), 599);
}

#[tokio::test]
async fn what_the_menu_refuses_is_said_on_the_form() {
    let mut cook = as_("cook");
    cook.post("/restaurant/new-dish", &LATTE.replace("Moon+Latte", "")).await.is(400).says("The name must have 1 to 80 characters.");
    cook.post("/restaurant/new-dish", &LATTE.replace("Moon+Latte", "Hot+Soup")).await.is(409).says("There is a dish of that name.");
    cook.breaks("menu.add_item", Code::ServiceUnavailable);
    cook.post("/restaurant/new-dish", LATTE).await.is(503).says("name=\"name\" value=\"Moon Latte\"").says("Try again");
}

#[tokio::test]
async fn deleting_asks_first() {
    let mut cook = as_("cook");
    cook.get("/restaurant/menu/oat-soup/delete").await.is(200).says("Delete Oat Soup?").says("Keep it");
    assert!(dish(&cook, "oat-soup").is_some());
    let gone = cook.post("/restaurant/menu/oat-soup/delete", "restaurant=soup-one").await;
    assert!(gone.is(303).to.starts_with("/restaurant/menu?undo=Oat%20Soup"));
    assert!(dish(&cook, "oat-soup").is_none());
    let menu = cook.get(&gone.to).await;
    menu.is(200).says("is off the menu for good").says("Put it back");
    let back =
        menu.html.split("href=\"").find_map(|rest| rest.split('"').next().filter(|to| to.starts_with("/restaurant/new-dish?"))).unwrap();
    cook.get(&back.replace("&amp;", "&")).await.is(200).says("value=\"Oat Soup\"").says("Milk: Whole, Oat\nSize: Small, Large");
}

#[tokio::test]
async fn a_dish_of_another_kitchen_is_not_touched() {
    let mut cook = as_("cook");
    cook.get("/restaurant/menu/far-soup").await.is(403);
    cook.get("/restaurant/menu/far-soup/delete").await.is(403);
    cook.post("/restaurant/menu/far-soup/delete", "").await.is(403);
    cook.post("/restaurant/menu/far-soup/stock", "stock=0").await.is(403);
    assert!(dish(&cook, "far-soup").is_some());
    assert!(cook.world().stock.is_empty());
    cook.get("/restaurant/menu/nothing").await.is(404);
}

#[tokio::test]
async fn a_dish_is_switched_off_and_on_by_one_press_each() {
    let mut cook = as_("cook");
    cook.post("/restaurant/menu/hot-soup/available", "inStock=false").await.is(303);
    assert!(!dish(&cook, "hot-soup").unwrap().in_stock);
    cook.get("/restaurant/menu").await.says("value=\"true\" aria-pressed=\"false\"");
    cook.post("/restaurant/menu/hot-soup/available", "inStock=true").await.is(303);
    assert!(dish(&cook, "hot-soup").unwrap().in_stock);
}

#[tokio::test]
async fn stock_is_a_whole_number_and_a_wrong_one_stays_in_its_field() {
    let mut cook = as_("cook");
    cook.get("/restaurant/menu").await.says("not counted yet");
    cook.post("/restaurant/menu/hot-soup/stock", "stock=12").await.is(303);
    cook.get("/restaurant/menu").await.says(">12").says(" left");
    cook.post("/restaurant/menu/hot-soup/stock", "stock=-3")
        .await
        .is(400)
        .says("“-3” is no stock")
        .says("value=\"-3\"")
        .says("aria-invalid=\"true\"");
    assert_eq!(cook.world().stock["hot-soup"], 12);
    cook.post("/restaurant/menu/hot-soup/stock", "stock=0").await.is(303);
    cook.get("/restaurant/menu").await.says("sold out");
}

#[tokio::test]
async fn the_menu_is_shown_while_nobody_counts() {
    let mut cook = as_("cook");
    cook.breaks("middleware.inventory", Code::ServiceUnavailable);
    cook.get("/restaurant/menu").await.is(200).says("cannot be seen at the moment").says("Hot &amp; Soup");
}

#[tokio::test]
async fn hours_are_kept_and_nonsense_is_asked_again() {
    let mut cook = as_("cook");
    cook.get("/restaurant/hours").await.is(200).says("value=\"11:00\"").says("value=\"23:00\"");
    cook.post("/restaurant/hours", "opens=18%3A30&closes=02%3A00").await.is(303);
    let hours = cook.world().menus[0].restaurant.hours;
    assert_eq!((hours.opens, hours.closes), (1_110, 120));
    cook.post("/restaurant/hours", "opens=late&closes=02%3A00").await.is(400).says("both times").says("value=\"late\"");
    cook.post("/restaurant/hours", "opens=10%3A00&closes=10%3A00").await.is(400).says("same minute");
    cook.post("/restaurant/hours", "opens=&closes=&always=on").await.is(303);
    assert_eq!(cook.world().menus[0].restaurant.hours, contract::menu::Hours::default());
}
