//! Clients of object stores, from a URL and the environment.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::azure::{AzureConfigKey, MicrosoftAzureBuilder};
use object_store::client::ClientConfigKey;
use object_store::gcp::{GoogleCloudStorageBuilder, GoogleConfigKey};
use object_store::path::Path as Key;
use object_store::{ObjectStoreScheme, RetryConfig};
use url::Url;

use super::proxy::UsedProxy;
use super::requests::{Client, Requests};
use super::store::Store;
use crate::cancel::Cancel;
use crate::error::{Error, Kind, Result};
use crate::text::Shown as _;

/// How long credentials may take to come. Machines of a cloud get theirs from a service beside them.
const CREDENTIALS_WAIT: Duration = Duration::from_secs(8);

/// How long a connection may take to be made.
const CONNECT_WAIT: &str = "10 seconds";

/// Returns the client of the store of `url`, and the name that all objects below it begin with.
pub(super) fn connect(url: &Path, requests: &Arc<Requests>, cancel: &Cancel) -> Result<(Client, Key)> {
    let invalid = |reason: String| {
        Error::usage(
            format!("{} is no URL of an object store ({reason})", url.shown()),
            "give a folder, or s3://BUCKET/NAME, gs://BUCKET/NAME, az://CONTAINER/NAME or abfss://CONTAINER@ACCOUNT.dfs.core.windows.net/NAME",
        )
    };
    let text = url.to_str().ok_or_else(|| invalid("it is not UTF-8".to_owned()))?;
    let parsed = Url::parse(text).map_err(|error| invalid(error.to_string()))?;
    if parsed.query().is_some() || parsed.fragment().is_some() || parsed.password().is_some() {
        return Err(invalid("it has more than a bucket and a name; credentials come from the environment".to_owned()));
    }
    let (scheme, prefix) =
        ObjectStoreScheme::parse(&parsed).map_err(|_| invalid("its scheme is not known".to_owned()))?;
    if !matches!(parsed.scheme(), "s3" | "s3a" | "gs" | "az" | "azure" | "abfs" | "abfss") {
        return Err(invalid("its scheme is not known".to_owned()));
    }
    let name = parsed.as_str().strip_suffix(parsed.path()).unwrap_or(parsed.as_str()).to_owned();
    let client = requests.store(&name, || {
        let proxy = UsedProxy::default();
        let store = Settings { url: parsed.as_str(), requests, cancel, proxy: &proxy }.store(&scheme);
        Ok((store.map_err(|failure| failure.told(url, &invalid))?, proxy))
    })?;
    Ok((client, prefix))
}

/// Why there is no client.
enum NoClient {
    Invalid(object_store::Error),
    Credentials(&'static str, Option<object_store::Error>),
    Other(Error),
}

impl NoClient {
    fn told(self, url: &Path, invalid: &impl Fn(String) -> Error) -> Error {
        match self {
            NoClient::Invalid(error) => invalid(error.to_string()),
            NoClient::Other(error) => error,
            NoClient::Credentials(variables, cause) => {
                let what = format!("there are no credentials for {}", url.shown());
                let error = Error::new(Kind::Io, what, format!("set {variables} in the environment"));
                match cause {
                    Some(cause) => error.caused_by(cause),
                    None => error,
                }
            }
        }
    }
}

struct Settings<'a> {
    url: &'a str,
    requests: &'a Arc<Requests>,
    cancel: &'a Cancel,
    proxy: &'a UsedProxy,
}

/// Returns the client of one kind of store: without retries of its own, since [`super::attempts`] makes them; with the
/// time for an answer. Fails if it has no credentials, which come from `$variables`, unless requests are not signed.
macro_rules! client {
    ($builder:ty, $key:ident, $variables:literal, $settings:expr) => {{
        let settings: &Settings<'_> = $settings;
        let timeout = format!("{} seconds", settings.requests.limits().timeout.as_secs().max(1));
        let builder = <$builder>::from_env()
            .with_url(settings.url)
            .with_retry(RetryConfig { max_retries: 0, ..RetryConfig::default() })
            .with_config($key::Client(ClientConfigKey::ReadTimeout), timeout)
            .with_config($key::Client(ClientConfigKey::Timeout), "1 day")
            .with_config($key::Client(ClientConfigKey::ConnectTimeout), CONNECT_WAIT)
            .with_http_connector(settings.requests.connector(settings.proxy));
        let is_signed = builder.get_config_value(&$key::SkipSignature).as_deref() != Some("true");
        let store = builder.build().map_err(NoClient::Invalid)?;
        if is_signed {
            let credentials = store.credentials();
            settings.credentials($variables, async { credentials.get_credential().await.map(drop) })?;
        }
        Ok(Arc::new(store))
    }};
}

impl Settings<'_> {
    fn store(&self, scheme: &ObjectStoreScheme) -> Result<Arc<dyn Store>, NoClient> {
        match scheme {
            ObjectStoreScheme::AmazonS3 => {
                client!(AmazonS3Builder, AmazonS3ConfigKey, "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY", self)
            }
            ObjectStoreScheme::GoogleCloudStorage => client!(
                GoogleCloudStorageBuilder,
                GoogleConfigKey,
                "GOOGLE_SERVICE_ACCOUNT or GOOGLE_APPLICATION_CREDENTIALS",
                self
            ),
            _ => client!(
                MicrosoftAzureBuilder,
                AzureConfigKey,
                "AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY",
                self
            ),
        }
    }

    /// Fails if no credentials come within [`CREDENTIALS_WAIT`]: without this, each request would wait for the service
    /// that machines of a cloud have.
    fn credentials(
        &self,
        variables: &'static str,
        credentials: impl Future<Output = object_store::Result<()>>,
    ) -> Result<(), NoClient> {
        let waited =
            self.requests.wait(self.cancel, async { Ok(tokio::time::timeout(CREDENTIALS_WAIT, credentials).await) });
        match waited.map_err(NoClient::Other)? {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(NoClient::Credentials(variables, Some(error))),
            Err(_) => Err(NoClient::Credentials(variables, None)),
        }
    }
}
