//! A file that a form sends: `enctype="multipart/form-data"`, the one way that browsers have without scripts.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use contract::{ApiError, Code};
use http::StatusCode;
use http::header::CONTENT_TYPE;
use multer::Multipart;
use std::convert::Infallible;

/// The content of the first file that was sent, or what is wrong: a page says it beside its form.
pub struct Upload(pub Result<Bytes, ApiError>);

impl<S: Send + Sync> FromRequest<S> for Upload {
    type Rejection = Infallible;

    async fn from_request(request: Request, state: &S) -> Result<Self, Infallible> {
        let kind = request.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let Ok(boundary) = multer::parse_boundary(kind) else {
            return Ok(Self(Err(ApiError::new(Code::UnsupportedMediaType, "a form with a file is expected"))));
        };
        Ok(Self(match Bytes::from_request(request, state).await {
            Ok(body) => first_file(boundary, body).await,
            Err(rejection) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
                Err(ApiError::new(Code::BodyTooLarge, "the file is too large"))
            }
            Err(_) => Err(cut_off()),
        }))
    }
}

/// The first part that has the name of a file. A form whose field was left empty sends a part without one.
async fn first_file(boundary: String, body: Bytes) -> Result<Bytes, ApiError> {
    let whole = futures::stream::once(async { Ok::<_, Infallible>(body) });
    let mut parts = Multipart::new(whole, boundary);
    while let Some(part) = parts.next_field().await.map_err(|_| cut_off())? {
        if part.file_name().is_some_and(|name| !name.is_empty()) {
            return part.bytes().await.map_err(|_| cut_off());
        }
    }
    Err(ApiError::new(Code::InvalidBody, "no file was chosen"))
}

fn cut_off() -> ApiError {
    ApiError::new(Code::InvalidBody, "the file did not arrive whole")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(headers: &str, content: &str) -> String {
        format!("--XyZ\r\nContent-Disposition: form-data; {headers}\r\n\r\n{content}\r\n")
    }

    async fn file(parts: &[String]) -> Result<Bytes, String> {
        sent("multipart/form-data; boundary=XyZ", parts.concat() + "--XyZ--\r\n").await
    }

    async fn sent(kind: &str, body: String) -> Result<Bytes, String> {
        let request = Request::post("/").header(CONTENT_TYPE, kind).body(body.into()).unwrap();
        let Ok(Upload(sent)) = Upload::from_request(request, &()).await;
        sent.map_err(|error| error.message)
    }

    #[tokio::test]
    async fn the_first_file_is_found_whatever_it_holds() {
        let content = "a\r\n--Xy\r\n\r\n\u{0}b";
        let parts = [part("name=\"note\"", "hello"), part("name=\"file\"; filename=\"a.gz\"\r\nContent-Type: application/gzip", content)];
        assert_eq!(file(&parts).await.unwrap(), content);
        assert_eq!(file(&[part("name=\"file\"; filename=\"a.gz\"", "")]).await.unwrap(), "");
    }

    #[tokio::test]
    async fn a_form_without_a_file_has_none() {
        let none = Err("no file was chosen".to_owned());
        assert_eq!(file(&[part("name=\"file\"; filename=\"\"", "")]).await, none);
        assert_eq!(file(&[part("name=\"note\"", "hello")]).await, none);
        assert_eq!(file(&[]).await, none);
    }

    #[tokio::test]
    async fn a_form_that_is_cut_off_or_of_another_kind_is_refused() {
        let cut = part("name=\"file\"; filename=\"a.gz\"", "half of");
        assert_eq!(sent("multipart/form-data; boundary=XyZ", cut).await, Err("the file did not arrive whole".to_owned()));
        for kind in ["application/x-www-form-urlencoded", "multipart/form-data"] {
            assert_eq!(sent(kind, "file=a".to_owned()).await, Err("a form with a file is expected".to_owned()), "{kind}");
        }
    }
}
