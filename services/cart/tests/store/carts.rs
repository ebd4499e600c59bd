//! What every cart store does, whatever it is made of.

use cart::{CartStore, Lifespan, MemoryCarts, NAME, Outcome, RedisCarts, TTL, domain};
use contract::cart::Cart;
use contract::flags::Audience;
use contract::menu::MenuItem;
use contract::{ApiError, CartId, Code, Money, Quantity};
use runtime::Platform;
use runtime::clock::ManualClock;
use runtime::store::StoreError;
use std::sync::Arc;
use std::time::Duration;
use testkit::{MORNING, RedisServer, flip};
use tokio::task::JoinSet;

const MINUTE: Duration = Duration::from_secs(60);

/// A store to be tried, and the time it lives in.
pub struct Carts {
    store: Arc<dyn CartStore>,
    platform: Platform,
    clock: ManualClock,
    redis: Option<RedisServer>,
}

impl Carts {
    pub async fn in_memory() -> Self {
        let (platform, clock) = testkit::platform();
        let store = Arc::new(MemoryCarts::new(
            platform.clock.clone(),
            platform.guard(NAME, "carts", "memory"),
            Lifespan::new(platform.chaos(NAME)),
        ));
        Self { store, platform, clock, redis: None }
    }

    pub async fn in_redis() -> Self {
        let (platform, clock) = testkit::platform();
        let server = RedisServer::start();
        let store =
            Arc::new(RedisCarts::new(server.connect().await, platform.guard(NAME, "carts", "redis"), Lifespan::new(platform.chaos(NAME))));
        Self { store, platform, clock, redis: Some(server) }
    }

    async fn pass(&self, by: Duration) {
        self.clock.advance(by);
        if let Some(redis) = &self.redis {
            redis.pass(by).await;
        }
    }

    /// A cart with nothing in it.
    async fn begun(&self, id: &str) -> CartId {
        let cart = domain::empty(id.into(), MORNING);
        self.store.create(&cart).await.unwrap();
        cart.id
    }

    async fn read(&self, id: &CartId) -> Option<Cart> {
        self.store.get(id).await.unwrap()
    }

    async fn add(&self, id: &CartId, dish: &MenuItem, quantity: i64) -> Outcome {
        add(&*self.store, id, dish, quantity).await
    }
}

async fn add(store: &dyn CartStore, id: &CartId, dish: &MenuItem, quantity: i64) -> Outcome {
    let quantity = Quantity::new(quantity).unwrap();
    store.change(id, &|cart| domain::add(cart, dish, quantity, None, MORNING)).await.unwrap()
}

pub fn dish(id: &str) -> MenuItem {
    MenuItem {
        id: id.into(),
        name: format!("The {id}"),
        description: String::new(),
        emoji: "☕".to_owned(),
        base_price: Money::from_cents(599),
        in_stock: true,
        restaurant_id: "bar".into(),
        category: String::new(),
        tags: Vec::new(),
        options: Vec::new(),
    }
}

fn changed(outcome: Outcome) -> Cart {
    match outcome {
        Outcome::Changed(cart) => cart,
        other => panic!("{other:?}"),
    }
}

fn refuse(_: &mut Cart) -> Result<(), ApiError> {
    Err(ApiError::new(Code::CartFull, "no"))
}

pub async fn a_cart_is_read_back_as_it_was_created(carts: Carts) {
    let mut cart = domain::empty("c".into(), MORNING);
    domain::add(&mut cart, &dish("latte"), Quantity::new(2).unwrap(), None, MORNING).unwrap();
    carts.store.create(&cart).await.unwrap();
    assert_eq!(carts.read(&cart.id).await, Some(cart));
}

pub async fn a_cart_that_never_was_is_not_found(carts: Carts) {
    let id = CartId::new("nobody's");
    assert_eq!(carts.read(&id).await, None);
    assert_eq!(carts.add(&id, &dish("latte"), 1).await, Outcome::Missing);
    assert_eq!(carts.store.delete(&id).await.unwrap(), None);
    assert_eq!(carts.read(&id).await, None, "and none of that has made it");
}

pub async fn a_change_is_answered_and_stays(carts: Carts) {
    let id = carts.begun("c").await;
    let after = changed(carts.add(&id, &dish("latte"), 2).await);
    assert_eq!((after.count(), after.restaurant_id.clone()), (2, Some("bar".into())));
    assert_eq!(carts.read(&id).await, Some(after));
}

pub async fn a_change_sees_the_change_before_it(carts: Carts) {
    let id = carts.begun("c").await;
    for n in 1..=10 {
        assert_eq!(changed(carts.add(&id, &dish("latte"), 1).await).count(), n);
    }
}

