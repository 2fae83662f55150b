//! A forward proxy, as `HTTP_PROXY` and `HTTPS_PROXY` name one: passes plain HTTP on to the host that a request names,
//! or refuses all.

use std::io::{self, BufReader};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};

use super::digest::base64;
use super::http::{Request, Response, broken};
use super::listener::Listener;

#[derive(Default)]
struct State {
    /// Each request that came: its method and target, as sent.
    seen: Vec<(String, String)>,
    /// The status that all are refused with.
    refusal: Option<u16>,
    /// User and password, joined by a colon, that each request must have.
    credentials: Option<String>,
}

/// Ends with its value.
pub struct ForwardProxy {
    state: Arc<Mutex<State>>,
    listener: Listener,
}

impl ForwardProxy {
    pub fn start() -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        let listener = Listener::start({
            let state = state.clone();
            move |stream| {
                // An error is a connection that has ended, on one side or the other.
                let _ = serve(&state, stream);
            }
        });
        ForwardProxy { state, listener }
    }

    /// Its URL, with user and password as in `user:word@`, or nothing.
    pub fn url(&self, credentials: &str) -> String {
        format!("http://{credentials}{}", self.listener.address)
    }

    /// Refuses all requests from now on.
    pub fn refuse(&self, status: u16) {
        self.state.lock().unwrap().refusal = Some(status);
    }

    /// Asks for `user:word` from now on.
    pub fn ask_for(&self, credentials: &str) {
        self.state.lock().unwrap().credentials = Some(credentials.to_owned());
    }

    /// The requests that came since the last call: method and target.
    pub fn take_seen(&self) -> Vec<(String, String)> {
        std::mem::take(&mut self.state.lock().unwrap().seen)
    }
}

fn serve(state: &Mutex<State>, stream: TcpStream) -> io::Result<()> {
    let mut from = BufReader::new(stream);
    while let Some(mut request) = Request::read(&mut from)? {
        let refusal = {
            let mut state = state.lock().unwrap();
            state.seen.push((request.method.clone(), request.target.clone()));
            let wanted = state.credentials.as_ref().map(|words| format!("Basic {}", base64(words.as_bytes())));
            let is_known = wanted.is_none_or(|wanted| request.headers.get("Proxy-Authorization") == Some(&*wanted));
            state.refusal.or((!is_known).then_some(407))
        };
        if let Some(status) = refusal {
            Response::new(status, "no").write(from.get_mut(), &request.method)?;
            continue;
        }
        let target = request.target.strip_prefix("http://").ok_or_else(|| broken("no request to a proxy"))?;
        let (host, path) = target.split_once('/').ok_or_else(|| broken("a target without a path"))?;
        let (host, path) = (host.to_owned(), format!("/{path}"));
        request.target = path;
        request.headers.0.retain(|(name, _)| !name.eq_ignore_ascii_case("proxy-authorization"));
        let mut server = TcpStream::connect(host)?;
        request.write(&mut server)?;
        let mut response = Response::read(&mut BufReader::new(server), &request.method)?;
        response.headers.0.retain(|(name, _)| !name.eq_ignore_ascii_case("connection"));
        response.write(from.get_mut(), &request.method)?;
    }
    Ok(())
}
