use super::*;
use contract::Code;

const FLAG: &str = "cart-chaos-errors";

#[tokio::test]
async fn every_flag_is_off_until_it_is_flipped() {
    let (control, _) = control();
    let flags = flags(&control, "cart");
    assert!(flags.all_off());
    let list = control.list();
    assert!(list.len() > 30, "{}", list.len());
    for flag in list {
        let harmless = if flag.key == "circuit-breaker" { "on" } else { "off" };
        assert_eq!((flag.variant.as_str(), flag.flip), (harmless, None), "{}", flag.key);
        assert_eq!(flag.variants[0].name, harmless, "{}", flag.key);
        assert_eq!(variant(&flags, &flag.key).await, None);
    }
}

#[tokio::test]
async fn variants_are_listed_from_harmless_to_grave() {
    let (control, _) = control();
    let names: Vec<String> = control.get(FLAG).unwrap().variants.into_iter().map(|variant| variant.name).collect();
    assert_eq!(names, ["off", "5-percent", "15-percent-after-2s", "50-percent"]);
}

#[tokio::test]
async fn a_flip_is_in_force_at_once_and_touches_no_other_flag() {
    let (control, _) = control();
    let flags = flags(&control, "cart");
    flip(&control, FLAG, "50-percent");
    let active = flags.evaluate(FLAG).await.unwrap();
    assert_eq!((active.variant.as_str(), &active.value["errorRate"]), ("50-percent", &50.into()));
    assert!(!flags.all_off() && flags.may_be_on(FLAG));
    assert!(!flags.may_be_on("cart-slow") && variant(&flags, "cart-slow").await.is_none());
}

#[tokio::test]
async fn a_flip_ends_by_itself_when_its_time_is_over() {
    let (control, clock) = control();
    let flags = flags(&control, "cart");
    let flipped = control.set(FLAG, "5-percent", Some(Duration::from_secs(30)), Audience::Everyone).unwrap();
    let flip = flipped.flip.unwrap();
    assert_eq!(flip.expires_at.since(flip.flipped_at), Duration::from_secs(30));
    clock.advance(Duration::from_millis(29_999));
    control.tick();
    assert_eq!(variant(&flags, FLAG).await.as_deref(), Some("5-percent"));
    clock.advance(Duration::from_millis(1));
    control.tick();
    assert_eq!(variant(&flags, FLAG).await, None);
    assert!(flags.all_off());
    assert_eq!(control.get(FLAG).unwrap().flip, None);
}

#[tokio::test]
async fn nobody_needs_to_tick_for_a_flip_to_end() {
    let (control, clock) = control();
    let flags = flags(&control, "cart");
    flip(&control, FLAG, "5-percent");
    clock.advance(Duration::from_secs(600));
    becomes(&flags, FLAG, None).await;
}

#[tokio::test]
async fn a_second_flip_replaces_the_first_and_its_time() {
    let (control, clock) = control();
    let flags = flags(&control, "cart");
    control.set(FLAG, "5-percent", Some(Duration::from_secs(10)), Audience::Everyone).unwrap();
    control.set(FLAG, "50-percent", Some(Duration::from_secs(100)), Audience::Everyone).unwrap();
    clock.advance(Duration::from_secs(11));
    control.tick();
    assert_eq!(variant(&flags, FLAG).await.as_deref(), Some("50-percent"));
}

#[tokio::test]
async fn all_clear_ends_every_flip() {
    let (control, _) = control();
    let flags = flags(&control, "cart");
    flip(&control, FLAG, "5-percent");
    flip(&control, "store-down", "all");
    assert_eq!(control.clear_all().unwrap(), 2);
    assert!(flags.all_off());
    assert_eq!(control.clear_all().unwrap(), 0);
}

#[tokio::test]
async fn clearing_one_flip_leaves_the_others_and_may_be_repeated() {
    let (control, _) = control();
    let flags = flags(&control, "cart");
    flip(&control, FLAG, "5-percent");
    flip(&control, "cart-slow", "300-ms");
    for _ in 0..2 {
        assert_eq!(control.clear(FLAG).unwrap().flip, None);
    }
    assert_eq!(variant(&flags, "cart-slow").await.as_deref(), Some("300-ms"));
    assert_eq!(variant(&flags, FLAG).await, None);
}

#[tokio::test]
async fn a_flip_back_to_off_ends_the_flip() {
    let (control, _) = control();
    flip(&control, FLAG, "5-percent");
    flip(&control, FLAG, "off");
    assert_eq!(control.get(FLAG).unwrap().flip, None);
}

#[tokio::test]
async fn a_flip_that_cannot_be_is_refused_and_changes_nothing() {
    let (control, _) = control();
    let before = control.definitions();
    assert_eq!(control.set("no-such-flag", "off", None, Audience::Everyone).unwrap_err().code, Code::FlagNotFound);
    assert_eq!(control.clear("no-such-flag").unwrap_err().code, Code::FlagNotFound);
    let error = control.set(FLAG, "99-percent", None, Audience::Everyone).unwrap_err();
    assert_eq!(error.code, Code::InvalidBody);
    assert!(["off", "5-percent", "50-percent"].iter().all(|name| error.message.contains(name)), "{}", error.message);
    for ttl in [0, 86_401] {
        let error = control.set(FLAG, "5-percent", Some(Duration::from_secs(ttl)), Audience::Everyone).unwrap_err();
        assert_eq!(error.code, Code::InvalidBody, "{ttl}");
    }
    for audience in [
        Audience::Percent(0),
        Audience::Percent(101),
        Audience::Session(String::new()),
        Audience::City(String::new()),
        Audience::Restaurant(String::new()),
    ] {
        let error = control.set(FLAG, "5-percent", None, audience.clone()).unwrap_err();
        assert_eq!(error.code, Code::InvalidBody, "{audience:?}");
    }
    assert_eq!(control.definitions(), before);
}

