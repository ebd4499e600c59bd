use super::*;
use contract::pricing::{Gift, Promotion};
use contract::{Code, Timestamp};
use std::time::Duration;

#[tokio::test]
async fn a_price_is_lines_and_the_way_less_the_promotion() {
    let counter = Counter::open().await;
    let request = QuoteRequest { way: way(2_400), promotion: Some(" welcome10 ".to_owned()), ..quote(vec![line("latte", 2, 599)]) };
    let quote = counter.client.quote(&request).await.unwrap();
    let cents = |charges: &[contract::pricing::Charge]| charges.iter().map(|charge| charge.amount.cents()).collect::<Vec<_>>();
    assert_eq!((quote.subtotal.cents(), cents(&quote.fees), cents(&quote.discounts)), (1_198, vec![310], vec![120]));
    assert_eq!(quote.total.cents(), 1_198 + 310 - 120);
    assert_eq!(quote.fees[0].name, "Delivery, 2.4 km");
    assert_eq!(quote.discounts[0].name, "WELCOME10: 10 % off");
}

#[tokio::test]
async fn what_was_quoted_is_charged_whatever_happens_to_prices_meanwhile() {
    let counter = Counter::open().await;
    let request = QuoteRequest { way: way(2_400), promotion: Some("FREEWAY".to_owned()), ..quote(vec![line("latte", 2, 599)]) };
    let quoted = counter.client.quote(&request).await.unwrap();
    testkit::flip(&counter.platform, "pricing-surge", "random-10-percent");
    testkit::flip(&counter.platform, "pricing-v2", "on");
    // Whoever names the quote need not repeat its promotion.
    let order = ReservationRequest { quote_id: Some(quoted.quote_id), way: way(2_400), ..reserve("o1", vec![line("latte", 2, 599)]) };
    let reserved = counter.client.reserve(&order).await.unwrap();
    assert_eq!((reserved.total, reserved.fees, reserved.discounts), (quoted.total, quoted.fees, quoted.discounts));
}

#[tokio::test]
async fn another_address_or_promotion_than_quoted_is_another_price() {
    let counter = Counter::open().await;
    let request = QuoteRequest { way: way(2_400), ..quote(vec![line("latte", 2, 599)]) };
    let quoted = counter.client.quote(&request).await.unwrap();
    let order = |way, promotion: Option<&str>| ReservationRequest {
        quote_id: Some(quoted.quote_id.clone()),
        way,
        promotion: promotion.map(str::to_owned),
        ..reserve("o1", vec![line("latte", 2, 599)])
    };
    for (request, what) in [(order(way(9_000), None), "way"), (order(None, None), "no way"), (order(way(2_400), Some("WELCOME10")), "code")]
    {
        let refused = counter.client.reserve(&request).await.unwrap_err();
        assert_eq!(refused.code, Code::QuoteMismatch, "{what}");
    }
    counter.clock.advance(Duration::from_secs(301));
    assert_eq!(counter.client.reserve(&order(way(2_400), None)).await.unwrap_err().code, Code::QuoteExpired);
}

#[tokio::test]
async fn a_code_nobody_knows_and_one_that_does_not_fit_are_told_apart() {
    let counter = Counter::open().await;
    let with = |code: &str| QuoteRequest { promotion: Some(code.to_owned()), ..quote(vec![line("latte", 1, 599)]) };
    for (code, expected) in
        [("NOPE", Code::PromotionUnknown), ("BIGBANG", Code::PromotionNotApplicable), ("COSMIC5", Code::PromotionNotApplicable)]
    {
        assert_eq!(counter.client.quote(&with(code)).await.unwrap_err().code, expected, "{code}");
    }
    // An empty field of a form is no code.
    assert!(counter.client.quote(&with("  ")).await.unwrap().discounts.is_empty());
}

#[tokio::test]
async fn operators_make_promotions_and_nobody_else() {
    let counter = Counter::open().await;
    let comet = Promotion {
        code: "comet".to_owned(),
        says: "a dollar off".to_owned(),
        gives: Gift::Amount { amount: Money::from_cents(100) },
        minimum: Money::default(),
        ends_at: None,
        active: true,
    };
    assert_eq!(counter.client.put_promotion(&comet).await.unwrap_err().code, Code::Unauthorized);
    assert_eq!(counter.client.promotions().await.unwrap_err().code, Code::Unauthorized);
    let wrong = Promotion { gives: Gift::Percent { percent: 0 }, ..comet.clone() };
    assert_eq!(as_operator(counter.client.put_promotion(&wrong)).await.unwrap_err().code, Code::InvalidBody);
    as_operator(counter.client.put_promotion(&comet)).await.unwrap();
    let request = QuoteRequest { promotion: Some("Comet".to_owned()), ..quote(vec![line("latte", 1, 599)]) };
    assert_eq!(counter.client.quote(&request).await.unwrap().total.cents(), 499);
    let over = Promotion { ends_at: Some(Timestamp::from_millis(1)), ..comet };
    as_operator(counter.client.put_promotion(&over)).await.unwrap();
    assert_eq!(counter.client.quote(&request).await.unwrap_err().code, Code::PromotionNotApplicable);
    assert!(as_operator(counter.client.promotions()).await.unwrap().iter().any(|promotion| promotion.code == "COMET"));
}

#[tokio::test]
async fn scarce_things_cost_more_while_the_surge_looks_at_stock() {
    let counter = Counter::open().await;
    let request = quote(vec![line("latte", 1, 1_000), line("tea", 1, 1_000)]);
    counter.client.set_stock(&"latte".into(), 49).await.unwrap();
    counter.client.set_stock(&"tea".into(), 50).await.unwrap();
    assert_eq!(counter.client.quote(&request).await.unwrap().total.cents(), 2_000);
    testkit::flip(&counter.platform, "pricing-surge", "by-stock");
    let quote = counter.client.quote(&request).await.unwrap();
    assert_eq!(quote.lines.iter().map(|line| line.total.cents()).collect::<Vec<_>>(), [1_200, 1_000]);
    assert_eq!(quote.lines[0].rules, ["High demand +20 %"]);
}

