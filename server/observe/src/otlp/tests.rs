//! The same bodies in both encodings, as other programs' SDKs write them.

use super::*;
use crate::model::Measure::{Gauge, Histogram, Sum};
use contract::telemetry::Level;
use serde_json::{Value as Json, json};

/// The JSON of a signal, and the protobuf of the same message.
fn both<T: Message + Default + DeserializeOwned>(body: &Json) -> [(Encoding, Vec<u8>); 2] {
    let message: T = serde_json::from_value(body.clone()).unwrap();
    [(Encoding::Json, body.to_string().into_bytes()), (Encoding::Protobuf, message.encode_to_vec())]
}

fn resource() -> Json {
    json!({"attributes": [{"key": "service.name", "value": {"stringValue": "kitchen-robot"}}], "droppedAttributesCount": 0})
}

/// As `@opentelemetry/exporter-trace-otlp-http` writes them.
fn spans() -> Json {
    json!({"resourceSpans": [{
        "resource": resource(),
        "scopeSpans": [{
            "scope": {"name": "robot", "version": "1.0"},
            "spans": [{
                "traceId": "4bf92f3577b34da6a3ce929d0e0e4736", "spanId": "00f067aa0ba902b7", "parentSpanId": "00f067aa0ba902b8",
                "name": "stir", "kind": 3,
                "startTimeUnixNano": "1544712660000000000", "endTimeUnixNano": "1544712661000000000",
                "attributes": [
                    {"key": "feast.order.id", "value": {"stringValue": "o-1"}},
                    {"key": "http.response.status_code", "value": {"intValue": 503}},
                    {"key": "retries", "value": {"intValue": "2"}},
                    {"key": "share", "value": {"doubleValue": 0.5}},
                    {"key": "hot", "value": {"boolValue": true}},
                    {"key": "tags", "value": {"arrayValue": {"values": [{"stringValue": "a"}, {"intValue": 1}]}}}
                ],
                "droppedAttributesCount": 0,
                "events": [{"name": "exception", "timeUnixNano": "1544712660500000000", "attributes": [], "droppedAttributesCount": 0}],
                "droppedEventsCount": 0,
                "status": {"code": 2, "message": "burnt"},
                "links": [{"traceId": "5bf92f3577b34da6a3ce929d0e0e4736", "spanId": "00f067aa0ba902b7", "attributes": [], "droppedAttributesCount": 0}],
                "droppedLinksCount": 0,
                "flags": 257
            }, {
                "traceId": "4bf92f3577b34da6a3ce929d0e0e4736", "spanId": "00f067aa0ba902b8", "name": "root", "kind": 2,
                "startTimeUnixNano": 1544712660000000000_u64, "endTimeUnixNano": 1544712661000000000_u64, "status": {"code": 0}
            }]
        }]
    }]})
}

#[test]
fn spans_come_whole_in_both_encodings() {
    for (encoding, body) in both::<ExportTraceServiceRequest>(&spans()) {
        let decoded = traces(&body, encoding, &mut Words::default()).unwrap();
        assert_eq!((decoded.items.len(), decoded.rejected), (2, 0), "{encoding:?}");
        let span = &decoded.items[0];
        assert_eq!((span.trace, span.id), (0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736, 0x00f0_67aa_0ba9_02b7));
        assert_eq!((span.parent, decoded.items[1].parent), (Some(0x00f0_67aa_0ba9_02b8), None));
        assert_eq!((&*span.service, &*span.name, span.kind), ("kitchen-robot", "stir", Kind::Client));
        assert_eq!((span.start_ns, span.end_ns), (1_544_712_660_000_000_000, 1_544_712_661_000_000_000));
        assert_eq!((span.failed, &*span.message), (true, "burnt"));
        let attributes = [
            ("feast.order.id", Value::Text("o-1".into())),
            ("http.response.status_code", Value::Int(503)),
            ("retries", Value::Int(2)),
            ("share", Value::Float(0.5)),
            ("hot", Value::Bool(true)),
            ("tags", Value::Text("[a, 1]".into())),
        ];
        assert_eq!(span.attributes, attributes.map(|(key, value)| (key.into(), value)));
        assert_eq!((&*span.events[0].name, span.events[0].at_ns), ("exception", 1_544_712_660_500_000_000));
        assert_eq!(span.links, [0x5bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736]);
    }
}

