//! The proxy of faults: counts what passes, and lets go wrong what it was told.

use std::io::{self, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::Child;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;
use std::time::Duration;

use super::Endpoint;
use super::http::{Request, Response};
use super::kind::{self, Kind};
use super::listener::Listener;
use super::refusal::Refusal;
use super::rule::{Fault, Rule, When};

/// How long a server may take for one answer, and a child until it stalls; nobody waits so long but for a fault in a
/// test.
const PATIENCE: Duration = Duration::from_secs(100);

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
struct State {
    seen: Vec<Seen>,
    rules: Vec<Rule>,
    delay: Duration,
    /// Requests that the server gets later: how many others come before, the place in `seen`, the request.
    held: Vec<(usize, usize, Request)>,
    under_way: usize,
    most_at_once: usize,
    stalled: usize,
    is_ended: bool,
}

struct Between {
    upstream: SocketAddr,
    state: Mutex<State>,
    changed: Condvar,
}

/// Stands before a server on a loopback port of its own; ends with its value, which is dropped before the server's.
pub struct Proxy<'a> {
    server: &'a dyn Endpoint,
    between: Arc<Between>,
    listener: Listener,
}

impl<'a> Proxy<'a> {
    pub fn to(server: &'a dyn Endpoint) -> Self {
        let (state, changed) = (Mutex::new(State::default()), Condvar::new());
        let between = Arc::new(Between { upstream: server.address(), state, changed });
        let listener = Listener::start({
            let between = between.clone();
            move |stream| {
                // An error is a connection that has ended, on one side or the other.
                let _ = between.serve(stream);
            }
        });
        Proxy { server, between, listener }
    }

    /// Lets a fault happen. Where several rules meet a request, all count it, and the first that was given and hits it
    /// is the one that happens.
    pub fn fail(&self, when: When, fault: Fault) {
        self.between.state().rules.push(Rule::new(when, fault));
    }

    /// No faults from now on.
    pub fn heal(&self) {
        self.between.state().rules.clear();
    }

    /// Delays every request so long, those that come at once alike.
    pub fn delay(&self, delay: Duration) {
        self.between.state().delay = delay;
    }

    /// All requests, in the order in which they came.
    pub fn requests(&self) -> Vec<Seen> {
        self.between.state().seen.clone()
    }

    /// How many there were of a kind.
    pub fn count(&self, kind: Kind) -> usize {
        self.between.state().seen.iter().filter(|seen| seen.kind == kind).count()
    }

    /// How many were under way at once, at most.
    pub fn most_at_once(&self) -> usize {
        self.between.state().most_at_once
    }

    /// Forgets the requests so far; rules go on counting.
    pub fn forget(&self) {
        let mut state = self.between.state();
        assert!(state.under_way == state.stalled, "requests are under way");
        // Those that are held point to their places.
        assert!(state.held.is_empty(), "requests are held: deliver them first");
        state.seen.clear();
        state.most_at_once = state.under_way;
    }

    /// Brings the server what is held by `Late` and `TwiceLater`, in order; else it is lost with the proxy.
    pub fn deliver(&self) {
        self.between.state().held.iter_mut().for_each(|(left, _, _)| *left = 0);
        self.between.bring_due().unwrap();
    }

    /// Waits until a request has stalled; false where the child has ended before. So a process is killed at a request:
    /// with `Stall` before the server has done it, with `StallAfter` behind that.
    pub fn wait_stalled(&self, child: &mut Child) -> bool {
        let turn = Duration::from_millis(5);
        let mut state = self.between.state();
        for _ in 0..PATIENCE.as_millis() / turn.as_millis() {
            if state.stalled > 0 {
                return true;
            }
            if child.try_wait().unwrap().is_some() {
                return false;
            }
            state = self.between.changed.wait_timeout(state, turn).unwrap().0;
        }
        panic!("the child neither stalls nor ends");
    }
}

impl Endpoint for Proxy<'_> {
    fn address(&self) -> SocketAddr {
        self.listener.address
    }

    fn environment_at(&self, address: SocketAddr) -> Vec<(String, String)> {
        self.server.environment_at(address)
    }

    fn url(&self, key: &str) -> String {
        self.server.url(key)
    }
}

impl Drop for Proxy<'_> {
    fn drop(&mut self) {
        self.between.state().is_ended = true;
        self.between.changed.notify_all();
    }
}

impl Between {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn serve(&self, stream: TcpStream) -> io::Result<()> {
        let mut from = BufReader::new(stream);
        while let Some(request) = Request::read(&mut from)? {
            let (place, fault, delay) = self.arrive(&request);
            thread::sleep(delay);
            let goes_on = self.pass(&request, place, fault, from.get_mut());
            self.state().under_way -= 1;
            if !goes_on? {
                break;
            }
        }
        Ok(())
    }

