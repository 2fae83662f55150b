//! How requests to object stores are made: on which threads, how often, how long, and how many there were.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::num::NonZeroU16;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use futures_util::future::{Either, select};
use object_store::client::{ClientOptions, ReqwestConnector};
use object_store::client::{HttpClient, HttpConnector, HttpError, HttpRequest, HttpResponse, HttpService};
use serde::Serialize;
use tokio::runtime::{Builder, Runtime};

use super::proxy::{Proxies, UsedProxy};
use super::scratch_files::ScratchFiles;
use super::store::Store;
use crate::cancel::Cancel;
use crate::error::{Error, Kind, Result};

/// Threads that requests run on. They only wait and copy; work on rows has threads of its own.
const THREADS: usize = 2;

/// How often a wait looks whether the work was asked to stop.
const CANCEL_CHECK: Duration = Duration::from_millis(50);

/// How requests are bounded. The defaults ride out a store that is busy for a minute or two.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct RequestLimits {
    /// How often a request that failed in passing is made again.
    pub retries: u32,
    /// For how long after its first attempt a request is made again.
    pub retry_time: Duration,
    /// How long a request may go without a byte of its answer.
    pub timeout: Duration,
    /// How many requests for files that are fetched together are made at the same time; and of the uploads of a backup,
    /// at most four.
    pub at_once: NonZeroU16,
}

/// Requests at the same time, if nothing else is said: enough to hide the delay of a near store.
const AT_ONCE: NonZeroU16 = NonZeroU16::MIN.saturating_add(7);

impl Default for RequestLimits {
    /// 10 retries within 3 minutes, 30 seconds each, 8 requests at once.
    fn default() -> Self {
        RequestLimits {
            retries: 10,
            retry_time: Duration::from_secs(180),
            timeout: Duration::from_secs(30),
            at_once: AT_ONCE,
        }
    }
}

/// The number of requests made, each attempt counted.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
pub struct RequestCounts {
    /// Lists of names.
    pub list: u64,
    /// Reads of objects or of parts of them, and of their metadata.
    pub get: u64,
    /// Writes of objects or of parts of them, and the begin and end of writes in parts.
    pub put: u64,
    /// Removals; one may be of many objects.
    pub delete: u64,
}

#[derive(Debug, Default)]
pub(super) struct Counters {
    list: AtomicU64,
    get: AtomicU64,
    put: AtomicU64,
    delete: AtomicU64,
}

/// The client of a store, and the proxy that its requests go through.
pub(super) type Client = (Arc<dyn Store>, UsedProxy);

/// A client for each store that a command uses, and what they share. Nothing is started before the first request.
#[derive(Default)]
pub(crate) struct Requests {
    limits: RequestLimits,
    runtime: OnceLock<Runtime>,
    stores: Mutex<BTreeMap<String, Client>>,
    counters: Arc<Counters>,
    scratch_files: ScratchFiles,
}

impl fmt::Debug for Requests {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Requests").field("limits", &self.limits).finish_non_exhaustive()
    }
}

impl Requests {
    pub(crate) fn new(limits: RequestLimits) -> Self {
        let (runtime, stores, counters, scratch_files) = Default::default();
        Requests { limits, runtime, stores, counters, scratch_files }
    }

    pub(crate) fn limits(&self) -> RequestLimits {
        self.limits
    }

    /// Returns how many requests there were so far.
    pub(crate) fn counts(&self) -> RequestCounts {
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let Counters { list, get, put, delete } = &*self.counters;
        RequestCounts { list: of(list), get: of(get), put: of(put), delete: of(delete) }
    }

    /// Where the content of fetched objects is put.
    pub(super) fn scratch_files(&self) -> &ScratchFiles {
        &self.scratch_files
    }

    /// Returns what counts the requests of a new client, and notes its proxy in `used`.
    pub(super) fn connector(&self, used: &UsedProxy) -> Connector {
        Connector { counters: Arc::clone(&self.counters), used: used.clone() }
    }

    /// Returns the client of a store, which `connect` makes at the first call.
    pub(super) fn store(&self, name: &str, connect: impl FnOnce() -> Result<Client>) -> Result<Client> {
        let mut stores = self.stores.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = stores.get(name) {
            return Ok(client.clone());
        }
        let client = connect()?;
        stores.insert(name.to_owned(), client.clone());
        Ok(client)
    }

    pub(super) fn runtime(&self) -> Result<&Runtime> {
        if self.runtime.get().is_none() {
            let built = Builder::new_multi_thread()
                .worker_threads(THREADS)
                .thread_name("lookback-requests")
                .enable_all()
                .build();
            let failed = |error: std::io::Error| {
                let remedy = "allow more processes and threads, and run again";
                Error::new(Kind::Io, format!("cannot start the threads of requests: {error}"), remedy).caused_by(error)
            };
            // Another thread may have built one first: then this one ends.
            let _ = self.runtime.set(built.map_err(failed)?);
        }
        Ok(self.runtime.wait())
    }

    /// Waits for a future on this thread. Fails within a moment if the work is asked to stop.
    pub(super) fn wait<T>(&self, cancel: &Cancel, work: impl Future<Output = Result<T>>) -> Result<T> {
        self.runtime()?.block_on(async {
            match select(pin!(work), pin!(stopped(cancel))).await {
                Either::Left((done, _)) => done,
                Either::Right((stopped, _)) => Err(stopped),
            }
        })
    }
}

impl Drop for Requests {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // A request in flight is given up: nobody waits for it.
            runtime.shutdown_background();
        }
    }
}

/// Ends when the work is asked to stop.
pub(super) async fn stopped(cancel: &Cancel) -> Error {
    loop {
        if let Err(stopped) = cancel.check() {
            return stopped;
        }
        tokio::time::sleep(CANCEL_CHECK).await;
    }
}

/// Makes clients that count their requests.
#[derive(Debug)]
pub(super) struct Connector {
    counters: Arc<Counters>,
    used: UsedProxy,
}

impl HttpConnector for Connector {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        let client = ReqwestConnector::default().connect(options)?;
        let (counters, proxies) = (Arc::clone(&self.counters), Proxies::of(options, &self.used));
        Ok(HttpClient::new(Counted { client, counters, proxies }))
    }
}

#[derive(Debug)]
struct Counted {
    client: HttpClient,
    counters: Arc<Counters>,
    proxies: Proxies,
}

impl HttpService for Counted {
    fn call<'life, 'answer>(
        &'life self,
        request: HttpRequest,
    ) -> Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send + 'answer>>
    where
        'life: 'answer,
        Self: 'answer,
    {
        let Counters { list, get, put, delete } = &*self.counters;
        let query = request.uri().query().unwrap_or_default();
        let is_of = |name: &str| query.split('&').any(|pair| pair == name || pair.strip_prefix(name) == Some("="));
        let counter = match request.method().as_str() {
            "GET" if query.contains("list-type=") || query.contains("comp=list") || query.contains("prefix=") => list,
            "GET" | "HEAD" => get,
            "DELETE" => delete,
            "POST" if is_of("delete") => delete,
            _ => put,
        };
        counter.fetch_add(1, Ordering::Relaxed);
        self.proxies.note(&request);
        Box::pin(self.client.execute(request))
    }
}