#[test]
fn a_span_without_an_id_is_left_out_and_the_others_are_kept() {
    let mut body = spans();
    body["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["traceId"] = json!("00");
    for (encoding, body) in both::<ExportTraceServiceRequest>(&body) {
        let decoded = traces(&body, encoding, &mut Words::default()).unwrap();
        assert_eq!((decoded.items.len(), decoded.rejected, decoded.why), (1, 1, "a traceId is 16 bytes and not zero"));
    }
}

#[test]
fn lines_come_whole_in_both_encodings() {
    let body = json!({"resourceLogs": [{"resource": resource(), "scopeLogs": [{"scope": {"name": "robot"}, "logRecords": [
        {"timeUnixNano": "5", "observedTimeUnixNano": "6", "severityNumber": 13, "severityText": "WARN",
         "body": {"stringValue": "the pan is hot"}, "attributes": [{"key": "pan", "value": {"intValue": "3"}}], "droppedAttributesCount": 0,
         "flags": 1, "traceId": "4bf92f3577b34da6a3ce929d0e0e4736", "spanId": "00f067aa0ba902b7"},
        {"observedTimeUnixNano": "7", "body": {"kvlistValue": {"values": [{"key": "a", "value": {"intValue": "1"}}]}}}
    ]}]}]});
    for (encoding, body) in both::<ExportLogsServiceRequest>(&body) {
        let decoded = logs(&body, encoding, &mut Words::default()).unwrap();
        let [warned, plain] = decoded.items.as_slice() else { panic!("{decoded:?}") };
        assert_eq!((warned.at_ns, warned.level, &*warned.message, &*warned.service), (5, Level::Warn, "the pan is hot", "kitchen-robot"));
        assert_eq!((warned.trace, warned.span), (Some(0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736), Some(0x00f0_67aa_0ba9_02b7)));
        assert_eq!(warned.attributes, [("pan".into(), Value::Int(3))]);
        assert_eq!((plain.at_ns, plain.level, &*plain.message, plain.trace), (7, Level::Info, "{a: 1}", None));
    }
}

#[test]
fn points_come_in_both_encodings_and_what_is_no_total_is_left_out() {
    let point = |value: Json| json!({"attributes": [{"key": "route", "value": {"stringValue": "/"}}], "startTimeUnixNano": "1", "timeUnixNano": "9", "asDouble": value});
    let histogram = json!({"attributes": [], "startTimeUnixNano": "1", "timeUnixNano": "9", "count": "3", "sum": 1.5,
        "bucketCounts": ["1", "2", "0"], "explicitBounds": [0.5, 1.0]});
    let body = json!({"resourceMetrics": [{"resource": resource(), "scopeMetrics": [{"scope": {"name": "robot"}, "metrics": [
        {"name": "pans", "unit": "{pan}", "gauge": {"dataPoints": [{"timeUnixNano": "9", "asInt": "4"}]}},
        {"name": "stirred", "unit": "1", "sum": {"dataPoints": [point(json!(7.0))], "aggregationTemporality": 2, "isMonotonic": true}},
        {"name": "busy", "unit": "1", "sum": {"dataPoints": [point(json!(2.0))], "aggregationTemporality": 2, "isMonotonic": false}},
        {"name": "took", "unit": "s", "histogram": {"dataPoints": [histogram], "aggregationTemporality": 2}},
        {"name": "changed", "unit": "1", "sum": {"dataPoints": [point(json!(1.0))], "aggregationTemporality": 1, "isMonotonic": true}}
    ]}]}]});
    for (encoding, body) in both::<ExportMetricsServiceRequest>(&body) {
        let decoded = metrics(&body, encoding, &mut Words::default()).unwrap();
        let measures: Vec<(&str, Measure)> = decoded.items.iter().map(|point| (&*point.name, point.measure.clone())).collect();
        let took = Histogram { count: 3, sum: 1.5, bounds: vec![0.5, 1.0], buckets: vec![1, 2, 0] };
        assert_eq!(measures, [("pans", Gauge(4.0)), ("stirred", Sum(7.0)), ("busy", Gauge(2.0)), ("took", took)], "{encoding:?}");
        assert_eq!((decoded.rejected, decoded.why), (1, DELTA));
        let stirred = &decoded.items[1];
        assert_eq!((&*stirred.service, &*stirred.unit, stirred.at_ns), ("kitchen-robot", "1", 9));
        assert_eq!(stirred.attributes, [("route".into(), Value::Text("/".into()))]);
    }
}

#[test]
fn what_replicas_have_counted_is_kept_apart_and_a_level_is_not() {
    let point = json!({"timeUnixNano": "9", "asInt": "4"});
    let of = |instance: &str| {
        let resource = json!({"attributes": [
            {"key": "service.name", "value": {"stringValue": "server"}},
            {"key": "service.instance.id", "value": {"stringValue": instance}}]});
        json!({"resource": resource, "scopeMetrics": [{"metrics": [
            {"name": "orders", "sum": {"dataPoints": [point], "aggregationTemporality": 2, "isMonotonic": true}},
            {"name": "memory", "gauge": {"dataPoints": [point]}}]}]})
    };
    let body = json!({"resourceMetrics": [of("a"), of("b")]}).to_string();
    let decoded = metrics(body.as_bytes(), Encoding::Json, &mut Words::default()).unwrap();
    let told: Vec<(&str, Vec<&str>)> = decoded.items.iter().map(|point| (&*point.name, instances(point))).collect();
    assert_eq!(told, [("orders", vec!["a"]), ("memory", vec![]), ("orders", vec!["b"]), ("memory", vec![])]);
}

fn instances(point: &Point) -> Vec<&str> {
    let texts = point.attributes.iter().filter_map(|(key, value)| match value {
        Value::Text(text) if **key == *"service.instance.id" => Some(&**text),
        _ => None,
    });
    texts.collect()
}

#[test]
fn what_is_no_otlp_is_refused_in_words() {
    let words = &mut Words::default();
    assert!(traces(b"\xff\xff\xff", Encoding::Protobuf, words).unwrap_err().to_string().starts_with("the body is not protobuf"));
    assert!(logs(b"[1", Encoding::Json, words).unwrap_err().to_string().starts_with("the body is not OTLP's JSON"));
    assert_eq!(metrics(b"{}", Encoding::Json, words).unwrap().items, [], "nothing to say is no error");
}
