//! One fixed reply from a plain axum server: what the same stack does when it has nothing to think about.

use anyhow::{Context, Result};
use axum::Router;
use axum::body::Body;
use axum::response::Response;
use axum::serve::ListenerExt;
use bytes::Bytes;
use std::net::SocketAddr;
use std::path::Path;

const MAX_HEADERS: usize = 48;

/// Hyper writes these itself.
const WRITTEN_ANYWAY: [&str; 4] = ["connection", "content-length", "date", "transfer-encoding"];

/// Answers every request with the reply in `file` (its head and body as they came from the wire), until it is killed.
///
/// # Errors
/// The file is not a reply, or the address is taken.
pub async fn serve(file: &Path, address: SocketAddr) -> Result<()> {
    let bytes = std::fs::read(file).with_context(|| format!("{} cannot be read", file.display()))?;
    let (head, body) = parse(bytes)?;
    let answer = move || {
        let mut response = Response::new(Body::from(body.clone()));
        *response.headers_mut() = head.clone();
        std::future::ready(response)
    };
    let listener = tokio::net::TcpListener::bind(address).await.with_context(|| format!("{address} is taken"))?;
    let listener = listener.tap_io(|connection| {
        let _ = connection.set_nodelay(true);
    });
    axum::serve(listener, Router::new().fallback(answer)).await.context("the static server ended")
}

fn parse(bytes: Vec<u8>) -> Result<(axum::http::HeaderMap, Bytes)> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut response = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(head) = response.parse(&bytes).context("the file is not an HTTP reply")? else {
        anyhow::bail!("the file ends within its head");
    };
    let mut map = axum::http::HeaderMap::new();
    for header in response.headers.iter().filter(|header| !WRITTEN_ANYWAY.iter().any(|name| header.name.eq_ignore_ascii_case(name))) {
        let name: axum::http::HeaderName = header.name.parse().context("a header has a bad name")?;
        map.append(name, axum::http::HeaderValue::from_bytes(header.value).context("a header has a bad value")?);
    }
    Ok((map, Bytes::from(bytes).slice(head..)))
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_reply_is_repeated_with_its_headers_but_those_hyper_writes() {
        let reply = b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ndate: today\r\ncontent-length: 2\r\n\r\nhi".to_vec();
        let (head, body) = super::parse(reply).unwrap();
        assert_eq!((head.len(), &body[..]), (1, &b"hi"[..]));
        assert_eq!(head["content-type"], "text/html");
        assert!(super::parse(b"HTTP/1.1 200 OK\r\n".to_vec()).is_err());
    }
}
