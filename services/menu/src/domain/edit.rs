//! What staff may write into a menu. Everything that is refused is `INVALID_MENU`, with a sentence for whoever wrote it.

use contract::menu::{ChangeItem, ChangeRestaurant, Hours, ItemOption, WriteItem};
use contract::{ApiError, Code, ItemId, Money, RestaurantId};
use sha2::{Digest, Sha256};
use std::collections::HashSet;
use unicode_normalization::UnicodeNormalization;

/// A dish that costs more is a forgotten decimal point.
pub const MAX_PRICE: Money = Money::from_cents(100_000);
/// Nobody reads a longer menu, and everything on it is kept in memory.
pub const MAX_ITEMS: usize = 200;

const MAX_NAME_CHARS: usize = 80;
const MAX_TAGLINE_CHARS: usize = 120;
const MAX_DESCRIPTION_CHARS: usize = 500;
const MAX_CATEGORY_CHARS: usize = 40;
const MAX_TAGS: usize = 12;
const MAX_TAG_CHARS: usize = 24;
const MAX_OPTIONS: usize = 6;
const MAX_CHOICES: usize = 8;
/// Of an option's name, and of each of its choices: they stand beside each other on a phone.
const MAX_CHOICE_CHARS: usize = 40;
/// The longest emoji are families joined by several joiners.
const MAX_EMOJI_CHARS: usize = 10;
/// Ids are part of addresses.
const MAX_ID_CHARS: usize = 60;

/// For dishes nobody found a picture or a heading for.
const PLATE: &str = "🍽️";
const OTHER: &str = "More";

/// Between the choices of several options, where they are written as one text. No choice contains a comma.
pub const BETWEEN_CHOICES: &str = ", ";

fn refused(why: impl Into<String>) -> ApiError {
    ApiError::new(Code::InvalidMenu, why)
}

/// One line of text, trimmed.
fn line(text: &str, what: &str, min: usize, max: usize) -> Result<String, ApiError> {
    let text = text.trim();
    if !(min..=max).contains(&text.chars().count()) {
        return Err(refused(format!("{what} must have {min} to {max} characters")));
    }
    if text.chars().any(char::is_control) {
        return Err(refused(format!("{what} must be one line, without control characters")));
    }
    Ok(text.to_owned())
}

pub fn is_emoji(text: &str) -> bool {
    let count = text.chars().count();
    (1..=MAX_EMOJI_CHARS).contains(&count)
        && !text.chars().any(|c| c.is_alphanumeric() || c.is_whitespace() || c.is_control() || c.is_ascii())
}

fn price(price: Money) -> Result<Money, ApiError> {
    if price > Money::ZERO && price <= MAX_PRICE {
        Ok(price)
    } else {
        Err(refused(format!("the price must be more than 0 and at most {MAX_PRICE}")))
    }
}

fn has_repeats<'a>(texts: impl Iterator<Item = &'a String>) -> bool {
    let mut seen = HashSet::new();
    texts.map(|text| text.to_lowercase()).any(|text| !seen.insert(text))
}

fn tags(tags: &[String]) -> Result<Vec<String>, ApiError> {
    if tags.len() > MAX_TAGS {
        return Err(refused(format!("a dish has at most {MAX_TAGS} tags")));
    }
    let tags = tags.iter().map(|tag| line(tag, "a tag", 1, MAX_TAG_CHARS)).collect::<Result<Vec<_>, _>>()?;
    if has_repeats(tags.iter()) { Err(refused("a tag is given twice")) } else { Ok(tags) }
}

/// # Errors
/// Too many, a name or a choice twice, or a comma in one.
pub fn options(options: Vec<ItemOption>) -> Result<Vec<ItemOption>, ApiError> {
    if options.len() > MAX_OPTIONS {
        return Err(refused(format!("a dish has at most {MAX_OPTIONS} options")));
    }
    let options = options.iter().map(option).collect::<Result<Vec<_>, _>>()?;
    if has_repeats(options.iter().map(|option| &option.name)) { Err(refused("an option is given twice")) } else { Ok(options) }
}

