//! The one error type: what happened and where, and what to do next.
//!
//! Every message is one sentence of the form `what; remedy`. Kinds are sorted by remedy, so that a caller (or the operator
//! who reads the log at night) can tell an input to be mended from a disk to be freed.

use std::fmt;
use std::path::Path;

use crate::text::{Shown, escaped};

/// The remedy for a full disk.
pub const FREE_SPACE: &str = "free some space and run the same command again";

/// What mends the error.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// The command asks for something that has no meaning: change the command.
    Usage,
    /// An input file or its content is not as the contract says: mend the input.
    Input,
    /// The request is understood but would break a promise: do what the message says first.
    Refused,
    /// What was compared is not the same, as the command was asked to find out: look at what it names.
    Different,
    /// Another process is in the way: wait, or end it.
    Busy,
    /// The operating system said no: disk, permissions, a missing path.
    Io,
    /// The store holds bytes that it never wrote, or a partition rows that do not follow from the raw files: restore it, or produce it again.
    Corrupt,
    /// The caller has asked the work to stop: run the same again.
    Cancelled,
    /// Something that this program itself keeps up did not hold: report it.
    Internal,
}

/// Why something is not opened: what it is instead of a regular file. The cause inside the [`std::io::Error`] of opening it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Irregular(pub &'static str);

impl fmt::Display for Irregular {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for Irregular {}

/// A failure, said in one sentence. [`fmt::Display`] gives `what; remedy` on one line, whatever names stand in it: see [`escaped`].
#[derive(Debug)]
pub struct Error {
    kind: Kind,
    what: String,
    remedy: String,
}

/// The result of everything in this crate that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error of any kind, from its two halves.
    pub fn new(kind: Kind, what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Error { kind, what: what.into(), remedy: remedy.into() }
    }

    /// The command line asks for something without meaning.
    pub fn usage(what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::new(Kind::Usage, what, remedy)
    }

    /// An input is not as the contract says.
    pub fn input(what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::new(Kind::Input, what, remedy)
    }

    /// A request that would break a promise.
    pub fn refused(what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::new(Kind::Refused, what, remedy)
    }

    /// The operating system refused `action` (a verb phrase: "write", "list") on `path`; or lookback did, since it is [`Irregular`].
    pub fn io(action: &str, path: &Path, source: &std::io::Error) -> Self {
        if let Some(irregular) = source.get_ref().and_then(|inside| inside.downcast_ref::<Irregular>()) {
            return Self::input(
                format!("cannot {action} {}: it is {irregular}, not a file", path.shown()),
                "put a file in its place, or name another",
            );
        }
        let remedy = match source.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => FREE_SPACE,
            std::io::ErrorKind::PermissionDenied => "grant this user access to it and run again",
            std::io::ErrorKind::NotFound => "check the path and run again",
            _ => "mend the cause and run the same command again",
        };
        Self::new(Kind::Io, format!("cannot {action} {}: {source}", path.shown()), remedy)
    }

    /// The store holds bytes that no version of lookback writes.
    pub fn corrupt(what: impl Into<String>) -> Self {
        Self::new(
            Kind::Corrupt,
            what,
            "the store is damaged: restore it from a copy, or build it anew with `lookback backfill`",
        )
    }

    /// The caller has asked the work to stop.
    pub fn cancelled() -> Self {
        Self::new(
            Kind::Cancelled,
            "the work was stopped before its end, as was asked",
            "nothing is left half done: run the same command again to go on",
        )
    }

    /// Something that follows from this program alone did not hold.
    pub fn internal(what: impl Into<String>) -> Self {
        Self::new(
            Kind::Internal,
            what,
            "this is a fault of lookback, and nothing was changed by going on: report it with this line and the command",
        )
    }

    /// What happened and where, without the remedy.
    pub fn what(&self) -> &str {
        &self.what
    }

    /// What to do next.
    pub fn remedy(&self) -> &str {
        &self.remedy
    }

    /// What would mend it.
    pub fn kind(&self) -> Kind {
        self.kind
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", escaped(&self.what), escaped(&self.remedy))
    }
}

impl std::error::Error for Error {}
