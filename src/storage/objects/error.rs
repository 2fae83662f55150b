//! What an object store refuses, as sentences. They name the URL, the status and the store's own code, and nothing else
//! of the answer: some stores send credentials back in the body of an error.

use std::error::Error as _;

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

/// Codes by which a store says that it does not know the condition of a write.
const NO_CONDITIONS: [&str; 2] = ["NotImplemented", "501 Not Implemented"];

impl Failure {
    pub(super) fn of(error: &object_store::Error) -> Self {
        use object_store::Error as Of;
        let text = chain(error);
        let has = |codes: &[&str]| codes.iter().any(|code| text.contains(code));
        match error {
            _ if has(&["NoSuchBucket", "ContainerNotFound", "The specified bucket does not exist"]) => Failure::Lasting,
            Of::NotFound { .. } => Failure::Missing,
            Of::AlreadyExists { .. } | Of::Precondition { .. } => Failure::Condition,
            Of::NotImplemented { .. } | Of::NotSupported { .. } => Failure::NoConditions,
            _ if has(&NO_CONDITIONS) => Failure::NoConditions,
            Of::PermissionDenied { .. } | Of::Unauthenticated { .. } | Of::InvalidPath { .. } => Failure::Lasting,
            _ if LASTING.iter().any(|(codes, _, _)| has(codes)) => Failure::Lasting,
            _ if has(&["400 Bad Request", "405 Method Not Allowed", "411 ", "redirect"]) => Failure::Lasting,
            _ => Failure::Passing,
        }
    }
}

/// The error with its causes, for looking at codes. It is never shown: it may hold secrets.
fn chain(error: &object_store::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push('\n');
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}

/// Codes, what they mean, and what to do. The first that the text holds counts.
const LASTING: [(&[&str], &str, &str); 7] = [
    (
        &["NoSuchBucket", "ContainerNotFound", "The specified bucket does not exist"],
        "there is no such bucket or container",
        "check the URL, and the endpoint and region in the environment (AWS_ENDPOINT_URL, AWS_REGION)",
    ),
    (
        &["InvalidAccessKeyId", "SignatureDoesNotMatch", "AuthenticationFailed", "InvalidToken", "MalformedSecurity"],
        "the store does not accept the credentials",
        "check the credentials in the environment (AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or those of Azure or Google)",
    ),
    (
        &["ExpiredToken", "TokenRefreshRequired"],
        "the credentials have expired",
        "renew the credentials and run the same command again",
    ),
    (
        &["RequestTimeTooSkewed", "RequestExpired"],
        "the clock of this machine and that of the store are too far apart",
        "set the clock of this machine and run the same command again",
    ),
    (
        &["AuthorizationHeaderMalformed", "PermanentRedirect", "redirect", "IllegalLocationConstraint"],
        "the bucket is in another region",
        "set AWS_REGION to the region of the bucket",
    ),
    (
        &["AccessDenied", "403 Forbidden", "401 Unauthorized", "AuthorizationPermissionMismatch"],
        "access is denied",
        "grant these credentials the right to do that, and run the same command again",
    ),
    (
        &["InvalidBucketName", "InvalidURI", "InvalidResourceName"],
        "the store takes this for no valid name",
        "check the URL",
    ),
];

/// The error for `action` (a verb phrase: "read", "list", "write") on `url`.
pub(super) fn failed(action: &str, url: &std::path::Path, error: &object_store::Error, attempts: u32) -> Error {
    let text = chain(error);
    let url = url.shown();
    let known = LASTING.iter().find(|(codes, _, _)| codes.iter().any(|code| text.contains(code)));
    if let Some((_, what, remedy)) = known {
        return Error::new(Kind::Io, format!("cannot {action} {url}: {what}"), *remedy);
    }
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
    let (what, remedy): (String, Message) = match error {
        object_store::Error::NotFound { .. } => ("it is not there".to_owned(), "check the URL and run again".into()),
        object_store::Error::Precondition { .. } | object_store::Error::AlreadyExists { .. } => {
            ("it was changed meanwhile".to_owned(), "run the same command again".into())
        }
        _ => (reason(&text), again),
    };
    let tries = if attempts > 1 { format!(", {attempts} times") } else { String::new() };
    Error::new(Kind::Io, format!("cannot {action} {url}: {what}{tries}"), remedy)
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

/// Why a request failed in passing, without anything of the answer but its status.
fn reason(text: &str) -> String {
    let statuses = [
        ("503", "the store is busy (503)"),
        ("SlowDown", "the store is busy (SlowDown)"),
        ("429", "the store limits requests (429)"),
        ("500", "the store failed (500)"),
        ("502", "the store failed (502)"),
        ("504", "the store failed (504)"),
    ];
    if let Some((_, reason)) = statuses.iter().find(|(code, _)| {
        text.contains(&format!("status code: {code}")) || (text.contains(code) && *code == "SlowDown")
    }) {
        return (*reason).to_owned();
    }
    let lower = text.to_lowercase();
    let words = [
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
        ("decoding", "the answer was cut or is damaged"),
        ("invalid list response", "the answer was cut or is damaged"),
    ];
    let found = words.iter().find(|(word, _)| lower.contains(word));
    found.map_or("the request failed", |(_, reason)| reason).to_owned()
}