#[tokio::test]
async fn flips_stay_over_a_source_that_changes() {
    let (control, _) = control();
    let flags = flags(&control, "cart");
    flip(&control, "cart-slow", "300-ms");
    let mut source: Value = serde_json::from_str(runtime::flags::BUILT_IN).unwrap();
    source["flags"][FLAG]["defaultVariant"] = "5-percent".into();
    control.replace_definitions(&source.to_string()).unwrap();
    assert_eq!(variant(&flags, FLAG).await.as_deref(), Some("5-percent"));
    assert_eq!(variant(&flags, "cart-slow").await.as_deref(), Some("300-ms"));
    // Over a source that has it on, "off" is a flip like any other.
    flip(&control, FLAG, "off");
    assert_eq!(variant(&flags, FLAG).await, None);
    assert!(control.get(FLAG).unwrap().flip.is_some());
    control.clear(FLAG).unwrap();
    assert_eq!(variant(&flags, FLAG).await.as_deref(), Some("5-percent"));
}

#[tokio::test]
async fn a_flip_of_what_the_source_no_longer_has_ends() {
    let (control, _) = control();
    let flags = flags(&control, "cart");
    flip(&control, FLAG, "5-percent");
    control.replace_definitions(r#"{"flags": {}}"#).unwrap();
    assert_eq!(variant(&flags, FLAG).await, None);
    assert!(control.list().is_empty() && flags.all_off());
}

#[tokio::test]
async fn a_source_that_says_nonsense_changes_nothing() {
    let (control, _) = control();
    flip(&control, FLAG, "5-percent");
    let before = control.definitions();
    for text in ["", "{", r#"{"flags": 3}"#] {
        assert!(control.replace_definitions(text).is_err());
    }
    assert_eq!(control.definitions(), before);
}

#[tokio::test]
async fn a_disabled_flag_and_a_broken_rule_are_off() {
    let (control, _) = control();
    let flags = flags(&control, "cart");
    let text = r#"{"flags": {
        "disabled": {"state": "DISABLED", "defaultVariant": "on", "variants": {"off": {"enabled": false}, "on": {"enabled": true}}},
        "broken": {"state": "ENABLED", "defaultVariant": "on", "variants": {"off": {"enabled": false}, "on": {"enabled": true}},
            "targeting": {"no-such-operator": [1]}},
        "astray": {"state": "ENABLED", "defaultVariant": "on", "variants": {"off": {"enabled": false}, "on": {"enabled": true}},
            "targeting": {"if": [true, "nowhere"]}}
    }}"#;
    control.replace_definitions(text).unwrap();
    for key in ["disabled", "broken", "astray", "unknown"] {
        assert_eq!(variant(&flags, key).await, None, "{key}");
    }
}

#[tokio::test]
async fn shared_rules_and_flags_of_other_types_are_evaluated() {
    let (control, _) = control();
    let flags = flags(&control, "cart");
    let text = r#"{"$evaluators": {"everyone": {"==": [1, 1]}}, "flags": {
        "shared": {"state": "ENABLED", "defaultVariant": "off", "variants": {"off": {"enabled": false}, "on": {"enabled": true}},
            "targeting": {"if": [{"$ref": "everyone"}, "on"]}},
        "text": {"state": "ENABLED", "defaultVariant": "new", "variants": {"new": "v2", "old": "v1"}},
        "number": {"state": "ENABLED", "defaultVariant": "two", "variants": {"one": 1, "two": 2}},
        "switch": {"state": "ENABLED", "defaultVariant": "on", "variants": {"on": true, "off": false}}
    }}"#;
    control.replace_definitions(text).unwrap();
    assert_eq!(variant(&flags, "shared").await.as_deref(), Some("on"));
    for (key, value) in [("text", Value::from("v2")), ("number", 2.into()), ("switch", true.into())] {
        assert_eq!(flags.evaluate(key).await.unwrap().value, value, "{key}");
    }
}

#[tokio::test]
async fn whoever_watches_is_told_of_every_change_in_its_order() {
    let clock = ManualClock::at(Timestamp::from_millis(0));
    let control = FlagControl::new(Arc::new(clock.clone())).unwrap();
    let seen = Arc::new(std::sync::Mutex::new(Vec::new()));
    let told = seen.clone();
    control.watch(move |change| told.lock().unwrap().push(change.clone()));
    control.set("cart-slow", "300-ms", None, Audience::Synthetic).unwrap();
    control.set("cart-slow", "off", None, Audience::Everyone).unwrap();
    control.set("store-down", "all", Some(Duration::from_secs(1)), Audience::Everyone).unwrap();
    clock.advance(Duration::from_secs(2));
    control.tick();
    control.clear_all().unwrap();
    let seen = seen.lock().unwrap().clone();
    let actions: Vec<(&str, &str)> = seen.iter().map(|change| (change.kind.action(), change.flag.as_str())).collect();
    let expected = [
        ("flag.flipped", "cart-slow"),
        ("flag.cleared", "cart-slow"),
        ("flag.flipped", "store-down"),
        ("flag.expired", "store-down"),
        ("flag.all_clear", "*"),
    ];
    assert_eq!(actions, expected);
    assert_eq!(seen[0].until, Some((Audience::Synthetic, Timestamp::from_millis(600_000))));
    assert!(seen.iter().all(|change| change.who == "platform"), "no request asked for it");
}
