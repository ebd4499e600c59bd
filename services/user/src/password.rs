//! Passwords: argon2id, a few at a time, away from the threads that serve requests.

use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use contract::account::Password;
use contract::{ApiError, Code};
use std::sync::Arc;
use tokio::sync::Semaphore;

/// OWASP's password storage cheat sheet: 19 MiB, two passes, one lane.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// Passwords hashed at once. Each needs a core and 19 MiB: a crowd at the door must not take both from everybody else.
const AT_ONCE: usize = 2;

/// Those who may wait for their turn; beyond, they are told to come back. At some 20 ms each the last one waits a second or two.
const MAX_WAITING: usize = 128;

/// What is checked for an address that nobody has, so that it takes as long as a wrong password. It is that of the demonstration's accounts.
const NOBODYS: &str = crate::demo::PASSWORD_HASH;

#[derive(Clone)]
pub struct Hasher {
    argon2: Argon2<'static>,
    turns: Arc<Semaphore>,
    places: Arc<Semaphore>,
}

impl Hasher {
    /// # Errors
    /// Never with our constants.
    pub fn new() -> Result<Self, argon2::Error> {
        let params = Params::new(MEMORY_KIB, PASSES, LANES, None)?;
        Ok(Self {
            argon2: Argon2::new(Algorithm::Argon2id, Version::V0x13, params),
            turns: Arc::new(Semaphore::new(AT_ONCE)),
            places: Arc::new(Semaphore::new(AT_ONCE + MAX_WAITING)),
        })
    }

    /// The PHC string to keep instead of the password.
    ///
    /// # Errors
    /// `OVERLOADED` when too many are waiting.
    pub async fn hash(&self, password: Password) -> Result<String, ApiError> {
        let argon2 = self.argon2.clone();
        let hashed = self.in_turn(move || {
            let hash: Result<PasswordHash, _> = argon2.hash_password(password.expose().as_bytes());
            hash.map(|hash| hash.to_string())
        });
        hashed.await?.map_err(|error| {
            tracing::error!(%error, "A password could not be hashed");
            ApiError::internal()
        })
    }

    /// Whether it is the password that `hash` was made of. Without a hash it is not, and finding that out takes as long.
    ///
    /// # Errors
    /// `OVERLOADED` when too many are waiting.
    pub async fn fits(&self, password: Password, hash: Option<String>) -> Result<bool, ApiError> {
        let argon2 = self.argon2.clone();
        let fits = self.in_turn(move || {
            let parsed = PasswordHash::new(hash.as_deref().unwrap_or(NOBODYS))?;
            let right = argon2.verify_password(password.expose().as_bytes(), &parsed);
            Ok::<_, argon2::password_hash::phc::Error>(right.is_ok() && hash.is_some())
        });
        fits.await?.map_err(|error| {
            tracing::error!(%error, "A stored password hash cannot be read");
            ApiError::internal()
        })
    }

    async fn in_turn<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, ApiError> {
        let full = |_| ApiError::new(Code::Overloaded, "too many people are logging in; please try again");
        let place = self.places.clone().try_acquire_owned().map_err(full)?;
        let turn = self.turns.clone().acquire_owned().await.map_err(|_| ApiError::internal())?;
        // The permits go along: whoever gives up waiting does not make room before the work is over.
        let done = tokio::task::spawn_blocking(move || {
            let _held = (place, turn);
            work()
        });
        done.await.map_err(|_| ApiError::internal())
    }
}

/// A secret of 256 bits from the operating system, for a log-in. It is no draw of `Chance`: a seed must not tell it.
///
/// # Errors
/// The operating system has no random numbers.
pub fn new_token() -> Result<Password, ApiError> {
    let half = || {
        argon2::password_hash::try_generate_salt().map_err(|error| {
            tracing::error!(%error, "The operating system gives no random numbers");
            ApiError::internal()
        })
    };
    let bytes = [half()?, half()?];
    Ok(Password::new(bytes.iter().flatten().map(|byte| format!("{byte:02x}")).collect::<String>()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_fits_its_own_hash_and_no_other() {
        let hasher = Hasher::new().unwrap();
        let hash = hasher.hash(Password::new("correct horse")).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$") && !hash.contains("horse"), "{hash}");
        assert!(hasher.fits(Password::new("correct horse"), Some(hash.clone())).await.unwrap());
        assert!(!hasher.fits(Password::new("Correct horse"), Some(hash.clone())).await.unwrap());
        assert!(!hasher.fits(Password::new("correct horse"), None).await.unwrap());
        assert_ne!(hasher.hash(Password::new("correct horse")).await.unwrap(), hash, "salted");
    }

    #[tokio::test]
    async fn the_demonstrations_password_is_the_documented_one() {
        let hasher = Hasher::new().unwrap();
        let hash = || Some(crate::demo::PASSWORD_HASH.to_owned());
        assert!(hasher.fits(Password::new(crate::demo::PASSWORD), hash()).await.unwrap());
        // It stands in for nobody's hash, and must open nothing there.
        assert!(!hasher.fits(Password::new(crate::demo::PASSWORD), None).await.unwrap());
    }

    #[tokio::test]
    async fn those_who_find_no_place_to_wait_are_told_so() {
        let hasher = Hasher::new().unwrap();
        let _all = hasher.places.clone().acquire_many_owned(u32::try_from(AT_ONCE + MAX_WAITING).unwrap()).await.unwrap();
        assert_eq!(hasher.hash(Password::new("correct horse")).await.unwrap_err().code, Code::Overloaded);
    }

    #[test]
    fn tokens_differ_and_have_256_bits() {
        let (one, other) = (new_token().unwrap(), new_token().unwrap());
        assert!(one.expose().len() == 64 && one.expose() != other.expose());
    }
}
