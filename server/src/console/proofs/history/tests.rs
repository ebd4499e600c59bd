use super::*;
use contract::flags::{Flip, Variant};
use serde_json::json;

fn at(second: i64) -> Timestamp {
    Timestamp::from_millis(second * 1_000)
}

/// These flags are on, each since its second; all others are off.
fn states(on: &[(&str, i64)]) -> Vec<FlagState> {
    ["a", "b", "c"]
        .into_iter()
        .map(|key| {
            let since = on.iter().find(|(flag, _)| *flag == key).map(|(_, since)| at(*since));
            FlagState {
                key: key.to_owned(),
                description: String::new(),
                service: String::new(),
                route: String::new(),
                expected: String::new(),
                audience_sentence: String::new(),
                default_variant: "off".to_owned(),
                variant: if since.is_some() { "on" } else { "off" }.to_owned(),
                variants: vec![
                    Variant { name: "off".to_owned(), value: json!({"enabled": false}) },
                    Variant { name: "on".to_owned(), value: json!({"enabled": true}) },
                ],
                flip: since.map(|flipped_at| Flip { audience: Audience::Everyone, flipped_at, expires_at: at(100_000) }),
                signal: None,
            }
        })
        .collect()
}

fn before(history: &History, flag: &str) -> Vec<(i64, i64)> {
    let episode = history.episodes().iter().find(|episode| episode.flag == flag).unwrap();
    episode.before.iter().map(|(from, to)| (from.millis() / 1_000, to.millis() / 1_000)).collect()
}

#[test]
fn a_flip_is_compared_with_the_minute_before() {
    let mut history = History::new(at(0));
    history.note(&states(&[("a", 500)]), at(500));
    assert_eq!(before(&history, "a"), [(440, 500)]);
}

#[test]
fn a_platform_that_has_just_begun_has_less_and_then_nothing_to_compare_with() {
    let mut history = History::new(at(0));
    history.note(&states(&[("a", 20)]), at(20));
    assert_eq!(before(&history, "a"), [(0, 20)]);
    let mut history = History::new(at(0));
    history.note(&states(&[("a", 4)]), at(4));
    assert_eq!(before(&history, "a"), []);
}

#[test]
fn the_time_of_another_fault_and_its_settling_is_left_out() {
    let mut history = History::new(at(0));
    history.note(&states(&[("a", 100)]), at(100));
    history.note(&states(&[]), at(120));
    history.note(&states(&[("b", 150)]), at(150));
    assert_eq!(before(&history, "b"), [(67, 100), (123, 150)]);
}

#[test]
fn with_another_fault_on_it_is_compared_with_the_time_of_that_one() {
    let mut history = History::new(at(0));
    history.note(&states(&[("a", 100)]), at(100));
    history.note(&states(&[("a", 100), ("b", 130)]), at(130));
    assert_eq!(before(&history, "b"), [(103, 130)]);
}

#[test]
fn two_flips_at_once_have_the_time_before_both_only_for_the_first() {
    let mut history = History::new(at(0));
    history.note(&states(&[("a", 100)]), at(100));
    history.note(&states(&[("a", 100), ("b", 101)]), at(101));
    assert_eq!(before(&history, "a"), [(40, 100)]);
    assert_eq!(before(&history, "b"), []);
}

#[test]
fn what_ended_and_began_anew_is_a_new_episode_that_leaves_the_old_one_out() {
    let mut history = History::new(at(0));
    history.note(&states(&[("a", 100)]), at(100));
    history.end("a", at(130));
    assert_eq!(history.note(&states(&[]), at(130)), [], "whoever ended it has told so");
    assert_eq!(history.episodes()[0].cleared_at, Some(at(130)));
    let turned = history.note(&states(&[("a", 140)]), at(140));
    assert!(matches!(turned.as_slice(), [Turned::On(_)]));
    assert_eq!(history.episodes().len(), 1);
    assert_eq!(before(&history, "a"), [(47, 100), (133, 140)]);
}

#[test]
fn a_flip_that_is_renewed_goes_on_and_one_that_is_long_over_is_forgotten() {
    let mut history = History::new(at(0));
    history.note(&states(&[("a", 100)]), at(100));
    assert_eq!(history.note(&states(&[("a", 160)]), at(160)), []);
    assert_eq!(history.episodes()[0].flipped_at, at(100));
    history.note(&states(&[]), at(200));
    history.note(&states(&[]), at(800));
    assert_eq!(history.episodes().len(), 1);
    history.note(&states(&[]), at(801));
    assert_eq!(history.episodes().len(), 0);
}

#[test]
fn a_flag_that_the_source_turns_on_is_an_episode_from_when_it_was_seen() {
    let mut history = History::new(at(0));
    let mut states = states(&[("a", 1)]);
    states[0].flip = None;
    let turned = history.note(&states, at(90));
    assert!(matches!(&turned[..], [Turned::On(episode)] if episode.flipped_at == at(90)));
    states[0].variant = "off".to_owned();
    assert_eq!(history.note(&states, at(95)), [Turned::Off("a".to_owned())]);
}