#[tokio::test]
async fn what_many_order_costs_more_while_the_surge_looks_at_demand() {
    let counter = Counter::open().await;
    testkit::flip(&counter.platform, "pricing-surge", "by-demand");
    for order in 0..6 {
        counter.client.reserve(&reserve(&format!("o{order}"), vec![line("latte", 10, 1_000)])).await.unwrap();
    }
    let price = async || counter.client.quote(&quote(vec![line("latte", 1, 1_000)])).await.unwrap().total.cents();
    assert_eq!(price().await, 1_200);
    counter.clock.advance(Duration::from_secs(600));
    assert_eq!(price().await, 1_000);
}

#[tokio::test]
async fn the_new_algorithm_says_that_it_priced() {
    let counter = Counter::open().await;
    let version = async || counter.client.quote(&quote(vec![line("latte", 1, 1_000)])).await.unwrap().pricing;
    assert_eq!(version().await, "v1");
    testkit::flip(&counter.platform, "pricing-v2", "on");
    assert_eq!(version().await, "v2");
    let order = reserve("o1", vec![line("latte", 1, 1_000)]);
    assert_eq!(counter.client.reserve(&order).await.unwrap().pricing, "v2");
}

#[tokio::test]
async fn half_of_the_customers_are_priced_anew_and_each_of_them_always() {
    let counter = Counter::open().await;
    counter.platform.flag_control().set("pricing-v2", "on", None, contract::flags::Audience::Percent(50)).unwrap();
    let mut new = 0;
    for customer in 0..60 {
        let session = format!("session-{customer}");
        let version = async || as_session(&session, counter.client.quote(&quote(vec![line("latte", 1, 1_000)]))).await.unwrap().pricing;
        let first = version().await;
        assert_eq!(first, version().await, "{session}");
        new += u32::from(first == "v2");
    }
    assert!((10..=50).contains(&new), "{new} of 60");
}

fn fees(quote: &contract::pricing::Quote) -> Vec<(&str, i64)> {
    quote.fees.iter().map(|fee| (fee.name.as_str(), fee.amount.cents())).collect()
}

#[tokio::test]
async fn a_free_delivery_says_so_costs_nothing_and_is_charged_as_it_was_quoted() {
    for counter in counters().await {
        let request = || QuoteRequest { way: way(2_400), ..quote(vec![line("latte", 2, 599)]) };
        assert_eq!(fees(&counter.client.quote(&request()).await.unwrap()), [("Delivery, 2.4 km", 310)]);
        testkit::flip(&counter.platform, "free-delivery", "every-order");
        let quoted = counter.client.quote(&request()).await.unwrap();
        assert_eq!((fees(&quoted), quoted.total.cents()), (vec![("Delivery, 2.4 km: on the house", 0)], 1_198));
        let afresh = counter.client.reserve(&ReservationRequest { way: way(2_400), ..reserve("o1", vec![line("latte", 2, 599)]) }).await;
        assert_eq!((afresh.as_ref().unwrap().total, &afresh.unwrap().fees), (quoted.total, &quoted.fees));
        // A way that costs nothing anyway is not on the house.
        assert!(counter.client.quote(&quote(vec![line("latte", 2, 599)])).await.unwrap().fees.is_empty());
        // The promise holds after the flag is off.
        testkit::flip(&counter.platform, "free-delivery", "off");
        assert_eq!(fees(&counter.client.quote(&request()).await.unwrap()), [("Delivery, 2.4 km", 310)]);
        let order = ReservationRequest { quote_id: Some(quoted.quote_id), way: way(2_400), ..reserve("o2", vec![line("latte", 2, 599)]) };
        let reserved = counter.client.reserve(&order).await.unwrap();
        assert_eq!((reserved.total, reserved.fees), (quoted.total, quoted.fees));
    }
}

#[tokio::test]
async fn a_free_delivery_may_need_an_order_of_some_size() {
    let counter = Counter::open().await;
    testkit::flip(&counter.platform, "free-delivery", "over-20-dollars");
    for (cents, fee) in [(1_999, 310), (2_000, 0)] {
        let request = QuoteRequest { way: way(2_400), ..quote(vec![line("latte", 1, cents)]) };
        assert_eq!(counter.client.quote(&request).await.unwrap().fees[0].amount.cents(), fee, "{cents}");
    }
}

#[tokio::test]
async fn a_free_delivery_may_be_for_one_city_alone() {
    use contract::flags::Audience;
    let counter = Counter::open().await;
    for (city, fee) in [("Berlin", 0), ("Tokyo", 310)] {
        counter.platform.flag_control().set("free-delivery", "every-order", None, Audience::City(city.to_owned())).unwrap();
        let request = QuoteRequest { way: way(2_400), ..quote(vec![line("latte", 1, 599)]) };
        assert_eq!(counter.client.quote(&request).await.unwrap().fees[0].amount.cents(), fee, "{city} only, and this way is in Berlin");
    }
}

#[tokio::test]
async fn a_code_for_the_delivery_does_not_fit_one_that_is_free_already() {
    let counter = Counter::open().await;
    testkit::flip(&counter.platform, "free-delivery", "every-order");
    let request = QuoteRequest { way: way(2_400), promotion: Some("FREEWAY".to_owned()), ..quote(vec![line("latte", 2, 599)]) };
    assert_eq!(counter.client.quote(&request).await.unwrap_err().code, Code::PromotionNotApplicable);
}
