//! One copy of what is said again and again: names, keys, routes, methods. Thousands of spans a second repeat a few hundred of them.

use std::sync::Arc;

/// Places for words, a power of two. A new word takes the place of an old one, so that it never grows.
const PLACES: usize = 1 << PLACE_BITS;
const PLACE_BITS: u32 = 12;

/// Longer texts hardly ever come twice.
const LONGEST: usize = 64;

/// Longest text that is kept of anything, in bytes; a stack trace needs no more to be recognised.
pub const MOST_TEXT: usize = 4_096;

pub struct Words {
    places: Box<[Option<Arc<str>>]>,
}

impl Default for Words {
    fn default() -> Self {
        Self { places: vec![None; PLACES].into() }
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
        match self.places.get_mut(place(text)) {
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

/// Eight letters a step, because this is done for every attribute of every span. Two words that meet only take turns.
fn place(text: &str) -> usize {
    let mix = |hash: u64, letters: &[u8]| {
        let mut word = [0; 8];
        word.iter_mut().zip(letters).for_each(|(to, from)| *to = *from);
        (hash.rotate_left(5) ^ u64::from_le_bytes(word)).wrapping_mul(0x517c_c1b7_2722_0a95)
    };
    let hash = text.as_bytes().chunks(8).fold(text.len() as u64, mix);
    // Multiplication mixes upwards: the highest bits know of every letter.
    (hash >> (u64::BITS - PLACE_BITS)) as usize
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
    fn words_that_differ_a_little_are_in_places_of_their_own() {
        let keys =
            ["http.route", "http.request.method", "http.response.status_code", "GET", "POST", "PUT", "cart", "menu", "order", "", "a"];
        let places: std::collections::BTreeSet<usize> = keys.iter().map(|key| place(key)).collect();
        assert!(places.len() >= keys.len() - 1 && places.iter().all(|place| *place < PLACES), "{places:?}");
    }

    #[test]
    fn what_is_too_long_is_cut_between_two_letters() {
        let long = "ä".repeat(MOST_TEXT);
        assert_eq!(Words::default().get(&format!("x{long}")).len(), MOST_TEXT - 1);
    }
}
