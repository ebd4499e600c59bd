use super::*;
use std::collections::BTreeSet;

const FLAG: &str = "cart-chaos-errors";
const ON: &str = "50-percent";

fn person(session: &str) -> RequestContext {
    RequestContext { session: Some(session.into()), ..RequestContext::default() }
}

async fn is_on(flags: &Flags, who: RequestContext) -> bool {
    context::scope(Arc::new(who), flags.evaluate(FLAG)).await.is_some()
}

fn flip_for(audience: Audience) -> (FlagControl, Flags) {
    let (control, _) = control();
    control.set(FLAG, ON, None, audience).unwrap();
    let flags = flags(&control, "cart");
    (control, flags)
}

#[tokio::test]
async fn load_generator_traffic_is_hit_and_no_person_ever_is() {
    let (_control, flags) = flip_for(Audience::Synthetic);
    for n in 0..500 {
        let session = format!("session-{n}");
        assert!(!is_on(&flags, person(&session)).await);
        assert!(is_on(&flags, RequestContext { synthetic: true, ..person(&session) }).await);
    }
    assert!(!is_on(&flags, RequestContext::default()).await);
}

#[tokio::test]
async fn one_browser_is_hit_and_no_other() {
    let (control, flags) = flip_for(Audience::Session("mine".to_owned()));
    assert!(is_on(&flags, person("mine")).await);
    assert!(!is_on(&flags, person("yours")).await);
    assert!(!is_on(&flags, RequestContext::default()).await);
    assert!(!control.definitions().contains("\"mine\""), "subscribers are not told the session's id");
}

#[tokio::test]
async fn one_restaurant_or_one_city_is_hit() {
    let (_control, flags) = flip_for(Audience::Restaurant("cosmic-coffee".to_owned()));
    assert!(is_on(&flags, RequestContext { restaurant: Some("cosmic-coffee".into()), ..person("a") }).await);
    assert!(!is_on(&flags, RequestContext { restaurant: Some("other".into()), ..person("a") }).await);
    let (_control, flags) = flip_for(Audience::City("Lund".to_owned()));
    assert!(is_on(&flags, RequestContext { city: Some("Lund".into()), ..person("a") }).await);
    assert!(!is_on(&flags, person("a")).await);
}

#[tokio::test]
async fn a_share_of_sessions_is_hit_always_the_same_ones_and_more_when_it_grows() {
    const SESSIONS: usize = 2_000;
    let hit = async |share: u8| {
        let (_control, flags) = flip_for(Audience::Percent(share));
        let mut hit = BTreeSet::new();
        for n in 0..SESSIONS {
            if is_on(&flags, person(&format!("session-{n}"))).await {
                hit.insert(n);
            }
        }
        hit
    };
    let (twenty, again, sixty) = (hit(20).await, hit(20).await, hit(60).await);
    assert_eq!(twenty, again);
    assert!(twenty.is_subset(&sixty));
    for (hit, share) in [(&twenty, 0.2), (&sixty, 0.6)] {
        let error = (share * (1.0 - share) / SESSIONS as f64).sqrt();
        let rate = hit.len() as f64 / SESSIONS as f64;
        assert!((rate - share).abs() < 4.0 * error, "{rate} is far from {share}");
    }
    assert_eq!(hit(100).await.len(), SESSIONS);
}

#[tokio::test]
async fn whom_a_flip_does_not_reach_sees_what_the_source_says() {
    let (control, _) = control();
    let flags = flags(&control, "cart");
    let mut source: Value = serde_json::from_str(runtime::flags::BUILT_IN).unwrap();
    source["flags"][FLAG]["targeting"] = serde_json::json!({"if": [{"==": [{"var": "city"}, "Lund"]}, "5-percent", "off"]});
    control.replace_definitions(&source.to_string()).unwrap();
    let in_lund = || RequestContext { city: Some("Lund".into()), ..person("a") };
    let seen = async |who: RequestContext| context::scope(Arc::new(who), variant(&flags, FLAG)).await;
    for audience in [Audience::Synthetic, Audience::Percent(1)] {
        control.set(FLAG, ON, None, audience).unwrap();
        assert_eq!(seen(in_lund()).await.as_deref(), Some("5-percent"));
        assert_eq!(seen(person("a")).await, None);
    }
    control.set(FLAG, ON, None, Audience::Synthetic).unwrap();
    assert_eq!(seen(RequestContext { synthetic: true, ..in_lund() }).await.as_deref(), Some(ON));
}

#[tokio::test]
async fn another_process_that_reads_the_definitions_decides_the_same() {
    for audience in [Audience::Everyone, Audience::Synthetic, Audience::Session("mine".to_owned()), Audience::Percent(30)] {
        let (control, here) = flip_for(audience.clone());
        let (other, _) = super::control();
        other.replace_definitions(&control.definitions()).unwrap();
        let there = super::flags(&other, "cart");
        for who in [person("mine"), person("yours"), RequestContext { synthetic: true, ..person("load") }] {
            assert_eq!(is_on(&here, who.clone()).await, is_on(&there, who).await, "{audience:?}");
        }
    }
}
