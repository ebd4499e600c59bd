use super::{COFFEE_BAR, Catalogue, Filter, TAGS};
use contract::{ItemId, RestaurantId, Timestamp};
use std::collections::HashSet;

const DATA: &str = include_str!("../../data/restaurants.toml");

fn catalogue() -> Catalogue {
    Catalogue::parse(DATA).unwrap()
}

/// Ids of the restaurants that match.
fn found(city: &str, cuisine: &str, query: &str) -> Vec<String> {
    let catalogue = catalogue();
    let filter = Filter::new(Some(city), Some(cuisine), Some(query));
    catalogue.search(&filter).map(|at| catalogue.menus()[at].restaurant.id.to_string()).collect()
}

/// The complaint about a file that differs from the real one in one place.
fn complaint(right: &str, wrong: &str) -> String {
    assert!(DATA.contains(right), "the data file has no {right}");
    Catalogue::parse(&DATA.replacen(right, wrong, 1)).unwrap_err().to_string()
}

/// Line of the first occurrence in the data file, counted from 1.
fn line_of(text: &str) -> usize {
    1 + DATA.split_once(text).unwrap().0.matches('\n').count()
}

#[test]
fn the_coffee_bar_has_its_eight_drinks_at_their_prices() {
    let catalogue = catalogue();
    let mut drinks: Vec<_> =
        catalogue.menu(&COFFEE_BAR.into()).unwrap().items.iter().map(|item| (item.id.to_string(), item.base_price.cents())).collect();
    drinks.sort();
    let expected = [
        ("asteroid-americano", 449),
        ("comet-cold-brew", 529),
        ("galaxy-mocha", 649),
        ("lunar-cappuccino", 549),
        ("nebula-latte", 599),
        ("rocket-fuel", 499),
        ("starlight-frappe", 699),
        ("supernova-espresso", 399),
    ];
    assert_eq!(drinks, expected.map(|(id, cents)| (id.to_owned(), cents)));
    assert_eq!(catalogue.item(&"nebula-latte".into()).unwrap().emoji, "🌌");
}

#[test]
fn six_more_restaurants_have_eight_to_twelve_dishes_in_different_cities_and_cuisines() {
    let catalogue = catalogue();
    let others: Vec<_> = catalogue.menus().iter().filter(|menu| menu.restaurant.id.as_str() != COFFEE_BAR).collect();
    assert!(others.len() >= 6);
    for menu in &others {
        assert!((8..=12).contains(&menu.items.len()), "{}", menu.restaurant.id);
        assert_eq!(menu.restaurant.item_count as usize, menu.items.len(), "{}", menu.restaurant.id);
    }
    let cities: HashSet<_> = others.iter().map(|menu| &menu.restaurant.city).collect();
    let cuisines: HashSet<_> = others.iter().map(|menu| &menu.restaurant.cuisine).collect();
    assert_eq!((cities.len(), cuisines.len()), (others.len(), others.len()));
}

#[test]
fn item_ids_are_unique_across_all_restaurants() {
    let catalogue = catalogue();
    let items: Vec<_> = catalogue.menus().iter().flat_map(|menu| &menu.items).collect();
    let ids: HashSet<_> = items.iter().map(|item| &item.id).collect();
    assert_eq!(ids.len(), items.len());
    for item in items {
        assert_eq!(catalogue.item(&item.id), Some(item));
    }
}

#[test]
fn every_dish_names_its_restaurant_and_makes_hungry_in_one_sentence() {
    for menu in catalogue().menus() {
        for item in &menu.items {
            assert_eq!(item.restaurant_id, menu.restaurant.id);
            let text = &item.description;
            assert!((40..=160).contains(&text.chars().count()), "{}: {} characters", item.id, text.chars().count());
            assert!(text.ends_with('.') && !text.trim_end_matches('.').contains(". "), "{}", item.id);
        }
    }
}

#[test]
fn restaurants_are_painted_in_hues_that_can_be_told_apart() {
    let catalogue = catalogue();
    let apart = |one: u16, other: u16| one.abs_diff(other).min(360 - one.abs_diff(other));
    for (at, menu) in catalogue.menus().iter().enumerate() {
        let [first, second] = menu.restaurant.hues;
        assert!(first < 360 && second < 360 && apart(first, second) >= 20, "{}", menu.restaurant.id);
        for other in &catalogue.menus()[at + 1..] {
            assert!(apart(first, other.restaurant.hues[0]) >= 20, "{} {}", menu.restaurant.id, other.restaurant.id);
        }
    }
}

