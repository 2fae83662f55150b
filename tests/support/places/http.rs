//! HTTP/1.1 as far as object stores and their clients need it: heads, and bodies of known length or in chunks.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::ops::Range;
use std::sync::Arc;

/// Header lines in the order in which they came; names are compared without case.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Headers(pub Vec<(String, String)>);

impl Headers {
    /// The first value of a name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    pub fn set(&mut self, name: &str, value: impl ToString) {
        self.0.retain(|(own, _)| !own.eq_ignore_ascii_case(name));
        self.0.push((name.to_owned(), value.to_string()));
    }

    fn read(from: &mut impl BufRead) -> io::Result<Self> {
        let mut headers = Headers::default();
        loop {
            let line = read_line(from)?.ok_or_else(|| broken("the head ends early"))?;
            if line.is_empty() {
                return Ok(headers);
            }
            let (name, value) = line.split_once(':').ok_or_else(|| broken("a header without a colon"))?;
            headers.0.push((name.trim().to_owned(), value.trim().to_owned()));
        }
    }

    fn write(&self, first: &str) -> Vec<u8> {
        let lines: String = self.0.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        format!("{first}\r\n{lines}\r\n").into_bytes()
    }

    fn length(&self) -> io::Result<Option<usize>> {
        let length = self.get("content-length").map(str::parse);
        length.transpose().map_err(|_| broken("a length that is no number"))
    }

    fn is_chunked(&self) -> bool {
        self.get("transfer-encoding").is_some_and(|coding| coding.eq_ignore_ascii_case("chunked"))
    }
}

#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Request {
    pub method: String,
    /// The path and the query, as sent.
    pub target: String,
    pub headers: Headers,
    pub body: Vec<u8>,
}

impl Request {
    /// The next request of a connection, whole; `None` where the client has closed it.
    pub fn read(from: &mut BufReader<TcpStream>) -> io::Result<Option<Self>> {
        let Some(first) = read_line(from)? else { return Ok(None) };
        let mut words = first.split(' ');
        let (Some(method), Some(target), Some("HTTP/1.1")) = (words.next(), words.next(), words.next()) else {
            return Err(broken("no request of HTTP/1.1"));
        };
        let headers = Headers::read(from)?;
        if headers.get("expect").is_some() {
            from.get_mut().write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        }
        let body = match headers.length()? {
            _ if headers.is_chunked() => read_chunks(from)?.0,
            Some(length) => read_exactly(from, length)?,
            None => Vec::new(),
        };
        Ok(Some(Request { method: method.to_owned(), target: target.to_owned(), headers, body }))
    }

    /// Sends all of it; the length is said, whatever it came with.
    pub fn write(&self, to: &mut impl Write) -> io::Result<()> {
        let mut headers = self.headers.clone();
        headers.0.retain(|(name, _)| {
            !["transfer-encoding", "expect", "connection"].contains(&name.to_ascii_lowercase().as_str())
        });
        if !self.body.is_empty() || headers.get("content-length").is_none() && self.method != "GET" {
            headers.set("Content-Length", self.body.len());
        }
        headers.set("Connection", "close");
        to.write_all(&headers.write(&format!("{} {} HTTP/1.1", self.method, self.target)))?;
        to.write_all(&self.body)
    }

    /// The path without the query, decoded.
    pub fn path(&self) -> String {
        decode(self.target.split('?').next().unwrap(), false)
    }

    /// The parameters of the query, decoded; those without a value have an empty one.
    pub fn query(&self) -> Vec<(String, String)> {
        let query = self.target.split_once('?').map_or("", |(_, query)| query);
        let pairs = query.split('&').filter(|pair| !pair.is_empty());
        pairs
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
            .map(|(name, value)| (decode(name, true), decode(value, true)))
            .collect()
    }

    pub fn parameter(&self, name: &str) -> Option<String> {
        self.query().into_iter().find(|(own, _)| own == name).map(|(_, value)| value)
    }
}

/// A part of bytes that are shared, so that an object is not copied to be sent.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Body {
    pub bytes: Arc<Vec<u8>>,
    pub range: Range<usize>,
}

impl Body {
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[self.range.clone()]
    }
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Self {
        Body { range: 0..bytes.len(), bytes: Arc::new(bytes) }
    }
}

#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Response {
    pub status: u16,
    pub headers: Headers,
    pub body: Body,
}