fn option(option: &ItemOption) -> Result<ItemOption, ApiError> {
    let name = line(&option.name, "the name of an option", 1, MAX_CHOICE_CHARS)?;
    if !(1..=MAX_CHOICES).contains(&option.choices.len()) {
        return Err(refused(format!("the option {name} must have 1 to {MAX_CHOICES} choices")));
    }
    let choice = |choice: &String| line(choice, "a choice", 1, MAX_CHOICE_CHARS);
    let choices = option.choices.iter().map(choice).collect::<Result<Vec<_>, _>>()?;
    if choices.iter().any(|choice| choice.contains(',')) {
        return Err(refused(format!("a choice of {name} must not contain a comma")));
    }
    if has_repeats(choices.iter()) { Err(refused(format!("a choice of {name} is given twice"))) } else { Ok(ItemOption { name, choices }) }
}

/// A dish as it goes on the menu: trimmed, and with a picture and a heading.
///
/// # Errors
/// `INVALID_MENU`
pub fn item(item: WriteItem) -> Result<WriteItem, ApiError> {
    let emoji = item.emoji.trim();
    if !emoji.is_empty() && !is_emoji(emoji) {
        return Err(refused("the picture must be one emoji"));
    }
    let category = line(&item.category, "the category", 0, MAX_CATEGORY_CHARS)?;
    Ok(WriteItem {
        name: line(&item.name, "the name", 1, MAX_NAME_CHARS)?,
        description: line(&item.description, "the description", 0, MAX_DESCRIPTION_CHARS)?,
        emoji: if emoji.is_empty() { PLATE } else { emoji }.to_owned(),
        base_price: price(item.base_price)?,
        in_stock: item.in_stock,
        category: if category.is_empty() { OTHER.to_owned() } else { category },
        tags: tags(&item.tags)?,
        options: options(item.options)?,
    })
}

/// # Errors
/// `INVALID_MENU`
pub fn item_change(change: ChangeItem) -> Result<ChangeItem, ApiError> {
    Ok(ChangeItem { base_price: change.base_price.map(price).transpose()?, in_stock: change.in_stock })
}

/// # Errors
/// `INVALID_MENU`
pub fn restaurant_change(change: ChangeRestaurant) -> Result<ChangeRestaurant, ApiError> {
    let lines = |text: Option<String>, what, min, max| text.map(|text| line(&text, what, min, max)).transpose();
    Ok(ChangeRestaurant {
        name: lines(change.name, "the name", 1, MAX_NAME_CHARS)?,
        tagline: lines(change.tagline, "the tagline", 0, MAX_TAGLINE_CHARS)?,
        description: lines(change.description, "the description", 0, MAX_DESCRIPTION_CHARS)?,
        hours: change.hours.map(|hours| Hours::new(hours.opens, hours.closes)).transpose()?,
        paused: change.paused,
    })
}

