//! Bearer tokens of an OpenID Connect issuer (`OIDC_ISSUER`), RS256 or ES256.
//!
//! What a token must say: `iss` as configured, `sub`, an `exp` that is to come, an `nbf`, if any, that has passed. Any `aud` is taken:
//! the issuer is expected to be one that makes tokens for this platform. What it may say: `name` (or `preferred_username`), `email`,
//! `feast_role` (`customer` when absent, `restaurant`, `courier`, `operator`), `feast_staff_of` (a restaurant's id) and `feast_courier`.
//! So the issuer decides who is an operator, and nobody is one without its saying so. The account is made when somebody is seen first, by
//! issuer and subject; an e-mail address in a token never leads to an account that has a password.

use crate::domain::check_subject;
use crate::store::Person;
use contract::account::Password;
use contract::{ApiError, Code, CustomerName, RestaurantId, Role, Timestamp};
use jsonwebtoken::jwk::{Jwk, KeyAlgorithm, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use runtime::boot::BootError;
use runtime::clock::SharedClock;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use tokio::sync::Mutex;

/// Clocks of two machines differ by no more.
const LEEWAY_S: i64 = 60;

/// How long the issuer's keys are used without asking again.
const KEYS_FRESH_FOR: Duration = Duration::from_secs(3_600);

/// Between two questions to the issuer. Tokens with a key that nobody knows must not make us a nuisance.
const ASK_EVERY: Duration = Duration::from_secs(10);

/// How long one question may take. Requests wait for it.
const PATIENCE: Duration = Duration::from_secs(1);

/// A discovery document or a key set has some kilobytes.
const MAX_REPLY_BYTES: usize = 256 * 1024;

/// A token travels in a header.
const MAX_TOKEN_BYTES: usize = 16 * 1024;

/// Longer values come from nowhere good; inside headers carry no more.
const MAX_CLAIM_BYTES: usize = 100;

pub struct Issuer {
    url: String,
    http: reqwest::Client,
    clock: SharedClock,
    keys: RwLock<Arc<Keys>>,
    /// When the issuer was asked last. Held while it is asked: others wait for the answer instead of asking, too.
    asked: Mutex<Option<Timestamp>>,
}

/// The issuer's keys.
#[derive(Default)]
struct Keys {
    list: Vec<Jwk>,
    /// As the issuer calls itself.
    issuer: String,
    read_at: Option<Timestamp>,
}

#[derive(Deserialize)]
struct Discovery {
    issuer: String,
    jwks_uri: String,
}

#[derive(Deserialize)]
struct KeySet {
    keys: Vec<serde_json::Value>,
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    /// Seconds; some issuers write fractions.
    exp: f64,
    nbf: Option<f64>,
    name: Option<String>,
    preferred_username: Option<String>,
    email: Option<String>,
    feast_role: Option<String>,
    feast_staff_of: Option<String>,
    feast_courier: Option<String>,
}

impl Issuer {
    /// # Errors
    /// The address is none.
    pub fn new(url: &str, clock: SharedClock) -> Result<Self, BootError> {
        let wrong = || BootError::Config("OIDC_ISSUER must be an address such as https://login.example.com".to_owned());
        let parsed = reqwest::Url::parse(url).map_err(|_| wrong())?;
        if !matches!(parsed.scheme(), "http" | "https") || parsed.host_str().is_none() {
            return Err(wrong());
        }
        let http = reqwest::Client::builder().timeout(PATIENCE).redirect(reqwest::redirect::Policy::none()).build();
        let http = http.map_err(|error| BootError::Config(format!("OIDC_ISSUER cannot be asked: {error}")))?;
        let url = url.trim_end_matches('/').to_owned();
        Ok(Self { url, http, clock, keys: RwLock::default(), asked: Mutex::new(None) })
    }

    /// Whom the token stands for.
    ///
    /// # Errors
    /// `UNAUTHORIZED` when the token is not the issuer's or does not count now; `SERVICE_UNAVAILABLE` when the issuer's keys are not known.
    pub async fn person(&self, token: &Password) -> Result<Person, ApiError> {
        let token = token.expose();
        if token.len() > MAX_TOKEN_BYTES {
            return Err(refused("it is too long"));
        }
        let header = decode_header(token).map_err(|_| refused("it cannot be read"))?;
        if !matches!(header.alg, Algorithm::RS256 | Algorithm::ES256) {
            return Err(refused("it is signed by an algorithm that is not taken"));
        }
        let mut keys = self.keys();
        let stale = keys.read_at.is_none_or(|at| self.clock.now().since(at) >= KEYS_FRESH_FOR);
        if stale || keys.find(header.kid.as_deref(), header.alg).is_none() {
            self.ask().await;
            keys = self.keys();
        }
        if keys.read_at.is_none() {
            return Err(ApiError::service_unavailable("log-in"));
        }
        let key = keys.find(header.kid.as_deref(), header.alg).ok_or_else(|| refused("its key is not one of the issuer's"))?;
        read(token, key, header.alg, &keys.issuer, self.clock.now())
    }

    fn keys(&self) -> Arc<Keys> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads the keys anew, unless that was tried a moment ago. When it fails, those that are known stay in use.
    async fn ask(&self) {
        let mut asked = self.asked.lock().await;
        let now = self.clock.now();
        if asked.is_some_and(|at| now.since(at) < ASK_EVERY) {
            return;
        }
        *asked = Some(now);
        match self.fetch(now).await {
            Ok(keys) => {
                tracing::info!("Read {} keys of the issuer of tokens", keys.list.len());
                *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
            }
            Err(why) => tracing::warn!("The keys of the issuer of tokens could not be read: {why}"),
        }
    }

    async fn fetch(&self, now: Timestamp) -> Result<Keys, String> {
        let discovery: Discovery = self.get(&format!("{}/.well-known/openid-configuration", self.url)).await?;
        if discovery.issuer.trim_end_matches('/') != self.url {
            return Err("it calls itself otherwise than OIDC_ISSUER".to_owned());
        }
        let set: KeySet = self.get(&discovery.jwks_uri).await?;
        // Keys of kinds that are not known here are none of our business.
        let list: Vec<Jwk> = set.keys.into_iter().filter_map(|key| serde_json::from_value(key).ok()).collect();
        Ok(Keys { list, issuer: discovery.issuer, read_at: Some(now) })
    }

    async fn get<T: DeserializeOwned>(&self, url: &str) -> Result<T, String> {
        let failed = |error: reqwest::Error| chain(&error);
        let mut reply = self.http.get(url).send().await.and_then(reqwest::Response::error_for_status).map_err(failed)?;
        let mut body = Vec::new();
        while let Some(chunk) = reply.chunk().await.map_err(failed)? {
            body.extend_from_slice(&chunk);
            if body.len() > MAX_REPLY_BYTES {
                return Err("its answer is too long".to_owned());
            }
        }
        serde_json::from_slice(&body).map_err(|error| error.to_string())
    }
}

fn chain(error: &reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        text = format!("{text}: {inner}");
        source = inner.source();
    }
    text
}

