//! A client that sends what it is told, and says what came back: for the tests of the servers themselves.

use std::collections::BTreeMap;
use std::io::{self, BufReader};
use std::net::{SocketAddr, TcpStream};

use super::clock;
use super::digest::{hex, sha256};
use super::http::{Headers, Request, Response, encode};
use super::server::{ACCESS_KEY, BUCKET, REGION, SECRET_KEY};
use super::signing::signature;
use super::xml::texts;

pub struct Client {
    address: SocketAddr,
}

impl Client {
    pub fn to(address: SocketAddr) -> Self {
        Client { address }
    }

    /// A request about a key, or `""` for the bucket, with a query behind `?`; not signed yet.
    pub fn request(&self, method: &str, key: &str, headers: &[(&str, &str)], body: &[u8]) -> Request {
        let target = format!("/{BUCKET}/{key}").replace("/?", "?");
        let mut request =
            Request { method: method.to_owned(), target, headers: Headers::default(), body: body.to_vec() };
        request.headers.set("Host", self.address);
        for (name, value) in headers {
            request.headers.set(name, value);
        }
        request
    }

    /// Signs a request as of now.
    pub fn signed(&self, mut request: Request) -> Request {
        let time = clock::iso(clock::now())[..19].replace(['-', ':'], "") + "Z";
        request.headers.set("x-amz-date", &time);
        if request.headers.get("x-amz-content-sha256").is_none() {
            request.headers.set("x-amz-content-sha256", hex(&sha256(&request.body)));
        }
        let names = "host;x-amz-content-sha256;x-amz-date";
        let digits = signature(&request, names, SECRET_KEY, REGION);
        let scope = format!("{ACCESS_KEY}/{}/{REGION}/s3/aws4_request", &time[..8]);
        let fields = format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders={names}, Signature={digits}");
        request.headers.set("Authorization", fields);
        request
    }

    /// Sends a request as it is, on a connection of its own; an error where that is cut.
    pub fn send(&self, request: &Request) -> io::Result<Response> {
        let mut stream = TcpStream::connect(self.address)?;
        request.write(&mut stream)?;
        Response::read(&mut BufReader::new(stream), &request.method)
    }

    /// Sends a signed request, and expects an answer.
    pub fn ask(&self, method: &str, key: &str, headers: &[(&str, &str)], body: &[u8]) -> Response {
        self.send(&self.signed(self.request(method, key, headers, body))).unwrap()
    }

    /// The bytes of all objects, of however many pages.
    pub fn objects(&self) -> BTreeMap<String, Vec<u8>> {
        let (mut objects, mut token) = (BTreeMap::new(), String::new());
        loop {
            let page = self.ask("GET", &format!("?list-type=2{token}"), &[], b"");
            assert_eq!(page.status, 200, "{}", page.text());
            for key in texts(&page.text(), "Key") {
                let object = self.get(&encode(&key).replace("%2F", "/"));
                objects.insert(key, object.body.bytes().to_vec());
            }
            match texts(&page.text(), "NextContinuationToken").pop() {
                Some(next) => token = format!("&continuation-token={}", encode(&next)),
                None => return objects,
            }
        }
    }

    pub fn get(&self, key: &str) -> Response {
        self.ask("GET", key, &[], b"")
    }

    pub fn put(&self, key: &str, body: &[u8]) -> Response {
        self.ask("PUT", key, &[], body)
    }
}
