//! Object stores on loopback, and what goes wrong on the way to them.
//!
//! [`S3Server`] speaks S3's protocol, signatures, conditions, multipart uploads and pages included, from a map in
//! memory: it starts at once, and shows what it holds. [`Proxy`] stands before it, or before another [`Endpoint`],
//! records each request and lets some of them go wrong. `environment()` of either is what a program is to be started
//! with, and `url("key")` what it is to be given. All of them end with their values; a proxy is dropped before its
//! server.
//!
//! ```
//! let server = S3Server::start();
//! server.put("in/dt=2026-01-01/a.parquet", bytes);
//! let proxy = Proxy::to(&server);
//! // The answer to the third request is lost, and so is the first that publishes.
//! proxy.fail(nth(3), Fault::LostAnswer);
//! proxy.fail(nth(1).of(Kind::Put).at("_manifest.parquet"), Fault::LostAnswer);
//! let ran = Command::new(program).args(["produce", "--out", &proxy.url("out")]).envs(proxy.environment()).output();
//! assert_eq!(server.objects().keys().collect::<Vec<_>>(), [..]);
//! assert!(server.open_uploads().is_empty());
//! assert_eq!(proxy.count(Kind::Get), 1);
//! ```
//!
//! A crash test counts the requests of an undisturbed run, `proxy.requests().len()`, and then runs once for each
//! request and fault. To kill the process at one: `fail(nth(n), Fault::Stall)` (the server has not done it yet) or
//! `StallAfter` (it has), `spawn`, `proxy.kill_stalled(&mut child)`; then `heal()`, and the next run. With a client
//! that sends one request after the other, the order of requests is that of the run before; where it sends several at
//! once, `of` and `at` say which is meant.
//!
//! [`Moto`] (S3) and [`Azurite`] (Azure), which others have written, are started in the same way, in a second or two,
//! and show what they hold: for a few tests from end to end. `S3Server::google()` is what `gs://` is tried with: no
//! server of others speaks the XML of Google that object_store uses (gcp-storage-emulator 2026.7.19 gives no ETag).
//!
//! [`ForwardProxy`] is a proxy of the kind that `HTTP_PROXY` names.
//!
//! What the server is told: `set_page` (entries in a list's answer), `set_least_part` (S3's 5 MiB), `age` (makes all
//! older), `set_clock_ahead`, `set_region`, `deny`, `set_conditional_puts`, `set_remembers_completed`; for
//! measuring, `set_opaque_etags`.

mod access;
mod azurite;
mod between;
mod bucket;
mod client;
mod clock;
mod condition;
mod digest;
mod forward;
mod http;
mod kind;
mod listener;
mod listing;
mod moto;
mod passing;
mod process;
mod proxy;
mod refusal;
mod rule;
mod server;
mod signing;
mod uploads;
mod xml;

mod test_conditions;
mod test_lists;
mod test_others;
mod test_proxy;
mod test_server;
mod test_uploads;

use std::net::SocketAddr;

pub use azurite::Azurite;
pub use between::Seen;
pub use bucket::ConditionalPuts;
pub use forward::ForwardProxy;
pub use kind::Kind;
pub use moto::Moto;
pub use proxy::Proxy;
pub use rule::{Fault, IN_PASSING, When, every, first, nth};
pub use server::{ACCESS_KEY, BUCKET, REGION, S3Server, SECRET_KEY};

/// An object store, or what stands before one.
pub trait Endpoint: Sync {
    fn address(&self) -> SocketAddr;

    /// The variables with which a program finds this store at an address.
    fn environment_at(&self, address: SocketAddr) -> Vec<(String, String)>;

    /// The URL of a key.
    fn url(&self, key: &str) -> String;

    /// The variables with which a program comes here.
    fn environment(&self) -> Vec<(String, String)> {
        self.environment_at(self.address())
    }
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    // No proxy of the machine's own comes between.
    let quiet = [("NO_PROXY", "127.0.0.1"), ("no_proxy", "127.0.0.1")];
    pairs.iter().chain(&quiet).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// As clients of S3 take them: object_store's (and so lookback's, Polars', Delta's), and Amazon's own.
fn amazon(address: SocketAddr, region: &str, key: &str, secret: &str) -> Vec<(String, String)> {
    let endpoint = format!("http://{address}");
    pairs(&[
        ("AWS_ENDPOINT", &endpoint),
        ("AWS_ENDPOINT_URL", &endpoint),
        ("AWS_ALLOW_HTTP", "true"),
        ("AWS_ACCESS_KEY_ID", key),
        ("AWS_SECRET_ACCESS_KEY", secret),
        ("AWS_REGION", region),
        ("AWS_DEFAULT_REGION", region),
        ("AWS_EC2_METADATA_DISABLED", "true"),
    ])
}

/// As object_store takes them for `gs://`.
fn google(address: SocketAddr, token: &str) -> Vec<(String, String)> {
    let endpoint = format!("http://{address}");
    pairs(&[("GOOGLE_BASE_URL", &endpoint), ("GOOGLE_ALLOW_HTTP", "true"), ("GOOGLE_BEARER_TOKEN", token)])
}
