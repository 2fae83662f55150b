//! Each fault of the proxy: what the client sees of it, and what the server has done.

use std::io::{BufReader, Read};
use std::net::TcpStream;
use std::process::Command;
use std::thread;
use std::time::Duration;

use super::client::Client;
use super::http::{Request, Response};
use super::test_server::refused;
use super::{Endpoint, Fault, Kind, Proxy, S3Server, Seen, When, clock, every, first, nth};

/// Puts `a` = 1 with a fault at it; gives what the client heard.
fn put_with(server: &S3Server, fault: Fault) -> Option<u16> {
    let proxy = Proxy::to(server);
    proxy.fail(nth(1), fault);
    let client = Client::to(proxy.address());
    let heard = client.send(&client.signed(client.request("PUT", "a", &[], b"1")));
    let seen = proxy.requests();
    assert_eq!((seen.len(), seen[0].fault), (1, Some(fault)));
    heard.ok().map(|response| response.status)
}

#[test]
fn what_passes_is_the_same_and_is_recorded() {
    let server = S3Server::start();
    let proxy = Proxy::to(&server);
    let client = Client::to(proxy.address());
    let large: Vec<u8> = (0..1_000_000_u32).map(|number| number.to_le_bytes()[1]).collect();
    assert_eq!(client.put("x/large", &large).status, 200);
    assert_eq!(client.get("x/large").body.bytes(), large);
    let head = client.ask("HEAD", "x/large", &[], b"");
    assert_eq!((head.status, head.headers.get("content-length")), (200, Some("1000000")));
    assert_eq!(client.get("x/none").status, 404);
    client.ask("GET", "?list-type=2&prefix=x%2F", &[], b"");
    client.ask("POST", "y?uploads", &[], b"");
    assert_eq!(client.ask("DELETE", "x/large", &[], b"").status, 204);
    let seen: Vec<Seen> = proxy.requests();
    let told: Vec<_> = seen.iter().map(|seen| (seen.kind, seen.key.as_str(), seen.length, seen.status)).collect();
    let expected = [
        (Kind::Put, "x/large", 1_000_000, Some(200)),
        (Kind::Get, "x/large", 0, Some(200)),
        (Kind::Head, "x/large", 0, Some(200)),
        (Kind::Get, "x/none", 0, Some(404)),
        (Kind::List, "x/", 0, Some(200)),
        (Kind::CreateUpload, "y", 0, Some(200)),
        (Kind::Delete, "x/large", 0, Some(204)),
    ];
    assert_eq!(told, expected);
    assert_eq!((seen[4].method.as_str(), seen[4].target.as_str()), ("GET", "/bucket?list-type=2&prefix=x%2F"));
    let changes = seen.iter().filter(|seen| seen.kind.is_change()).count();
    assert_eq!((changes, proxy.count(Kind::Get), proxy.most_at_once()), (3, 2, 1));
    assert_eq!(
        (proxy.environment(), proxy.url("a")),
        (server.environment_at(proxy.address()), "s3://bucket/a".to_owned())
    );
    proxy.forget();
    assert_eq!((proxy.requests().len(), proxy.most_at_once()), (0, 0));
}

#[test]
fn a_request_is_answered_in_the_place_of_the_server() {
    let server = S3Server::start();
    assert_eq!(put_with(&server, Fault::Status(503, "SlowDown")), Some(503));
    assert!(server.objects().is_empty());
    assert_eq!(put_with(&server, Fault::StatusAfter(500, "InternalError")), Some(500));
    assert_eq!(server.objects().len(), 1);
    let proxy = Proxy::to(&server);
    proxy.fail(every(), Fault::Status(200, "InternalError"));
    let client = Client::to(proxy.address());
    refused(&client.get("a"), 200, "InternalError");
    assert_eq!(client.ask("HEAD", "a", &[], b"").text(), "");
    assert_eq!(proxy.requests()[0].status, None);
}

#[test]
fn a_connection_is_cut_before_and_after() {
    let server = S3Server::start();
    assert_eq!(put_with(&server, Fault::Cut), None);
    assert!(server.objects().is_empty());
    assert_eq!(put_with(&server, Fault::LostAnswer), None);
    assert_eq!(server.objects().len(), 1);
    server.remove("a");
    assert_eq!(put_with(&server, Fault::CutAnswer), None);
    assert_eq!(server.objects().len(), 1);
}

#[test]
fn an_answer_is_cut_in_its_middle() {
    let server = S3Server::start();
    server.put("a", "0123456789");
    let proxy = Proxy::to(&server);
    proxy.fail(first(2), Fault::CutAnswer);
    let client = Client::to(proxy.address());
    let mut stream = TcpStream::connect(proxy.address()).unwrap();
    client.signed(client.request("GET", "a", &[], b"")).write(&mut stream).unwrap();
    let mut from = BufReader::new(stream);
    let (head, length) = Response::read_head(&mut from, "GET").unwrap();
    let mut body = Vec::new();
    from.read_to_end(&mut body).unwrap();
    assert_eq!((head.status, length, body.as_slice()), (200, Some(10), &b"01234"[..]));
    client.send(&client.signed(client.request("HEAD", "a", &[], b""))).unwrap_err();
    assert_eq!(client.get("a").text(), "0123456789");
}

