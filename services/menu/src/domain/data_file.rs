//! Reads the data file into checked menus. Every complaint names the line and who is meant.

use super::edit::{self, MAX_PRICE};
use super::{COFFEE_BAR, CatalogueError, TAGS};
use contract::geo::{CITY_SIDE_M, Location, locate};
use contract::menu::{Hours, ItemOption, MenuItem, Restaurant, RestaurantMenu};
use contract::{ItemId, Money, RestaurantId};
use serde::Deserialize;
use std::collections::HashMap;
use toml::Spanned;

/// As complaints call it.
const FILE: &str = "restaurants.toml";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct File {
    restaurant: Vec<RawRestaurant>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RawRestaurant {
    id: Spanned<String>,
    name: Spanned<String>,
    #[serde(default)]
    tagline: String,
    description: Spanned<String>,
    emoji: Spanned<String>,
    cuisine: Spanned<String>,
    city: Spanned<String>,
    time_zone: Spanned<String>,
    hours: Option<Spanned<[String; 2]>>,
    location: Option<Spanned<[i32; 2]>>,
    hues: Spanned<[u16; 2]>,
    #[serde(default)]
    item: Vec<RawItem>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RawItem {
    id: Spanned<String>,
    name: Spanned<String>,
    description: Spanned<String>,
    emoji: Spanned<String>,
    price: Spanned<f64>,
    category: Spanned<String>,
    #[serde(default)]
    tags: Vec<Spanned<String>>,
    options: Option<Spanned<Vec<ItemOption>>>,
    #[serde(default = "yes")]
    in_stock: bool,
}

fn yes() -> bool {
    true
}

/// # Errors
/// The first thing that is wrong.
pub(super) fn read(text: &str) -> Result<Vec<RestaurantMenu>, CatalogueError> {
    let lines = Lines(text);
    let file: File = toml::from_str(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        lines.error_at(at, error.message())
    })?;
    let mut check = Check { lines, restaurants: Seen::default(), items: Seen::default() };
    let menus = file.restaurant.into_iter().map(|raw| check.restaurant(raw)).collect::<Result<Vec<_>, _>>()?;
    if !menus.iter().any(|menu| menu.restaurant.id.as_str() == COFFEE_BAR) {
        return Err(lines.error_at(text.len(), format!("restaurant {COFFEE_BAR} is missing, and the coffee bar's menu is a fixed address")));
    }
    Ok(menus)
}

/// Turns places in the text into line numbers.
#[derive(Clone, Copy)]
struct Lines<'a>(&'a str);

impl Lines<'_> {
    fn number(self, at: usize) -> usize {
        1 + self.0.bytes().take(at).filter(|byte| *byte == b'\n').count()
    }

    fn error_at(self, at: usize, problem: impl Into<String>) -> CatalogueError {
        CatalogueError { file: FILE, line: self.number(at), problem: problem.into() }
    }

    fn error<T>(self, field: &Spanned<T>, problem: impl Into<String>) -> CatalogueError {
        self.error_at(field.span().start, problem)
    }
}

/// Texts that must not come twice, with the place of the first.
#[derive(Default)]
struct Seen(HashMap<String, usize>);

impl Seen {
    fn add(&mut self, lines: Lines, field: &Spanned<String>, what: &str) -> Result<(), CatalogueError> {
        match self.0.insert(field.get_ref().clone(), field.span().start) {
            None => Ok(()),
            Some(first) => Err(lines.error(field, format!("{what} is used twice, first in line {}", lines.number(first)))),
        }
    }
}

struct Check<'a> {
    lines: Lines<'a>,
    restaurants: Seen,
    items: Seen,
}

