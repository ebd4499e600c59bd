//! What senders get as an answer.

use super::*;
use crate::limits::Limits;
use crate::store::Store;
use contract::Timestamp;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::Method;
use std::io::Write;
use tower::ServiceExt;

const SPANS: &str = r#"{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"robot"}}]},"scopeSpans":[{"spans":[
    {"traceId":"4bf92f3577b34da6a3ce929d0e0e4736","spanId":"00f067aa0ba902b7","name":"stir","startTimeUnixNano":"1000000000","endTimeUnixNano":"2000000000"},
    {"traceId":"","spanId":"00f067aa0ba902b7","name":"nobody's","startTimeUnixNano":"1","endTimeUnixNano":"2"}]}]}]}"#;

fn receiver() -> (Store, Router) {
    let now = || Timestamp::from_millis(1_763_640_000_000);
    let (store, intake) = Store::start(Limits::default(), now).unwrap();
    (store, router(intake))
}

async fn send(router: &Router, path: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> (StatusCode, String, Bytes) {
    let mut request = http::Request::builder().method(Method::POST).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = router.clone().oneshot(request.body(body.into()).unwrap()).await.unwrap();
    let kind = response.headers().get(CONTENT_TYPE).map(|kind| kind.to_str().unwrap().to_owned()).unwrap_or_default();
    (response.status(), kind, axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap())
}

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(body).unwrap();
    packed.finish().unwrap()
}

#[tokio::test]
async fn json_is_answered_in_json_and_says_what_was_left_out() {
    let (_store, router) = receiver();
    let (status, kind, body) = send(&router, "/v1/traces", &[("content-type", "application/json; charset=utf-8")], SPANS).await;
    assert_eq!((status, kind.as_str()), (StatusCode::OK, JSON));
    let said: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(said, json!({"partialSuccess": {"rejectedSpans": "1", "errorMessage": "a traceId is 16 bytes and not zero"}}));
}

#[tokio::test]
async fn protobuf_is_answered_in_protobuf_packed_or_not() {
    let (_store, router) = receiver();
    let message: opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest = serde_json::from_str(SPANS).unwrap();
    let plain = message.encode_to_vec();
    for (headers, body) in
        [(vec![("content-type", PROTOBUF)], plain.clone()), (vec![("content-type", PROTOBUF), ("content-encoding", "gzip")], gzip(&plain))]
    {
        let (status, kind, body) = send(&router, "/v1/traces", &headers, body).await;
        assert_eq!((status, kind.as_str()), (StatusCode::OK, PROTOBUF));
        let said = ExportTraceServiceResponse::decode(body).unwrap();
        assert_eq!(said.partial_success.unwrap().rejected_spans, 1);
    }
}

#[tokio::test]
async fn whole_success_says_nothing() {
    let (_store, router) = receiver();
    for path in ["/v1/traces", "/v1/metrics", "/v1/logs"] {
        let (status, _, body) = send(&router, path, &[("content-type", PROTOBUF)], "").await;
        assert_eq!((status, body.len()), (StatusCode::OK, 0), "{path}");
    }
}

#[tokio::test]
async fn what_cannot_be_read_is_refused_with_a_reason() {
    let (_store, router) = receiver();
    let json = ("content-type", JSON);
    type Case<'a> = (&'a [(&'a str, &'a str)], Vec<u8>, u16, &'a str);
    let cases: [Case<'_>; 6] = [
        (&[json], b"{".to_vec(), 400, "not OTLP's JSON"),
        (&[json, ("content-encoding", "gzip")], b"plain".to_vec(), 400, "not gzip"),
        (&[json, ("content-encoding", "br")], b"{}".to_vec(), 415, "content-encoding"),
        (&[("content-type", "text/plain")], b"{}".to_vec(), 415, "content-type"),
        (&[json], vec![b' '; PACKED_LIMIT_BYTES + 1], 413, "smaller batches"),
        (&[json, ("content-encoding", "gzip")], gzip(&vec![b' '; UNPACKED_LIMIT_BYTES + 1]), 413, "smaller batches"),
    ];
    for (headers, body, expected, reason) in cases {
        let (status, kind, body) = send(&router, "/v1/logs", headers, body).await;
        let said: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!((status.as_u16(), kind.as_str()), (expected, JSON), "{said}");
        assert!(said["message"].as_str().unwrap().contains(reason), "{said}");
    }
    let (status, kind, body) = send(&router, "/v1/logs", &[("content-type", PROTOBUF)], vec![0xff; 3]).await;
    assert_eq!((status, kind.as_str()), (StatusCode::BAD_REQUEST, PROTOBUF));
    let said = RpcStatus::decode(body).unwrap();
    assert!(said.code == 3 && said.message.contains("not protobuf"), "{said:?}");
}
