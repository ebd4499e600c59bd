use super::*;
use runtime::flags::api;
use serde_json::json;

const FLAG: &str = "/api/flags/cart-chaos-errors";

#[tokio::test]
async fn an_operator_lists_flips_and_clears() {
    let (control, _) = control();
    let router = api::router(control.clone());
    let list = json(send(&router, request("GET", "/api/flags", "")).await).await;
    assert_eq!(list.as_array().unwrap().len(), control.list().len());

    let body = r#"{"variant": "50-percent", "ttlSeconds": 60, "audience": {"kind": "synthetic"}}"#;
    let flipped = send(&router, request("PUT", FLAG, body)).await;
    assert_eq!(flipped.status(), 200);
    let flipped = json(flipped).await;
    assert_eq!((&flipped["variant"], &flipped["flip"]["audience"]["kind"]), (&json!("50-percent"), &json!("synthetic")));

    let definitions = json(send(&router, request("GET", "/api/flags/definitions", "")).await).await;
    assert_eq!(
        definitions["flags"]["cart-chaos-errors"]["targeting"],
        json!({"if": [{"==": [{"var": "synthetic"}, true]}, "50-percent", "off"]})
    );

    assert_eq!(json(send(&router, request("DELETE", FLAG, "")).await).await["flip"], Value::Null);
    flip(&control, "store-down", "all");
    let clear = json(send(&router, request("DELETE", "/api/flags", "")).await).await;
    assert!(clear.as_array().unwrap().iter().all(|flag| flag["variant"] == "off" || flag["key"] == "circuit-breaker"));
}

#[tokio::test]
async fn a_flip_that_cannot_be_is_answered_in_the_one_error_shape() {
    let (control, _) = control();
    let router = api::router(control.clone());
    for (path, body, status, code) in [
        (FLAG, r#"{"variant": "no"}"#, 400, "INVALID_BODY"),
        (FLAG, "{}", 400, "INVALID_BODY"),
        (FLAG, r#"{"variant": "50-percent", "ttlSeconds": 0}"#, 400, "INVALID_BODY"),
        (FLAG, r#"{"variant": "50-percent", "ttlSeconds": -1}"#, 400, "INVALID_BODY"),
        (FLAG, r#"{"variant": "50-percent", "audience": {"kind": "session", "value": ""}}"#, 400, "INVALID_BODY"),
        (FLAG, r#"{"variant": "50-percent", "audience": {"kind": "percent", "value": 300}}"#, 400, "INVALID_BODY"),
        ("/api/flags/nothing", r#"{"variant": "off"}"#, 404, "FLAG_NOT_FOUND"),
    ] {
        let refused = send(&router, request("PUT", path, body)).await;
        assert_eq!(refused.status(), status, "{body}");
        assert_eq!(json(refused).await["code"], code, "{body}");
    }
    assert!(control.list().iter().all(|flag| flag.flip.is_none()));
}

#[tokio::test]
async fn an_empty_session_is_the_browser_that_asks() {
    let (control, _) = control();
    let router = api::router(control.clone());
    let body = r#"{"variant": "50-percent", "audience": {"kind": "session", "value": ""}}"#;
    let flipped = as_session("my-browser", send(&router, request("PUT", FLAG, body))).await;
    assert_eq!(flipped.status(), 200);
    let flags = flags(&control, "cart");
    assert!(as_session("my-browser", flags.evaluate("cart-chaos-errors")).await.is_some());
    assert!(as_session("other", flags.evaluate("cart-chaos-errors")).await.is_none());
}
