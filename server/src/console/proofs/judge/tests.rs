//! Clean traffic never convinces, however often it is looked at; an effect of the expected size does.

use super::*;
use runtime::chance::Chance;

fn up(expect: f64) -> Question {
    Question { direction: Direction::Up, expect, nothing_when_off: true, settled: true }
}

fn down(expect: f64) -> Question {
    Question { direction: Direction::Down, ..up(expect) }
}

fn shares_of(before: (u64, u64), since: (u64, u64)) -> Numbers {
    let share = |(with, of)| Share { with, of };
    Numbers::Shares { before: share(before), since: share(since) }
}

fn verdict(question: &Question, numbers: &Numbers) -> Verdict {
    judge(question, numbers).verdict
}

/// How many of `of` chance hits.
fn hits(chance: &Chance, of: u64, percent: f64) -> u64 {
    (0..of).map(|_| u64::from(chance.percent(percent))).sum()
}

/// The moments at which somebody looks, in seconds: each of the first thirty, then every tenth for five minutes.
fn looks() -> impl Iterator<Item = u64> {
    (1..=30).chain((40..=300).step_by(10))
}

#[test]
fn nothing_reaches_the_path_and_that_is_said() {
    assert_eq!(verdict(&up(0.1), &shares_of((0, 500), (0, 0))), Verdict::NoTraffic);
    let calls = Numbers::Rates { before: Rate { count: 9, exposure: 9.0 }, bins: Vec::new(), since: Rate::default(), of_requests: true };
    assert_eq!(verdict(&up(1.0), &calls), Verdict::NoTraffic);
    let level = Numbers::Levels { usual: vec![1.0; 12], since: None, seconds: 60.0 };
    assert_eq!(verdict(&up(1.0), &level), Verdict::NoTraffic);
}

#[test]
fn too_few_requests_are_no_verdict_and_it_says_how_many_are_needed() {
    let judged = judge(&up(0.05), &shares_of((0, 500), (0, 100)));
    assert_eq!((judged.verdict, judged.because), (Verdict::TooFew, Because::Needs(180)));
    let judged = judge(&up(1.0), &shares_of((0, 500), (0, 10)));
    assert_eq!(judged.because, Because::Needs(LEAST_REQUESTS));
}

#[test]
fn enough_requests_without_the_effect_are_not_seen_but_not_before_slow_ones_can_have_ended() {
    let numbers = shares_of((2, 500), (1, 400));
    assert_eq!(verdict(&up(0.05), &numbers), Verdict::NotSeen);
    assert_eq!(judge(&Question { settled: false, ..up(0.05) }, &numbers).because, Because::TooEarly);
}

#[test]
fn what_is_nothing_by_nature_needs_no_minute_before() {
    assert_eq!(verdict(&up(0.5), &shares_of((0, 0), (7, 10))), Verdict::Seen);
    assert_eq!(verdict(&up(0.5), &shares_of((0, 0), (2, 3))), Verdict::TooFew);
    let slow = Question { nothing_when_off: false, ..up(0.5) };
    assert_eq!(judge(&slow, &shares_of((0, 0), (70, 100))).because, Because::NothingBefore);
}

#[test]
fn a_real_but_small_difference_is_not_what_was_expected() {
    // Two percent of a million is no chance, and it is not the fifteen that the flag makes.
    assert_eq!(verdict(&up(0.15), &shares_of((0, 1_000_000), (20_000, 1_000_000))), Verdict::NotSeen);
}

#[test]
fn the_other_direction_is_judged_the_same_way() {
    assert_eq!(verdict(&down(0.5), &shares_of((400, 500), (50, 500))), Verdict::Seen);
    assert_eq!(verdict(&down(0.5), &shares_of((400, 500), (399, 500))), Verdict::NotSeen);
    assert_eq!(verdict(&down(0.5), &shares_of((50, 500), (400, 500))), Verdict::NotSeen);
}

#[test]
fn clean_shares_are_never_seen_however_often_one_looks() {
    for seed in 0..120 {
        let chance = Chance::seeded(seed);
        for (rate, percent, expect) in [(3, 1.0, 0.05), (20, 0.2, 0.05), (20, 2.0, 0.01), (60, 10.0, 0.02), (5, 50.0, 0.1)] {
            let before = (hits(&chance, rate * 60, percent), rate * 60);
            let (mut since, mut last) = ((0, 0), 0);
            for second in looks() {
                let of = rate * (second - last);
                (since, last) = ((since.0 + hits(&chance, of, percent), since.1 + of), second);
                for question in [up(expect), down(expect)] {
                    let judged = judge(&question, &shares_of(before, since));
                    assert_ne!(judged.verdict, Verdict::Seen, "seed {seed}: {before:?} {since:?} {question:?}");
                }
            }
        }
    }
}

#[test]
fn clean_traffic_after_nothing_is_never_seen() {
    for seed in 0..1_000 {
        let chance = Chance::seeded(seed);
        let mut since = (0, 0);
        for _ in looks() {
            since = (since.0 + hits(&chance, 4, 0.1), since.1 + 4);
            assert_ne!(verdict(&up(0.05), &shares_of((0, 0), since)), Verdict::Seen, "seed {seed}: {since:?}");
        }
    }
}

