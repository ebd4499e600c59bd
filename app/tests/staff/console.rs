//! The console's pages.

use super::as_;
use super::browser::Browser;
use super::common::kitchen::{busy_evening, parked};
use contract::{ApiError, Code};

fn operator() -> Browser {
    let operator = Browser { operator: true, ..Browser::new() };
    busy_evening(&mut operator.world());
    operator
}

const PAGES: [&str; 16] = [
    "overview",
    "traces",
    "map",
    "logs",
    "flags",
    "incidents",
    "load",
    "ledger",
    "events",
    "outbox",
    "promotions",
    "settlement",
    "pricing",
    "policies",
    "admin",
    "admin/reset",
];

#[tokio::test]
async fn nobody_but_operators_sees_or_does_anything() {
    for mut browser in [Browser::new(), as_("ada"), as_("cook"), as_("zoe")] {
        busy_evening(&mut browser.world());
        for page in PAGES {
            browser.get(&format!("/console/{page}")).await.is(401).says("The console is for operators").says("/login?next=%2Fconsole");
        }
        for form in [
            "events/replay",
            "promotions",
            "promotions/switch",
            "admin/reset",
            "load",
            "guardrail",
            "incidents/control",
            "incidents/answer",
            "incidents/lunch-rush/play",
            "all-clear",
        ] {
            browser.post(&format!("/console/{form}"), "service=menu&id=o1%2Fpaid&code=WELCOME10&active=false").await.is(401);
        }
        let kitchen = &browser.world().kitchen;
        assert_eq!((kitchen.resets, kitchen.parked.len()), (0, 1));
    }
}

#[tokio::test]
async fn every_page_leads_to_every_other() {
    let mut operator = operator();
    for page in PAGES.into_iter().filter(|page| *page != "admin/reset") {
        let seen = operator.get(&format!("/console/{page}")).await;
        seen.is(200).says(&format!("href=\"/console/{page}\" aria-current=\"page\""));
        for other in PAGES.into_iter().filter(|page| *page != "admin/reset") {
            seen.says(&format!("href=\"/console/{other}\""));
        }
    }
}

#[tokio::test]
async fn a_broken_check_is_said_in_words() {
    let mut operator = operator();
    operator.get("/console/ledger").await.is(200).says("1 check is broken: stock.").says("broken, 7 apart").says("8\u{202f}200");
    operator.get("/console/overview").await.is(200).says("1 check is broken: stock.");
    operator.world().kitchen.broken_checks.clear();
    let seen = operator.get("/console/ledger").await;
    assert!(!seen.says("Balanced, and nothing is in flight").html.contains("is broken"));
}

#[tokio::test]
async fn what_is_under_way_is_named_with_owner_and_deadline() {
    let mut operator = operator();
    operator.get("/console/ledger").await.says("a courier").says("delivery").says("in 1 min 30 s").says("nobody").says("over for ");
}

#[tokio::test]
async fn the_overview_stands_when_the_ledger_cannot_be_read() {
    let mut operator = operator();
    operator.breaks("ledger", Code::ServiceUnavailable);
    operator.get("/console/overview").await.is(200).says("cannot be read").says("/console/flags");
    operator.get("/console/ledger").await.is(503).says("Try again");
}

#[tokio::test]
async fn a_parked_event_is_read_and_replayed() {
    let mut operator = operator();
    operator.world().kitchen.parked.push(("order".into(), parked("o2/paid", "<b>odd</b>")));
    operator
        .get("/console/events")
        .await
        .is(200)
        .says("2 events wait")
        .says("not known")
        .says("&lt;b&gt;odd&lt;/b&gt;")
        .says("the oldest for 4 s");
    operator.post("/console/events/replay", "service=menu&id=o1%2Fpaid").await.is(303);
    operator.get("/console/events").await.says("The event is applied.").says("1 event waits");
    operator.post("/console/events/replay", "service=menu&id=o1%2Fpaid").await.is(404);
}

#[tokio::test]
async fn messages_are_shown_by_their_channel() {
    let mut operator = operator();
    let all = operator.get("/console/outbox").await;
    assert_eq!(all.is(200).html.matches("class=\"message\"").count(), 4);
    all.says("waits to be sent").says("failed");
    let texts = operator.get("/console/outbox?channel=sms").await;
    assert_eq!(texts.html.matches("class=\"message\"").count(), 1);
    texts.says("name=\"channel\" value=\"sms\"");
    operator.breaks("notification.messages", Code::ServiceUnavailable);
    operator.get("/console/outbox").await.is(503);
}

