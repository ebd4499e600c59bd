//! Finding restaurants by city, cuisine and free text.
//!
//! Text is compared without case, accents and width, so that `sao paulo` finds "São Paulo" and `ÓRBITA` finds "Órbita".

use contract::menu::{Restaurant, RestaurantMenu};
use std::collections::BTreeSet;
use std::ops::Bound;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// What to look for. Everything that is set must hold; a filter with nothing set accepts every restaurant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    city: Option<String>,
    cuisine: Option<String>,
    words: Option<Vec<String>>,
    open: bool,
}

impl Filter {
    /// Blank text is the same as none. `city` and `cuisine` must be met in full. Each word of `query` must begin some word of
    /// the restaurant or of one of its dishes: `tea` finds "Milk Tea", not "steamed".
    pub fn new(city: Option<&str>, cuisine: Option<&str>, query: Option<&str>) -> Self {
        let wanted = |text: Option<&str>| text.map(str::trim).filter(|text| !text.is_empty()).map(fold);
        Self { city: wanted(city), cuisine: wanted(cuisine), words: wanted(query).map(|text| words(&text).collect()), open: false }
    }

    /// Leaves out, when `only` is set, the restaurants that take no orders now.
    #[must_use]
    pub fn open(self, only: bool) -> Self {
        Self { open: only, ..self }
    }

    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    pub(super) fn accepts(&self, restaurant: &Restaurant, index: &SearchIndex) -> bool {
        (!self.open || restaurant.open)
            && self.city.as_ref().is_none_or(|city| *city == index.city)
            && self.cuisine.as_ref().is_none_or(|cuisine| *cuisine == index.cuisine)
            && self.words.as_ref().is_none_or(|words| !words.is_empty() && words.iter().all(|word| index.has_word_from(word)))
    }
}

/// The folded text of one restaurant and its dishes.
#[derive(Debug)]
pub(super) struct SearchIndex {
    city: String,
    cuisine: String,
    words: BTreeSet<String>,
}

impl SearchIndex {
    pub fn of(menu: &RestaurantMenu) -> Self {
        let place = &menu.restaurant;
        let mut index = Self { city: fold(&place.city), cuisine: fold(&place.cuisine), words: BTreeSet::new() };
        for text in [&place.name, &place.tagline, &place.description, &place.emoji, &place.cuisine, &place.city] {
            index.add(text);
        }
        for item in &menu.items {
            for text in [&item.name, &item.description, &item.emoji, &item.category].into_iter().chain(&item.tags) {
                index.add(text);
            }
            if item.tags.iter().any(|tag| tag == "vegan") {
                index.add("vegetarian");
            }
        }
        index
    }

    fn add(&mut self, text: &str) {
        self.words.extend(words(&fold(text)));
    }

    /// Whether some word begins with `start`.
    fn has_word_from(&self, start: &str) -> bool {
        let from = (Bound::Included(start), Bound::Unbounded);
        self.words.range::<str, _>(from).next().is_some_and(|word| word.starts_with(start))
    }
}

/// Takes away case, accents and width. Upper case first, because `ß` and `SS` meet only there.
fn fold(text: &str) -> String {
    text.nfkd().filter(|c| !is_combining_mark(*c)).flat_map(char::to_uppercase).flat_map(char::to_lowercase).collect()
}

/// Runs of letters and digits, and every emoji by itself: people search for 🍕 too.
fn words(folded: &str) -> impl Iterator<Item = String> {
    /// Symbols from here on are pictures; punctuation and dashes come before.
    const FIRST_PICTURE: char = '\u{2190}';
    let mut found = Vec::new();
    let mut word = String::new();
    for c in folded.chars() {
        if c.is_alphanumeric() {
            word.push(c);
            continue;
        }
        if !word.is_empty() {
            found.push(std::mem::take(&mut word));
        }
        if c >= FIRST_PICTURE && !c.is_whitespace() {
            found.push(c.to_string());
        }
    }
    found.extend(Some(word).filter(|word| !word.is_empty()));
    found.into_iter()
}

#[cfg(test)]
mod tests {
    use super::{fold, words};

    #[test]
    fn case_accents_and_width_do_not_matter() {
        for (one, other) in
            [("São Paulo", "SAO PAULO"), ("Straße", "STRASSE"), ("ＴＯＫＹＯ", "tokyo"), ("cafe\u{301}", "CAFÉ"), ("İzmir", "ızmır")]
        {
            assert_eq!(fold(one), fold(other), "{one} {other}");
        }
    }

    #[test]
    fn words_end_at_punctuation_and_emoji_stand_alone() {
        let found: Vec<_> = words(&fold("Gluten-free, it’s 🍕🍕!")).collect();
        assert_eq!(found, ["gluten", "free", "it", "s", "🍕", "🍕"]);
    }
}
