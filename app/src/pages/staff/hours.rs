//! `/restaurant/hours`: when the kitchen is open, and taking a break.

use super::kitchen::{self, Kitchen, Place};
use super::{meta_of, wrong_line};
use crate::extract::{Asked, Fields};
use crate::render::page;
use crate::routes::error_page;
use crate::shop::Shop;
use crate::ui::doors::{self, Door};
use crate::visit::Visit;
use axum::Extension;
use axum::response::Response;
use contract::menu::{Hours, Restaurant};
use contract::{ApiError, Code};
use leptos::prelude::*;
use std::sync::Arc;

pub async fn show(Extension(visit): Extension<Arc<Visit>>, Extension(shop): Extension<Shop>, Asked(query): Asked) -> Response {
    match Kitchen::asked(&visit, &shop, &query).await {
        Ok(kitchen) => show_with(&visit, &shop, &kitchen, None).await,
        Err(response) => *response,
    }
}

pub async fn show_with(visit: &Visit, shop: &Shop, kitchen: &Kitchen, refused: Option<(Fields, ApiError)>) -> Response {
    let restaurant = match shop.menu.restaurant_menu(&kitchen.id).await {
        Ok(menu) => menu.restaurant,
        Err(error) => return error_page(&error, visit),
    };
    let meta = meta_of("Hours", "Opening hours and breaks.", refused.as_ref().map(|(_, error)| error));
    page(visit, meta, || body(kitchen, restaurant, refused))
}

fn body(kitchen: &Kitchen, restaurant: Restaurant, refused: Option<(Fields, ApiError)>) -> impl IntoView + use<> {
    let Hours { opens, closes } = restaurant.hours;
    let (typed, wrong) = match refused {
        Some((typed, error)) => (typed, Some(super::sentence(&error))),
        None => {
            let mut fields = vec![("opens".to_owned(), clock(opens)), ("closes".to_owned(), clock(closes))];
            fields.extend((opens == closes).then(|| ("always".to_owned(), "on".to_owned())));
            (Fields(fields), None)
        }
    };
    let described_by = wrong.is_some().then_some("wrong");
    let zone = doors::place_of(&restaurant.time_zone);
    let now = format!("{} · {zone} time", doors::badge(&restaurant));
    let pause = (!restaurant.paused).then(|| {
        view! {
            <section class="panel" aria-labelledby="pause-title">
                <h2 id="pause-title">"Too much at once?"</h2>
                <p>"A break stops new orders at once. What has been accepted goes on as it is."</p>
                <form class="stack" method="post" action="/restaurant/pause" data-swap="">
                    {kitchen.hidden()}
                    <input type="hidden" name="return" value=kitchen.path("/restaurant/hours")/>
                    <button class="button danger" name="paused" value="true">"Take a break"</button>
                </form>
            </section>
        }
    });
    let inside = view! {
        <div class="staff-panels">
            <section class="panel" aria-labelledby="hours-title">
                <h2 id="hours-title">"Opening hours"</h2>
                <p class=Door::of(&restaurant).class()>{now}</p>
                <form class="stack" method="post" action="/restaurant/hours" data-swap="">
                    {wrong_line(wrong)}
                    {kitchen.hidden()}
                    <div class="pair">
                        <label class="field"><span>"Opens"</span><input type="time" name="opens" value=typed.get("opens").to_owned() aria-describedby=described_by/></label>
                        <label class="field"><span>"Closes"</span><input type="time" name="closes" value=typed.get("closes").to_owned() aria-describedby=described_by/></label>
                    </div>
                    <label class="choice"><input type="checkbox" name="always" value="on" checked={typed.get("always") == "on"}/><span>"Open day and night"</span></label>
                    <p class="hint">{format!("The same every day, in {zone} time. Closing before opening means after midnight.")}</p>
                    <button class="button">"Keep these hours"</button>
                </form>
            </section>
            {pause}
        </div>
    };
    kitchen::frame(kitchen, Some(restaurant), Place::Hours, "Hours", inside)
}

/// `09:30`
fn clock(minute: u16) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

fn minute(text: &str) -> Option<u16> {
    let (hours, minutes) = text.split_once(':')?;
    // Some browsers add seconds.
    let minutes = minutes.get(..2)?;
    let (hours, minutes): (u16, u16) = (hours.parse().ok()?, minutes.parse().ok()?);
    (hours < 24 && minutes < 60).then_some(hours * 60 + minutes)
}

/// The hours a form says.
///
/// # Errors
/// `INVALID_MENU` when a time cannot be read, or both are the same and "day and night" is not chosen.
pub fn read(fields: &Fields) -> Result<Hours, ApiError> {
    let wrong = |what: &str| ApiError::new(Code::InvalidMenu, what);
    if fields.get("always") == "on" {
        return Ok(Hours::default());
    }
    let (opens, closes) = (minute(fields.get("opens")), minute(fields.get("closes")));
    let (Some(opens), Some(closes)) = (opens, closes) else {
        return Err(wrong("please give both times as hours and minutes, such as 09:30"));
    };
    if opens == closes {
        return Err(wrong("opening and closing are the same minute; choose “day and night” if that is meant"));
    }
    Hours::new(opens, closes)
}

#[cfg(test)]
mod tests {
    use super::{clock, minute, read};
    use crate::extract::Fields;
    use contract::menu::Hours;

    fn hours(opens: &str, closes: &str) -> Option<Hours> {
        read(&Fields(vec![("opens".into(), opens.into()), ("closes".into(), closes.into())])).ok()
    }

    #[test]
    fn times_are_read_as_they_are_written() {
        for m in [0, 570, 1_439] {
            assert_eq!(minute(&clock(m)), Some(m));
        }
        assert_eq!(hours("18:00", "02:30:00"), Some(Hours { opens: 1_080, closes: 150 }));
        for bad in ["", "9", "24:00", "12:60", "1:2:3", "-1:00", "ab:cd"] {
            assert_eq!(hours(bad, "10:00"), None, "{bad}");
        }
        assert_eq!(hours("10:00", "10:00"), None);
    }
}
