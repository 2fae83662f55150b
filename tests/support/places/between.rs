//! What the threads of the proxy share: the record, the rules, and the way to the server.

use std::io::{self, BufReader};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::http::{Request, Response};
use super::kind::{self, Kind};
use super::rule::{Fault, Rule};

/// How long a server may take for one answer, and a child until it stalls; nobody waits so long but for a fault in a
/// test.
pub const PATIENCE: Duration = Duration::from_secs(100);

/// A request that came to the proxy.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Seen {
    pub kind: Kind,
    /// The key, or for lists the prefix.
    pub key: String,
    pub method: String,
    /// The path and the query, as sent.
    pub target: String,
    /// Bytes of its body.
    pub length: usize,
    /// What the server answered last; `None` while, or where, it did not.
    pub status: Option<u16>,
    pub fault: Option<Fault>,
}

#[derive(Default)]
pub struct State {
    pub seen: Vec<Seen>,
    pub rules: Vec<Rule>,
    pub delay: Duration,
    /// Requests that the server gets later: how many others come before, the place in `seen`, the request.
    pub held: Vec<(usize, usize, Request)>,
    pub under_way: usize,
    pub most_at_once: usize,
    pub stalled: usize,
    /// How often those that stall were let go.
    pub releases: usize,
}

pub struct Between {
    pub upstream: SocketAddr,
    pub state: Mutex<State>,
    pub changed: Condvar,
}

impl Between {
    pub fn state(&self) -> MutexGuard<'_, State> {
        // Of a test that fails, and whose values end now.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records a request; gives its place in `seen`, what is to go wrong, and how long all wait.
    pub fn arrive(&self, request: &Request) -> (usize, Option<Fault>, Duration) {
        let (kind, key) = (Kind::of(request), kind::key(request));
        let state = &mut *self.state();
        let mut fault = None;
        for rule in &mut state.rules {
            let hit = rule.count(kind, &key);
            fault = fault.or(hit);
        }
        let (method, target, length) = (request.method.clone(), request.target.clone(), request.body.len());
        state.seen.push(Seen { kind, key, method, target, length, status: None, fault });
        state.under_way += 1;
        state.most_at_once = state.most_at_once.max(state.under_way);
        (state.seen.len() - 1, fault, state.delay)
    }

    /// Sends a request to the server; gives the head of the answer, and where its body comes from.
    pub fn send(&self, request: &Request, place: usize) -> io::Result<(Response, Option<usize>, BufReader<TcpStream>)> {
        let mut server = TcpStream::connect(self.upstream)?;
        server.set_nodelay(true)?;
        server.set_read_timeout(Some(PATIENCE))?;
        request.write(&mut server)?;
        let mut from = BufReader::new(server);
        let (mut head, length) = Response::read_head(&mut from, &request.method)?;
        head.headers.0.retain(|(name, _)| !name.eq_ignore_ascii_case("connection"));
        self.state().seen[place].status = Some(head.status);
        Ok((head, length, from))
    }

    /// The server's answer, whole.
    pub fn ask(&self, request: &Request, place: usize) -> io::Result<Response> {
        let (head, length, mut from) = self.send(request, place)?;
        let response = head.read_body(&mut from, length)?;
        self.served()?;
        Ok(response)
    }

    /// The server has done a request: what was held for it comes now, before the client hears of anything.
    pub fn served(&self) -> io::Result<()> {
        self.state().held.iter_mut().for_each(|(left, _, _)| *left = left.saturating_sub(1));
        self.bring_due()
    }

    /// Brings the server what is held and due.
    pub fn bring_due(&self) -> io::Result<()> {
        let due: Vec<_> = self.state().held.extract_if(.., |(left, _, _)| *left == 0).collect();
        for (_, place, request) in due {
            let (head, length, mut from) = self.send(&request, place)?;
            head.read_body(&mut from, length)?;
        }
        Ok(())
    }

    /// Keeps a request that is under way until all that stall are let go; from then on it is under way no more.
    pub fn stall(&self) {
        let mut state = self.state();
        state.stalled += 1;
        self.changed.notify_all();
        let releases = state.releases;
        while state.releases == releases {
            state = self.changed.wait(state).unwrap();
        }
        state.stalled -= 1;
        state.under_way -= 1;
        self.changed.notify_all();
    }

    /// Lets all go that stall: their connections are cut.
    pub fn release(&self) {
        self.state().releases += 1;
        self.changed.notify_all();
    }
}