#[tokio::test]
async fn messages_of_one_order_are_found_by_its_number() {
    let mut operator = operator();
    let count = |page: &str| page.matches("class=\"message\"").count();
    operator.get("/console/outbox").await.is(200).says("action=\"/console/outbox\"").says("its messages");
    // As it stands on every page, and as people copy it.
    for number in ["000001", "%23000001"] {
        let found = operator.get(&format!("/console/outbox?order={number}")).await;
        assert_eq!(count(&found.is(200).html), 4);
        found.says("value=\"000001\"").says("All orders");
    }
    let both = operator.get("/console/outbox?channel=email&order=000001").await;
    assert_eq!(count(&both.is(200).html), 2);
    both.says("/console/outbox?channel=push&amp;order=000001");
    operator.get("/console/outbox?order=424242").await.is(200).says("No message of such an order is kept.");
}

#[tokio::test]
async fn a_promotion_is_written_switched_off_and_on() {
    let mut operator = operator();
    operator.get("/console/promotions").await.is(200).says("10 % off").says("free delivery").says("2026-12-31");
    operator.post("/console/promotions/switch", "code=WELCOME10&active=false").await.is(303);
    assert_eq!(operator.world().kitchen.promotions["WELCOME10"]["active"], false);
    operator.get("/console/promotions?edit=WELCOME10").await.says("Change WELCOME10").says("value=\"10\"").says("value=\"20.00\"");
    let form = "code=moon5&says=%245+off&kind=amount&value=5&minimum=&ends=2026-12-24&active=on";
    operator.post("/console/promotions", form).await.is(303);
    let made = operator.world().kitchen.promotions["MOON5"].clone();
    assert_eq!((made["gives"]["amount"].as_f64(), made["endsAt"].as_str()), (Some(5.0), Some("2026-12-24T23:59:59.999Z")));
    operator
        .post("/console/promotions", &form.replace("value=5", "value=much"))
        .await
        .is(400)
        .says("“much” is no amount")
        .says("value=\"moon5\"");
    operator.post("/console/promotions/switch", "code=NOBODYS&active=true").await.is(400);
}

#[tokio::test]
async fn a_day_is_settled_by_restaurant() {
    let mut operator = operator();
    let seen = operator.get("/console/settlement").await;
    seen.is(200).says("Soup &lt;One&gt;").says("$1260.40").says("day=2026-11-19").says("value=\"2026-11-20\"");
    assert!(!seen.html.contains("Next day"), "there is no tomorrow yet");
    operator.get("/console/settlement?day=2026-11-01").await.says("day=2026-11-02").says("day=2026-10-31");
    operator.get("/console/settlement?day=nonsense").await.is(200).says("value=\"2026-11-20\"");
}

#[tokio::test]
async fn the_algorithms_are_compared_with_a_warning_while_orders_are_few() {
    operator().get("/console/pricing").await.is(200).says("Version 2 earns 7.9 % more").says("do not rely on it").says("$23.10");
}

#[tokio::test]
async fn a_reset_is_asked_once_more_and_tells_how_long_it_took() {
    let mut operator = operator();
    operator.get("/console/admin").await.is(200).says("/console/admin/reset");
    operator.get("/console/admin/reset").await.is(200).says("Begin anew?");
    assert_eq!(operator.world().kitchen.resets, 0);
    let done = operator.post("/console/admin/reset", "").await;
    operator.get(&done.to).await.is(200).says("It took 1.2 s");
    assert_eq!(operator.world().kitchen.resets, 1);
}

#[tokio::test]
async fn a_reset_that_takes_longer_is_followed_until_it_is_over() {
    let mut operator = operator();
    operator.world().kitchen.slow_reset = Some(None);
    let done = operator.post("/console/admin/reset", "").await;
    let followed = done.to.clone();
    operator.get(&followed).await.is(200).says("takes longer than usual").says("http-equiv=\"refresh\"");
    operator.world().kitchen.slow_reset = Some(Some(Err(ApiError::service_unavailable("menu"))));
    operator.get(&followed).await.is(200).says("did not come to its end").says("reset once more");
    operator.world().kitchen.slow_reset = Some(Some(Ok(12_300)));
    let over = operator.get(&followed).await;
    over.is(200).says("It took 12.3 s");
    assert!(!over.html.contains("http-equiv=\"refresh\"") && !over.html.contains("data-follow"));
}
