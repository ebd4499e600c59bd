//! flagd's own conformance suite, run against our evaluator: once as a program in another language sees it (OFREP), once as our services do
//! (the OpenFeature SDK on our provider).
//!
//! `flagd/testbed` holds the features and the flags of the suite, and `flagd/NOTICE.md` says whose they are. Not taken at all are the
//! features outside its folder `evaluator`: `config`, `connection`, `events`, `selector`, `sync-payload` and `contextEnrichment` are about
//! how flagd's own providers are configured and connect (RPC mode, TLS, sockets, selectors), `rpc-caching` is about a cache that ours does
//! not have, and the rest repeats the evaluator's features for such providers.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot be set up has failed")]

mod gherkin;
mod steps;

use gherkin::{Scenario, scenarios};
use steps::World;

const FEATURES: [(&str, &str); 11] = [
    ("disabled", include_str!("flagd/testbed/disabled.feature")),
    ("errors", include_str!("flagd/testbed/errors.feature")),
    ("evaluation", include_str!("flagd/testbed/evaluation.feature")),
    ("evaluator-refs", include_str!("flagd/testbed/evaluator-refs.feature")),
    ("fractional", include_str!("flagd/testbed/fractional.feature")),
    ("metadata", include_str!("flagd/testbed/metadata.feature")),
    ("no-default-variant", include_str!("flagd/testbed/no-default-variant.feature")),
    ("semver", include_str!("flagd/testbed/semver.feature")),
    ("string", include_str!("flagd/testbed/string.feature")),
    ("targeting", include_str!("flagd/testbed/targeting.feature")),
    ("zero-values", include_str!("flagd/testbed/zero-values.feature")),
];

/// Scenarios that are not run: feature, tag, how their names begin, and why.
const LEFT_OUT: [(&str, &str, &str, &str); 7] = [
    ("fractional", "fractional-v1", "", "the buckets of flagd before 0.13; the suite has each scenario a second time for later ones"),
    ("fractional", "fractional-v2", "Fractional operator (", CBOR),
    ("fractional", "fractional-v2", "Fractional operator sh", CBOR),
    ("fractional", "fractional-v2", "Fractional operator with shared seed", CBOR),
    ("fractional", "fractional-v2", "Second fractional operator", CBOR),
    (
        "semver",
        "semver-edge-cases",
        "",
        "the engine reads whole versions only: no leading v, no 1.0, no number, and it compares build metadata",
    ),
    (
        "string",
        "operator-errors",
        "",
        "the engine answers false, not null, when starts_with and ends_with are asked about something else than text",
    ),
];

/// The shares are right and the same person always gets the same, but not the same as in the suite.
const CBOR: &str =
    "the engine hashes what it buckets by in CBOR, as the protocol says after this version of the suite, which hashes the text";

/// What there is to run; less would mean that the reader lost some.
const LEAST: usize = 75;

fn left_out(feature: &str, scenario: &Scenario) -> bool {
    LEFT_OUT.iter().any(|(of, tag, name, _)| *of == feature && scenario.tags.contains(*tag) && scenario.name.starts_with(name))
}

#[tokio::test]
async fn the_evaluator_behaves_as_the_suite_says() {
    let (evaluator, mut ran, mut failures) = (steps::evaluator(), 0, Vec::new());
    for (feature, text) in FEATURES {
        for scenario in scenarios(text).iter().filter(|scenario| !left_out(feature, scenario)) {
            for way in steps::WAYS {
                ran += 1;
                if let Err(failure) = World::new(evaluator.clone(), way).run(scenario).await {
                    failures.push(format!("{feature}: {}: by {way:?}: {failure}", scenario.name));
                }
            }
        }
    }
    assert!(failures.is_empty(), "{} of {ran} failed:\n{}", failures.len(), failures.join("\n"));
    assert!(ran >= LEAST * steps::WAYS.len(), "{ran}");
}

#[test]
fn what_is_left_out_exists() {
    for (feature, tag, begin, _) in LEFT_OUT {
        let (_, text) = FEATURES.iter().find(|(name, _)| *name == feature).unwrap();
        let mut all = scenarios(text).into_iter();
        assert!(all.any(|scenario| scenario.tags.contains(tag) && scenario.name.starts_with(begin)), "{feature} {tag} {begin}");
    }
}
