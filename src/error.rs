//! The one error type: what happened and where, and what to do next.
//!
//! Every message is one sentence of the form `what; remedy`. Kinds are sorted by remedy, so that a caller (or the
//! operator who reads the log at night) can tell an input to be mended from a disk to be freed.

use std::fmt;
use std::path::Path;

use crate::message::{Message, message};
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
    /// The store holds bytes that it never wrote, or a partition rows that do not follow from the raw files: restore
    /// it, or produce it again.
    Corrupt,
    /// The caller has asked the work to stop: run the same again.
    Cancelled,
    /// Something that this program itself keeps up did not hold: report it.
    Internal,
}

/// Why something is not opened: what it is instead of a regular file. The cause inside the [`std::io::Error`] of
/// opening it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Irregular(pub &'static str);

impl fmt::Display for Irregular {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for Irregular {}

/// A failure, said in one sentence. [`fmt::Display`] gives `what; remedy` on one line, whatever names stand in it: see
/// [`escaped`].
#[derive(Debug)]
pub struct Error {
    kind: Kind,
    what: Message,
    remedy: Message,
    cause: Option<Cause>,
}

/// What another crate or the system said, as it said it.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

/// The result of everything in this crate that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error of any kind, from its two halves.
    pub fn new(kind: Kind, what: impl Into<Message>, remedy: impl Into<Message>) -> Self {
        Error { kind, what: what.into(), remedy: remedy.into(), cause: None }
    }

    /// The command line asks for something without meaning.
    pub fn usage(what: impl Into<Message>, remedy: impl Into<Message>) -> Self {
        Self::new(Kind::Usage, what, remedy)
    }

    /// An input is not as the contract says.
    pub fn input(what: impl Into<Message>, remedy: impl Into<Message>) -> Self {
        Self::new(Kind::Input, what, remedy)
    }

    /// A request that would break a promise.
    pub fn refused(what: impl Into<Message>, remedy: impl Into<Message>) -> Self {
        Self::new(Kind::Refused, what, remedy)
    }

    /// The same error with what it follows from, which [`std::error::Error::source`] then gives. The message does not
    /// change: it cites the cause where that helps.
    pub fn caused_by(self, cause: impl Into<Cause>) -> Self {
        Error { cause: Some(cause.into()), ..self }
    }

    /// The operating system refused `action` (a verb phrase: "write", "list") on `path`; or lookback did, since it is
    /// [`Irregular`].
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
            _ => "mend the cause and run the same command again",
        };
        Self::new(Kind::Io, format!("cannot {action} {}: {source}", path.shown()), remedy).caused_by(source)
    }

    /// The store holds bytes that no version of lookback writes.
    pub fn corrupt(what: impl Into<Message>) -> Self {
        Self::new(
            Kind::Corrupt,
            what,
            message!["the store is damaged: restore it from a copy, or build it anew with ", [Backfill]],
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
    pub fn internal(what: impl Into<Message>) -> Self {
        Self::new(
            Kind::Internal,
            what,
            "this is a fault of lookback, and nothing was changed by going on: report it with this line and the command",
        )
    }

    /// All of it: `what; remedy`.
    pub fn message(&self) -> Message {
        message![{ self.what.clone() }, "; ", { self.remedy.clone() }]
    }

    /// What happened and where, without the remedy.
    pub fn what(&self) -> &Message {
        &self.what
    }

    /// What to do next.
    pub fn remedy(&self) -> &Message {
        &self.remedy
    }

    /// What would mend it.
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