impl Check<'_> {
    fn restaurant(&mut self, raw: RawRestaurant) -> Result<RestaurantMenu, CatalogueError> {
        let lines = self.lines;
        let who = format!("restaurant {}", raw.id.get_ref());
        self.kebab(&raw.id, &who)?;
        self.restaurants.add(lines, &raw.id, &format!("{who}: the id"))?;
        if jiff::tz::TimeZone::get(raw.time_zone.get_ref()).is_err() {
            return Err(
                lines.error(&raw.time_zone, format!("{who}: {} is not a time zone the IANA database knows", raw.time_zone.get_ref()))
            );
        }
        if raw.hues.get_ref().iter().any(|hue| *hue > 359) {
            return Err(lines.error(&raw.hues, format!("{who}: a hue is a number from 0 to 359")));
        }
        if raw.item.is_empty() {
            return Err(lines.error(&raw.id, format!("{who} has no dishes")));
        }
        let id = RestaurantId::new(raw.id.get_ref().as_str());
        let mut on_this_menu = OnOneMenu::default();
        let items = raw.item.into_iter().map(|item| self.item(item, &id, &mut on_this_menu)).collect::<Result<Vec<_>, _>>()?;
        let (name, city) = (self.text(raw.name, &who, "name")?, self.text(raw.city, &who, "city")?);
        let location = raw.location.map(|place| self.location(&place, &who)).transpose()?;
        let restaurant = Restaurant {
            hours: raw.hours.map(|hours| self.hours(&hours, &who)).transpose()?.unwrap_or_default(),
            location: location.unwrap_or_else(|| locate(&city, &name)),
            name,
            tagline: raw.tagline.trim().to_owned(),
            description: self.text(raw.description, &who, "description")?,
            emoji: self.emoji(raw.emoji, &who)?,
            cuisine: self.text(raw.cuisine, &who, "cuisine")?,
            city,
            time_zone: raw.time_zone.into_inner(),
            hues: raw.hues.into_inner(),
            item_count: u32::try_from(items.len()).unwrap_or(u32::MAX),
            paused: false,
            open: true,
            id,
        };
        Ok(RestaurantMenu { restaurant, items })
    }

    fn item(&mut self, raw: RawItem, restaurant: &RestaurantId, menu: &mut OnOneMenu) -> Result<MenuItem, CatalogueError> {
        let lines = self.lines;
        let who = format!("item {} of {restaurant}", raw.id.get_ref());
        self.kebab(&raw.id, &who)?;
        self.items.add(lines, &raw.id, &format!("{who}: the id"))?;
        menu.names.add(lines, &raw.name, &format!("{who}: the name"))?;
        menu.emoji.add(lines, &raw.emoji, &format!("{who}: the emoji"))?;
        if menu.category.as_ref() != Some(raw.category.get_ref()) {
            menu.categories.add(
                lines,
                &raw.category,
                &format!("{who}: the dishes of a category follow each other, but {}", raw.category.get_ref()),
            )?;
            menu.category = Some(raw.category.get_ref().clone());
        }
        for (place, tag) in raw.tags.iter().enumerate() {
            if !TAGS.contains(&tag.get_ref().as_str()) {
                return Err(lines.error(tag, format!("{who}: \"{}\" is not a tag; tags are {}", tag.get_ref(), TAGS.join(", "))));
            }
            if raw.tags.iter().take(place).any(|earlier| earlier.get_ref() == tag.get_ref()) {
                return Err(lines.error(tag, format!("{who}: the tag \"{}\" is given twice", tag.get_ref())));
            }
        }
        Ok(MenuItem {
            id: ItemId::new(raw.id.get_ref().as_str()),
            base_price: self.price(&raw.price, &who)?,
            name: self.text(raw.name, &who, "name")?,
            description: self.text(raw.description, &who, "description")?,
            emoji: self.emoji(raw.emoji, &who)?,
            in_stock: raw.in_stock,
            restaurant_id: restaurant.clone(),
            category: self.text(raw.category, &who, "category")?,
            tags: raw.tags.into_iter().map(Spanned::into_inner).collect(),
            options: raw.options.map(|options| self.options(options, &who)).transpose()?.unwrap_or_default(),
        })
    }

    fn price(&self, price: &Spanned<f64>, who: &str) -> Result<Money, CatalogueError> {
        let dollars = *price.get_ref();
        let cents = (dollars * 100.0).round();
        let problem = if !dollars.is_finite() || cents <= 0.0 {
            "must be more than 0"
        } else if cents > MAX_PRICE.cents() as f64 {
            "is more than any dish costs"
        } else if (dollars * 100.0 - cents).abs() > 1e-4 {
            "has more than two decimals"
        } else {
            return Ok(Money::from_cents(cents as i64));
        };
        Err(self.lines.error(price, format!("{who}: the price {dollars} {problem}")))
    }

    fn kebab(&self, id: &Spanned<String>, who: &str) -> Result<(), CatalogueError> {
        let well_formed = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
        if id.get_ref().split('-').all(well_formed) {
            return Ok(());
        }
        Err(self.lines.error(id, format!("{who}: an id has lower-case letters and digits, in parts joined by hyphens")))
    }

    fn text(&self, text: Spanned<String>, who: &str, field: &str) -> Result<String, CatalogueError> {
        let trimmed = text.get_ref().trim();
        if trimmed.is_empty() || trimmed.chars().any(char::is_control) {
            return Err(self.lines.error(&text, format!("{who}: the {field} must be one line of text")));
        }
        Ok(trimmed.to_owned())
    }

    fn emoji(&self, emoji: Spanned<String>, who: &str) -> Result<String, CatalogueError> {
        if !edit::is_emoji(emoji.get_ref()) {
            return Err(self.lines.error(&emoji, format!("{who}: \"{}\" is not an emoji", emoji.get_ref())));
        }
        Ok(emoji.into_inner())
    }

    fn hours(&self, hours: &Spanned<[String; 2]>, who: &str) -> Result<Hours, CatalogueError> {
        let minute = |text: &String| {
            let (hour, minute) = text.split_once(':')?;
            let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
            (hour < 24 && minute < 60).then_some(hour * 60 + minute)
        };
        match hours.get_ref().each_ref().map(minute) {
            [Some(opens), Some(closes)] => Ok(Hours { opens, closes }),
            _ => Err(self.lines.error(hours, format!("{who}: hours are two times of day, such as [\"08:00\", \"22:00\"]"))),
        }
    }

    fn location(&self, place: &Spanned<[i32; 2]>, who: &str) -> Result<Location, CatalogueError> {
        let [x, y] = *place.get_ref();
        if [x, y].iter().all(|metres| (0..CITY_SIDE_M).contains(metres)) {
            return Ok(Location { x, y });
        }
        Err(self.lines.error(place, format!("{who}: a location is two numbers of metres from 0 to {}", CITY_SIDE_M - 1)))
    }

    fn options(&self, options: Spanned<Vec<ItemOption>>, who: &str) -> Result<Vec<ItemOption>, CatalogueError> {
        let start = options.span().start;
        edit::options(options.into_inner()).map_err(|error| self.lines.error_at(start, format!("{who}: {}", error.message)))
    }
}

/// What must not come twice on one restaurant's menu.
#[derive(Default)]
struct OnOneMenu {
    names: Seen,
    emoji: Seen,
    categories: Seen,
    /// The category of the dish before.
    category: Option<String>,
}
