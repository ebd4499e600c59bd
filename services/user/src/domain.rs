//! What an account may be. Nothing here knows HTTP or SQL.

use contract::account::{Account, Address, NewAddress, Password};
use contract::{ApiError, Code};
use sha2::{Digest, Sha256};
use std::fmt;

/// RFC 5321 allows no longer path.
const MAX_EMAIL_BYTES: usize = 254;

/// Characters of a password. NIST SP 800-63B asks for at least 8, and for a limit that a phrase fits into.
const PASSWORD_CHARS: std::ops::RangeInclusive<usize> = 8..=128;

const MAX_ADDRESSES: usize = 10;
const MAX_LABEL_CHARS: usize = 40;

/// An issuer of tokens may not name a person at more length (OpenID Connect Core 2).
const MAX_SUBJECT_BYTES: usize = 255;

/// Mail to addresses of this domain goes nowhere; only the demonstration's accounts have one.
const DEMO_DOMAIN: &str = "@demo.feast";

/// An e-mail address, in lower case.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Email(String);

impl Email {
    /// Looks at the shape only: whether it reaches somebody is known when a message was answered.
    ///
    /// # Errors
    /// `INVALID_ACCOUNT`
    pub fn parse(text: &str) -> Result<Self, ApiError> {
        let text = text.trim().to_lowercase();
        let shaped = match text.split_once('@') {
            Some((local, domain)) => !local.is_empty() && is_domain(domain),
            None => false,
        };
        let plain = text.len() <= MAX_EMAIL_BYTES && !text.chars().any(|c| c.is_whitespace() || c.is_control());
        if shaped && plain { Ok(Self(text)) } else { Err(invalid("an e-mail address looks like ada@example.com")) }
    }

    /// For somebody who signs up.
    ///
    /// # Errors
    /// `EMAIL_TAKEN` for the demonstration's own.
    pub fn free(self) -> Result<Self, ApiError> {
        if self.0.ends_with(DEMO_DOMAIN) { Err(email_taken()) } else { Ok(self) }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Addresses of people stay out of logs.
impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Email(…)")
    }
}

fn is_domain(text: &str) -> bool {
    text.split('.').count() >= 2 && text.split('.').all(|part| !part.is_empty()) && !text.contains('@')
}

fn invalid(what: &str) -> ApiError {
    ApiError::new(Code::InvalidAccount, what)
}

pub fn email_taken() -> ApiError {
    ApiError::new(Code::EmailTaken, "there is an account with this e-mail address already")
}

/// The same for an address that nobody has and for a password that is not right.
pub fn wrong_password() -> ApiError {
    ApiError::new(Code::WrongPassword, "e-mail address and password do not belong together")
}

pub fn account_not_found() -> ApiError {
    ApiError::new(Code::AccountNotFound, "there is no such account")
}

/// # Errors
/// `INVALID_ACCOUNT` when this cannot be a password.
pub fn check_password(password: &Password) -> Result<(), ApiError> {
    if PASSWORD_CHARS.contains(&password.expose().chars().count()) {
        return Ok(());
    }
    Err(invalid("a password has 8 to 128 characters"))
}

/// # Errors
/// `INVALID_ACCOUNT` for more than ten, and for one without text.
pub fn addresses(list: Vec<NewAddress>) -> Result<Vec<Address>, ApiError> {
    if list.len() > MAX_ADDRESSES {
        return Err(invalid("an account has at most 10 addresses"));
    }
    list.into_iter().enumerate().map(|(at, new)| address(at, new)).collect()
}

fn address(at: usize, NewAddress { label, text }: NewAddress) -> Result<Address, ApiError> {
    let label = label.trim().to_owned();
    if label.chars().count() > MAX_LABEL_CHARS || label.chars().any(char::is_control) {
        return Err(invalid("an address has a label of at most 40 characters"));
    }
    if text.as_str().is_empty() {
        return Err(invalid("an address must not be empty"));
    }
    Ok(Address { id: (at + 1).to_string(), label, text })
}

/// A person as the issuer of tokens names him.
///
/// # Errors
/// `UNAUTHORIZED` when nobody can be called that.
pub fn check_subject(subject: &str) -> Result<(), ApiError> {
    let named = (1..=MAX_SUBJECT_BYTES).contains(&subject.len()) && !subject.chars().any(char::is_control);
    if named { Ok(()) } else { Err(ApiError::new(Code::Unauthorized, "the token names nobody")) }
}

/// What is stored of a token: whoever reads the table can log in as nobody.
pub fn token_hash(token: &Password) -> String {
    Sha256::digest(token.expose().as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// An account with what only this service knows of it.
#[derive(Clone)]
pub struct Record {
    pub account: Account,
    /// A PHC string; `None` for those who come with a token of the issuer.
    pub password: Option<String>,
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use contract::Note;
    use proptest::prelude::*;

    #[test]
    fn an_address_is_kept_in_lower_case() {
        assert_eq!(Email::parse("  Ada.Lovelace+feast@Example.COM ").unwrap().as_str(), "ada.lovelace+feast@example.com");
    }

    #[test]
    fn what_is_no_address_is_refused() {
        let long = format!("{}@example.com", "a".repeat(250));
        for bad in
            ["", "ada", "ada@", "@example.com", "ada@example", "a@b@c.de", "ada@.com", "ada@x..de", "a da@x.de", "a\u{0}@x.de", &long]
        {
            assert_eq!(Email::parse(bad).unwrap_err().code, Code::InvalidAccount, "{bad:?}");
        }
    }

    #[test]
    fn nobody_signs_up_as_the_demonstration() {
        assert_eq!(Email::parse("New@Demo.Feast").unwrap().free().unwrap_err().code, Code::EmailTaken);
    }

    #[test]
    fn a_password_has_eight_to_128_characters_of_any_script() {
        for good in ["12345678", "пароль-и-ещё", &"🔑".repeat(128)] {
            assert!(check_password(&Password::new(good)).is_ok(), "{good}");
        }
        for bad in ["", "1234567", &"x".repeat(129)] {
            assert!(check_password(&Password::new(bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_account_has_at_most_ten_addresses_and_each_has_text() {
        let one = |text: &str| NewAddress { label: "Home".into(), text: Note::parse(text).unwrap() };
        assert_eq!(addresses(vec![one("Moon Street 1"); 10]).unwrap().len(), 10);
        assert!(addresses(vec![one("Moon Street 1"); 11]).is_err());
        assert!(addresses(vec![one(" ")]).is_err());
        assert!(addresses(vec![NewAddress { label: "x".repeat(41), text: Note::parse("a").unwrap() }]).is_err());
    }

    #[test]
    fn nothing_secret_shows_itself() {
        let email = Email::parse("ada@example.com").unwrap();
        assert!(!format!("{email:?}").contains("ada"));
    }

    proptest! {
        #[test]
        fn any_text_is_an_address_or_refused_and_what_is_taken_reads_the_same_again(text in "\\PC{0,40}") {
            if let Ok(email) = Email::parse(&text) {
                prop_assert_eq!(Email::parse(email.as_str()).unwrap(), email);
            }
        }
    }
}
