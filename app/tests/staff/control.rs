//! The control room's pages: what is measured, what plays, and what their forms ask for.

use super::browser::Browser;
use super::common::planted;
use contract::incident::PlayMode;

fn operator() -> Browser {
    Browser { operator: true, ..Browser::new() }
}

/// With a fault under load.
fn busy() -> Browser {
    let operator = operator();
    let now = super::common::now();
    let mut world = operator.world();
    world.room.busy = true;
    world.room.load = planted::load(now);
    world.room.incidents = planted::incidents(now);
    drop(world);
    operator
}

#[tokio::test]
async fn a_quiet_platform_says_what_to_do() {
    let mut operator = operator();
    operator.get("/console/overview").await.is(200).says("Nothing was measured yet");
    operator.get("/console/traces").await.is(200).says("No traces yet").says("/console/load");
    operator.get("/console/traces?flag=cart-slow").await.is(200).says("No trace that is kept fits").says("flag: cart-slow");
    operator.get("/console/map").await.is(200).says("Nobody calls anybody yet");
    operator.get("/console/logs").await.is(200).says("No line that is kept fits");
    operator.get("/console/load").await.is(200).says("loadgen --agent");
    operator.get("/console/incidents").await.is(200).says("There are no scripts").says("None was played yet");
    operator.get("/console/admin").await.is(200).says("Nothing yet. Every flip");
}

#[tokio::test]
async fn pages_stand_when_telemetry_cannot_be_read() {
    let mut operator = operator();
    operator.world().room.broken = true;
    operator.get("/console/overview").await.is(200).says("Telemetry cannot be read");
    operator.get("/console/flags").await.is(200).says("cart-chaos-errors");
    operator.get("/console/admin").await.is(200).says("The audit log cannot be read");
    for page in ["traces", "map", "logs", "load", "incidents"] {
        operator.get(&format!("/console/{page}")).await.is(503).says("Try again");
    }
}

#[tokio::test]
async fn a_point_of_a_chart_leads_to_its_traces() {
    let mut operator = busy();
    let seen = operator.get("/console/overview").await;
    seen.is(200).says("What customers meet").says("cart-chaos-errors: 15-percent-after-2s").says("Pages burn their budget");
    // Three charts of sixty points, and nowhere more than the page is wide.
    assert_eq!(seen.html.matches("class=\"point\"").count(), 180);
    let link =
        seen.html.split("<a href=\"").find(|rest| rest.starts_with("/console/traces?from=") && rest.contains("outcome=error")).unwrap();
    let link = link.split('"').next().unwrap().replace("&amp;", "&");
    operator.get(&link).await.is(200).says("UTC");
    let asked = operator.world().room.asked.clone().unwrap();
    assert_eq!(asked.service.as_deref(), Some("server"));
    // A point counts what ended in it, and traces are found by when they began.
    let seconds = asked.to.unwrap().since(asked.from.unwrap()).as_secs();
    assert!((5..=8).contains(&seconds), "{seconds}");
    operator.get("/console/overview?service=cart&minutes=15").await.says("Requests at cart").says("minutes=15&amp;service=menu");
}

#[tokio::test]
async fn timers_are_left_out_of_a_list_until_they_are_asked_for_and_of_no_search() {
    let mut operator = busy();
    for (address, only_requests, words) in [
        ("/console/traces", true, "/console/traces?own=1"),
        ("/console/traces?own=1", false, "Leave them out"),
        ("/console/traces?text=due", false, "text: due"),
        ("/console/traces?service=payment&source=imported", false, "service: payment"),
        ("/console/traces?follow=1", true, "Show them"),
    ] {
        operator.get(address).await.is(200).says(words);
        assert_eq!(operator.world().room.asked.clone().unwrap().requests, only_requests, "{address}");
    }
    operator.get("/console/traces?own=1").await.says("own=1&amp;cursor=older").says("own=1&amp;follow=1");
}

#[tokio::test]
async fn a_trace_shows_the_flag_on_its_span() {
    let mut operator = busy();
    operator.get("/console/traces").await.says(planted::TRACE).says("503 failed").says("/console/traces?cursor=older");
    let seen = operator.get(&format!("/console/traces/{}", planted::TRACE)).await;
    seen.is(200)
        .says("Touched by")
        .says("chaos.flag")
        .says("failed with 503")
        .says("What it waited for")
        .says("Feature flag triggered chaos");
    assert_eq!(seen.html.matches("<details open").count(), 1, "the span that the flag touched is open");
    operator.get("/console/traces/0123").await.is(404).says("This trace is not kept").says("0123");
}

#[tokio::test]
async fn a_card_shows_the_verdict_beside_what_is_expected() {
    let mut operator = busy();
    let seen = operator.get("/console/flags").await;
    seen.is(200)
        .says("14.6 % of 2 013 additions failed")
        .says("first effect after")
        .says("143 ms")
        .says("/console/traces?flag=cart-chaos-errors");
    seen.says("no traffic reaches this path").says("too few requests yet");
}

#[tokio::test]
async fn a_flag_is_found_by_what_it_does() {
    let mut operator = operator();
    let found = operator.get("/console/flags?q=MENU-item").await;
    assert_eq!(found.is(200).html.matches("class=\"flag\"").count(), 1);
    operator.get("/console/flags?q=nothing+like+it").await.is(200).says("No flag is called or does that");
}

#[tokio::test]
async fn an_audience_may_be_a_restaurant_or_a_city() {
    let mut operator = operator();
    operator.post("/console/flags/cart-chaos-errors", "variant=low&audience=city&place=Berlin&ttlSeconds=60").await.is(303);
    operator.get("/console/flags").await.says("for Berlin");
    operator.post("/console/flags/cart-chaos-errors", "variant=low&audience=restaurant&place=&ttlSeconds=60").await.is(400);
}

