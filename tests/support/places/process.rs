//! A server that others have written, as a process of its own that does not outlive the test.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, ChildStdout, Command, Stdio};

/// Killed when dropped. It also gets a standard input that ends with the test, however that ends, and has to end by it.
pub struct Process {
    pub address: SocketAddr,
    _child: Ending,
    /// Open, so that the server may write.
    _stdout: BufReader<ChildStdout>,
}

impl Process {
    /// Starts a server that takes a port by itself, and waits until it says `http://127.0.0.1:PORT` on its standard
    /// output; from then on it answers.
    pub fn start(command: &mut Command) -> Self {
        let started = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let child = started.unwrap_or_else(|error| panic!("{command:?} does not run ({error}): run tools/test"));
        // From here on it ends with this value, whatever happens.
        let mut child = Ending(child);
        let mut stdout = BufReader::new(child.0.stdout.take().unwrap());
        let mut said = String::new();
        loop {
            let begin = said.len();
            let read = stdout.read_line(&mut said).unwrap();
            let address = said[begin..].split_once("http://").and_then(|(_, address)| address.trim().parse().ok());
            if let Some(address) = address {
                return Process { address, _child: child, _stdout: stdout };
            }
            assert!(read > 0, "{command:?} has ended: {}; {said}", child.0.wait().unwrap());
        }
    }
}

struct Ending(Child);

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}
