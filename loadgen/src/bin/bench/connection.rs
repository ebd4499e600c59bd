//! A lean HTTP/1.1 client: one keep-alive connection, one request at a time. It shares the cores with what it measures, so it
//! formats into one buffer, reads into another, and parses no more than it must.

use anyhow::{Context, Result, bail};
use std::future::poll_fn;
use std::io::Write;
use std::net::SocketAddr;
use std::pin::Pin;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// More than any reply has.
const MAX_HEADERS: usize = 48;

/// At first; grows to the largest reply.
const BUFFER_BYTES: usize = 16 * 1024;

/// A reply that is larger is not one of ours.
const MAX_REPLY_BYTES: usize = 64 * 1024 * 1024;

pub struct Connection {
    stream: TcpStream,
    /// Sent with every request: `name: value\r\n` lines.
    headers: String,
    /// Cookies that were set, when they are kept.
    jar: Option<String>,
    output: Vec<u8>,
    input: Vec<u8>,
    filled: usize,
    /// After an error there is no telling where the next reply begins.
    broken: bool,
}

/// Valid until the next request on its connection.
pub struct Reply<'c> {
    pub status: u16,
    head: &'c [u8],
    pub body: &'c [u8],
}

/// How the end of a body is known.
enum Length {
    Known(usize),
    Chunked,
}

impl Connection {
    /// # Errors
    /// Nobody listens there.
    pub async fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).await.with_context(|| format!("{address} does not take a connection"))?;
        stream.set_nodelay(true).context("a connection cannot be set up")?;
        Ok(Self {
            stream,
            headers: format!("host: {address}\r\n"),
            jar: None,
            output: Vec::with_capacity(1024),
            input: vec![0; BUFFER_BYTES],
            filled: 0,
            broken: false,
        })
    }

    /// Sends this header with every request.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push_str(&format!("{name}: {value}\r\n"));
        self
    }

    /// Speaks as an operator.
    #[must_use]
    pub fn operating(self, token: &str) -> Self {
        self.with("authorization", &format!("Bearer {token}"))
    }

    /// Keeps the first cookies that are set, as a browser would, and names its origin, as a browser must.
    #[must_use]
    pub fn keeping_cookies(mut self, address: SocketAddr) -> Self {
        self.jar = Some(String::new());
        self.with("origin", &format!("http://{address}"))
    }

    pub const fn is_broken(&self) -> bool {
        self.broken
    }

    /// # Errors
    /// The connection broke or the reply is not HTTP. A bad status is a reply.
    pub async fn get(&mut self, path: &str) -> Result<Reply<'_>> {
        self.send("GET", path, b"").await
    }

    /// With a JSON body, or none.
    ///
    /// # Errors
    /// As [`Connection::get`].
    pub async fn send(&mut self, method: &str, path: &str, body: &[u8]) -> Result<Reply<'_>> {
        self.output.clear();
        write!(self.output, "{method} {path} HTTP/1.1\r\n{}", self.headers)?;
        if let Some(jar) = self.jar.as_deref().filter(|jar| !jar.is_empty()) {
            write!(self.output, "cookie: {jar}\r\n")?;
        }
        match body.is_empty() {
            true if method == "GET" => self.output.extend_from_slice(b"\r\n"),
            true => self.output.extend_from_slice(b"content-length: 0\r\n\r\n"),
            false => write!(self.output, "content-type: application/json\r\ncontent-length: {}\r\n\r\n", body.len())?,
        }
        self.output.extend_from_slice(body);
        self.broken = true;
        let (status, head, body) = self.exchange().await.with_context(|| format!("{method} {path}"))?;
        self.broken = false;
        if self.jar.as_ref().is_some_and(String::is_empty) {
            self.jar = Some(cookies(&self.input[..head]));
        }
        Ok(Reply { status, head: &self.input[..head], body: &self.input[head..head + body] })
    }

    /// Writes what is in `output` and reads one reply: status, bytes of its head, bytes of its body, which lie in `input`.
    async fn exchange(&mut self) -> Result<(u16, usize, usize)> {
        let mut written = 0;
        while written < self.output.len() {
            let part = &self.output[written..];
            written += poll_fn(|context| Pin::new(&mut self.stream).poll_write(context, part)).await?;
        }
        self.filled = 0;
        let (status, head, length) = loop {
            self.read().await?;
            if let Some(found) = parse_head(&self.input[..self.filled])? {
                break found;
            }
        };
        let body = match length {
            Length::Known(body) => {
                while self.filled < head + body {
                    self.read().await?;
                }
                if self.filled > head + body {
                    bail!("more bytes came than were announced");
                }
                body
            }
            Length::Chunked => loop {
                if let Some(body) = join_chunks(&mut self.input[head..self.filled])? {
                    break body;
                }
                self.read().await?;
            },
        };
        Ok((status, head, body))
    }

    async fn read(&mut self) -> Result<()> {
        if self.filled == self.input.len() {
            if self.filled >= MAX_REPLY_BYTES {
                bail!("the reply does not end");
            }
            self.input.resize(self.filled * 2, 0);
        }
        let mut free = ReadBuf::new(&mut self.input[self.filled..]);
        // Not through `try_read`: a short read says that there is no more, and saves asking.
        poll_fn(|context| Pin::new(&mut self.stream).poll_read(context, &mut free)).await?;
        let count = free.filled().len();
        if count == 0 {
            bail!("the server closed the connection");
        }
        self.filled += count;
        Ok(())
    }
}