#[test]
fn a_request_comes_twice() {
    let server = S3Server::start();
    let proxy = Proxy::to(&server);
    proxy.fail(every(), Fault::Twice);
    let client = Client::to(proxy.address());
    let created = client.ask("PUT", "a", &[("If-None-Match", "*")], b"1");
    refused(&created, 412, "PreconditionFailed");
    assert_eq!(server.objects()["a"], b"1");
    assert_eq!(proxy.requests().len(), 1);
    let begun = client.ask("POST", "b?uploads", &[], b"");
    assert_eq!((begun.status, server.open_uploads().len()), (200, 2));
}

#[test]
fn a_request_comes_again_after_later_ones() {
    let server = S3Server::start();
    let proxy = Proxy::to(&server);
    proxy.fail(nth(1), Fault::TwiceLater(2));
    let client = Client::to(proxy.address());
    assert_eq!(client.put("a", b"1").status, 200);
    assert_eq!(client.put("a", b"2").status, 200);
    assert_eq!(server.objects()["a"], b"2");
    // The answer to the second one after it comes behind it.
    assert_eq!(client.put("b", b"3").status, 200);
    assert_eq!((server.objects()["a"].as_slice(), server.objects()["b"].as_slice()), (&b"1"[..], &b"3"[..]));
    assert_eq!(client.put("a", b"4").status, 200);
    assert_eq!(server.objects()["a"], b"4");
}

#[test]
fn a_request_comes_late_or_never() {
    let server = S3Server::start();
    let proxy = Proxy::to(&server);
    proxy.fail(first(2).at("a"), Fault::Late(1));
    let client = Client::to(proxy.address());
    let put = |body: &[u8]| client.send(&client.signed(client.request("PUT", "a", &[], body)));
    put(b"1").unwrap_err();
    assert!(server.objects().is_empty());
    assert_eq!(client.put("b", b"2").status, 200);
    assert_eq!(server.objects()["a"], b"1");
    assert_eq!(proxy.requests()[0].status, Some(200));
    put(b"3").unwrap_err();
    assert_eq!(server.objects()["a"], b"1");
    proxy.deliver();
    assert_eq!(server.objects()["a"], b"3");
    assert_eq!(put_with(&server, Fault::Late(9)), None);
    assert_eq!(server.objects()["a"], b"3");
}

/// A process is killed at a request: here one that does not ask itself, beside a thread that does.
#[test]
fn a_process_is_killed_at_a_request_that_stalls() {
    for (fault, is_done) in [(Fault::Stall, false), (Fault::StallAfter, true), (Fault::StallAnswer, true)] {
        let server = S3Server::start();
        let proxy = Proxy::to(&server);
        let address = proxy.address();
        let sleeping = || Command::new("sleep").arg("100").spawn().unwrap();
        let ending = || Command::new("true").spawn().unwrap();
        assert!(!proxy.kill_stalled(&mut ending()));
        for _ in 0..2 {
            proxy.fail(nth(1), fault);
            let asking = thread::spawn(move || {
                let client = Client::to(address);
                client.send(&client.signed(client.request("PUT", "a", &[], b"1"))).is_err()
            });
            let mut child = sleeping();
            assert!(proxy.kill_stalled(&mut child));
            assert!(child.try_wait().unwrap().is_some());
            assert_eq!(server.objects().len(), usize::from(is_done), "{fault:?}");
            assert_eq!(proxy.requests()[0].status, is_done.then_some(200));
            // Others pass.
            assert_eq!(Client::to(address).get("b").status, 404);
            assert_eq!(proxy.most_at_once(), 2);
            assert!(!asking.is_finished());
            proxy.heal();
            assert!(asking.join().unwrap());
            assert!(!proxy.kill_stalled(&mut ending()));
            proxy.forget();
        }
        proxy.fail(nth(1), fault);
        let asking =
            thread::spawn(move || Client::to(address).send(&Client::to(address).request("GET", "a", &[], b"")));
        assert!(proxy.kill_stalled(&mut sleeping()));
        drop(proxy);
        asking.join().unwrap().unwrap_err();
    }
}

#[test]
fn what_a_killed_process_has_sent_is_waited_for() {
    let server = S3Server::start();
    let proxy = Proxy::to(&server);
    let client = Client::to(proxy.address());
    proxy.delay(Duration::from_millis(20));
    for number in 0..10 {
        let mut stream = TcpStream::connect(proxy.address()).unwrap();
        client.signed(client.request("PUT", &number.to_string(), &[], b"1")).write(&mut stream).unwrap();
    }
    proxy.settle();
    assert_eq!(server.objects().len(), 10);
}