impl Keys {
    /// The key that is named; without a name the only one that fits.
    fn find(&self, id: Option<&str>, algorithm: Algorithm) -> Option<&Jwk> {
        let mut fitting = self.list.iter().filter(|key| {
            let signs = key.common.public_key_use.as_ref().is_none_or(|purpose| *purpose == PublicKeyUse::Signature);
            signs && key.common.key_algorithm.is_none_or(|own| own == KeyAlgorithm::from(algorithm))
        });
        match id {
            Some(id) => fitting.find(|key| key.common.key_id.as_deref() == Some(id)),
            None => fitting.next().filter(|_| fitting.next().is_none()),
        }
    }
}

/// Checks the signature and what the token says.
fn read(token: &str, key: &Jwk, algorithm: Algorithm, issuer: &str, now: Timestamp) -> Result<Person, ApiError> {
    let key = DecodingKey::from_jwk(key).map_err(|_| refused("its key is of no use"))?;
    let mut validation = Validation::new(algorithm);
    // Time is checked below, by our own clock.
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation.validate_aud = false;
    let claims = decode::<Claims>(token, &key, &validation).map_err(|_| refused("its signature or its content is wrong"))?.claims;
    let now_s = now.millis() / 1_000;
    if claims.iss != issuer {
        return Err(refused("another issuer made it"));
    }
    if claims.exp as i64 + LEEWAY_S <= now_s {
        return Err(refused("it has expired"));
    }
    if claims.nbf.is_some_and(|from| from as i64 > now_s + LEEWAY_S) {
        return Err(refused("it does not count yet"));
    }
    check_subject(&claims.sub)?;
    person(claims)
}

fn person(claims: Claims) -> Result<Person, ApiError> {
    let role = match claims.feast_role.as_deref() {
        None => Role::Customer,
        Some(word) => Role::from_text(word).ok_or_else(|| refused("there is no such role"))?,
    };
    let short = |text: Option<String>| text.filter(|text| (1..=MAX_CLAIM_BYTES).contains(&text.len()) && text.is_ascii());
    let name = claims.name.or(claims.preferred_username).unwrap_or_default();
    let name = name.chars().filter(|c| !c.is_control()).take(CustomerName::MAX_CHARS).collect::<String>();
    let email = claims.email.as_deref().and_then(|email| crate::Email::parse(email).ok());
    Ok(Person {
        name: CustomerName::parse(&name).or_else(|_| CustomerName::parse("Guest"))?,
        email: email.map(|email| email.as_str().to_owned()).unwrap_or_default(),
        staff_of: short(claims.feast_staff_of).filter(|_| role == Role::Restaurant).map(RestaurantId::new),
        courier_id: short(claims.feast_courier).filter(|_| role == Role::Courier),
        role,
        issuer: claims.iss,
        subject: claims.sub,
    })
}