/// The ids a new dish may have, best first: its name as an address, and, when another restaurant has that one, the same with the
/// restaurant's.
pub fn item_ids(name: &str, restaurant: &RestaurantId) -> [ItemId; 2] {
    let mut plain = String::new();
    for c in name.nfkd().flat_map(char::to_lowercase) {
        if c.is_ascii_alphanumeric() {
            plain.push(c);
        } else if (c.is_whitespace() || c.is_ascii_punctuation()) && c != '\'' && !plain.is_empty() && !plain.ends_with('-') {
            plain.push('-');
        }
    }
    plain.truncate(MAX_ID_CHARS);
    let mut plain = plain.trim_matches('-').to_owned();
    if plain.is_empty() {
        // A name of another script, or of emoji alone: the same name has the same id.
        let digest = Sha256::digest(name.as_bytes());
        plain = format!("item-{}", digest.iter().take(4).map(|byte| format!("{byte:02x}")).collect::<String>());
    }
    let own = format!("{plain}-{restaurant}");
    [ItemId::new(plain), ItemId::new(own)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dish() -> WriteItem {
        WriteItem {
            name: " Crème brûlée ".to_owned(),
            description: String::new(),
            emoji: String::new(),
            base_price: Money::from_cents(650),
            in_stock: true,
            category: String::new(),
            tags: vec!["vegetarian".to_owned()],
            options: vec![ItemOption { name: "Size".to_owned(), choices: vec!["Small".to_owned(), "Large".to_owned()] }],
        }
    }

    fn complaint(change: impl FnOnce(&mut WriteItem)) -> String {
        let mut dish = dish();
        change(&mut dish);
        let error = item(dish).unwrap_err();
        assert_eq!((error.code, error.status), (Code::InvalidMenu, 400));
        error.message
    }

    #[test]
    fn a_dish_without_picture_and_heading_is_given_both() {
        let dish = item(dish()).unwrap();
        assert_eq!((dish.name.as_str(), dish.emoji.as_str(), dish.category.as_str()), ("Crème brûlée", "🍽️", "More"));
    }

    #[test]
    fn what_cannot_be_on_a_menu_is_refused_with_a_reason() {
        let choices = |count: usize| (0..count).map(|n| n.to_string()).collect::<Vec<_>>();
        let option = |name: &str, choices: Vec<String>| ItemOption { name: name.to_owned(), choices };
        assert!(complaint(|dish| dish.base_price = Money::ZERO).contains("price"));
        assert!(complaint(|dish| dish.base_price = Money::from_cents(100_001)).contains("$1000.00"));
        assert!(complaint(|dish| dish.name = "  ".to_owned()).contains("1 to 80"));
        assert!(complaint(|dish| dish.name = "x".repeat(81)).contains("1 to 80"));
        assert!(complaint(|dish| dish.name = "a\nb".to_owned()).contains("one line"));
        assert!(complaint(|dish| dish.description = "x".repeat(501)).contains("description"));
        assert!(complaint(|dish| dish.emoji = "latte".to_owned()).contains("emoji"));
        assert!(complaint(|dish| dish.category = "x".repeat(41)).contains("category"));
        assert!(complaint(|dish| dish.tags = choices(13)).contains("12 tags"));
        assert!(complaint(|dish| dish.tags = vec!["x".repeat(25)]).contains("24"));
        assert!(complaint(|dish| dish.tags = vec!["hot".to_owned(), "Hot".to_owned()]).contains("twice"));
        assert!(complaint(|dish| dish.options = choices(7).iter().map(|name| option(name, choices(1))).collect()).contains("6 options"));
        assert!(complaint(|dish| dish.options = vec![option("Milk", choices(9))]).contains("1 to 8 choices"));
        assert!(complaint(|dish| dish.options = vec![option("Milk", Vec::new())]).contains("1 to 8 choices"));
        assert!(complaint(|dish| dish.options = vec![option("Milk", vec!["Oat, cold".to_owned()])]).contains("comma"));
        assert!(complaint(|dish| dish.options = vec![option("Milk", vec!["Oat".to_owned(), " oat".to_owned()])]).contains("twice"));
        assert!(complaint(|dish| dish.options = vec![option("Milk", choices(1)), option("milk", choices(1))]).contains("twice"));
    }

    #[test]
    fn a_restaurant_is_open_at_minutes_of_a_day_and_keeps_a_name() {
        let change = |hours, name: Option<&str>| ChangeRestaurant { hours, name: name.map(str::to_owned), ..ChangeRestaurant::default() };
        assert!(restaurant_change(change(Some(Hours { opens: 0, closes: 1_440 }), None)).is_err());
        assert!(restaurant_change(change(None, Some(" "))).is_err());
        assert_eq!(restaurant_change(change(None, Some(" Cosmic "))).unwrap().name.as_deref(), Some("Cosmic"));
    }

    #[test]
    fn an_id_is_the_name_as_an_address() {
        let id = |name| item_ids(name, &"bar".into()).map(|id| id.to_string());
        assert_eq!(id("Crème brûlée!"), ["creme-brulee", "creme-brulee-bar"]);
        assert_eq!(id("  Mom's  #1 -- Pie "), ["moms-1-pie", "moms-1-pie-bar"]);
        assert_eq!(id("ラーメン")[0], id("ラーメン")[0]);
        assert_ne!(id("ラーメン")[0], id("うどん")[0]);
        assert!(id("🍕")[0].starts_with("item-"));
        assert!(id(&"long ".repeat(40))[0].len() <= MAX_ID_CHARS);
    }
}
