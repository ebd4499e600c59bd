//! A dish as form fields, and back.

use crate::extract::Fields;
use contract::menu::{ItemOption, MenuItem, WriteItem};
use contract::{ApiError, Code, Money};
use leptos::prelude::*;

/// Names of the fields, in their order on the page.
pub const FIELDS: [&str; 8] = ["name", "description", "emoji", "price", "category", "tags", "options", "inStock"];

/// More of one dish is a typing mistake.
const MAX_STOCK: i64 = 1_000_000;

/// What the form shows of a dish.
pub fn fields_of(item: &MenuItem) -> Fields {
    let option = |option: &ItemOption| format!("{}: {}", option.name, option.choices.join(", "));
    let values = [
        item.name.clone(),
        item.description.clone(),
        item.emoji.clone(),
        price_text(item.base_price),
        item.category.clone(),
        item.tags.join(", "),
        item.options.iter().map(option).collect::<Vec<_>>().join("\n"),
        if item.in_stock { "on".to_owned() } else { String::new() },
    ];
    Fields(FIELDS.map(str::to_owned).into_iter().zip(values).filter(|(_, value)| !value.is_empty()).collect())
}

/// `5.99`, without the currency.
fn price_text(price: Money) -> String {
    format!("{}.{:02}", price.cents() / 100, price.cents() % 100)
}

pub fn inputs(typed: &Fields, categories: Vec<String>, wrong: bool) -> impl IntoView + use<> {
    let value = |name: &str| typed.get(name).to_owned();
    let described_by = wrong.then_some("wrong");
    let known = categories.into_iter().map(|category| view! { <option value=category></option> }).collect_view();
    view! {
        <div class="pair emoji-and-name">
            <label class="field"><span>"Picture"</span><input name="emoji" value=value("emoji") maxlength="16" placeholder="🍲" autocomplete="off"/></label>
            <label class="field"><span>"Name"</span><input name="name" value=value("name") required maxlength="80" autocomplete="off" aria-describedby=described_by/></label>
        </div>
        <label class="field"><span>"Description"</span><textarea name="description" rows="3" maxlength="500">{value("description")}</textarea></label>
        <div class="pair">
            <label class="field"><span>"Price in dollars"</span><input name="price" value=value("price") required inputmode="decimal" maxlength="12" placeholder="5.99" autocomplete="off" aria-describedby=described_by/></label>
            <label class="field"><span>"Heading on the menu"</span><input name="category" value=value("category") maxlength="40" list="categories" autocomplete="off"/></label>
        </div>
        <datalist id="categories">{known}</datalist>
        <label class="field"><span>"Tags, with commas between"</span><input name="tags" value=value("tags") maxlength="320" placeholder="vegan, spicy" autocomplete="off"/></label>
        <label class="field"><span>"Options, one a line"</span>
            <textarea name="options" rows="3" maxlength="2000" placeholder="Milk: Whole, Oat" aria-describedby="options-hint">{value("options")}</textarea>
            <small id="options-hint">"“Milk: Whole, Oat”. Whoever chooses nothing gets the first."</small></label>
        <label class="choice"><input type="checkbox" name="inStock" value="on" checked={typed.get("inStock") == "on"}/><span>"Offered today"</span></label>
    }
}