pub async fn a_refused_change_leaves_the_cart_as_it_was(carts: Carts) {
    let id = carts.begun("c").await;
    let before = changed(carts.add(&id, &dish("latte"), 8).await);
    // One refusal by the domain, which touches nothing, and one that comes after it has touched the cart.
    assert!(matches!(carts.add(&id, &dish("latte"), 3).await, Outcome::Refused(error) if error.code == Code::CartLineLimit));
    let spoil = |cart: &mut Cart| {
        cart.items.clear();
        refuse(cart)
    };
    assert!(matches!(carts.store.change(&id, &spoil).await.unwrap(), Outcome::Refused(_)));
    assert_eq!(carts.read(&id).await, Some(before));
}

pub async fn a_deleted_cart_is_answered_once_and_gone(carts: Carts) {
    let id = carts.begun("c").await;
    let before = changed(carts.add(&id, &dish("latte"), 2).await);
    assert_eq!(carts.store.delete(&id).await.unwrap(), Some(before));
    assert_eq!(carts.read(&id).await, None);
    assert_eq!(carts.store.delete(&id).await.unwrap(), None);
    assert_eq!(carts.add(&id, &dish("latte"), 1).await, Outcome::Missing);
}

pub async fn carts_do_not_meet(carts: Carts) {
    let (mine, yours) = (carts.begun("mine").await, carts.begun("yours").await);
    carts.add(&mine, &dish("latte"), 2).await;
    carts.add(&yours, &dish("mocha"), 3).await;
    carts.store.delete(&mine).await.unwrap();
    assert_eq!(carts.read(&yours).await.unwrap().count(), 3);
}

pub async fn an_expired_cart_is_not_found(carts: Carts) {
    let id = carts.begun("c").await;
    carts.pass(TTL).await;
    assert_eq!(carts.read(&id).await, None);
}

pub async fn an_expired_cart_is_neither_changed_nor_deleted(carts: Carts) {
    let id = carts.begun("c").await;
    carts.pass(TTL).await;
    assert_eq!(carts.add(&id, &dish("latte"), 1).await, Outcome::Missing);
    assert_eq!(carts.store.delete(&id).await.unwrap(), None);
}

pub async fn reading_a_cart_prolongs_its_hour(carts: Carts) {
    let id = carts.begun("c").await;
    for _ in 0..3 {
        carts.pass(TTL - MINUTE).await;
        assert!(carts.read(&id).await.is_some());
    }
    carts.pass(TTL).await;
    assert_eq!(carts.read(&id).await, None);
}

pub async fn changing_a_cart_prolongs_its_hour(carts: Carts) {
    let id = carts.begun("c").await;
    for _ in 0..3 {
        carts.pass(TTL - MINUTE).await;
        changed(carts.add(&id, &dish("latte"), 1).await);
    }
    carts.pass(TTL).await;
    assert_eq!(carts.read(&id).await, None);
}

pub async fn a_refused_change_prolongs_its_hour(carts: Carts) {
    let id = carts.begun("c").await;
    carts.pass(TTL - MINUTE).await;
    assert!(matches!(carts.store.change(&id, &refuse).await.unwrap(), Outcome::Refused(_)));
    carts.pass(TTL - MINUTE).await;
    assert!(carts.read(&id).await.is_some(), "somebody is there, even when the answer is no");
    carts.pass(TTL).await;
    assert_eq!(carts.read(&id).await, None);
}

pub async fn text_of_any_script_is_kept(carts: Carts) {
    let id = carts.begun("カート'); DROP TABLE carts;-- 🛒").await;
    let names = ["Café crème", "مرق اللحم", "👩‍🚀 Żółć", "<b>bold</b> & \"quoted\" \\n", "\u{202e}right to left", "line\nbreak\u{0}end"];
    for (n, name) in names.iter().enumerate() {
        let item = MenuItem { name: (*name).to_owned(), emoji: "🥡🏳️‍🌈".to_owned(), ..dish(&format!("{n}-{name}")) };
        changed(carts.add(&id, &item, 1).await);
    }
    let cart = carts.read(&id).await.unwrap();
    let kept: Vec<&str> = cart.items.iter().map(|line| line.item_name.as_str()).collect();
    assert_eq!(kept, names);
    assert!(cart.items.iter().all(|line| line.item_emoji == "🥡🏳️‍🌈"));
    assert_eq!(carts.store.delete(&id).await.unwrap(), Some(cart));
}

pub async fn fifty_concurrent_additions_of_different_dishes_all_survive(carts: Carts) {
    let id = carts.begun("c").await;
    let mut adding = JoinSet::new();
    for n in 0..50 {
        let (store, id) = (carts.store.clone(), id.clone());
        adding.spawn(async move { add(&*store, &id, &dish(&format!("dish-{n}")), 1).await });
    }
    for outcome in adding.join_all().await {
        changed(outcome);
    }
    let cart = carts.read(&id).await.unwrap();
    assert_eq!((cart.items.len(), cart.count()), (50, 50));
}

