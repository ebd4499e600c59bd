//! Who the couriers are. The same city and seed make the same couriers.

use super::staff::OWN;
use contract::geo::{CITY_SIDE_M, Location};
use runtime::chance::Chance;

/// Where the platform's restaurants are. Couriers of other cities come with their first order.
pub const CITIES: [&str; 10] =
    ["Berlin", "Tokyo", "Naples", "Mexico City", "Bengaluru", "Houston", "Addis Ababa", "Hong Kong", "Melbourne", "Buenos Aires"];

const NAMES: [&str; OWN as usize] = [
    "Ada", "Bao", "Chiara", "Diego", "Esi", "Femi", "Greta", "Hana", "Ines", "Jonas", "Kofi", "Lupe", "Mateo", "Noor", "Otto", "Priya",
    "Quinn", "Rosa", "Sami", "Tariq", "Uma", "Vera", "Wanda", "Ximena", "Yuki", "Zola", "Anouk", "Bruno", "Carmen", "Dmitri", "Emeka",
    "Freya", "Giulia", "Hugo", "Ida", "Juno", "Kenji", "Leila", "Mila", "Nils",
];

const RIDES: [&str; 16] = ["🚲", "🛵", "🛴", "🛹", "🛼", "🚀", "🛸", "🎈", "🐎", "🐫", "🦄", "🐢", "🐝", "🦘", "🐉", "🧹"];

/// Nobody starts at the very edge.
const MARGIN_M: i32 = 1_000;

/// A courier who begins to work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recruit {
    pub id: String,
    pub name: String,
    pub emoji: &'static str,
    pub at: Location,
}

/// A city's name as part of ids: "Mexico City" is `mexico-city`. Names that are not capitalised words of A to Z get a number, so that no
/// two cities have the same.
pub fn slug(city: &str) -> String {
    let mut slug = String::with_capacity(city.len());
    for letter in city.chars() {
        match letter {
            'a'..='z' | '0'..='9' => slug.push(letter),
            'A'..='Z' => slug.push(letter.to_ascii_lowercase()),
            _ if slug.is_empty() || slug.ends_with('-') => {}
            _ => slug.push('-'),
        }
    }
    let slug = slug.trim_end_matches('-');
    let is_capitalised = |word: &str| {
        let mut letters = word.bytes();
        letters.next().is_some_and(|first| first.is_ascii_uppercase()) && letters.all(|letter| letter.is_ascii_lowercase())
    };
    if city.split(' ').all(is_capitalised) {
        return slug.to_owned();
    }
    let slug = if slug.is_empty() { "city" } else { slug };
    format!("{slug}-{:08x}", hash(city) & 0xffff_ffff)
}

/// The couriers of a city's own: `berlin-01` to `berlin-40`.
pub fn own(slug: &str, seed: u64) -> Vec<Recruit> {
    (1..=OWN).map(|n| recruit(slug, format!("{slug}-{n:02}"), n, name(slug, n).to_owned(), seed)).collect()
}

/// Freelancers with numbers after `last`: `berlin-f001` is the first one.
pub fn freelancers(slug: &str, last: u32, count: u32, seed: u64) -> Vec<Recruit> {
    (last + 1..=last + count)
        .map(|n| recruit(slug, format!("{slug}-f{n:03}"), n, format!("{} the freelancer", name(slug, n)), seed))
        .collect()
}

fn recruit(slug: &str, id: String, n: u32, name: String, seed: u64) -> Recruit {
    let chance = Chance::seeded(seed ^ hash(&id));
    let along = || i32::try_from(chance.range(i64::from(MARGIN_M)..=i64::from(CITY_SIDE_M - MARGIN_M))).unwrap_or(MARGIN_M);
    let at = Location { x: along(), y: along() };
    let emoji = RIDES[(hash(slug) >> 8).wrapping_add(u64::from(n)) as usize % RIDES.len()];
    Recruit { id, name, emoji, at }
}

/// Forty in a row have forty names, and each city begins with another one.
fn name(slug: &str, n: u32) -> &'static str {
    NAMES[(hash(slug) % u64::from(OWN)) as usize..].iter().chain(&NAMES).nth((n % OWN) as usize).copied().unwrap_or(NAMES[0])
}

/// FNV-1a: the same in every version and on every machine.
fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn the_same_city_and_seed_make_the_same_couriers() {
        assert_eq!(own("berlin", 7), own("berlin", 7));
        assert_ne!(own("berlin", 7)[0].at, own("berlin", 8)[0].at);
        assert_eq!(own("berlin", 7)[0].name, own("berlin", 8)[0].name);
    }

    #[test]
    fn couriers_of_a_city_have_ids_and_names_of_their_own_and_stand_inside_it() {
        for city in CITIES {
            let couriers = own(&slug(city), 1);
            let names: HashSet<&str> = couriers.iter().map(|courier| courier.name.as_str()).collect();
            let ids: HashSet<&str> = couriers.iter().map(|courier| courier.id.as_str()).collect();
            assert_eq!((couriers.len(), names.len(), ids.len()), (40, 40, 40), "{city}");
            let inside = |courier: &Recruit| (0..CITY_SIDE_M).contains(&courier.at.x) && (0..CITY_SIDE_M).contains(&courier.at.y);
            assert!(couriers.iter().all(inside), "{city}");
        }
        assert_eq!(own("berlin", 1)[0].id, "berlin-01");
        assert_eq!(own("berlin", 1)[39].id, "berlin-40");
    }

    #[test]
    fn freelancers_are_nobody_who_is_there() {
        let (first, more) = (freelancers("berlin", 0, 100, 1), freelancers("berlin", 100, 100, 1));
        assert_eq!((first[0].id.as_str(), more[99].id.as_str()), ("berlin-f001", "berlin-f200"));
        let ids: HashSet<String> = own("berlin", 1).into_iter().chain(first).chain(more).map(|courier| courier.id).collect();
        assert_eq!(ids.len(), 240);
    }

    #[test]
    fn every_city_has_a_short_name_of_its_own() {
        assert_eq!(slug("Mexico City"), "mexico-city");
        let cities = ["Oslo", "oslo", "OSLO", "Os Lo", "Os-Lo", " Oslo", "東京", "São Paulo", "Sao Paulo", "", " ", "-"];
        let slugs: HashSet<String> = cities.into_iter().chain(CITIES).map(slug).collect();
        assert_eq!(slugs.len(), cities.len() + CITIES.len(), "{slugs:?}");
        let plain = |slug: &String| !slug.is_empty() && slug.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        assert!(slugs.iter().all(plain), "{slugs:?}");
    }
}