/// The dish that a form describes. Whether it may be so, the menu service decides.
///
/// # Errors
/// `INVALID_MENU` when price or options cannot be read.
pub fn read(fields: &Fields) -> Result<WriteItem, ApiError> {
    let wrong = |what: String| ApiError::new(Code::InvalidMenu, what);
    let price = parse_price(fields.get("price"))
        .ok_or_else(|| wrong(format!("“{}” is no price. Write dollars and cents, such as 5.99", fields.get("price"))))?;
    let list = |text: &str| text.split(',').map(|word| word.trim().to_owned()).filter(|word| !word.is_empty()).collect::<Vec<_>>();
    let option = |line: &str| {
        let (name, choices) = line.split_once(':').map(|(name, choices)| (name.trim(), list(choices))).unwrap_or_default();
        if name.is_empty() || choices.is_empty() {
            return Err(wrong(format!("the option “{}” cannot be read. Write it as “Milk: Whole, Oat”", line.trim())));
        }
        Ok(ItemOption { name: name.to_owned(), choices })
    };
    Ok(WriteItem {
        name: fields.get("name").to_owned(),
        // Browsers send line ends as CR LF; a description is one paragraph.
        description: fields.get("description").split_whitespace().collect::<Vec<_>>().join(" "),
        emoji: fields.get("emoji").to_owned(),
        base_price: price,
        in_stock: fields.get("inStock") == "on",
        category: fields.get("category").to_owned(),
        tags: list(fields.get("tags")),
        options: fields.get("options").lines().filter(|line| !line.trim().is_empty()).map(option).collect::<Result<_, _>>()?,
    })
}

/// `5.99`, `5,99`, `$5.9`, `5`.
pub fn parse_price(text: &str) -> Option<Money> {
    let text = text.trim().trim_start_matches('$').trim();
    let (whole, cents) = text.split_once(['.', ',']).unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || whole.len() > 9 || cents.len() > 2 || !digits(whole) || !digits(cents) {
        return None;
    }
    let cents: i64 = format!("{cents:0<2}").parse().ok()?;
    Some(Money::from_cents(whole.parse::<i64>().ok()? * 100 + cents))
}

/// # Errors
/// `INVALID_QUANTITY` unless the field is a whole number that a kitchen can have.
pub fn parse_stock(text: &str) -> Result<i64, ApiError> {
    let wrong = || ApiError::new(Code::InvalidQuantity, format!("“{text}” is no stock. Write a whole number from 0 to {MAX_STOCK}"));
    text.parse().ok().filter(|stock| (0..=MAX_STOCK).contains(stock)).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::{fields_of, parse_price, parse_stock, read};
    use contract::Money;
    use contract::menu::MenuItem;
    use serde_json::json;

    #[test]
    fn prices_are_read_as_people_write_them() {
        for (text, cents) in [("5.99", 599), ("5,9", 590), ("$ 5", 500), ("0.05", 5), (" 12.50 ", 1_250)] {
            assert_eq!(parse_price(text), Some(Money::from_cents(cents)), "{text}");
        }
        for bad in ["", ".", "5.999", "-1", "1e3", "five", "5.9.9", "1 000", "٥", "99999999999"] {
            assert_eq!(parse_price(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_stock_is_a_whole_number() {
        assert_eq!((parse_stock("0").ok(), parse_stock("200").ok()), (Some(0), Some(200)));
        for bad in ["", "-1", "1.5", "many", "99999999999999999999"] {
            assert!(parse_stock(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_dish_comes_back_from_its_form_as_it_was() {
        let json = json!({"id": "latte", "name": "Latte", "description": "Good.", "emoji": "☕", "basePrice": 5.05, "inStock": true, "restaurantId": "r",
            "category": "Espresso", "tags": ["vegan", "hot"], "options": [{"name": "Milk", "choices": ["Whole", "Oat"]}]});
        let item: MenuItem = serde_json::from_value(json).unwrap();
        let back = read(&fields_of(&item)).unwrap();
        assert_eq!((back.base_price, back.in_stock, &back.tags, &back.options), (item.base_price, true, &item.tags, &item.options));
        assert_eq!((back.name, back.description, back.category), (item.name, item.description, item.category));
    }

    #[test]
    fn an_option_without_choices_is_refused() {
        use crate::extract::Fields;
        let fields = |options: &str| Fields(vec![("price".into(), "1".into()), ("options".into(), options.into())]);
        assert!(read(&fields("Milk: Oat\r\n\r\nSize: S, L")).unwrap().options.len() == 2);
        for bad in ["Milk", "Milk:", ": Oat", "Milk: ,"] {
            assert!(read(&fields(bad)).is_err(), "{bad}");
        }
    }
}