#[test]
fn restaurants_open_and_close_by_their_own_clocks() {
    let at = |text: &str| Timestamp::from_millis(text.parse::<jiff::Timestamp>().unwrap().as_millisecond());
    let houston = |now: &str| {
        let catalogue = catalogue();
        let catalogue = catalogue.at(at(now)).unwrap_or(catalogue);
        catalogue.menu(&"houston-burgers".into()).unwrap().restaurant.open
    };
    // Six hours behind UTC in winter; open from ten to two.
    assert!(!houston("2026-11-20T15:59:00Z") && houston("2026-11-20T16:00:00Z"));
    assert!(houston("2026-11-21T07:59:00Z") && !houston("2026-11-21T08:00:00Z"));
    assert!(catalogue().at(at("2026-11-20T18:00:00Z")).is_none(), "who is open already does not open");
}

#[test]
fn dishes_of_one_category_come_to_stand_together() {
    let mut menus = catalogue().menus().to_vec();
    let late = menus[0].items.remove(0);
    let (id, category) = (late.id.clone(), late.category.clone());
    menus[0].items.push(late);
    let sorted = Catalogue::new(menus);
    let of_category: Vec<_> = sorted.menus()[0].items.iter().filter(|item| item.category == category).map(|item| &item.id).collect();
    let place = sorted.place_of(&id).unwrap().1;
    assert_eq!((place, of_category.last()), (of_category.len() - 1, Some(&&id)));
}

#[test]
fn unknown_ids_name_nothing() {
    let catalogue = catalogue();
    for id in ["", "NEBULA-LATTE", "nebula-latte ", "' OR 1=1 --", "🌌"] {
        assert!(catalogue.item(&ItemId::new(id)).is_none(), "{id}");
        assert!(catalogue.menu(&RestaurantId::new(id)).is_none(), "{id}");
    }
}

#[test]
fn a_filter_that_asks_for_nothing_accepts_every_restaurant() {
    assert_eq!(found("", "  ", "\t").len(), catalogue().menus().len());
    assert!(Filter::new(None, Some(" "), None).is_empty());
}

#[test]
fn restaurants_are_found_by_city_and_cuisine_in_any_case() {
    assert_eq!(found("tOKYO", "", ""), ["event-horizon-ramen"]);
    assert_eq!(found(" méxico CITY ", "", ""), ["asteroid-belt-taqueria"]);
    assert_eq!(found("", "PLANT-based", ""), ["greenhouse-module"]);
    assert_eq!(found("Naples", "Italian", ""), ["orbita-pizzeria"]);
    assert!(found("Naples", "Japanese", "").is_empty());
    assert!(found("Tok", "", "").is_empty(), "a city is met in full");
}

#[test]
fn free_text_finds_names_dishes_tags_and_emoji_without_case_or_accents() {
    assert_eq!(found("", "", "órbita"), ["orbita-pizzeria"]);
    assert_eq!(found("", "", "ORBITA piz"), ["orbita-pizzeria"]);
    assert_eq!(found("", "", "tiramisu"), ["orbita-pizzeria"]);
    assert_eq!(found("", "", "frappe"), ["cosmic-coffee"]);
    assert_eq!(found("", "", "🍜"), ["event-horizon-ramen"]);
    assert_eq!(found("", "", "🌌"), ["cosmic-coffee"]);
    assert!(found("", "", "gluten-free").contains(&"absolute-zero-gelato".to_owned()));
    assert!(found("", "", "vegetarian").contains(&"greenhouse-module".to_owned()), "a vegan dish is vegetarian");
    assert_eq!(found("Hong Kong", "", "dumpling"), ["dim-sun"]);
}

#[test]
fn every_word_of_free_text_must_begin_some_word() {
    assert!(found("", "", "nebula ramen").is_empty());
    assert!(!found("", "", "tea").contains(&"orbita-pizzeria".to_owned()), "steamed is not tea");
    for nothing in ["!!!", "%", "'; DROP TABLE restaurants;--", "<script>", "zzzz", "مريم"] {
        assert!(found("", "", nothing).is_empty(), "{nothing}");
    }
}

#[test]
fn a_repeated_item_id_is_refused_with_both_lines() {
    let text = complaint("id = \"singularity-tonkotsu\"", "id = \"nebula-latte\"");
    let (second, first) = (line_of("id = \"singularity-tonkotsu\""), line_of("id = \"nebula-latte\""));
    assert_eq!(
        text,
        format!("restaurants.toml, line {second}: item nebula-latte of event-horizon-ramen: the id is used twice, first in line {first}")
    );
}

