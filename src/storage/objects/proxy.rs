//! The proxy that the requests of a client go through, for messages.

use std::sync::{Arc, Mutex, PoisonError};

use hyper_util::client::proxy::matcher::Matcher;
use object_store::client::{ClientConfigKey, ClientOptions, HttpRequest};

/// The proxy of the last request of a client; none if it went straight to the store.
#[derive(Clone, Debug, Default)]
pub(super) struct UsedProxy(Arc<Mutex<Option<String>>>);

impl UsedProxy {
    /// Returns its URL, without credentials.
    pub(super) fn url(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Knows which requests go through a proxy, by the rules of the client: its own setting, or else `HTTPS_PROXY`,
/// `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`.
#[derive(Debug)]
pub(super) struct Proxies {
    matcher: Matcher,
    used: UsedProxy,
}

impl Proxies {
    pub(super) fn of(options: &ClientOptions, used: &UsedProxy) -> Self {
        let setting = |key| options.get_config_value(&key).unwrap_or_default();
        let of_client = setting(ClientConfigKey::ProxyUrl);
        let matcher = if of_client.is_empty() {
            Matcher::from_system()
        } else {
            Matcher::builder().all(of_client).no(setting(ClientConfigKey::ProxyExcludes)).build()
        };
        Proxies { matcher, used: used.clone() }
    }

    /// Remembers which proxy a request goes through.
    pub(super) fn note(&self, request: &HttpRequest) {
        let proxy = self.matcher.intercept(request.uri());
        let proxy = proxy.map(|proxy| proxy.uri().to_string().trim_end_matches('/').to_owned());
        *self.used.0.lock().unwrap_or_else(PoisonError::into_inner) = proxy;
    }
}
