//! Whose menu it is.

use crate::house::{COFFEE, House, STAFF, Who};
use serde_json::{Value, json};

/// Everything that is not for everybody: method, address, a body that would do.
fn doors() -> Vec<(&'static str, String, Option<Value>)> {
    let dish = json!({ "name": "Bagel", "basePrice": 2.5 });
    vec![
        ("PATCH", COFFEE.to_owned(), Some(json!({ "tagline": "Ours" }))),
        ("POST", format!("{COFFEE}/items"), Some(dish.clone())),
        ("PUT", format!("{COFFEE}/items/nebula-latte"), Some(dish)),
        ("PATCH", format!("{COFFEE}/items/nebula-latte"), Some(json!({ "inStock": true }))),
        ("GET", format!("{COFFEE}/figures"), None),
        ("DELETE", format!("{COFFEE}/items/nebula-latte"), None),
    ]
}

pub async fn nobody_changes_a_restaurant_but_its_staff_and_operators(house: House) {
    for (who, status, code) in [
        (Who::Nobody, 401, "UNAUTHORIZED"),
        (Who::Customer, 403, "FORBIDDEN"),
        (Who::Courier, 403, "FORBIDDEN"),
        (Who::StaffOf("dim-sun"), 403, "FORBIDDEN"),
    ] {
        for (method, path, body) in doors() {
            assert_eq!(house.refusal(who, method, &path, body).await, (status, code.to_owned()), "{who:?} {method} {path}");
        }
    }
    let before = house.see("/internal/restaurants/cosmic-coffee").await;
    assert_eq!((&before["items"][0]["id"], &before["restaurant"]["itemCount"]), (&json!("nebula-latte"), &json!(8)));
    for (who, reset) in [(STAFF, true), (Who::Operator, false)] {
        for (method, path, body) in doors() {
            let (status, answer) = house.ask(who, method, &path, body).await;
            // The second dish of one name is the one that was made by replacing.
            assert!((200..300).contains(&status) || answer["code"] == "ITEM_EXISTS", "{who:?} {method} {path}: {status} {answer}");
        }
        if reset {
            assert_eq!(house.ask(Who::Operator, "POST", "/internal/reset", None).await.0, 204);
        }
    }
}

pub async fn strangers_are_refused_before_their_body_is_read(house: House) {
    for (method, path, body) in doors().into_iter().filter(|(_, _, body)| body.is_some()) {
        drop(body);
        assert_eq!(house.refusal(Who::Nobody, method, &path, None).await, (401, "UNAUTHORIZED".to_owned()), "{method} {path}");
        let strange = Some(json!(["nonsense"]));
        assert_eq!(house.refusal(Who::StaffOf("dim-sun"), method, &path, strange).await, (403, "FORBIDDEN".to_owned()), "{method} {path}");
    }
    // Whether there is such a restaurant is not told either.
    let nowhere = house.refusal(Who::Customer, "PATCH", "/api/restaurants/nowhere", Some(json!({}))).await;
    assert_eq!(nowhere, (403, "FORBIDDEN".to_owned()));
}

pub async fn only_operators_reset(house: House) {
    for who in [Who::Nobody, Who::Customer, STAFF] {
        assert_eq!(house.refusal(who, "POST", "/internal/reset", None).await, (401, "UNAUTHORIZED".to_owned()), "{who:?}");
    }
}

pub async fn changes_are_audited_by_account_and_never_by_name(house: House) {
    house.write("PATCH", COFFEE, json!({ "name": "Renamed", "paused": true })).await;
    house.write("PATCH", COFFEE, json!({})).await;
    house.write("PATCH", &format!("{COFFEE}/items/nebula-latte"), json!({ "basePrice": 1, "inStock": false })).await;
    assert_eq!(house.refusal(STAFF, "DELETE", &format!("{COFFEE}/items/no-such"), None).await.0, 404);
    assert_eq!(house.ask(STAFF, "DELETE", &format!("{COFFEE}/items/nebula-latte"), None).await.0, 204);
    assert_eq!(house.ask(Who::Operator, "POST", "/internal/reset", None).await.0, 204);
    let rows = house.rows("SELECT who, role, what, at_ms FROM menu_audit ORDER BY id").await;
    let told: Vec<String> =
        rows.iter().map(|row| format!("{} {}: {}", row.text(1).unwrap(), row.text(0).unwrap(), row.text(2).unwrap())).collect();
    assert_eq!(
        told,
        [
            "restaurant u-staff: change cosmic-coffee: name, pause",
            "restaurant u-staff: change nebula-latte of cosmic-coffee: price, not available",
            "restaurant u-staff: delete nebula-latte of cosmic-coffee",
            "operator u-operator: reset menus and tickets",
        ]
    );
    assert!(rows.iter().all(|row| row.int(3).unwrap() == testkit::MORNING.millis()));
}

pub async fn edits_are_there_after_a_restart(house: House) {
    house.write("PATCH", COFFEE, json!({ "name": "Renamed" })).await;
    house.write("PUT", &format!("{COFFEE}/items/nebula-latte"), json!({ "name": "Bagel", "basePrice": 2.5 })).await;
    let before = house.see("/internal/restaurants/cosmic-coffee").await;
    let house = house.restarted().await;
    assert_eq!(house.see("/internal/restaurants/cosmic-coffee").await, before);
    assert_eq!(before["restaurant"]["name"], "Renamed");
}