#[test]
fn a_repeated_restaurant_id_is_refused() {
    let text = complaint("id = \"dim-sun\"", "id = \"the-big-dipper\"");
    assert!(text.contains(&format!("line {}: restaurant the-big-dipper: the id is used twice", line_of("id = \"dim-sun\""))), "{text}");
}

#[test]
fn a_price_that_nobody_can_pay_is_refused_with_line_and_item() {
    for (price, why) in
        [("0", "more than 0"), ("-5.99", "more than 0"), ("nan", "more than 0"), ("59900", "more than any dish"), ("5.999", "two decimals")]
    {
        let text = complaint("price = 5.99", &format!("price = {price}"));
        assert!(
            text.starts_with(&format!("restaurants.toml, line {}: item nebula-latte of cosmic-coffee: ", line_of("price = 5.99"))),
            "{text}"
        );
        assert!(text.contains(why), "{text}");
    }
    assert!(Catalogue::parse(&DATA.replacen("price = 5.99", "price = 6", 1)).is_ok(), "whole dollars are a price");
}

#[test]
fn a_time_zone_that_nobody_knows_is_refused_with_line_and_restaurant() {
    let text = complaint("Asia/Tokyo", "Asia/Atlantis");
    let line = line_of("Asia/Tokyo");
    assert_eq!(
        text,
        format!("restaurants.toml, line {line}: restaurant event-horizon-ramen: Asia/Atlantis is not a time zone the IANA database knows")
    );
}

#[test]
fn every_other_mistake_names_its_line_and_culprit() {
    for (right, wrong, says) in [
        ("[270, 320]", "[270, 360]", "restaurant cosmic-coffee: a hue"),
        (
            "\"vegetarian\", \"gluten-free\", \"signature\"",
            "\"vegitarian\"",
            "item nebula-latte of cosmic-coffee: \"vegitarian\" is not a tag",
        ),
        ("\"vegetarian\", \"gluten-free\", \"signature\"", "\"spicy\", \"spicy\"", "the tag \"spicy\" is given twice"),
        ("id = \"nebula-latte\"", "id = \"Nebula Latte\"", "item Nebula Latte of cosmic-coffee: an id has"),
        ("id = \"nebula-latte\"", "id = \"nebula--latte\"", "an id has"),
        ("name = \"Nebula Latte\"", "name = \" \"", "item nebula-latte of cosmic-coffee: the name must be"),
        ("name = \"Lunar Cappuccino\"", "name = \"Nebula Latte\"", "item lunar-cappuccino of cosmic-coffee: the name is used twice"),
        ("emoji = \"🌙\"", "emoji = \"🌀\"", "item galaxy-mocha of cosmic-coffee: the emoji is used twice"),
        ("emoji = \"🌙\"", "emoji = \"moon\"", "item lunar-cappuccino of cosmic-coffee: \"moon\" is not an emoji"),
        ("category = \"Deep Freeze\"", "category = \"Milk & Foam\"", "item comet-cold-brew of cosmic-coffee: the dishes of a category"),
        ("id = \"cosmic-coffee\"", "id = \"comic-coffee\"", "restaurant cosmic-coffee is missing"),
        ("\n[[restaurant.item]]", "\n[[restaurant.dish]]", "unknown field `dish`"),
        ("price = 5.99", "prise = 5.99", "unknown field `prise`"),
        ("price = 5.99", "price = \"5.99\"", "invalid type"),
        ("price = 5.99", "price = ", ""),
        ("price = 5.99\n", "", "missing field `price`"),
        ("hours = [\"10:00\", \"02:00\"]", "hours = [\"10:00\", \"26:00\"]", "restaurant houston-burgers: hours are two times of day"),
        ("hours = [\"10:00\", \"02:00\"]", "location = [10, 10000]", "restaurant houston-burgers: a location is"),
        ("\"Lactose-free\"", "\"oat\"", "item nebula-latte of cosmic-coffee: a choice of Milk is given twice"),
    ] {
        let text = complaint(right, wrong);
        assert!(text.starts_with("restaurants.toml, line ") && text.contains(says), "{wrong}: {text}");
        assert!(!text.contains("line 1:"), "{wrong}: {text}");
    }
    assert_eq!(TAGS.iter().collect::<HashSet<_>>().len(), TAGS.len());
}
