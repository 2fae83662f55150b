"""Bounds of requests to object stores, which come from the environment wherever rows are read."""

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from example import write_example

import lookback
import lookback.rows


class Refusing(BaseHTTPRequestHandler):
    """A store that is busy, or never answers."""

    def do_GET(self):
        self.server.requests.append(self.path)
        if self.server.stalls:
            self.server.ended.wait(60)
        self.send_response(503)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_HEAD = do_PUT = do_GET

    def log_message(self, *_):
        pass


@pytest.fixture
def server(monkeypatch):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Refusing)
    server.requests, server.stalls, server.ended = [], False, threading.Event()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    for name, value in {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.server_port}",
        "AWS_ALLOW_HTTP": "true",
        "AWS_REGION": "eu-central-1",
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "NO_PROXY": "127.0.0.1",
    }.items():
        monkeypatch.setenv(name, value)
    yield server
    server.ended.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def readers(tmp_path):
    write_example(tmp_path)
    store = lookback.Store(tmp_path / "store")

    def vocabulary():
        return lookback.vocabulary("s3://bucket/in", of="items", from_="2026-01-01", to="2026-01-01")

    return {
        "rows": lambda: next(iter(store.rows(input="s3://bucket/in", days=["2026-01-02"], batch_size=2))),
        "partition": lambda: next(
            iter(lookback.rows.Rows.from_partition("s3://bucket/out", days=["2026-01-02"], batch_size=2))
        ),
        "vocabulary": vocabulary,
    }


@pytest.mark.parametrize("name", ["rows", "partition", "vocabulary"])
def test_a_request_is_made_as_often_as_the_environment_says(server, readers, monkeypatch, name):
    for retries in [0, 2]:
        server.requests.clear()
        monkeypatch.setenv("LOOKBACK_RETRIES", str(retries))
        with pytest.raises(lookback.Io, match="the store is busy"):
            readers[name]()
        assert len(server.requests) == retries + 1


def test_for_how_long_and_how_long_it_may_wait(server, readers, monkeypatch):
    # Waits of 0.1, 0.2 and 0.4 seconds fit into one.
    monkeypatch.setenv("LOOKBACK_RETRY_SECONDS", "1")
    with pytest.raises(lookback.Io, match="4 times"):
        readers["rows"]()
    assert len(server.requests) == 4
    server.stalls = True
    monkeypatch.setenv("LOOKBACK_RETRIES", "0")
    monkeypatch.setenv("LOOKBACK_REQUEST_TIMEOUT", "1")
    begin = time.monotonic()
    with pytest.raises(lookback.Io, match="no answer in time"):
        readers["rows"]()
    assert time.monotonic() - begin < 20


@pytest.mark.parametrize(
    ("name", "value"),
    [("LOOKBACK_RETRIES", "many"), ("LOOKBACK_RETRY_SECONDS", "-1"), ("LOOKBACK_REQUEST_TIMEOUT", "0")],
)
def test_what_is_no_number_is_refused(server, readers, monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    for read in readers.values():
        with pytest.raises(lookback.Usage, match=f"the environment has {name}={value}; set it to an integer from"):
            read()
    assert not server.requests


def test_batches_for_torch_are_read_within_them_too(server, tmp_path, monkeypatch):
    torch_rows = pytest.importorskip("lookback.torch")
    write_example(tmp_path)
    monkeypatch.setenv("LOOKBACK_RETRIES", "1")
    store = lookback.Store(tmp_path / "store")
    rows = torch_rows.TrainingRows(store, input="s3://bucket/in", days=["2026-01-02"], batch_size=2)
    with pytest.raises(lookback.Io, match="2 times"):
        next(iter(rows))
    assert len(server.requests) == 2
