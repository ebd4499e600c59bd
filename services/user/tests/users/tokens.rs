//! Bearer tokens of an issuer that runs in the test. Its keys are of the P-256 curve and known to everybody: one is the example of
//! RFC 7515, A.3, the other has the private key 1, whose public key is the curve's base point.

use crate::people::{Users, as_guest};
use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use contract::account::Account;
use contract::{ApiError, Code, RestaurantId, Role};
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use runtime::config::Settings;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use testkit::MORNING;

const EXAMPLE: [&str; 3] = [
    "8e9b109e719098bf980487df1f5d77e9cb29606ebed2263b5f57c213df84f4b2",
    "7fcdce2770f6c45d4183cbee6fdb4b7b580733357be9ef13bacf6e3c7bd15445",
    "c7f144cd1bbd9b7e872cdfedb9eeb9f4b3695d6ea90b24ad8a4623288588e5ad",
];
const BASE_POINT: [&str; 3] = [
    "0000000000000000000000000000000000000000000000000000000000000001",
    "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296",
    "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5",
];

fn bytes(hex: &str) -> Vec<u8> {
    hex.as_bytes().chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

/// RFC 5208 around RFC 5915.
fn key([private, x, y]: [&str; 3]) -> EncodingKey {
    let head = "308187020100301306072a8648ce3d020106082a8648ce3d030107046d306b0201010420";
    EncodingKey::from_ec_der(&bytes(&format!("{head}{private}a14403420004{x}{y}")))
}

/// An issuer that publishes some keys, and counts how often it is asked for them.
#[derive(Clone, Default)]
struct Issuer(Arc<Published>);

#[derive(Default)]
struct Published {
    keys: Mutex<Vec<Jwk>>,
    address: Mutex<String>,
    asked: AtomicUsize,
    down: AtomicBool,
}

impl Issuer {
    async fn start() -> Self {
        let issuer = Self::default();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        *issuer.0.address.lock().unwrap() = format!("http://{}", listener.local_addr().unwrap());
        let router =
            Router::new().route("/.well-known/openid-configuration", get(discovery)).route("/keys", get(keys)).with_state(issuer.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        issuer
    }

    fn url(&self) -> String {
        self.0.address.lock().unwrap().clone()
    }

    /// Publishes this key alone.
    fn publish(&self, id: &str, parts: [&str; 3]) {
        let mut jwk = Jwk::from_encoding_key(&key(parts), Algorithm::ES256).unwrap();
        jwk.common.key_id = Some(id.to_owned());
        *self.0.keys.lock().unwrap() = vec![jwk];
    }

    fn asked(&self) -> usize {
        self.0.asked.load(Ordering::SeqCst)
    }

    fn claims(&self, subject: &str) -> Value {
        let now = MORNING.millis() / 1_000;
        json!({"iss": self.url(), "sub": subject, "aud": "some client", "iat": now, "nbf": now, "exp": now + 600, "name": "Ada"})
    }
}

async fn discovery(State(issuer): State<Issuer>) -> Json<Value> {
    Json(json!({"issuer": issuer.url(), "jwks_uri": format!("{}/keys", issuer.url())}))
}

async fn keys(State(issuer): State<Issuer>) -> Result<Json<Value>, http::StatusCode> {
    issuer.0.asked.fetch_add(1, Ordering::SeqCst);
    if issuer.0.down.load(Ordering::SeqCst) {
        return Err(http::StatusCode::SERVICE_UNAVAILABLE);
    }
    let mut keys: Vec<Value> = issuer.0.keys.lock().unwrap().iter().map(|key| serde_json::to_value(key).unwrap()).collect();
    keys.push(json!({"kty": "quantum", "kid": "of a kind nobody knows"}));
    Ok(Json(json!({"keys": keys})))
}

fn signed(id: &str, parts: [&str; 3], claims: &Value) -> String {
    let header = Header { kid: Some(id.to_owned()), ..Header::new(Algorithm::ES256) };
    encode(&header, claims, &key(parts)).unwrap()
}

async fn users_of(issuer: &Issuer) -> Users {
    Users::with(Settings { oidc_issuer: Some(issuer.url()), ..Settings::default() }).await
}

impl Users {
    async fn bearer(&self, token: &str) -> Result<Account, ApiError> {
        as_guest(self.client.bearer(token)).await
    }

    async fn refused(&self, token: &str) -> bool {
        self.bearer(token).await.is_err_and(|error| error.code == Code::Unauthorized)
    }
}

fn with(mut claims: Value, name: &str, value: impl Into<Value>) -> Value {
    claims[name] = value.into();
    claims
}

#[tokio::test]
async fn a_token_makes_an_account_when_it_is_seen_first_and_finds_it_afterwards() {
    let issuer = Issuer::start().await;
    issuer.publish("one", EXAMPLE);
    let users = users_of(&issuer).await;
    let claims = with(issuer.claims("person-1"), "email", "Ada@Example.com");
    let ada = users.bearer(&signed("one", EXAMPLE, &claims)).await.unwrap();
    assert_eq!((ada.name.as_str(), ada.email.as_str(), ada.role), ("Ada", "ada@example.com", Role::Customer));
    assert_eq!(users.bearer(&signed("one", EXAMPLE, &claims)).await.unwrap(), ada);
    assert_ne!(users.bearer(&signed("one", EXAMPLE, &issuer.claims("person-2"))).await.unwrap().id, ada.id);
    assert_eq!(issuer.asked(), 1, "the keys are kept");
    let password = users.log_in("ada@example.com", "whatever it is").await.unwrap_err();
    assert_eq!(password.code, Code::WrongPassword, "there is no password to it");
}

#[tokio::test]
async fn the_issuer_says_who_is_staff_courier_and_operator() {
    let issuer = Issuer::start().await;
    issuer.publish("one", EXAMPLE);
    let users = users_of(&issuer).await;
    let as_role = async |subject: &str, role: &str| {
        let claims = with(with(issuer.claims(subject), "feast_staff_of", "dim-sun"), "feast_courier", "berlin-02");
        users.bearer(&signed("one", EXAMPLE, &with(claims, "feast_role", role))).await
    };
    let staff = as_role("a", "restaurant").await.unwrap();
    assert_eq!((staff.role, staff.staff_of, staff.courier_id), (Role::Restaurant, Some(RestaurantId::new("dim-sun")), None));
    let courier = as_role("b", "courier").await.unwrap();
    assert_eq!((courier.role, courier.staff_of, courier.courier_id.as_deref()), (Role::Courier, None, Some("berlin-02")));
    assert_eq!(as_role("c", "operator").await.unwrap().role, Role::Operator);
    assert_eq!(as_role("c", "customer").await.unwrap().role, Role::Customer, "what is taken away is gone");
    assert_eq!(as_role("d", "emperor").await.unwrap_err().code, Code::Unauthorized);
}

#[tokio::test]
async fn a_token_that_does_not_count_is_refused() {
    let issuer = Issuer::start().await;
    issuer.publish("one", EXAMPLE);
    let users = users_of(&issuer).await;
    let (now, good) = (MORNING.millis() / 1_000, issuer.claims("person-1"));
    let fine = signed("one", EXAMPLE, &good);
    assert!(users.bearer(&fine).await.is_ok());
    let without = |name: &str| {
        let mut claims = good.clone();
        claims.as_object_mut().unwrap().remove(name);
        signed("one", EXAMPLE, &claims)
    };
    let unsigned = format!("{}.", fine.rsplit_once('.').unwrap().0);
    let secret = encode(&Header { kid: Some("one".into()), ..Header::default() }, &good, &EncodingKey::from_secret(b"secret")).unwrap();
    for (token, why) in [
        (signed("one", EXAMPLE, &with(good.clone(), "exp", now - 61)), "expired"),
        (signed("one", EXAMPLE, &with(good.clone(), "nbf", now + 61)), "not yet"),
        (signed("one", EXAMPLE, &with(good.clone(), "iss", "https://elsewhere.example")), "of another issuer"),
        (signed("one", EXAMPLE, &with(good.clone(), "sub", "")), "of nobody"),
        (without("sub"), "without a subject"),
        (without("exp"), "for ever"),
        (without("iss"), "without an issuer"),
        (signed("one", BASE_POINT, &good), "signed by another key"),
        (signed("two", EXAMPLE, &good), "with a key nobody published"),
        (unsigned, "unsigned"),
        (secret, "signed by a shared secret"),
        ("a.b.c".to_owned(), "nonsense"),
    ] {
        assert!(users.refused(&token).await, "{why}");
    }
    let just_over = signed("one", EXAMPLE, &with(good, "exp", now - 59));
    assert!(users.bearer(&just_over).await.is_ok(), "clocks differ");
}

#[tokio::test]
async fn a_key_that_is_new_is_asked_for_but_not_more_often_than_every_ten_seconds() {
    let issuer = Issuer::start().await;
    issuer.publish("one", EXAMPLE);
    let users = users_of(&issuer).await;
    let (old, new) = (signed("one", EXAMPLE, &issuer.claims("a")), signed("two", BASE_POINT, &issuer.claims("a")));
    assert!(users.bearer(&old).await.is_ok());
    issuer.publish("two", BASE_POINT);
    for _ in 0..5 {
        assert!(users.refused(&new).await);
    }
    assert_eq!(issuer.asked(), 1);
    users.clock.advance(Duration::from_secs(10));
    assert!(users.bearer(&new).await.is_ok());
    assert!(users.refused(&old).await, "what the issuer took back counts no more");
}

#[tokio::test]
async fn keys_that_are_known_stay_in_use_while_the_issuer_is_down() {
    let issuer = Issuer::start().await;
    issuer.publish("one", EXAMPLE);
    let users = users_of(&issuer).await;
    let far = MORNING.millis() / 1_000 + 100_000;
    let token = signed("one", EXAMPLE, &with(issuer.claims("a"), "exp", far));
    issuer.0.down.store(true, Ordering::SeqCst);
    assert_eq!(users.bearer(&token).await.unwrap_err().status, 503, "nobody can tell yet");
    issuer.0.down.store(false, Ordering::SeqCst);
    users.clock.advance(Duration::from_secs(10));
    assert!(users.bearer(&token).await.is_ok());
    issuer.0.down.store(true, Ordering::SeqCst);
    users.clock.advance(Duration::from_secs(3_600));
    assert!(users.bearer(&token).await.is_ok());
}

#[tokio::test]
async fn without_an_issuer_no_token_is_taken() {
    let users = Users::start().await;
    assert!(users.refused("a.b.c").await);
}

#[tokio::test]
async fn an_issuer_that_is_no_address_is_named_at_the_start() {
    let (platform, _) = testkit::platform_with(Settings {
        database_url: Some("sqlite::memory:".to_owned()),
        oidc_issuer: Some("login.example.com".to_owned()),
        ..Settings::default()
    });
    let error = user::build(&platform).await.err().unwrap().to_string();
    assert!(error.contains("OIDC_ISSUER"), "{error}");
}
