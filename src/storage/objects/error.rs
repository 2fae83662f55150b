//! What an object store refuses, as sentences. They name the URL, the status and the store's own code, and nothing else
//! of the answer: some stores send credentials back in the body of an error.

use std::error::Error as _;
use std::path::Path;

use crate::error::{Error, Kind};
use crate::message::{Message, message};
use crate::text::Shown as _;

/// How an operation on an object failed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Failure {
    /// There is no such object.
    Missing,
    /// The condition of a write, or of a read of one version, does not hold.
    Condition,
    /// The store does not know conditional writes.
    NoConditions,
    /// Busy, cut off or late: the same request may succeed later.
    Passing,
    /// Anything else.
    Lasting,
}

/// The status by which a proxy asks for credentials, and what the client says of it where it makes a tunnel.
const PROXY_CREDENTIALS: u16 = 407;
const NO_TUNNEL: &str = "proxy authorization required";

/// What a failed request was answered, apart from names: the key of an object, which stands in the URL and in the body,
/// may hold any word.
struct Answer {
    /// The status, if there was an answer.
    status: Option<u16>,
    /// The store's own code for the error, if the answer has one.
    code: String,
    /// What the client says of a request without an answer, in lower case.
    text: String,
}

impl Answer {
    fn of(error: &object_store::Error) -> Self {
        let mut answer = Answer { status: None, code: String::new(), text: String::new() };
        let mut cause = error.source();
        while let Some(inner) = cause {
            let text = inner.to_string();
            // This one repeats the URL, and then its cause.
            if !text.starts_with("Error performing ") {
                answer.add(&text);
            }
            cause = inner.source();
        }
        answer
    }

    fn add(&mut self, text: &str) {
        if text.starts_with("Received redirect") {
            "PermanentRedirect".clone_into(&mut self.code);
        } else if text.starts_with("Server returned ") {
            let status = text.split_once("status code: ").and_then(|(_, rest)| rest.split_whitespace().next());
            self.status = status.and_then(|status| status.trim_end_matches(':').parse().ok());
            let code = text.split_once("<Code>").and_then(|(_, rest)| rest.split_once("</Code>"));
            if let Some((code, _)) = code {
                code.clone_into(&mut self.code);
            }
        } else {
            self.text.push_str(&text.to_lowercase());
            if self.text.contains(NO_TUNNEL) {
                self.status = Some(PROXY_CREDENTIALS);
            }
        }
    }

    /// Returns what a failure for good means, and what to do.
    fn lasting(&self) -> Option<(&'static str, &'static str)> {
        let of = |(codes, statuses, what, remedy): &(&[&str], &[u16], &'static str, &'static str)| {
            let is_it =
                codes.contains(&self.code.as_str()) || self.status.is_some_and(|found| statuses.contains(&found));
            is_it.then_some((*what, *remedy))
        };
        LASTING.iter().find_map(of)
    }
}

impl Failure {
    pub(super) fn of(error: &object_store::Error) -> Self {
        use object_store::Error as Of;
        let answer = Answer::of(error);
        match (error, answer.code.as_str()) {
            // Two writers at the same moment; and a body that came too slowly.
            (_, "ConditionalRequestConflict" | "OperationAborted" | "RequestTimeout") => Failure::Passing,
            (_, "NoSuchBucket" | "ContainerNotFound") => Failure::Lasting,
            (_, "NotImplemented") => Failure::NoConditions,
            (Of::NotImplemented { .. } | Of::NotSupported { .. }, _) => Failure::NoConditions,
            (Of::NotFound { .. }, _) => Failure::Missing,
            (Of::AlreadyExists { .. } | Of::Precondition { .. }, _) => Failure::Condition,
            (Of::PermissionDenied { .. } | Of::Unauthenticated { .. } | Of::InvalidPath { .. }, _) => Failure::Lasting,
            _ if answer.status == Some(501) => Failure::NoConditions,
            _ if answer.lasting().is_some() || matches!(answer.status, Some(400 | 405 | 411)) => Failure::Lasting,
            _ => Failure::Passing,
        }
    }
}

/// Codes, statuses, what they mean, and what to do. The first that fits counts.
const LASTING: [(&[&str], &[u16], &str, &str); 8] = [
    (
        &[],
        &[PROXY_CREDENTIALS],
        "the proxy asks for credentials",
        "give them in its URL, as in HTTPS_PROXY=http://USER:PASSWORD@HOST:PORT",
    ),
    (
        &["NoSuchBucket", "ContainerNotFound"],
        &[],
        "there is no such bucket or container",
        "check the URL, and the endpoint and region in the environment (AWS_ENDPOINT_URL, AWS_REGION)",
    ),
    (
        &["InvalidAccessKeyId", "SignatureDoesNotMatch", "AuthenticationFailed", "InvalidToken", "MalformedSecurity"],
        &[],
        "the store does not accept the credentials",
        "check the credentials in the environment (AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or those of Azure or Google)",
    ),
    (
        &["ExpiredToken", "TokenRefreshRequired"],
        &[],
        "the credentials have expired",
        "renew the credentials and run the same command again",
    ),
    (
        &["RequestTimeTooSkewed", "RequestExpired"],
        &[],
        "the clock of this machine and that of the store are too far apart",
        "set the clock of this machine and run the same command again",
    ),
    (
        &["AuthorizationHeaderMalformed", "PermanentRedirect", "IllegalLocationConstraintException"],
        &[301, 307, 308],
        "the bucket is in another region",
        "set AWS_REGION to the region of the bucket",
    ),
    (
        &["AccessDenied", "AuthorizationPermissionMismatch"],
        &[401, 403],
        "access is denied",
        "grant these credentials the right to do that, and run the same command again",
    ),
    (
        &["InvalidBucketName", "InvalidURI", "InvalidResourceName"],
        &[],
        "the store takes this for no valid name",
        "check the URL",
    ),
];

