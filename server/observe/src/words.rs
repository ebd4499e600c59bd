//! One copy of what is said again and again: names, keys, routes, methods. Thousands of spans a second repeat a few hundred of them.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::Arc;

/// Places for words. A new word takes the place of an old one, so that it never grows.
const PLACES: usize = 4_096;

/// Longer texts hardly ever come twice.
const LONGEST: usize = 64;

/// Longest text that is kept of anything, in bytes; a stack trace needs no more to be recognised.
pub const MOST_TEXT: usize = 4_096;

pub struct Words {
    places: Box<[Option<Arc<str>>]>,
    hash: RandomState,
}

impl Default for Words {
    fn default() -> Self {
        Self { places: vec![None; PLACES].into(), hash: RandomState::new() }
    }
}

impl std::fmt::Debug for Words {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Words")
    }
}

impl Words {
    /// The text, shared with those who said it lately, and cut at [`MOST_TEXT`].
    pub fn get(&mut self, text: &str) -> Arc<str> {
        if text.len() > LONGEST {
            return cut(text).into();
        }
        let mut hasher = self.hash.build_hasher();
        hasher.write(text.as_bytes());
        // Truncation is meant: any bits of a hash do.
        let place = (hasher.finish() as usize) % PLACES;
        match self.places.get_mut(place) {
            Some(Some(known)) if **known == *text => known.clone(),
            Some(place) => {
                let word: Arc<str> = text.into();
                *place = Some(word.clone());
                word
            }
            None => text.into(),
        }
    }
}

/// The text's beginning, at most [`MOST_TEXT`] bytes of it.
pub fn cut(text: &str) -> &str {
    if text.len() <= MOST_TEXT {
        return text;
    }
    let mut end = MOST_TEXT;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_twice_is_kept_once() {
        let mut words = Words::default();
        let (first, second) = (words.get("GET"), words.get("GET"));
        assert!(Arc::ptr_eq(&first, &second));
        for n in 0..3 * PLACES {
            assert_eq!(&*words.get(&n.to_string()), n.to_string());
        }
    }

    #[test]
    fn what_is_too_long_is_cut_between_two_letters() {
        let long = "ä".repeat(MOST_TEXT);
        assert_eq!(Words::default().get(&format!("x{long}")).len(), MOST_TEXT - 1);
    }
}
