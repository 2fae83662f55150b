//! A loopback port, a thread for each connection, and an end that leaves none of them behind.

use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

#[derive(Default)]
struct Open {
    is_ended: bool,
    streams: Vec<TcpStream>,
    /// Connections whose threads have not ended.
    served: usize,
    /// Who was accepted last; in the order in which they came.
    last: Option<SocketAddr>,
}

/// Accepts connections until it is dropped; then all are shut, and their threads have ended.
pub struct Listener {
    pub address: SocketAddr,
    open: Arc<Mutex<Open>>,
    thread: Option<JoinHandle<()>>,
}

impl Listener {
    /// Gives each connection to `serve`, on a thread of its own. `serve` ends when its connection does.
    pub fn start(serve: impl Fn(TcpStream) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let open = Arc::new(Mutex::new(Open::default()));
        let thread = thread::spawn({
            let (shared, serve) = (open.clone(), Arc::new(serve));
            move || {
                let mut threads: Vec<JoinHandle<()>> = Vec::new();
                for stream in listener.incoming() {
                    // A client may have gone before its connection was accepted.
                    let Ok(stream) = stream else { continue };
                    stream.set_nodelay(true).unwrap();
                    let mut open = shared.lock().unwrap();
                    if open.is_ended {
                        break;
                    }
                    open.streams.retain(|stream| stream.peer_addr().is_ok());
                    open.streams.push(stream.try_clone().unwrap());
                    open.served += 1;
                    open.last = stream.peer_addr().ok();
                    drop(open);
                    let ending = Served(shared.clone());
                    let serve = serve.clone();
                    threads.retain(|thread| !thread.is_finished());
                    threads.push(thread::spawn(move || {
                        let own = stream.try_clone().unwrap();
                        let _ending = ending;
                        serve(stream);
                        let _ = own.shutdown(Shutdown::Both);
                    }));
                }
                for thread in threads {
                    let served = thread.join();
                    assert!(served.is_ok() || thread::panicking(), "a thread of a connection has panicked: see above");
                }
            }
        });
        Listener { address, open, thread: Some(thread) }
    }
}

impl Listener {
    /// How many connections are served, after all that were made before this call have been accepted; `None` while some
    /// may be waiting still.
    pub fn served(&self, probe: &TcpStream) -> Option<usize> {
        let open = self.open.lock().unwrap();
        // The probe is one of them.
        (open.last == probe.local_addr().ok()).then(|| open.served - 1)
    }
}

/// Counts a connection as served until it is dropped.
struct Served(Arc<Mutex<Open>>);

impl Drop for Served {
    fn drop(&mut self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).served -= 1;
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.is_ended = true;
        for stream in open.streams.drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
        drop(open);
        // So that it sees that it has ended.
        let _ = TcpStream::connect(self.address);
        let ended = self.thread.take().unwrap().join();
        assert!(ended.is_ok() || thread::panicking(), "the listener has panicked: see above");
    }
}