/// The error for `action` (a verb phrase: "read", "list", "write") on `url`, which went through `proxy`, if there is
/// one.
pub(super) fn failed(
    action: &str,
    url: &Path,
    error: &object_store::Error,
    attempts: u32,
    proxy: Option<&str>,
) -> Error {
    let (answer, url) = (Answer::of(error), url.shown());
    if Failure::of(error) == Failure::NoConditions {
        return no_conditions(&url.to_string());
    }
    let again: Message = message![
        "run the same command again later; ",
        Retries,
        ", ",
        RetrySeconds,
        " and ",
        RequestTimeout,
        " say how long it is tried"
    ];
    let (what, remedy): (String, Message) = match (answer.lasting(), error) {
        (Some((what, remedy)), _) => (what.to_owned(), remedy.into()),
        (None, object_store::Error::NotFound { .. }) => {
            ("it is not there".to_owned(), "check the URL and run again".into())
        }
        (None, object_store::Error::Precondition { .. } | object_store::Error::AlreadyExists { .. }) => {
            ("it was changed meanwhile".to_owned(), "run the same command again".into())
        }
        (None, _) => (answer.reason(), again),
    };
    let tries = if attempts > 1 { format!(", {attempts} times") } else { String::new() };
    match proxy {
        None => Error::new(Kind::Io, format!("cannot {action} {url}: {what}{tries}"), remedy),
        Some(proxy) => Error::new(
            Kind::Io,
            format!("cannot {action} {url} through the proxy {proxy}: {what}{tries}"),
            message!["check that proxy (HTTPS_PROXY, HTTP_PROXY, NO_PROXY in the environment), or ", { remedy }],
        ),
    }
}

/// The error for a store that ignores or refuses conditional writes.
pub(super) fn no_conditions(url: &str) -> Error {
    Error::refused(
        format!(
            "the store of {url} does not support conditional writes, without which two runs could overwrite each other"
        ),
        "use a store that does (S3, GCS, Azure, MinIO, R2, ...), or write to a folder and copy it",
    )
}

/// What a client says of a request without an answer, and what that means. The first that it says counts.
const REASONS: [(&str, &str); 13] = [
    ("tunnel error: unsuccessful", "it makes no connection to the store"),
    ("dns error", "the name of its host cannot be resolved"),
    ("failed to lookup", "the name of its host cannot be resolved"),
    ("connection refused", "the connection is refused"),
    ("certificate", "the certificate of the store is not accepted"),
    ("timed out", "no answer in time"),
    ("timeout", "no answer in time"),
    ("connection closed", "the connection was cut"),
    ("reset", "the connection was cut"),
    ("incomplete", "the connection was cut"),
    ("eof", "the connection was cut"),
    ("connect", "no connection"),
    ("response", "the answer was cut or is damaged"),
];

impl Answer {
    /// Why the request failed in passing, without anything of the answer but its status.
    fn reason(&self) -> String {
        match self.status {
            Some(503) => "the store is busy (503)".to_owned(),
            Some(429) => "the store limits requests (429)".to_owned(),
            Some(status) => format!("the store failed ({status})"),
            None => {
                let found = REASONS.iter().find(|(word, _)| self.text.contains(word));
                found.map_or("the request failed", |(_, reason)| reason).to_owned()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Said(&'static str, Option<Box<Said>>);

    impl std::fmt::Display for Said {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str(self.0)
        }
    }

    impl std::error::Error for Said {
        fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
            self.1.as_deref().map(|inner| inner as _)
        }
    }

    #[test]
    fn words_in_the_names_of_objects_mean_nothing() {
        let busy = "Server returned non-2xx status code: 503 Service Unavailable: <Error><Code>SlowDown</Code><Key>redirect/NoSuchBucket</Key></Error>";
        let asked = "Error performing GET http://host/bucket/redirect/NoSuchBucket/403 in 3ms";
        let source = Box::new(Said(asked, Some(Box::new(Said(busy, None)))));
        let error = object_store::Error::Generic { store: "S3", source };
        assert_eq!(Failure::of(&error), Failure::Passing);
        let said = failed("read", Path::new("s3://bucket/redirect"), &error, 2, None).to_string();
        assert!(said.starts_with("cannot read s3://bucket/redirect: the store is busy (503), 2 times; "), "{said}");
    }
}
