//! What goes wrong between a client and an object store, and at which request.

use std::time::Duration;

use super::kind::Kind;

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fault {
    /// The request waits this long before it reaches the server, beside what all wait.
    Delay(Duration),
    /// Answered with a status and a code in the server's place, which never sees it. With 200: the error in the body of
    /// a success, as S3 does it for what takes long.
    Status(u16, &'static str),
    /// The server has done it; the client hears a status and a code of an error.
    StatusAfter(u16, &'static str),
    /// The connection is cut before the server sees the request.
    Cut,
    /// The server has done it; the connection is cut before a byte of the answer.
    LostAnswer,
    /// The connection is cut in the middle of the answer's body, or of its head where it has none.
    CutAnswer,
    /// The server gets it twice, one after the other; the client hears the second answer.
    Twice,
    /// The client hears the first answer; the server gets the request again once it has done this many later ones.
    TwiceLater(usize),
    /// The connection is cut, and the server gets the request once it has done this many later ones.
    Late(usize),
    /// The server never sees it, and the client never hears anything.
    Stall,
    /// The server has done it, and the client never hears anything.
    StallAfter,
    /// The client hears half of the answer, as with `CutAnswer`, and then nothing, over an open connection.
    StallAnswer,
}

/// What goes wrong in passing, and is made good by the next attempt.
pub const IN_PASSING: [Fault; 8] = [
    Fault::Status(503, "SlowDown"),
    Fault::StatusAfter(500, "InternalError"),
    Fault::Cut,
    Fault::LostAnswer,
    Fault::CutAnswer,
    Fault::Twice,
    Fault::TwiceLater(1),
    Fault::Late(1),
];

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Which {
    Nth(usize),
    First(usize),
    Every,
}

/// Which requests are meant: counted, from 1, among those of the kind and with the key, since the rule was given.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct When {
    which: Which,
    kind: Option<Kind>,
    key: Option<String>,
}

pub fn nth(number: usize) -> When {
    When { which: Which::Nth(number), kind: None, key: None }
}

/// The first so many.
pub fn first(count: usize) -> When {
    When { which: Which::First(count), kind: None, key: None }
}

pub fn every() -> When {
    When { which: Which::Every, kind: None, key: None }
}

impl When {
    pub fn of(self, kind: Kind) -> Self {
        When { kind: Some(kind), ..self }
    }

    /// Whose key, or prefix, has this text in it.
    pub fn at(self, key: &str) -> Self {
        When { key: Some(key.to_owned()), ..self }
    }
}

/// A fault at some requests, and how many it has counted.
pub struct Rule {
    when: When,
    fault: Fault,
    counted: usize,
}

impl Rule {
    pub fn new(when: When, fault: Fault) -> Self {
        Rule { when, fault, counted: 0 }
    }

    /// Counts a request if it is one of those; gives the fault if this is the one.
    pub fn count(&mut self, kind: Kind, key: &str) -> Option<Fault> {
        let is_one = self.when.kind.is_none_or(|own| own == kind);
        if !is_one || !self.when.key.as_ref().is_none_or(|own| key.contains(own)) {
            return None;
        }
        self.counted += 1;
        let is_hit = match self.when.which {
            Which::Nth(number) => self.counted == number,
            Which::First(count) => self.counted <= count,
            Which::Every => true,
        };
        is_hit.then_some(self.fault)
    }
}
