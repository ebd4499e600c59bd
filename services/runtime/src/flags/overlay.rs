//! An operator's flip, laid over whatever the source says, as flagd targeting: any flagd evaluates it the same.

use super::definitions::{Definitions, default_variant, targeting};
use contract::flags::Audience;
use serde_json::{Value, json};

/// What a flip makes of one flag. Whom it does not reach sees what the source says.
pub fn apply(definitions: &mut Definitions, key: &str, variant: &str, audience: &Audience) {
    let Some(flag) = definitions.flag_mut(key) else { return };
    let otherwise = targeting(flag).cloned();
    let default = Value::from(default_variant(flag));
    let rule = match audience {
        Audience::Everyone => None,
        Audience::Synthetic => Some(only_if("synthetic", true.into())),
        Audience::Session(session) => Some(only_if("targetingKey", session.as_str().into())),
        Audience::Restaurant(restaurant) => Some(only_if("restaurant", restaurant.as_str().into())),
        Audience::City(city) => Some(only_if("city", city.as_str().into())),
        Audience::Percent(share) if otherwise.is_none() => {
            let rest = 100_u8.saturating_sub(*share);
            flag.insert("targeting".to_owned(), json!({"fractional": [[variant, share], [default, rest]]}));
            return;
        }
        Audience::Percent(share) => {
            let rest = 100_u8.saturating_sub(*share);
            Some(json!({"==": [{"fractional": [["in", share], ["out", rest]]}, "in"]}))
        }
    };
    match rule {
        None => {
            flag.remove("targeting");
            flag.insert("defaultVariant".to_owned(), variant.into());
        }
        Some(rule) => {
            flag.insert("targeting".to_owned(), json!({"if": [rule, variant, otherwise.unwrap_or(default)]}));
        }
    }
    // A flag that its source switched off would not be evaluated at all.
    flag.insert("state".to_owned(), "ENABLED".into());
}

fn only_if(field: &str, wanted: Value) -> Value {
    json!({"==": [{"var": field}, wanted]})
}