pub async fn fifty_concurrent_additions_to_one_line_all_survive(carts: Carts) {
    let id = carts.begun("c").await;
    changed(carts.add(&id, &dish("latte"), 1).await);
    let mut adding = JoinSet::new();
    for _ in 0..50 {
        let (store, id) = (carts.store.clone(), id.clone());
        adding.spawn(async move {
            let one_more = |cart: &mut Cart| {
                cart.items[0].quantity += 1;
                Ok(())
            };
            store.change(&id, &one_more).await.unwrap()
        });
    }
    let mut answers: Vec<u32> = adding.join_all().await.into_iter().map(|outcome| changed(outcome).count()).collect();
    answers.sort_unstable();
    assert_eq!(answers, (2..=51).collect::<Vec<_>>(), "each was answered with a cart that only it made");
    assert_eq!(carts.read(&id).await.unwrap().count(), 51);
}

pub async fn concurrent_additions_past_the_limit_are_refused_and_the_others_survive(carts: Carts) {
    let id = carts.begun("c").await;
    let mut adding = JoinSet::new();
    for _ in 0..50 {
        let (store, id) = (carts.store.clone(), id.clone());
        adding.spawn(async move { add(&*store, &id, &dish("latte"), 1).await });
    }
    let outcomes = adding.join_all().await;
    let accepted = outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Changed(_))).count();
    let refused = outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Refused(error) if error.code == Code::CartLineLimit)).count();
    assert_eq!((accepted, refused), (10, 40));
    assert_eq!(carts.read(&id).await.unwrap().count(), 10);
}

pub async fn of_many_who_delete_a_cart_one_is_answered_with_it(carts: Carts) {
    let id = carts.begun("c").await;
    let mut deleting = JoinSet::new();
    for _ in 0..16 {
        let (store, id) = (carts.store.clone(), id.clone());
        deleting.spawn(async move { store.delete(&id).await.unwrap() });
    }
    assert_eq!(deleting.join_all().await.into_iter().flatten().count(), 1);
}

pub async fn a_store_that_is_down_is_unavailable_and_forgets_nothing(carts: Carts) {
    let id = carts.begun("c").await;
    let before = changed(carts.add(&id, &dish("latte"), 2).await);
    flip(&carts.platform, "store-down", "cart");
    let down = |error: StoreError| assert!(matches!(error, StoreError::Unavailable(_)), "{error}");
    down(carts.store.get(&id).await.unwrap_err());
    down(carts.store.create(&domain::empty("d".into(), MORNING)).await.unwrap_err());
    down(carts.store.change(&id, &|cart| domain::set_quantity(cart, &"latte".into(), 0, MORNING)).await.unwrap_err());
    down(carts.store.delete(&id).await.unwrap_err());
    flip(&carts.platform, "store-down", "off");
    assert_eq!(carts.read(&id).await, Some(before));
    assert_eq!(carts.read(&"d".into()).await, None);
}

pub async fn another_store_that_is_down_does_not_matter(carts: Carts) {
    flip(&carts.platform, "store-down", "middleware");
    let id = carts.begun("c").await;
    changed(carts.add(&id, &dish("latte"), 2).await);
}

/// The flag's two shorter times.
const SHORT: [(&str, Duration); 2] = [("10-minutes", Duration::from_secs(600)), ("30-seconds", Duration::from_secs(30))];

pub async fn a_cart_used_while_carts_live_shorter_is_gone_after_that_time(carts: Carts) {
    for (variant, ttl) in SHORT {
        let day = Some(Duration::from_secs(86_400));
        carts.platform.flag_control().set("cart-ttl", variant, day, Audience::Everyone).unwrap();
        let (made, read, changed_now) = (carts.begun("made").await, carts.begun("read").await, carts.begun("changed").await);
        carts.pass(ttl - Duration::from_secs(1)).await;
        assert!(carts.read(&read).await.is_some(), "{variant}");
        changed(carts.add(&changed_now, &dish("latte"), 1).await);
        carts.pass(Duration::from_secs(1)).await;
        assert_eq!(carts.read(&made).await, None, "{variant}");
        carts.pass(ttl - Duration::from_secs(2)).await;
        assert!(carts.read(&read).await.is_some(), "{variant}: use prolongs it all the same");
        carts.pass(Duration::from_secs(1)).await;
        assert_eq!(carts.read(&changed_now).await, None, "{variant}");
        carts.pass(ttl).await;
        assert_eq!(carts.read(&read).await, None, "{variant}");
    }
}

pub async fn a_cart_nobody_touched_keeps_its_hour_and_off_gives_it_back(carts: Carts) {
    let (untouched, used) = (carts.begun("untouched").await, carts.begun("used").await);
    flip(&carts.platform, "cart-ttl", "30-seconds");
    changed(carts.add(&used, &dish("latte"), 1).await);
    carts.pass(Duration::from_secs(20)).await;
    flip(&carts.platform, "cart-ttl", "off");
    assert!(carts.read(&used).await.is_some());
    carts.pass(MINUTE).await;
    assert!(carts.read(&used).await.is_some(), "it has its hour again");
    assert!(carts.read(&untouched).await.is_some());
}