/// Status, bytes of the head, and the length of the body; nothing while the head is incomplete.
fn parse_head(bytes: &[u8]) -> Result<Option<(u16, usize, Length)>> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut response = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(head) = response.parse(bytes).context("the reply is not HTTP")? else { return Ok(None) };
    let status = response.code.context("the reply has no status")?;
    let mut length = if status == 204 || status == 304 { Some(Length::Known(0)) } else { None };
    for header in response.headers.iter() {
        if header.name.eq_ignore_ascii_case("content-length") {
            let text = std::str::from_utf8(header.value).context("the length is not a number")?;
            length = Some(Length::Known(text.parse().context("the length is not a number")?));
        } else if header.name.eq_ignore_ascii_case("transfer-encoding") {
            length = Some(Length::Chunked);
        }
    }
    Ok(Some((status, head, length.context("the reply has no length")?)))
}

/// Moves the content of chunks together once the last one is there; answers its length. Until then nothing is changed.
fn join_chunks(bytes: &mut [u8]) -> Result<Option<usize>> {
    let mut parts = Vec::new();
    let mut at = 0;
    loop {
        let Some(line) = bytes[at..].windows(2).position(|pair| pair == b"\r\n") else { return Ok(None) };
        let text = std::str::from_utf8(&bytes[at..at + line]).unwrap_or_default();
        let size = usize::from_str_radix(text.split(';').next().unwrap_or_default().trim(), 16).context("a chunk has no size")?;
        let from = at + line + 2;
        if bytes.len() < from + size + 2 {
            return Ok(None);
        }
        if size == 0 {
            break;
        }
        parts.push(from..from + size);
        at = from + size + 2;
    }
    let mut end = 0;
    for part in parts {
        let size = part.len();
        bytes.copy_within(part, end);
        end += size;
    }
    Ok(Some(end))
}

fn cookies(head: &[u8]) -> String {
    let set = header_values(head, "set-cookie").filter_map(|value| value.split(';').next().map(str::to_owned));
    set.collect::<Vec<_>>().join("; ")
}

fn header_values<'h>(head: &'h [u8], name: &str) -> impl Iterator<Item = &'h str> {
    let lines = std::str::from_utf8(head).unwrap_or_default().split("\r\n").skip(1);
    lines.filter_map(|line| line.split_once(':')).filter(move |(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
}

impl Reply<'_> {
    /// # Errors
    /// Another status; the error says which, and the code of the platform's error shape.
    pub fn expect(self, status: u16, what: &str) -> Result<Self> {
        if self.status == status {
            return Ok(self);
        }
        let code = text_after(self.body, br#""code":""#).unwrap_or_default();
        bail!("{what}: {} {code}", self.status)
    }

    /// The `id` that carts and orders begin with.
    ///
    /// # Errors
    /// There is none.
    pub fn id(&self) -> Result<String> {
        text_after(self.body, br#""id":""#).map(str::to_owned).context("a reply without an id")
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        header_values(self.head, name).next()
    }

    /// Status line and headers, as they came.
    pub fn head(&self) -> &[u8] {
        self.head
    }
}

/// What stands between `before` and the next quote.
fn text_after<'b>(bytes: &'b [u8], before: &[u8]) -> Option<&'b str> {
    let from = bytes.windows(before.len()).position(|window| window == before)? + before.len();
    let length = bytes[from..].iter().position(|byte| *byte == b'"')?;
    std::str::from_utf8(&bytes[from..from + length]).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_read_when_it_is_complete() {
        let reply = b"HTTP/1.1 201 Created\r\nContent-Length: 5\r\n\r\nhello";
        assert!(parse_head(&reply[..30]).unwrap().is_none());
        let (status, head, length) = parse_head(reply).unwrap().unwrap();
        assert_eq!((status, &reply[head..]), (201, &b"hello"[..]));
        assert!(matches!(length, Length::Known(5)));
        assert!(parse_head(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
        assert!(parse_head(b"nonsense\r\n\r\n").is_err());
    }

    #[test]
    fn chunks_are_joined_when_the_last_one_is_there() {
        let mut bytes = b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n".to_vec();
        let complete = bytes.len();
        assert_eq!(join_chunks(&mut bytes[..complete - 2]).unwrap(), None);
        assert_eq!(join_chunks(&mut bytes).unwrap(), Some(5));
        assert_eq!(&bytes[..5], b"abcde");
        assert!(join_chunks(&mut b"xyz\r\n".to_vec()).is_err());
    }

    #[test]
    fn cookies_are_kept_without_their_attributes() {
        let head = b"HTTP/1.1 200 OK\r\nSet-Cookie: a=1; Path=/\r\nset-cookie: b=2\r\n\r\n";
        assert_eq!(cookies(head), "a=1; b=2");
    }

    #[test]
    fn an_id_is_found_among_fields_that_end_like_it() {
        let reply = Reply { status: 201, head: b"", body: br#"{"restaurantId":"x","id":"42","items":[]}"# };
        assert_eq!(reply.id().unwrap(), "42");
        let refused = Reply { status: 409, head: b"", body: br#"{"error":"no","code":"CART_EMPTY"}"# };
        assert_eq!(refused.expect(201, "order").map(|_| ()).unwrap_err().to_string(), "order: 409 CART_EMPTY");
    }
}