impl Response {
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Response { status, headers: Headers::default(), body: Body::from(body.into()) }
    }

    pub fn with(mut self, name: &str, value: impl ToString) -> Self {
        self.headers.set(name, value);
        self
    }

    pub fn text(&self) -> String {
        String::from_utf8(self.body.bytes().to_vec()).unwrap()
    }

    /// The head as it is sent. The length is that of the body, but for HEAD, whose answer has the length of another.
    pub fn head(&self, method: &str) -> Vec<u8> {
        let mut headers = self.headers.clone();
        headers.0.retain(|(name, _)| !name.eq_ignore_ascii_case("transfer-encoding"));
        if self.status != 204 && self.status != 304 && !(method == "HEAD" && headers.get("content-length").is_some()) {
            headers.set("Content-Length", self.body.range.len());
        }
        headers.write(&format!("HTTP/1.1 {} {}", self.status, reason(self.status)))
    }

    /// Sends all of it, as the answer to a method.
    pub fn write(&self, to: &mut impl Write, method: &str) -> io::Result<()> {
        to.write_all(&self.head(method))?;
        if method != "HEAD" {
            to.write_all(self.body.bytes())?;
        }
        to.flush()
    }

    /// The answer to a method without its body, and how long that is: `None` where only its end says so.
    pub fn read_head(from: &mut impl BufRead, method: &str) -> io::Result<(Self, Option<usize>)> {
        loop {
            let first = read_line(from)?.ok_or_else(|| broken("no answer"))?;
            let status = first.split(' ').nth(1).and_then(|status| status.parse().ok());
            let status: u16 = status.ok_or_else(|| broken("no status"))?;
            let headers = Headers::read(from)?;
            if status == 100 {
                continue;
            }
            let has_none = method == "HEAD" || status == 204 || status == 304;
            let length = match headers.length()? {
                _ if has_none => Some(0),
                _ if headers.is_chunked() => None,
                length => length,
            };
            return Ok((Response { status, headers, body: Vec::new().into() }, length));
        }
    }

    /// The answer to a method, whole.
    pub fn read(from: &mut impl BufRead, method: &str) -> io::Result<Self> {
        let (head, length) = Self::read_head(from, method)?;
        head.read_body(from, length)
    }

    /// The same answer with its body, behind [`Response::read_head`].
    pub fn read_body(mut self, from: &mut impl BufRead, length: Option<usize>) -> io::Result<Self> {
        let body = match length {
            Some(length) => read_exactly(from, length)?,
            None if self.headers.is_chunked() => read_chunks(from)?.0,
            None => {
                let mut body = Vec::new();
                from.read_to_end(&mut body)?;
                body
            }
        };
        self.body = body.into();
        Ok(self)
    }
}

pub fn broken(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

fn read_line(from: &mut impl BufRead) -> io::Result<Option<String>> {
    let mut line = Vec::new();
    from.read_until(b'\n', &mut line)?;
    if line.is_empty() {
        return Ok(None);
    }
    let line = line.strip_suffix(b"\n").ok_or_else(|| broken("a line ends early"))?;
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    String::from_utf8(line.to_vec()).map(Some).map_err(|_| broken("a line that is no UTF-8"))
}

fn read_exactly(from: &mut impl Read, length: usize) -> io::Result<Vec<u8>> {
    let mut body = vec![0; length];
    from.read_exact(&mut body)?;
    Ok(body)
}

/// A body in chunks, and the headers behind it.
pub fn read_chunks(from: &mut impl BufRead) -> io::Result<(Vec<u8>, Headers)> {
    let mut body = Vec::new();
    loop {
        let line = read_line(from)?.ok_or_else(|| broken("chunks end early"))?;
        let digits = line.split(';').next().unwrap().trim();
        let length = usize::from_str_radix(digits, 16).map_err(|_| broken("no length of a chunk"))?;
        if length == 0 {
            return Ok((body, Headers::read(from)?));
        }
        body.extend(read_exactly(from, length)?);
        read_line(from)?;
    }
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        204 => "No Content",
        206 => "Partial Content",
        304 => "Not Modified",
        404 => "Not Found",
        412 => "Precondition Failed",
        _ => "Answer",
    }
}

/// Text with %XX for bytes, and in queries + for a space.
fn decode(text: &str, is_query: bool) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut place = 0;
    while let Some(byte) = bytes.get(place) {
        let digits = bytes.get(place + 1..place + 3).and_then(|digits| std::str::from_utf8(digits).ok());
        let number = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match (byte, number) {
            (b'%', Some(number)) => {
                decoded.push(number);
                place += 2;
            }
            (b'+', _) if is_query => decoded.push(b' '),
            (byte, _) => decoded.push(*byte),
        }
        place += 1;
    }
    String::from_utf8(decoded).unwrap()
}

/// Text with all bytes but letters, digits and -._~ as %XX.
pub fn encode(text: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let encoded = text.bytes().map(|byte| match byte {
        byte if is_plain(byte) => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    });
    encoded.collect()
}