fn refused(why: &str) -> ApiError {
    ApiError::new(Code::Unauthorized, format!("the bearer token is not taken: {why}"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// Of a key that was thrown away after it had signed one token, which is good until 2100.
    const MODULUS: &str = "qH2DSjq6QSBu2Ze0ssOBVCfGttVJ0UXQiKUKM79rnG8B1Hj3GFkkxMegj7SWGzAyoaAxpARYy1sBlpUncpZCeMBgXtJAThhJyCjv_Ocq_c4zRr2TFO1suYQyduxyg75Zhmap7815Q0I5OHcF5S2Po5Y2izf_eEYrsJqgrORJi43mc9pla5YGD2u-W7nu5ZHgeSeEwBAp7aONcy5dKBl4jUkVmnH2BSM_std1QmRi9Lmb9gQvw6620wjdRl67jtOJ0m91zM8-KslmYxA5vHrxp8j5z51sNxGF6HT7Nv64Fb40-PYurlTukvIig0BbAJsCeZDYcKKUy4oEoFd5Y5n3iQ";
    const TOKEN: &str = "eyJhbGciOiJSUzI1NiIsImtpZCI6InJzYSIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJodHRwczovL2xvZ2luLmV4YW1wbGUuY29tIiwic3ViIjoicnNhLXBlcnNvbiIsImF1ZCI6ImFueXRoaW5nIiwiZXhwIjo0MTAyNDQ0ODAwLCJuYW1lIjoiUm9zYSJ9.XxIibEw9pzBa1lbdyF_ScJbBR5kKuSDhSzI8cpOVIgv2gIVqIg4gyrADAmyvnVXgyqKFlsO4vsrSCdiRcnejPpPW9dOAyPZ7Fl2kfuzdDL_V3SbgDai90vzAOA3RJc7ft2P_rPw7j82blHCmkLdrbu5EYp-U7Qtokoe-4orTEtPbo2ryUu45wdccFSMOTG8kmz9ncrth-39v8Y0D7FNHVf3uQSG2NcYukbeh9TPoTpOJqDJCtc8Y_VY6n1r1P9lXdd98_Z-QylbPUxxr_06_dFb4-CzowStS1i2TeDYoV6WOdYEsep9jA_ytKho4emWfFEG4EcTUVtdwjTrLvkldLQ";
    const ISSUER: &str = "https://login.example.com";
    const THE_YEAR_2100_S: i64 = 4_102_444_800;

    fn key() -> Jwk {
        serde_json::from_value(serde_json::json!({"kty": "RSA", "use": "sig", "kid": "rsa", "n": MODULUS, "e": "AQAB"})).unwrap()
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1_000)
    }

    #[test]
    fn a_token_signed_by_rsa_is_read() {
        let person = read(TOKEN, &key(), Algorithm::RS256, ISSUER, at(1_800_000_000)).unwrap();
        assert_eq!((person.subject.as_str(), person.name.as_str(), person.role), ("rsa-person", "Rosa", Role::Customer));
    }

    #[test]
    fn a_token_that_was_changed_is_refused() {
        let mut parts: Vec<String> = TOKEN.split('.').map(str::to_owned).collect();
        let last = parts[1].pop().unwrap();
        parts[1].push(if last == 'A' { 'B' } else { 'A' });
        assert!(read(&parts.join("."), &key(), Algorithm::RS256, ISSUER, at(1_800_000_000)).is_err());
    }

    #[test]
    fn a_token_ends_a_minute_after_its_time() {
        assert!(read(TOKEN, &key(), Algorithm::RS256, ISSUER, at(THE_YEAR_2100_S + LEEWAY_S - 1)).is_ok());
        assert!(read(TOKEN, &key(), Algorithm::RS256, ISSUER, at(THE_YEAR_2100_S + LEEWAY_S)).is_err());
    }

    #[test]
    fn a_token_of_another_issuer_is_refused() {
        assert!(read(TOKEN, &key(), Algorithm::RS256, "https://login.example.org", at(1_800_000_000)).is_err());
    }

    #[test]
    fn a_key_is_found_by_its_name_or_when_it_is_the_only_one_that_fits() {
        let mut keys = Keys { list: vec![key()], ..Keys::default() };
        assert!(keys.find(Some("rsa"), Algorithm::RS256).is_some() && keys.find(None, Algorithm::RS256).is_some());
        assert!(keys.find(Some("other"), Algorithm::RS256).is_none());
        keys.list.push(key());
        assert!(keys.find(None, Algorithm::RS256).is_none());
        keys.list = vec![key()];
        keys.list[0].common.public_key_use = Some(PublicKeyUse::Encryption);
        assert!(keys.find(Some("rsa"), Algorithm::RS256).is_none());
    }
}