    fn arrive(&self, request: &Request) -> (usize, Option<Fault>, Duration) {
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

    /// Lets a request pass, or not; false where the connection is to be cut then.
    fn pass(&self, request: &Request, place: usize, fault: Option<Fault>, client: &mut TcpStream) -> io::Result<bool> {
        let method = request.method.as_str();
        match fault {
            None => self.forward(request, place, client)?,
            Some(Fault::Delay(delay)) => {
                thread::sleep(delay);
                self.forward(request, place, client)?;
            }
            Some(Fault::Status(status, code)) => refused(status, code).write(client, method)?,
            Some(Fault::StatusAfter(status, code)) => {
                self.ask(request, place)?;
                refused(status, code).write(client, method)?;
            }
            Some(Fault::Cut) => return Ok(false),
            Some(Fault::LostAnswer) => {
                self.ask(request, place)?;
                return Ok(false);
            }
            Some(Fault::CutAnswer) => {
                half(&self.ask(request, place)?, method, client)?;
                return Ok(false);
            }
            Some(Fault::StallAnswer) => {
                half(&self.ask(request, place)?, method, client)?;
                self.stall();
                return Ok(false);
            }
            Some(Fault::Twice) => {
                self.ask(request, place)?;
                self.ask(request, place)?.write(client, method)?;
            }
            Some(Fault::TwiceLater(others)) => {
                let response = self.ask(request, place)?;
                self.state().held.push((others, place, request.clone()));
                response.write(client, method)?;
            }
            Some(Fault::Late(others)) => {
                self.state().held.push((others, place, request.clone()));
                return Ok(false);
            }
            Some(Fault::Stall) => {
                self.stall();
                return Ok(false);
            }
            Some(Fault::StallAfter) => {
                self.ask(request, place)?;
                self.stall();
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Sends a request to the server; gives the head of the answer, and where its body comes from.
    fn send(&self, request: &Request, place: usize) -> io::Result<(Response, Option<usize>, BufReader<TcpStream>)> {
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
    fn ask(&self, request: &Request, place: usize) -> io::Result<Response> {
        let (head, length, mut from) = self.send(request, place)?;
        let response = head.read_body(&mut from, length)?;
        self.served()?;
        Ok(response)
    }

    /// The server's answer, handed on as it comes, if it is known how long it is.
    fn forward(&self, request: &Request, place: usize, client: &mut TcpStream) -> io::Result<()> {
        let (head, length, mut from) = self.send(request, place)?;
        self.served()?;
        let Some(mut left) = length.filter(|length| *length > 0) else {
            return head.read_body(&mut from, length)?.write(client, &request.method);
        };
        client.write_all(&head.head("HEAD"))?;
        let mut buffer = vec![0; 64 << 10];
        while left > 0 {
            let room = left.min(buffer.len());
            let read = from.read(&mut buffer[..room])?;
            if read == 0 {
                return Err(super::http::broken("the server's answer ends early"));
            }
            client.write_all(&buffer[..read])?;
            left -= read;
        }
        Ok(())
    }

    /// The server has done a request: what was held for it comes now, before the client hears of anything.
    fn served(&self) -> io::Result<()> {
        self.state().held.iter_mut().for_each(|(left, _, _)| *left = left.saturating_sub(1));
        self.bring_due()
    }

    fn bring_due(&self) -> io::Result<()> {
        let due: Vec<_> = self.state().held.extract_if(.., |(left, _, _)| *left == 0).collect();
        for (_, place, request) in due {
            let (head, length, mut from) = self.send(&request, place)?;
            head.read_body(&mut from, length)?;
        }
        Ok(())
    }

    /// Waits for the end.
    fn stall(&self) {
        let mut state = self.state();
        state.stalled += 1;
        self.changed.notify_all();
        while !state.is_ended {
            state = self.changed.wait(state).unwrap();
        }
    }
}

fn refused(status: u16, code: &'static str) -> Response {
    Refusal::new(status, code, "As the test wants it.").response()
}

/// Sends an answer up to its middle.
fn half(response: &Response, method: &str, client: &mut TcpStream) -> io::Result<()> {
    let head = response.head(method);
    let body = if method == "HEAD" { &[] } else { response.body.bytes() };
    if body.is_empty() {
        client.write_all(&head[..head.len() / 2])?;
    } else {
        client.write_all(&head)?;
        client.write_all(&body[..body.len() / 2])?;
    }
    client.flush()
}
