//! What every store of quotes does.

use contract::pricing::{Charge, PricedLine, Quote};
use contract::{Money, QuoteId};
use middleware::NAME;
use middleware::store::{MemoryQuotes, QUOTE_TTL, QuoteStore, RedisQuotes};
use runtime::Platform;
use runtime::clock::ManualClock;
use runtime::store::StoreError;
use std::time::Duration;
use testkit::{MORNING, RedisServer, flip};

pub struct Quotes {
    store: Box<dyn QuoteStore>,
    platform: Platform,
    clock: ManualClock,
    redis: Option<RedisServer>,
}

impl Quotes {
    pub async fn in_memory() -> Self {
        let (platform, clock) = testkit::platform();
        let store = Box::new(MemoryQuotes::new(platform.clock.clone(), platform.guard(NAME, "quotes", "memory")));
        Self { store, platform, clock, redis: None }
    }

    pub async fn in_redis() -> Self {
        let (platform, clock) = testkit::platform();
        let server = RedisServer::start();
        let store = Box::new(RedisQuotes::new(server.connect().await, platform.guard(NAME, "quotes", "redis")));
        Self { store, platform, clock, redis: Some(server) }
    }

    async fn pass(&self, by: Duration) {
        self.clock.advance(by);
        if let Some(redis) = &self.redis {
            redis.pass(by).await;
        }
    }

    async fn put(&self, quote: &Quote) {
        self.store.put(quote).await.unwrap();
    }

    async fn get(&self, id: &str) -> Option<Quote> {
        self.store.get(&QuoteId::from(id)).await.unwrap()
    }
}

fn quote(id: &str, item: &str) -> Quote {
    let total = Money::from_cents(1_198);
    let line = PricedLine {
        item_id: item.into(),
        quantity: 2,
        base_price: Money::from_cents(599),
        total,
        rules: vec!["Quiet afternoon −15 %".to_owned()],
    };
    let discounts = vec![Charge { name: "Sternstunde ✨".to_owned(), amount: Money::from_cents(5) }];
    Quote {
        quote_id: id.into(),
        lines: vec![line],
        fees: Vec::new(),
        discounts,
        subtotal: total,
        total,
        expires_at: MORNING + QUOTE_TTL,
        pricing: "v1".to_owned(),
        promotion: None,
        way: None,
    }
}

pub async fn a_quote_is_read_back_as_it_was_made(quotes: Quotes) {
    let (first, second) = (quote("q", "latte"), quote("r", "mocha"));
    quotes.put(&first).await;
    quotes.put(&second).await;
    assert_eq!((quotes.get("q").await, quotes.get("r").await), (Some(first), Some(second)));
}

pub async fn a_quote_that_never_was_is_not_found(quotes: Quotes) {
    assert_eq!(quotes.get("q").await, None);
}

pub async fn a_quote_ends_after_five_minutes_however_often_it_is_read(quotes: Quotes) {
    quotes.put(&quote("q", "latte")).await;
    for _ in 0..4 {
        quotes.pass(QUOTE_TTL / 5).await;
        assert!(quotes.get("q").await.is_some());
    }
    quotes.pass(QUOTE_TTL / 5).await;
    assert_eq!(quotes.get("q").await, None);
}

pub async fn text_of_any_script_is_kept(quotes: Quotes) {
    let id = "見積もり'); -- 🧾";
    let quote = quote(id, "مشروب ☕ <b>\"x\"</b>\n\u{0}");
    quotes.put(&quote).await;
    assert_eq!(quotes.get(id).await, Some(quote));
}

pub async fn a_store_that_is_down_is_unavailable_and_forgets_nothing(quotes: Quotes) {
    let kept = quote("q", "latte");
    quotes.put(&kept).await;
    flip(&quotes.platform, "store-down", "middleware");
    assert!(matches!(quotes.store.get(&"q".into()).await, Err(StoreError::Unavailable(_))));
    assert!(matches!(quotes.store.put(&quote("r", "mocha")).await, Err(StoreError::Unavailable(_))));
    flip(&quotes.platform, "store-down", "off");
    assert_eq!((quotes.get("q").await, quotes.get("r").await), (Some(kept), None));
}
