//! The shop's cookies: which cart, how full, which theme, and one sentence for the next page.

use crate::visit::{Notice, Theme, Visit};
use contract::CartId;
use http::header::{COOKIE, SET_COOKIE};
use http::{HeaderMap, HeaderValue};

/// The cart's id: `HttpOnly`, because whoever has it may change the cart.
pub const CART: &str = "feast_cart";
/// How many things are in it, for the badge; scripts may read it.
pub const COUNT: &str = "feast_count";
pub const THEME: &str = "feast_theme";
pub const NOTICE: &str = "feast_notice";

/// As long as an unused cart lives.
const CART_MAX_AGE_S: u32 = 3_600;
const THEME_MAX_AGE_S: u32 = 31_536_000;
/// Longer than any redirect takes.
const NOTICE_MAX_AGE_S: u32 = 20;
/// An id of ours is a third of that; anything longer is not ours.
const MAX_ID_BYTES: usize = 128;

/// What a request's cookies say. Anything malformed counts as absent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Jar {
    pub cart: Option<CartId>,
    pub count: u32,
    pub theme: Theme,
    pub notice: Option<Notice>,
}

impl Jar {
    pub fn read(headers: &HeaderMap) -> Self {
        let mut jar = Self::default();
        let pairs = headers.get_all(COOKIE).iter().filter_map(|header| header.to_str().ok()).flat_map(|header| header.split(';'));
        for (name, value) in pairs.filter_map(|pair| pair.trim().split_once('=')) {
            match name {
                CART if is_id(value) => jar.cart = Some(CartId::new(value)),
                COUNT => jar.count = value.parse().unwrap_or(0),
                THEME => jar.theme = Theme::from_text(value).unwrap_or_default(),
                NOTICE => jar.notice = Notice::from_word(value),
                _ => {}
            }
        }
        jar
    }
}

fn is_id(value: &str) -> bool {
    !value.is_empty() && value.len() <= MAX_ID_BYTES && value.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}

/// Cookies to be set by one response.
#[derive(Clone, Debug, Default)]
pub struct Cookies(Vec<String>);

impl Cookies {
    pub fn cart(&mut self, visit: &Visit, id: &CartId, count: u32) {
        self.push(visit, CART, id.as_str(), CART_MAX_AGE_S, true);
        self.push(visit, COUNT, &count.to_string(), CART_MAX_AGE_S, false);
    }

    pub fn forget_cart(&mut self, visit: &Visit) {
        self.push(visit, CART, "", 0, true);
        self.push(visit, COUNT, "", 0, false);
    }

    pub fn theme(&mut self, visit: &Visit, theme: Theme) {
        self.push(visit, THEME, theme.as_str(), THEME_MAX_AGE_S, false);
    }

    pub fn notice(&mut self, visit: &Visit, notice: Notice) {
        self.push(visit, NOTICE, notice.word(), NOTICE_MAX_AGE_S, true);
    }

    pub fn forget_notice(&mut self, visit: &Visit) {
        self.push(visit, NOTICE, "", 0, true);
    }

    fn push(&mut self, visit: &Visit, name: &str, value: &str, max_age_s: u32, http_only: bool) {
        let http_only = if http_only { "; HttpOnly" } else { "" };
        let secure = if visit.site.secure_cookies { "; Secure" } else { "" };
        self.0.push(format!("{name}={value}; Path=/; Max-Age={max_age_s}; SameSite=Lax{http_only}{secure}"));
    }

    pub fn write(&self, headers: &mut HeaderMap) {
        for value in self.0.iter().filter_map(|cookie| HeaderValue::from_str(cookie).ok()) {
            headers.append(SET_COOKIE, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Jar;
    use crate::visit::Theme;
    use contract::CartId;
    use http::{HeaderMap, HeaderValue, header::COOKIE};

    fn jar(header: &'static str) -> Jar {
        let mut headers = HeaderMap::new();
        headers.insert(COOKIE, HeaderValue::from_static(header));
        Jar::read(&headers)
    }

    #[test]
    fn cookies_of_others_are_passed_over() {
        let jar = jar("a=b; feast_cart=abc-1; feast_count=3; feast_theme=light; x");
        assert_eq!((jar.cart, jar.count, jar.theme), (Some(CartId::new("abc-1")), 3, Theme::Light));
    }

    #[test]
    fn a_malformed_cookie_counts_as_absent() {
        let jar = jar("feast_cart=../etc; feast_count=many; feast_theme=pink; feast_notice=<b>");
        assert_eq!(jar, Jar::default());
    }
}
