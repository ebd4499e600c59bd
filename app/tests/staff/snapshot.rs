//! A snapshot as a page: downloaded, read by a plain form, shown beside what is live, forgotten.

use super::browser::{Browser, Seen};
use axum::body::Body;
use axum::extract::Request;
use http::header::CONTENT_TYPE;

fn operator() -> Browser {
    let operator = Browser { operator: true, ..Browser::new() };
    operator.world().room.busy = true;
    operator
}

/// As a browser sends a form with a file.
async fn send(browser: &mut Browser, file: &str) -> Seen {
    let body = format!(
        "--edge\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.json.gz\"\r\nContent-Type: application/gzip\r\n\r\n{file}\r\n--edge--\r\n"
    );
    send_body(browser, "multipart/form-data; boundary=edge", body).await
}

async fn send_body(browser: &mut Browser, kind: &str, body: String) -> Seen {
    browser.send(Request::post("/console/snapshot").header(CONTENT_TYPE, kind).body(Body::from(body)).unwrap()).await
}

#[tokio::test]
async fn what_was_read_is_told_shown_beside_what_is_live_and_forgotten() {
    let mut operator = operator();
    operator.get("/console/snapshot").await.is(200).says("/api/telemetry/snapshot").says("1\u{202f}842 traces").says("at most 32 MB");
    assert!(!operator.get("/console/traces").await.html.contains("Telemetry shown"), "there is one telemetry only");

    assert_eq!(send(&mut operator, "snapshot of a demo").await.is(303).to, "/console/snapshot");
    let told = operator.get("/console/snapshot").await;
    told.is(200).says("Feast Flow 0.1.0 at 127.0.0.1:3000").says("24\u{202f}410<!> spans").says("The snapshot is read");
    for page in ["overview", "traces", "map", "logs"] {
        let imported = format!("/console/{page}?source=imported");
        told.says(&imported);
        operator.get(&format!("/console/{page}")).await.is(200).says("Telemetry shown").says("source=imported");
        operator.get(&imported).await.is(200).says("Nothing of it is happening now").says(&format!("href=\"/console/{page}"));
    }
    let list = operator.get("/console/traces?source=imported&flag=cart-chaos-errors").await;
    list.says("class=\"chip imported\"").says("name=\"source\" value=\"imported\"");
    assert!(!list.html.contains("data-follow"), "a snapshot does not change");
    let charts = operator.get("/console/overview?source=imported").await;
    charts.says("source=imported&amp;outcome=error").says("minutes=15&amp;source=imported");
    assert!(!charts.html.contains("Objectives"), "what must hold now has no place beside what was");

    assert_eq!(operator.post("/console/snapshot/forget", "").await.is(303).to, "/console/snapshot");
    assert!(!operator.get("/console/snapshot").await.says("is forgotten").html.contains("held-title"));
    operator.post("/console/snapshot/forget", "").await.is(404);
}

#[tokio::test]
async fn what_is_no_snapshot_is_said_beside_the_form() {
    let mut operator = operator();
    send(&mut operator, "holiday.jpg").await.is(400).says("The file is not a snapshot of telemetry.").says("role=\"alert\"");
    send_body(&mut operator, "multipart/form-data; boundary=edge", "--edge--\r\n".into()).await.is(400).says("No file was chosen.");
    send_body(&mut operator, "application/x-www-form-urlencoded", "file=a".into()).await.is(415).says("A form with a file is expected.");
    let large = "x".repeat(contract::telemetry::SNAPSHOT_LIMIT_BYTES + 8 * 1024);
    send(&mut operator, &large).await.is(413).says("The file is too large.");
    send(&mut operator, "snapshot").await.is(303);
    send(&mut operator, "something else").await.is(400).says("A snapshot is read");
}

#[tokio::test]
async fn only_operators_read_and_forget_snapshots() {
    let mut stranger = Browser::new();
    send(&mut stranger, "snapshot").await.is(401);
    stranger.post("/console/snapshot/forget", "").await.is(401);
    stranger.get("/console/snapshot").await.is(401);
    assert!(stranger.world().room.snapshot.is_none());
}
