//! The one error type: what happened and where, and what to do next.
//!
//! Every message is one sentence of the form `what; remedy`. Kinds are sorted by remedy, so that a caller (or the
//! operator who reads the log at night) can tell an input to fix from a disk to free.

use std::fmt;
use std::path::Path;

use crate::message::{Message, message};
use crate::text::{Shown, escaped};

/// The remedy for a full disk.
pub const FREE_SPACE: &str = "free some space and run the same command again";

/// The kind of remedy.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// The command makes no sense: change the command.
    Usage,
    /// An input file or its content violates the contract: fix the input.
    Input,
    /// The request makes sense but would break a guarantee: first do what the message says.
    Refused,
    /// The compared data differs, which the command was asked to check: look at what the message names.
    Different,
    /// Another process holds the resource: wait, or end that process.
    Busy,
    /// The operating system refused: disk, permissions, a missing path.
    Io,
    /// The store holds bytes that it never wrote, or a partition has rows that do not follow from the raw files:
    /// restore the store, or produce the partition again.
    Corrupt,
    /// The caller has asked the work to stop: run the same command again.
    Cancelled,
    /// An invariant of this program is violated: report it.
    Internal,
}

/// Why a file is not opened: the kind of file that it is instead of a regular one. The cause inside the
/// [`std::io::Error`] of opening it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Irregular(pub &'static str);

impl fmt::Display for Irregular {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for Irregular {}

/// A failure, described in one sentence. [`fmt::Display`] gives `what; remedy` on one line, whatever names it contains:
/// see [`escaped`].
///
/// ```
/// use lookback::error::Kind;
/// use lookback::store::{Folder, Store};
///
/// let Err(error) = Store::open_reader(&Folder::new("no/store".as_ref())) else { panic!("there is none") };
/// assert_eq!(error.kind(), Kind::Refused);
/// println!("{}: what to do: {}", error.what(), error.remedy());
/// ```
#[derive(Debug)]
pub struct Error {
    kind: Kind,
    what: Message,
    remedy: Message,
    cause: Option<Cause>,
}

/// The original error of another crate or the system.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

/// The result of everything in this crate that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// Returns an error of any kind, from its two halves.
    pub fn new(kind: Kind, what: impl Into<Message>, remedy: impl Into<Message>) -> Self {
        Error { kind, what: what.into(), remedy: remedy.into(), cause: None }
    }

    /// Returns the error for a command line that makes no sense.
    pub fn usage(what: impl Into<Message>, remedy: impl Into<Message>) -> Self {
        Self::new(Kind::Usage, what, remedy)
    }

    /// Returns the error for an input that violates the contract.
    pub fn input(what: impl Into<Message>, remedy: impl Into<Message>) -> Self {
        Self::new(Kind::Input, what, remedy)
    }

    /// Returns the error for a request that would break a guarantee.
    pub fn refused(what: impl Into<Message>, remedy: impl Into<Message>) -> Self {
        Self::new(Kind::Refused, what, remedy)
    }

    /// Returns the same error with its cause, which [`std::error::Error::source`] then gives. The message does not
    /// change: it cites the cause where that helps.
    pub fn caused_by(self, cause: impl Into<Cause>) -> Self {
        Error { cause: Some(cause.into()), ..self }
    }

    /// Returns the same error without its cause, for another that waited for the same work.
    pub(crate) fn again(&self) -> Self {
        Error { kind: self.kind, what: self.what.clone(), remedy: self.remedy.clone(), cause: None }
    }

    /// Returns the error for `action` (a verb phrase: "write", "list") refused on `path` by the operating system; or by
    /// lookback, since the file is [`Irregular`].
    pub fn io(action: &str, path: &Path, source: std::io::Error) -> Self {
        if let Some(irregular) = source.get_ref().and_then(|inside| inside.downcast_ref::<Irregular>()) {
            return Self::input(
                format!("cannot {action} {}: it is {irregular}, not a file", path.shown()),
                "put a file in its place, or name another",
            )
            .caused_by(source);
        }
        let remedy = match source.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => FREE_SPACE,
            std::io::ErrorKind::PermissionDenied => "grant this user access to it and run again",
            std::io::ErrorKind::NotFound => "check the path and run again",
            _ => "fix the cause and run the same command again",
        };
        Self::new(Kind::Io, format!("cannot {action} {}: {source}", path.shown()), remedy).caused_by(source)
    }

    /// Returns the error for a store with bytes that no version of lookback writes.
    pub fn corrupt(what: impl Into<Message>) -> Self {
        Self::new(
            Kind::Corrupt,
            what,
            message!["the store is damaged: restore it from a backup, or rebuild it with ", [Backfill]],
        )
    }

    /// Returns the error for work that the caller has asked to stop.
    pub fn cancelled() -> Self {
        Self::new(
            Kind::Cancelled,
            "the work was stopped before its end, on request",
            "nothing is half done: run the same command again to continue",
        )
    }

    /// Returns the error for a violated invariant of this program.
    pub fn internal(what: impl Into<Message>) -> Self {
        Self::new(
            Kind::Internal,
            what,
            "this is a bug in lookback, which stopped before doing harm: report it with this line and the command",
        )
    }

    /// Returns the whole message: `what; remedy`.
    pub fn message(&self) -> Message {
        message![{ self.what.clone() }, "; ", { self.remedy.clone() }]
    }

    /// Returns what happened and where, without the remedy.
    pub fn what(&self) -> &Message {
        &self.what
    }

    /// Returns what to do next.
    pub fn remedy(&self) -> &Message {
        &self.remedy
    }

    /// Returns the kind of remedy.
    pub fn kind(&self) -> Kind {
        self.kind
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&escaped(&self.message().to_string()))
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.cause {
            Some(cause) => Some(cause.as_ref()),
            None => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;
    use std::io;

    use super::*;

    #[test]
    fn an_error_of_the_system_is_its_cause() {
        let error = Error::io("write", Path::new("x"), io::Error::from_raw_os_error(28));
        let cause = error.source().and_then(|cause| cause.downcast_ref::<io::Error>()).unwrap();
        assert_eq!((cause.kind(), cause.raw_os_error()), (io::ErrorKind::StorageFull, Some(28)));
        assert_eq!(error.to_string(), format!("cannot write x: {cause}; {FREE_SPACE}"));
        let irregular = Error::io("open", Path::new("x"), io::Error::other(Irregular("a pipe")));
        let cause = irregular.source().and_then(|cause| cause.downcast_ref::<io::Error>()).unwrap();
        assert_eq!(cause.get_ref().and_then(|inside| inside.downcast_ref()), Some(&Irregular("a pipe")));
    }

    #[test]
    fn a_cause_changes_no_message() {
        let without = Error::input("it is odd", "mend it");
        assert!(without.source().is_none());
        let outer = Error::corrupt("x").caused_by(Error::input("it is odd", "mend it"));
        let inner = outer.source().and_then(|cause| cause.downcast_ref::<Error>()).unwrap();
        assert_eq!((inner.kind(), inner.to_string()), (Kind::Input, without.to_string()));
        assert_eq!(outer.to_string(), Error::corrupt("x").to_string());
    }
}
