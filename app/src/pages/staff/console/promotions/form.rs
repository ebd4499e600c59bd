//! A promotion as form fields, and back.

use crate::extract::Fields;
use crate::pages::staff::dish::parse_price;
use crate::pages::staff::wrong_line;
use contract::pricing::{Gift, Promotion};
use contract::{ApiError, Code, Money, Timestamp};
use leptos::prelude::*;
use serde::Deserialize;
use serde::de::IntoDeserializer;
use serde::de::value::{Error, StrDeserializer};

fn field(name: &str, value: impl Into<String>) -> (String, String) {
    (name.to_owned(), value.into())
}

pub fn empty() -> Fields {
    Fields(vec![field("kind", "percent"), field("active", "on")])
}

fn plain(amount: Money) -> String {
    format!("{}.{:02}", amount.cents() / 100, amount.cents() % 100)
}

pub fn fields_of(promotion: &Promotion) -> Fields {
    let (kind, value) = match promotion.gives {
        Gift::Percent { percent } => ("percent", percent.to_string()),
        Gift::Amount { amount } => ("amount", plain(amount)),
        Gift::FreeDelivery => ("freeDelivery", String::new()),
    };
    let mut fields = vec![field("code", &promotion.code), field("says", &promotion.says), field("kind", kind), field("value", value)];
    fields.extend((promotion.minimum.cents() > 0).then(|| field("minimum", plain(promotion.minimum))));
    fields.extend(promotion.ends_at.map(|end| field("ends", end.to_string().chars().take(10).collect::<String>())));
    fields.extend(promotion.active.then(|| field("active", "on")));
    Fields(fields)
}

pub fn form(typed: &Fields, wrong: Option<String>, editing: bool) -> impl IntoView + use<> {
    let value = |name: &str| typed.get(name).to_owned();
    let described_by = wrong.is_some().then_some("wrong");
    let kind = value("kind");
    let choice = |word: &'static str, text: &'static str| view! { <option value=word selected={word == kind}>{text}</option> };
    view! {
        <form class="stack" method="post" action="/console/promotions" data-swap="">
            {wrong_line(wrong)}
            <div class="pair">
                <label class="field"><span>"Code"</span><input name="code" value=value("code") required maxlength="40" autocomplete="off" autocapitalize="characters" readonly=editing aria-describedby=described_by/></label>
                <label class="field"><span>"What customers read"</span><input name="says" value=value("says") required maxlength="120" placeholder="10 % off"/></label>
            </div>
            <div class="pair">
                <label class="field"><span>"Gives"</span><select name="kind">{choice("percent", "Percent off")}{choice("amount", "Dollars off")}{choice("freeDelivery", "Free delivery")}</select></label>
                <label class="field"><span>"How much"</span><input name="value" value=value("value") inputmode="decimal" maxlength="12" autocomplete="off" aria-describedby=described_by/></label>
            </div>
            <div class="pair">
                <label class="field"><span>"Smallest order, in dollars"</span><input name="minimum" value=value("minimum") inputmode="decimal" maxlength="12" autocomplete="off"/></label>
                <label class="field"><span>"Last day, UTC"</span><input type="date" name="ends" value=value("ends")/></label>
            </div>
            <label class="choice"><input type="checkbox" name="active" value="on" checked={typed.get("active") == "on"}/><span>"On"</span></label>
            <button class="button">"Keep the promotion"</button>
        </form>
    }
}

/// # Errors
/// `INVALID_BODY` when something cannot be read. Whether it may be so, the middleware service decides.
pub fn read(fields: &Fields) -> Result<Promotion, ApiError> {
    let wrong = |what: String| ApiError::new(Code::InvalidBody, what);
    let price = |name: &str, what: &str| {
        let text = fields.get(name);
        parse_price(text).ok_or_else(|| wrong(format!("“{text}” is no {what}. Write dollars and cents, such as 5.99")))
    };
    let gives = match fields.get("kind") {
        "amount" => Gift::Amount { amount: price("value", "amount")? },
        "freeDelivery" => Gift::FreeDelivery,
        _ => {
            let text = fields.get("value").trim_end_matches('%').trim_end();
            let percent = text.parse().ok().filter(|percent| (1..=100).contains(percent));
            Gift::Percent {
                percent: percent.ok_or_else(|| wrong(format!("“{text}” is no percentage. Write a whole number from 1 to 100")))?,
            }
        }
    };
    let minimum = if fields.get("minimum").is_empty() { Money::ZERO } else { price("minimum", "amount")? };
    let ends_at = match fields.get("ends") {
        "" => None,
        day => Some(end_of(day).ok_or_else(|| wrong(format!("“{day}” is no day. Write it as 2026-12-31")))?),
    };
    let code = fields.get("code").to_uppercase();
    if code.is_empty() || code.contains(char::is_whitespace) {
        return Err(wrong("a code is one word".to_owned()));
    }
    Ok(Promotion { code, says: fields.get("says").to_owned(), gives, minimum, ends_at, active: fields.get("active") == "on" })
}

/// The last moment of a day.
fn end_of(day: &str) -> Option<Timestamp> {
    let text = format!("{day}T23:59:59.999Z");
    let deserializer: StrDeserializer<'_, Error> = text.as_str().into_deserializer();
    Timestamp::deserialize(deserializer).ok()
}

#[cfg(test)]
mod tests {
    use super::{empty, fields_of, read};
    use crate::extract::Fields;
    use contract::pricing::Gift;

    fn form(pairs: &[(&str, &str)]) -> Fields {
        Fields(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    #[test]
    fn a_promotion_comes_back_from_its_form_as_it_was() {
        let typed = form(&[
            ("code", "welcome10"),
            ("says", "10 % off"),
            ("kind", "percent"),
            ("value", "10 %"),
            ("minimum", "12,50"),
            ("ends", "2026-12-31"),
        ]);
        let promotion = read(&typed).unwrap();
        assert_eq!(
            (promotion.code.as_str(), promotion.gives, promotion.minimum.cents()),
            ("WELCOME10", Gift::Percent { percent: 10 }, 1_250)
        );
        assert_eq!(read(&fields_of(&promotion)).unwrap(), promotion);
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        let with = |name: &str, value: &str| form(&[(name, value), ("code", "A"), ("kind", "percent"), ("value", "5")]);
        for (name, value) in
            [("value", "0"), ("value", "101"), ("value", "x"), ("minimum", "x"), ("ends", "2026-02-30"), ("code", "two words")]
        {
            assert!(read(&with(name, value)).is_err(), "{name}={value}");
        }
        assert!(read(&empty()).is_err());
    }
}