#[tokio::test]
async fn load_is_asked_for_by_a_button_or_a_number() {
    let mut operator = busy();
    operator.get("/console/load").await.is(200).says("50 of 50 customers are busy").says("stage-1");
    operator.post("/console/load", "users=200&wanted=50&pace=3&seed=").await.is(303);
    let wanted = operator.world().room.load.wanted.clone();
    assert_eq!((wanted.users, wanted.pace, wanted.seed), (200, 3.0, None));
    operator.post("/console/load", "wanted=501&pace=1").await.is(400);
    operator.post("/console/load", "wanted=many").await.is(400);
    operator.world().room.load.agents.clear();
    operator.get("/console/load").await.says("200 customers are wanted, and no load generator is connected");
}

#[tokio::test]
async fn a_script_is_played_steered_and_stopped() {
    let mut operator = busy();
    let seen = operator.get("/console/incidents").await;
    seen.is(200).says("Payment brown-out").says("14.2 s").says("1 min 36 s").says("84 points");
    operator.post("/console/incidents/payment-brown-out/play", "mode=show").await.is(303);
    operator.get("/console/incidents").await.says("Point at the rate").says("Pause").says("Next in");
    operator.post("/console/incidents/control", "control=pause").await.is(303);
    operator.get("/console/incidents").await.says("Go on").says("paused");
    operator.post("/console/incidents/control", "control=backwards").await.is(400);
    operator.post("/console/incidents/lunch-rush/play", "mode=show").await.is(409);
    operator.post("/console/incidents/control", "control=stop").await.is(303);
    operator.post("/console/incidents/control", "control=stop").await.is(409);
}

#[tokio::test]
async fn only_the_presenter_reads_the_notes() {
    let mut operator = busy();
    for (mode, told) in [(PlayMode::Show, true), (PlayMode::Rehearsal, false)] {
        operator.world().room.incidents.playing = Some(planted::playing(super::common::now(), mode));
        operator.get("/console/incidents").await.says("Do not say what it is");
        let stage = operator.get("/console/incidents?view=stage").await;
        assert!(!stage.is(200).html.contains("Do not say what it is"));
        assert_eq!(stage.html.contains("Payment slows down"), told, "{mode:?}");
    }
}

#[tokio::test]
async fn a_quiz_hides_its_cause_until_it_is_answered() {
    let mut operator = busy();
    operator.world().room.incidents.playing = Some(planted::playing(super::common::now(), PlayMode::Quiz));
    operator.post("/console/flags/cart-chaos-errors", "variant=low&audience=everyone&ttlSeconds=60").await.is(303);
    let flags = operator.get("/console/flags").await;
    assert!(!flags.says("A quiz is running").html.contains("class=\"flag on\""));
    operator.get("/console/flags?show=1").await.says("class=\"flag on\"");
    let overview = operator.get("/console/overview").await;
    assert!(!overview.says("50 customers").html.contains("cart-chaos-errors: 15-percent-after-2s"));
    let stage = operator.get("/console/incidents?view=stage").await;
    assert!(!stage.says("What is the cause?").html.contains("brown-out"));
    operator.post("/console/incidents/answer", "choice=payment").await.is(303);
    operator.get("/console/incidents").await.says("84 points").says("payment-slow: 3-s");
    operator.post("/console/incidents/answer", "choice=cart").await.is(409);
}

#[tokio::test]
async fn the_guardrail_is_switched_on_and_off() {
    let mut operator = busy();
    operator.get("/console/overview").await.says("The guardrail is off");
    operator.post("/console/guardrail", "on=true").await.is(303);
    operator.get("/console/overview").await.says("The guardrail is on");
}

#[tokio::test]
async fn what_was_done_is_told_with_who_and_when() {
    let mut operator = busy();
    operator.get("/console/admin").await.is(200).says("flag.flipped").says("console 7f3a91").says("/console/flags#cart-slow");
    operator.get("/console/policies").await.is(200).says("order.place").says("after 5 failures in a row");
    operator.get("/console/logs?level=error").await.is(200).says("answered 503").says(&format!("/console/traces/{}", planted::TRACE));
}

#[tokio::test]
async fn all_clear_leaves_everybody_where_they_are() {
    let mut operator = busy();
    let form = axum::extract::Request::post("/console/all-clear")
        .header("content-type", "application/x-www-form-urlencoded")
        .header("referer", "http://127.0.0.1/console/overview?minutes=15")
        .body(axum::body::Body::empty())
        .unwrap();
    assert_eq!(operator.send(form).await.is(303).to, "/console/overview?minutes=15");
    assert_eq!(operator.post("/console/all-clear", "").await.is(303).to, "/console/flags");
}

#[tokio::test]
async fn operators_find_an_orders_traces_on_its_page() {
    let mut operator = busy();
    let id = operator.world().paid_order("soup-one", "Ada", 0);
    operator.get(&format!("/orders/{id}")).await.is(200).says(&format!("/console/traces?order={id}"));
    let mut ada = super::as_("ada");
    let id = ada.world().paid_order("soup-one", "Ada", 0);
    assert!(!ada.get(&format!("/orders/{id}")).await.is(200).html.contains("/console/traces"));
}

#[tokio::test]
async fn operators_get_from_an_error_to_its_trace() {
    let mut operator = operator();
    operator.breaks("ledger", contract::Code::ServiceUnavailable);
    operator.get("/console/ledger").await.is(503).says("/console/traces/4bf92f3577b34da6");
}
