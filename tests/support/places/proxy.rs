//! The proxy of faults: counts what passes, and lets go wrong what it was told.

use std::net::{SocketAddr, TcpStream};
use std::process::Child;
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

use super::Endpoint;
use super::between::{Between, PATIENCE, Seen, State};
use super::kind::Kind;
use super::listener::Listener;
use super::passing;
use super::rule::{Fault, Rule, When};

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
                let _ = passing::serve(&between, stream);
            }
        });
        Proxy { server, between, listener }
    }

    /// Lets a fault happen. Where several rules meet a request, all count it, and the first that was given and hits it
    /// is the one that happens.
    pub fn fail(&self, when: When, fault: Fault) {
        self.between.state().rules.push(Rule::new(when, fault));
    }

    /// No faults from now on; what stalls is cut.
    pub fn heal(&self) {
        self.between.state().rules.clear();
        self.between.release();
        let mut state = self.between.state();
        while state.stalled > 0 {
            state = self.between.changed.wait(state).unwrap();
        }
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
        assert_eq!(state.under_way, state.stalled, "requests are under way");
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

    /// Kills a process at a request: once one has stalled, with `Stall` before the server has done it, with
    /// `StallAfter` behind that. What it has sent beside that one is done when this returns. False where it has ended
    /// before.
    pub fn kill_stalled(&self, child: &mut Child) -> bool {
        let is_stalled = self.wait_stalled(child);
        if is_stalled {
            child.kill().unwrap();
            child.wait().unwrap();
        }
        self.settle();
        is_stalled
    }

    /// Waits until all is done that clients have sent, but for what stalls; to be called when they have ended.
    pub fn settle(&self) {
        let probe = TcpStream::connect(self.address()).unwrap();
        let turn = Duration::from_millis(1);
        for _ in 0..PATIENCE.as_millis() / turn.as_millis() {
            let stalled = self.between.state().stalled;
            if self.listener.served(&probe) == Some(stalled) {
                return;
            }
            thread::sleep(turn);
        }
        panic!("requests are under way, or clients have not ended");
    }

    /// Waits until a request has stalled; false where the child has ended before.
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
        self.between.release();
    }
}
