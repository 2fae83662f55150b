//! The way of one request through the proxy, with what goes wrong on it.

use std::cell::Cell;
use std::io::{self, BufReader, Read, Write};
use std::net::TcpStream;
use std::thread;

use super::between::Between;
use super::http::{Request, Response};
use super::refusal::Refusal;
use super::rule::Fault;

/// Lets the requests of a connection pass, one after the other.
pub fn serve(between: &Between, stream: TcpStream) -> io::Result<()> {
    let mut from = BufReader::new(stream);
    while let Some(request) = Request::read(&mut from)? {
        let (place, fault, delay) = between.arrive(&request);
        thread::sleep(delay);
        let passing = Passing { between, is_ended: Cell::new(false) };
        if !passing.pass(&request, place, fault, from.get_mut())? {
            break;
        }
    }
    Ok(())
}

/// A request between its arrival and the last byte of its answer: before that is sent it counts as ended, so that one
/// that the client sends then never seems to be beside it.
struct Passing<'a> {
    between: &'a Between,
    is_ended: Cell<bool>,
}

impl Drop for Passing<'_> {
    fn drop(&mut self) {
        self.end();
    }
}

impl Passing<'_> {
    fn end(&self) {
        if !self.is_ended.replace(true) {
            self.between.state().under_way -= 1;
        }
    }

    /// Waits until it is let go.
    fn stall(&self) {
        self.is_ended.set(true);
        self.between.stall();
    }

    /// Sends the answer, or what stands for it.
    fn write(&self, response: &Response, request: &Request, client: &mut TcpStream) -> io::Result<()> {
        self.end();
        response.write(client, &request.method)
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
            Some(Fault::Status(status, code)) => self.write(&refused(status, code), request, client)?,
            Some(Fault::StatusAfter(status, code)) => {
                self.between.ask(request, place)?;
                self.write(&refused(status, code), request, client)?;
            }
            Some(Fault::Cut) => return Ok(false),
            Some(Fault::LostAnswer) => {
                self.between.ask(request, place)?;
                return Ok(false);
            }
            Some(Fault::CutAnswer) => {
                half(&self.between.ask(request, place)?, method, client)?;
                return Ok(false);
            }
            Some(Fault::StallAnswer) => {
                half(&self.between.ask(request, place)?, method, client)?;
                self.stall();
                return Ok(false);
            }
            Some(Fault::Twice) => {
                self.between.ask(request, place)?;
                let second = self.between.ask(request, place)?;
                self.write(&second, request, client)?;
            }
            Some(Fault::TwiceLater(others)) => {
                let response = self.between.ask(request, place)?;
                self.between.state().held.push((others, place, request.clone()));
                self.write(&response, request, client)?;
            }
            Some(Fault::Late(others)) => {
                self.between.state().held.push((others, place, request.clone()));
                return Ok(false);
            }
            Some(Fault::Stall) => {
                self.stall();
                return Ok(false);
            }
            Some(Fault::StallAfter) => {
                self.between.ask(request, place)?;
                self.stall();
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The server's answer, handed on as it comes, if it is known how long it is.
    fn forward(&self, request: &Request, place: usize, client: &mut TcpStream) -> io::Result<()> {
        let (head, length, mut from) = self.between.send(request, place)?;
        self.between.served()?;
        let Some(mut left) = length.filter(|length| *length > 0) else {
            return self.write(&head.read_body(&mut from, length)?, request, client);
        };
        client.write_all(&head.head("HEAD"))?;
        let mut buffer = vec![0; 64 << 10];
        while left > 0 {
            let room = left.min(buffer.len());
            let read = from.read(&mut buffer[..room])?;
            if read == 0 {
                return Err(super::http::broken("the server's answer ends early"));
            }
            left -= read;
            if left == 0 {
                self.end();
            }
            client.write_all(&buffer[..read])?;
        }
        Ok(())
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
