use super::*;
use runtime::flags::ofrep;
use serde_json::json;

const ONE: &str = "/ofrep/v1/evaluate/flags/cart-chaos-errors";
const ALL: &str = "/ofrep/v1/evaluate/flags";

#[tokio::test]
async fn one_flag_is_answered_in_the_protocols_form() {
    let (control, _) = control();
    let router = ofrep::router(control.clone());
    let off = json(send(&router, request("POST", ONE, r#"{"context": {"targetingKey": "someone"}}"#)).await).await;
    assert_eq!((&off["key"], &off["variant"], &off["reason"]), (&json!("cart-chaos-errors"), &json!("off"), &json!("STATIC")));
    assert_eq!(off["value"], json!({"enabled": false}));
    assert_eq!(off["metadata"]["service"], "cart");
    control.set("cart-chaos-errors", "50-percent", None, Audience::Synthetic).unwrap();
    let on = json(send(&router, request("POST", ONE, r#"{"context": {"synthetic": true}}"#)).await).await;
    assert_eq!((&on["variant"], &on["reason"], &on["value"]["errorRate"]), (&json!("50-percent"), &json!("TARGETING_MATCH"), &json!(50)));
    let person = json(send(&router, request("POST", ONE, r#"{"context": {"synthetic": false}}"#)).await).await;
    assert_eq!(person["variant"], "off");
}

#[tokio::test]
async fn what_cannot_be_evaluated_is_an_error_in_the_protocols_form() {
    let (control, _) = control();
    let router = ofrep::router(control);
    let missing = send(&router, request("POST", "/ofrep/v1/evaluate/flags/nothing", "{}")).await;
    assert_eq!(missing.status(), 404);
    let missing = json(missing).await;
    assert_eq!((&missing["key"], &missing["errorCode"]), (&json!("nothing"), &json!("FLAG_NOT_FOUND")));
    for (body, code) in [("{", "PARSE_ERROR"), ("[]", "PARSE_ERROR"), (r#"{"context": 3}"#, "INVALID_CONTEXT")] {
        for path in [ONE, ALL] {
            let refused = send(&router, request("POST", path, body)).await;
            assert_eq!(refused.status(), 400, "{path} {body}");
            assert_eq!(json(refused).await["errorCode"], code, "{path} {body}");
        }
    }
}

#[tokio::test]
async fn all_flags_come_with_an_etag_that_changes_with_the_outcome_only() {
    let (control, _) = control();
    let router = ofrep::router(control.clone());
    let all = send(&router, request("POST", ALL, "")).await;
    assert_eq!(all.status(), 200);
    let etag = all.headers()["etag"].clone();
    let flags = json(all).await["flags"].as_array().unwrap().clone();
    assert_eq!(flags.len(), control.list().len());
    assert!(flags.iter().all(|flag| flag["variant"] == "off" || flag["key"] == "circuit-breaker"));

    let again = |body: &str| {
        let mut request = request("POST", ALL, body);
        request.headers_mut().insert("if-none-match", etag.clone());
        request
    };
    let same = send(&router, again(r#"{"context": {"targetingKey": "other"}}"#)).await;
    assert_eq!((same.status().as_u16(), &same.headers()["etag"]), (304, &etag));
    control.set("store-down", "all", None, Audience::Synthetic).unwrap();
    assert_eq!(send(&router, again(r#"{"context": {"synthetic": true}}"#)).await.status(), 200);
    control.clear_all().unwrap();
    assert_eq!(send(&router, again(r#"{"context": {"synthetic": true}}"#)).await.status(), 304);
}
