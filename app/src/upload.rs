//! A file that a form sends: `enctype="multipart/form-data"`, the one way that browsers have without scripts.
//!
//! The form has one field and the whole of it is in memory already, so that taking it apart is looking for its boundary twice (RFC 2046).

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use contract::{ApiError, Code};
use http::HeaderMap;
use http::StatusCode;
use http::header::CONTENT_TYPE;
use std::convert::Infallible;

/// Headers of a part end with an empty line.
const HEADERS_END: &[u8] = b"\r\n\r\n";

/// The content of the first file that was sent, or what is wrong: a page says it beside its form.
pub struct Upload(pub Result<Bytes, ApiError>);

impl<S: Send + Sync> FromRequest<S> for Upload {
    type Rejection = Infallible;

    async fn from_request(request: Request, state: &S) -> Result<Self, Infallible> {
        let boundary = boundary(request.headers());
        let Some(boundary) = boundary else {
            return Ok(Self(Err(ApiError::new(Code::UnsupportedMediaType, "a form with a file is expected"))));
        };
        Ok(Self(match Bytes::from_request(request, state).await {
            Ok(body) => first_file(&boundary, &body).ok_or_else(|| ApiError::new(Code::InvalidBody, "no file was chosen")),
            Err(rejection) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
                Err(ApiError::new(Code::BodyTooLarge, "the file is too large"))
            }
            Err(_) => Err(ApiError::new(Code::InvalidBody, "the file did not arrive whole")),
        }))
    }
}

/// What stands between the parts.
fn boundary(headers: &HeaderMap) -> Option<String> {
    let kind = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    let (name, parameters) = kind.split_once(';')?;
    if !name.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let boundary = parameters.split(';').find_map(|parameter| parameter.trim().strip_prefix("boundary="))?;
    Some(boundary.trim_matches('"').to_owned()).filter(|boundary| !boundary.is_empty())
}

fn find(text: &[u8], wanted: &[u8], from: usize) -> Option<usize> {
    text.get(from..)?.windows(wanted.len()).position(|window| window == wanted).map(|at| from + at)
}

/// The first part that has the name of a file. A form whose field was left empty sends a part without one.
fn first_file(boundary: &str, body: &Bytes) -> Option<Bytes> {
    let delimiter = format!("\r\n--{boundary}");
    // The first delimiter begins the body.
    let mut at = find(body, &delimiter.as_bytes()[2..], 0)?;
    loop {
        let headers_end = find(body, HEADERS_END, at)?;
        let content = headers_end + HEADERS_END.len();
        let end = find(body, delimiter.as_bytes(), content)?;
        let headers = String::from_utf8_lossy(body.get(at..headers_end)?);
        if headers.contains("filename=") && !headers.contains("filename=\"\"") {
            return Some(body.slice(content..end));
        }
        at = end + 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(headers: &str, content: &str) -> String {
        format!("--XyZ\r\nContent-Disposition: form-data; {headers}\r\n\r\n{content}\r\n")
    }

    fn file(parts: &[String]) -> Option<Bytes> {
        first_file("XyZ", &Bytes::from(parts.concat() + "--XyZ--\r\n"))
    }

    #[test]
    fn the_first_file_is_found_whatever_it_holds() {
        let content = "a\r\n--Xy\r\n\r\n\u{0}b";
        let parts = [part("name=\"note\"", "hello"), part("name=\"file\"; filename=\"a.gz\"\r\nContent-Type: application/gzip", content)];
        assert_eq!(file(&parts).unwrap(), content);
        assert_eq!(file(&[part("name=\"file\"; filename=\"a.gz\"", "")]).unwrap(), "");
    }

    #[test]
    fn a_form_without_a_file_has_none() {
        assert_eq!(file(&[part("name=\"file\"; filename=\"\"", "")]), None);
        assert_eq!(file(&[part("name=\"note\"", "hello")]), None);
        assert_eq!(file(&[]), None);
        assert_eq!(first_file("XyZ", &Bytes::from_static(b"--XyZ\r\nfilename=\"a\"\r\n\r\ncut off")), None);
    }

    #[test]
    fn the_boundary_is_what_the_header_says() {
        let of = |kind: &str| boundary(&HeaderMap::from_iter([(CONTENT_TYPE, kind.parse().unwrap())]));
        assert_eq!(of("multipart/form-data; boundary=----a1"), Some("----a1".to_owned()));
        assert_eq!(of("Multipart/Form-Data; charset=utf-8; boundary=\"b 2\""), Some("b 2".to_owned()));
        assert_eq!(of("application/x-www-form-urlencoded"), None);
        assert_eq!(of("multipart/form-data; boundary="), None);
    }
}
