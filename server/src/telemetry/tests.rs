//! The doors of the receiver, the beacon's limit, and what operators are told.

use super::*;
use crate::console::Operators;
use axum::body::Body;
use http::{Request, StatusCode};
use tower::ServiceExt;

fn observatory() -> (Platform, Observatory) {
    let (platform, _) = testkit::platform();
    let telemetry = Observatory::start(platform.clock.clone()).unwrap();
    (platform, telemetry)
}

fn post(path: &str, token: &str, body: &'static str) -> Request<Body> {
    let mut request = Request::post(path).header("content-type", "application/json");
    if !token.is_empty() {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    request.body(Body::from(body)).unwrap()
}

#[tokio::test]
async fn off_loopback_the_receiver_takes_from_the_inside_and_from_operators_only() {
    let (_platform, telemetry) = observatory();
    let operators = Operators::new("operator");
    let wide = telemetry.receiver(Door { loopback: false, token: Some("inside".into()), operators: operators.clone() });
    let here = telemetry.receiver(Door { loopback: true, token: None, operators });
    for path in ["/v1/traces", "/v1/metrics", "/v1/logs"] {
        for (token, expected) in [("", 401), ("wrong", 401), ("inside", 200), ("operator", 200)] {
            let answer = wide.clone().oneshot(post(path, token, "{}")).await.unwrap();
            assert_eq!(answer.status().as_u16(), expected, "{path} with {token:?}");
        }
        let answer = here.clone().oneshot(post(path, "", "{}")).await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{path} on loopback");
    }
}

#[tokio::test]
async fn a_browser_that_says_too_much_is_told_to_be_quiet() {
    let (platform, telemetry) = observatory();
    let router = beacon::router(telemetry.ear(), platform.clock.clone());
    let mut answers = Vec::new();
    for _ in 0..30 {
        answers.push(router.clone().oneshot(post("/api/beacon", "", "{}")).await.unwrap().status().as_u16());
    }
    assert_eq!((answers.first(), answers.last()), (Some(&204), Some(&429)), "{answers:?}");
}
