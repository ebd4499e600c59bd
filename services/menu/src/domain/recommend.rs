//! What sells now, and what goes together, from what was sold.

use contract::menu::{Recommendations, Together};
use contract::{ItemId, Timestamp};
use std::collections::HashMap;
use std::time::Duration;

/// What is older does not count.
pub const WINDOW: Duration = Duration::from_secs(24 * 3600);

/// After so long a sale counts for half.
const HALF_LIFE_HOURS: f64 = 3.0;

const POPULAR: usize = 6;
const TOGETHER: usize = 3;

/// `sold`: item, when the hour began, units; `pairs`: items that were ordered together, most often first. Only items for which `offered`
/// holds are recommended.
pub fn recommend<'a>(
    sold: impl Iterator<Item = (&'a ItemId, Timestamp, i64)>,
    pairs: &[(ItemId, ItemId)],
    now: Timestamp,
    offered: impl Fn(&ItemId) -> bool,
) -> Recommendations {
    let mut weights: HashMap<&ItemId, f64> = HashMap::new();
    for (item, hour, units) in sold.filter(|(item, ..)| offered(item)) {
        let age_hours = now.since(hour).as_secs_f64() / 3600.0;
        *weights.entry(item).or_default() += units as f64 * 0.5_f64.powf(age_hours / HALF_LIFE_HOURS);
    }
    let mut popular: Vec<(&ItemId, f64)> = weights.into_iter().collect();
    popular.sort_by(|(one, weight), (other, heavier)| heavier.total_cmp(weight).then_with(|| one.cmp(other)));

    let mut together: Vec<Together> = Vec::new();
    let mut places: HashMap<&ItemId, usize> = HashMap::new();
    for (one, other) in pairs.iter().filter(|(one, other)| offered(one) && offered(other)) {
        for (item, with) in [(one, other), (other, one)] {
            let place = *places.entry(item).or_insert_with(|| {
                together.push(Together { item: item.clone(), with: Vec::with_capacity(TOGETHER) });
                together.len() - 1
            });
            if together[place].with.len() < TOGETHER {
                together[place].with.push(with.clone());
            }
        }
    }
    Recommendations { popular: popular.into_iter().take(POPULAR).map(|(item, _)| item.clone()).collect(), together }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_763_632_800_000);

    fn hours_ago(hours: i64) -> Timestamp {
        Timestamp::from_millis(NOW.millis() - hours * 3_600_000)
    }

    fn pair(one: &str, other: &str) -> (ItemId, ItemId) {
        (one.into(), other.into())
    }

    #[test]
    fn what_sells_now_comes_before_what_sold_better_this_morning() {
        let (latte, mocha): (ItemId, ItemId) = ("latte".into(), "mocha".into());
        let sold = [(&latte, hours_ago(9), 20), (&mocha, hours_ago(0), 4)];
        assert_eq!(recommend(sold.into_iter(), &[], NOW, |_| true).popular, [mocha, latte]);
    }

    #[test]
    fn an_item_goes_with_those_it_was_ordered_with_most_often_from_both_sides() {
        let pairs = [pair("a", "b"), pair("a", "c"), pair("a", "d"), pair("a", "e"), pair("b", "c")];
        let together = recommend(std::iter::empty(), &pairs, NOW, |_| true).together;
        let with =
            |id: &str| together.iter().find(|one| one.item.as_str() == id).unwrap().with.iter().map(ItemId::as_str).collect::<Vec<_>>();
        assert_eq!((with("a"), with("b"), with("e")), (vec!["b", "c", "d"], vec!["a", "c"], vec!["a"]));
    }

    #[test]
    fn what_is_not_offered_is_not_recommended() {
        let gone: ItemId = "gone".into();
        let told = recommend([(&gone, hours_ago(0), 9)].into_iter(), &[pair("gone", "here")], NOW, |id| *id != gone);
        assert_eq!(told, Recommendations::default());
    }
}
