//! Azurite, Microsoft's own server of Azure's blobs for tests, and as much of a client as looks into it.
//!
//! Azurite 3.37.0 was tried. `If-None-Match: *` on putting a blob, and on the list of blocks that completes one, gives
//! 409 BlobAlreadyExists where there is one; `If-Match` gives 412 ConditionNotMet. Signatures are looked at (403). It
//! starts in a second or two.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::process::Command;

use super::Endpoint;
use super::client::Client;
use super::clock;
use super::digest::{base64, hmac_sha256};
use super::http::{Request, Response, encode};
use super::process::Process;
use super::server::BUCKET;
use super::xml::texts;

pub const ACCOUNT: &str = "lookback";
/// What its key is made of: as text the key is the base64 of it.
const KEY: &[u8] = b"SecretOfLookbackTestsThatNobodyMayShow01";

/// Has the one container, empty.
pub struct Azurite {
    process: Process,
}

impl Azurite {
    /// The key as a program is given it.
    pub fn key() -> String {
        base64(KEY)
    }

    pub fn start() -> Self {
        let server = std::env::var("LOOKBACK_AZURITE")
            .expect("this test needs LOOKBACK_AZURITE, the main.js of Azurite's blobs: run tools/test");
        let program = "process.stdin.on('end', () => process.exit()).resume(); require(process.argv[1])";
        let mut command = Command::new("node");
        command.args(["-e", program, &server, "--blobHost", "127.0.0.1", "--blobPort", "0", "--inMemoryPersistence"]);
        command.args(["--silent", "--skipApiVersionCheck", "--disableTelemetry"]);
        command.env("AZURITE_ACCOUNTS", format!("{ACCOUNT}:{}", Self::key()));
        let azurite = Azurite { process: Process::start(&mut command) };
        let created = azurite.ask("PUT", "?restype=container", &[], b"");
        assert_eq!(created.status, 201, "{}", created.text());
        azurite
    }

    /// The bytes of each blob, by name.
    pub fn objects(&self) -> BTreeMap<String, Vec<u8>> {
        let list = self.ask("GET", "?restype=container&comp=list", &[], b"");
        assert_eq!((list.status, texts(&list.text(), "NextMarker").concat()), (200, String::new()));
        let names = texts(&list.text(), "Name").into_iter();
        names.map(|name| (name.clone(), self.ask("GET", &encode(&name), &[], b"").body.bytes().to_vec())).collect()
    }

    /// Asks about a blob, or `""` for the container, with a query behind `?`.
    pub fn ask(&self, method: &str, name: &str, headers: &[(&str, &str)], body: &[u8]) -> Response {
        let client = Client::to(self.address());
        let mut request = client.request(method, name, headers, body);
        request.target = format!("/{ACCOUNT}{}", request.target);
        request.headers.set("x-ms-date", clock::http(clock::now()));
        request.headers.set("x-ms-version", "2023-11-03");
        let signature = base64(&hmac_sha256(KEY, signed_text(&request).as_bytes()));
        request.headers.set("Authorization", format!("SharedKey {ACCOUNT}:{signature}"));
        client.send(&request).unwrap()
    }
}

/// What is signed of a request: "Authorize with Shared Key" of Azure's documentation.
fn signed_text(request: &Request) -> String {
    let length = if request.body.is_empty() { String::new() } else { request.body.len().to_string() };
    let header = |name: &str| request.headers.get(name).unwrap_or_default();
    let fixed = ["Content-MD5", "Content-Type", "Date", "If-Modified-Since", "If-Match", "If-None-Match"].map(header);
    let behind = ["If-Unmodified-Since", "Range"].map(header);
    let own = request.headers.0.iter().filter(|(name, _)| name.starts_with("x-ms-"));
    let own: BTreeMap<&str, &str> = own.map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let own: String = own.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
    let path = request.target.split('?').next().unwrap();
    let query: BTreeMap<String, String> = request.query().into_iter().collect();
    let query: String = query.iter().map(|(name, value)| format!("\n{name}:{value}")).collect();
    let lines = [&[request.method.as_str(), "", "", &length], &fixed[..], &behind[..]].concat();
    format!("{}\n{own}/{ACCOUNT}{path}{query}", lines.join("\n"))
}

impl Endpoint for Azurite {
    fn address(&self) -> SocketAddr {
        self.process.address
    }

    /// As object_store takes them for `az://` and `abfss://`.
    fn environment_at(&self, address: SocketAddr) -> Vec<(String, String)> {
        let endpoint = format!("http://{address}/{ACCOUNT}");
        super::pairs(&[
            ("AZURE_STORAGE_ENDPOINT", &endpoint),
            ("AZURE_STORAGE_ACCOUNT_NAME", ACCOUNT),
            ("AZURE_STORAGE_ACCOUNT_KEY", &Self::key()),
            ("AZURE_ALLOW_HTTP", "true"),
        ])
    }

    fn url(&self, key: &str) -> String {
        format!("az://{BUCKET}/{key}")
    }
}