#[test]
fn requests_are_delayed() {
    let server = S3Server::start();
    let proxy = Proxy::to(&server);
    let client = Client::to(proxy.address());
    let took = |work: &dyn Fn()| {
        let begun = clock::now();
        work();
        clock::now() - begun
    };
    proxy.delay(Duration::from_millis(30));
    assert!(took(&|| drop(client.put("a", b"1"))) >= 30);
    proxy.delay(Duration::ZERO);
    proxy.fail(nth(1).of(Kind::Get), Fault::Delay(Duration::from_millis(40)));
    assert!(took(&|| drop(client.get("a"))) >= 40);
}

/// Which of three puts, a list and a get of `x/a` are hit.
fn hit(when: When) -> Vec<usize> {
    let server = S3Server::start();
    let proxy = Proxy::to(&server);
    let client = Client::to(proxy.address());
    client.put("x/a", b"before the rule");
    proxy.forget();
    proxy.fail(when, Fault::Status(500, "InternalError"));
    ["x/a", "x/b", "x/a"].into_iter().for_each(|key| drop(client.put(key, b"1")));
    client.ask("GET", "?list-type=2&prefix=x", &[], b"");
    client.get("x/a");
    let seen = proxy.requests();
    (0..seen.len()).filter(|place| seen[*place].fault.is_some()).collect()
}

#[test]
fn rules_hit_what_they_say() {
    assert_eq!(hit(nth(3)), [2]);
    assert_eq!(hit(first(2)), [0, 1]);
    assert_eq!(hit(every()), [0, 1, 2, 3, 4]);
    assert_eq!(hit(nth(2).of(Kind::Put).at("x/a")), [2]);
    assert_eq!(hit(every().at("x/a")), [0, 2, 4]);
    assert_eq!(hit(every().of(Kind::List).at("x")), [3]);
    assert_eq!(hit(nth(4).of(Kind::Put)), Vec::<usize>::new());
}

#[test]
fn the_first_of_several_rules_wins_until_all_are_taken_back() {
    let server = S3Server::start();
    let proxy = Proxy::to(&server);
    let client = Client::to(proxy.address());
    proxy.fail(nth(1), Fault::Status(500, "InternalError"));
    proxy.fail(nth(2), Fault::Status(503, "SlowDown"));
    proxy.fail(every(), Fault::Status(403, "AccessDenied"));
    assert_eq!([0; 3].map(|_| client.get("a").status), [500, 503, 403]);
    proxy.heal();
    assert_eq!(client.get("a").status, 404);
}

#[test]
fn kinds_of_azure_and_google_are_told() {
    let kind = |method: &str, target: &str, headers: &[(&str, &str)]| {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let (method, target, headers) = (method.to_owned(), target.to_owned(), super::http::Headers(headers));
        let request = Request { method, target, headers, body: Vec::new() };
        (Kind::of(&request), super::kind::key(&request))
    };
    let azure = ("x-ms-version", "2023-11-03");
    for (method, query, expected) in [
        ("GET", "", Kind::Get),
        ("HEAD", "", Kind::Head),
        ("PUT", "", Kind::Put),
        ("DELETE", "", Kind::Delete),
        ("PUT", "?comp=block&blockid=AA", Kind::UploadPart),
        ("PUT", "?comp=blocklist", Kind::CompleteUpload),
        ("PUT", "?comp=metadata", Kind::Other),
        ("GET", "?comp=tags", Kind::Other),
        ("OPTIONS", "", Kind::Other),
    ] {
        let target = format!("/devstoreaccount1/box/a/b{query}");
        assert_eq!(kind(method, &target, &[azure]), (expected, "a/b".to_owned()));
    }
    let container = "/devstoreaccount1/box?restype=container";
    assert_eq!(kind("PUT", "/devstoreaccount1/box/a", &[azure, ("x-ms-copy-source", "b")]).0, Kind::Copy);
    assert_eq!(kind("GET", &format!("{container}&comp=list&prefix=a%2F"), &[azure]), (Kind::List, "a/".to_owned()));
    assert_eq!(kind("POST", &format!("{container}&comp=batch"), &[azure]).0, Kind::DeleteMany);
    assert_eq!(kind("PUT", container, &[azure]).0, Kind::Bucket);
    assert_eq!(kind("PUT", "/box/a%2Fb", &[("x-goog-copy-source", "box/c")]), (Kind::Copy, "a/b".to_owned()));
    assert_eq!(kind("DELETE", "/box", &[]).0, Kind::Other);
    assert_eq!(kind("POST", "/box/a", &[]).0, Kind::Other);
}