#[test]
fn the_expected_effect_is_seen_once_there_are_enough_requests_and_never_denied_then() {
    for seed in 0..300 {
        let chance = Chance::seeded(seed);
        for expect in [0.05, 0.15, 0.5, 1.0] {
            let question = up(expect);
            let of = question.needed() * 6;
            let since = (hits(&chance, of, expect * 100.0), of);
            let soon = (hits(&chance, question.needed(), expect * 100.0), question.needed());
            assert_ne!(verdict(&question, &shares_of((0, of), soon)), Verdict::NotSeen, "seed {seed}: {soon:?}");
            for before in [(hits(&chance, of, 0.2), of), (0, 0)] {
                assert_eq!(verdict(&question, &shares_of(before, since)), Verdict::Seen, "seed {seed}: {before:?} {since:?}");
            }
        }
    }
}

#[test]
fn fifteen_seconds_of_light_load_are_nearly_always_enough_for_the_mildest_share() {
    let mut seen = 0;
    for seed in 0..300 {
        let chance = Chance::seeded(seed);
        let since = (hits(&chance, 15 * 30, 5.0), 15 * 30);
        match verdict(&up(0.05), &shares_of((0, 30 * 60), since)) {
            Verdict::Seen => seen += 1,
            verdict => assert_eq!(verdict, Verdict::TooFew, "seed {seed}: {since:?}"),
        }
    }
    assert!(seen >= 294, "{seen} of 300");
}

/// Calls of one bin: each request makes `usual` of them, and some make fifty.
fn bin(chance: &Chance, requests: u64, usual: u64, more_percent: f64) -> Rate {
    let exposure = requests as f64;
    Rate { count: requests * usual + 50 * hits(chance, requests, more_percent), exposure }
}

fn calls(bins: &[Rate], since: &[Rate]) -> Numbers {
    let sum = |rates: &[Rate]| rates.iter().copied().fold(Rate::default(), Rate::plus);
    Numbers::Rates { before: sum(bins), bins: bins.to_vec(), since: sum(since), of_requests: true }
}

#[test]
fn calls_that_come_in_clumps_are_not_seen_while_nothing_changes_and_are_when_it_does() {
    for seed in 0..500 {
        let chance = Chance::seeded(seed);
        for (requests, usual, clumpy) in [(40, 1, 0.0), (40, 2, 3.0), (100, 0, 1.0), (10, 3, 10.0)] {
            let bins: Vec<Rate> = (0..12).map(|_| bin(&chance, requests, usual, clumpy)).collect();
            let mut since = Vec::new();
            for _ in 0..60 {
                since.push(bin(&chance, requests, usual, clumpy));
                for question in [up(1.0), down(1.0)] {
                    let seen = verdict(&question, &calls(&bins, &since)) == Verdict::Seen;
                    assert!(!seen, "seed {seed}: {bins:?} {since:?} {question:?}");
                }
            }
        }
        let steady: Vec<Rate> = (0..12).map(|_| bin(&chance, 40, 2, 0.0)).collect();
        let since: Vec<Rate> = (0..3).map(|_| bin(&chance, 40, 4, 0.0)).collect();
        assert_eq!(verdict(&up(2.0), &calls(&steady, &since)), Verdict::Seen, "seed {seed}");
    }
}

#[test]
fn a_level_that_wanders_is_not_seen_and_one_that_rises_is() {
    for seed in 0..500 {
        let chance = Chance::seeded(seed);
        let mut noise = 0.0;
        let mut next = || {
            noise = noise * 0.8 + f64::from(u8::from(chance.percent(50.0))) - f64::from(u8::from(chance.percent(50.0)));
            100.0 + noise
        };
        let usual: Vec<f64> = (0..12).map(|_| next()).collect();
        let (mut sum, mut bins) = (0.0, 0.0);
        for _ in 0..60 {
            (sum, bins) = (sum + next(), bins + 1.0);
            let numbers = Numbers::Levels { usual: usual.clone(), since: Some(sum / bins), seconds: bins * 5.0 };
            assert_ne!(verdict(&up(20.0), &numbers), Verdict::Seen, "seed {seed}: {numbers:?}");
        }
        let risen = Numbers::Levels { usual, since: Some(130.0), seconds: 10.0 };
        assert_eq!(verdict(&up(20.0), &risen), Verdict::Seen, "seed {seed}");
    }
}

#[test]
fn lines_a_second_are_compared_with_those_of_before() {
    let line = |count, seconds| Rate { count, exposure: seconds };
    let bins: Vec<Rate> = [48, 55, 50, 47, 52, 49, 51, 50, 53, 46, 50, 49].map(|count| line(count, 5.0)).to_vec();
    let numbers = |since| Numbers::Rates { before: line(600, 60.0), bins: bins.clone(), since, of_requests: false };
    assert_eq!(verdict(&up(100.0), &numbers(line(9_000, 9.0))), Verdict::Seen);
    assert_eq!(verdict(&up(100.0), &numbers(line(110, 10.0))), Verdict::NotSeen);
    assert_eq!(judge(&up(100.0), &numbers(line(20, 2.0))).because, Because::TooEarly);
}
