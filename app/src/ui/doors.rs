//! Whether a restaurant takes orders, in words.

use contract::menu::{Hours, Restaurant};

/// What stands on the door.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    Open,
    /// Outside its hours.
    Closed,
    /// Takes no orders for now, by its staff's choice.
    Paused,
}

impl Door {
    pub const fn of(restaurant: &Restaurant) -> Self {
        match (restaurant.paused, restaurant.open) {
            (true, _) => Self::Paused,
            (false, true) => Self::Open,
            (false, false) => Self::Closed,
        }
    }

    pub const fn is_open(self) -> bool {
        matches!(self, Self::Open)
    }

    /// A class of the style sheet.
    pub const fn class(self) -> &'static str {
        match self {
            Self::Open => "door open",
            Self::Closed => "door closed",
            Self::Paused => "door paused",
        }
    }
}

const fn around_the_clock(hours: Hours) -> bool {
    hours.opens == hours.closes
}

/// `09:30`
fn clock(minute: u16) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

/// `11:00–23:00`, `day and night`.
pub fn hours(hours: Hours) -> String {
    if around_the_clock(hours) { "day and night".to_owned() } else { format!("{}–{}", clock(hours.opens), clock(hours.closes)) }
}

/// `11:00–23:00 · Berlin time`; nothing for a kitchen that never closes.
pub fn hours_there(restaurant: &Restaurant) -> Option<String> {
    let place = place_of(&restaurant.time_zone);
    (!around_the_clock(restaurant.hours)).then(|| format!("{} · {place} time", hours(restaurant.hours)))
}

/// The badge of a card: `Open until 23:00`, `Opens at 11:00`, `Taking a break`.
pub fn badge(restaurant: &Restaurant) -> String {
    match Door::of(restaurant) {
        Door::Open if around_the_clock(restaurant.hours) => "Open day and night".to_owned(),
        Door::Open => format!("Open until {}", clock(restaurant.hours.closes)),
        Door::Closed => format!("Opens at {}", clock(restaurant.hours.opens)),
        Door::Paused => "Taking a break".to_owned(),
    }
}

/// `Berlin` of `Europe/Berlin`, `New York` of `America/New_York`.
pub fn place_of(time_zone: &str) -> String {
    time_zone.rsplit('/').next().unwrap_or(time_zone).replace('_', " ")
}

/// Why nothing can be ordered, and until when; `None` while it can.
pub fn sorry(restaurant: &Restaurant) -> Option<(&'static str, String)> {
    match Door::of(restaurant) {
        Door::Open => None,
        Door::Closed => {
            let (opens, place) = (clock(restaurant.hours.opens), place_of(&restaurant.time_zone));
            Some(("The kitchen is closed.", format!("It opens at {opens}, {place} time. Have a look around until then.")))
        }
        Door::Paused => Some((
            "The kitchen is taking a break.",
            "It has more orders than hands right now. Have a look around, and try again soon.".to_owned(),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::{badge, hours_there, place_of, sorry};
    use contract::menu::Restaurant;
    use serde_json::json;

    fn restaurant(opens: u16, closes: u16, open: bool, paused: bool) -> Restaurant {
        let base = json!({"id": "r", "name": "R", "tagline": "", "description": "", "emoji": "", "cuisine": "", "city": "", "timeZone": "America/New_York",
            "hues": [1, 2], "itemCount": 1, "hours": {"opens": opens, "closes": closes}, "open": open, "paused": paused});
        serde_json::from_value(base).unwrap()
    }

    #[test]
    fn the_badge_says_what_matters_next() {
        assert_eq!(badge(&restaurant(660, 1_380, true, false)), "Open until 23:00");
        assert_eq!(badge(&restaurant(660, 1_380, false, false)), "Opens at 11:00");
        assert_eq!(badge(&restaurant(0, 0, true, false)), "Open day and night");
        assert_eq!(badge(&restaurant(0, 0, false, true)), "Taking a break");
        assert_eq!(hours_there(&restaurant(1_080, 125, true, false)).unwrap(), "18:00–02:05 · New York time");
        assert_eq!(hours_there(&restaurant(0, 0, true, false)), None);
    }

    #[test]
    fn only_an_open_kitchen_needs_no_excuse() {
        assert_eq!(place_of("America/New_York"), "New York");
        assert!(sorry(&restaurant(0, 0, true, false)).is_none());
        assert!(sorry(&restaurant(660, 1_380, false, false)).unwrap().1.contains("11:00, New York time"));
        assert!(sorry(&restaurant(0, 0, false, true)).unwrap().0.contains("break"));
    }
}
