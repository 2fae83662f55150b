"""Commands as functions: summaries, errors, progress, interruption."""

import datetime
import json
import logging
import os
import pickle
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from example import CLICKS, write_example, write_input

import lookback


def test_a_summary_is_what_the_command_line_prints(tmp_path):
    write_example(tmp_path)
    line = [sys.executable, "-m", "lookback", "status", "--store", tmp_path / "store", "--json"]
    said = subprocess.run(line, capture_output=True, text=True, check=True)
    assert lookback.status(tmp_path / "store") == json.loads(said.stdout)


def test_days_paths_lists_and_numbers_are_words(tmp_path):
    root = write_input(tmp_path)
    store = os.fspath(tmp_path / "a store")
    summary = lookback.ingest(store, input=root, dt=datetime.date(2026, 1, 1), create=True, memory_limit="256MiB", threads=1)
    assert (summary["dt"], summary["customers"]) == ("2026-01-01", 1)
    columns = ["history_length", "action_ages"]
    lookback.produce(store, input=root, dt="2026-01-02", out=tmp_path / "out", with_=columns, order="shuffled", seed=7)
    manifest = lookback.manifest(tmp_path / "out", dt=datetime.date(2026, 1, 2))
    assert (manifest["settings"]["with"], manifest["settings"]["seed"]) == (columns, 7)
    with pytest.raises(lookback.Usage, match="is too small"):
        lookback.verify(store, memory_limit=1)


def test_an_output_is_a_delta_table(tmp_path):
    import deltalake

    root = write_input(tmp_path)
    store, out = tmp_path / "store", tmp_path / "out"
    lookback.ingest(store, input=root, dt="2026-01-01", create=True)
    summary = lookback.produce(store, input=root, dt="2026-01-02", out=out, table="delta", vacuum="7d")
    assert (summary["table_version"], summary["vacuumed"]) == (0, 0)
    summary = lookback.backfill(
        store, input=root, from_="2026-01-01", to="2026-01-02", out=out, max_history=5, table="delta", vacuum="24h", allow_gaps=True
    )
    assert summary["produced"][0]["table_version"] == 1 and summary["vacuumed"] == 0
    versions = [deltalake.DeltaTable(str(out), version=version).to_pyarrow_table() for version in (0, 1)]
    assert [len(table["actions"][0]) for table in versions] == [1000, 5]
    assert versions[1]["dt"].to_pylist() == [datetime.date(2026, 1, 2)] * summary["produced"][0]["rows"]
    with pytest.raises(lookback.Refused, match="is a Delta table"):
        lookback.produce(store, input=root, dt="2026-01-02", out=out)
    with pytest.raises(lookback.Usage, match="type_type uint8|--type-type uint8"):
        lookback.produce(store, input=root, dt="2026-01-02", out=tmp_path / "other", table="delta", type_type="uint8")


def test_each_error_has_its_class_and_the_sentence_of_the_command_line(tmp_path):
    write_example(tmp_path)
    store, root = tmp_path / "store", tmp_path / "input"
    with pytest.raises(lookback.Input) as caught:
        (root / "clicks/dt=2026-01-01/bad.csv").write_text("customer_id,item_id,click_time\n7,,2026-01-01T08:00:00Z\n")
        lookback.ingest(store, input=root, dt="2026-01-01")
    line = [sys.executable, "-m", "lookback", "ingest", "--store", store, "--input", root, "--dt", "2026-01-01"]
    said = subprocess.run(line, capture_output=True, text=True)
    assert said.returncode == 1 and said.stderr.splitlines()[-1] == f"error: {caught.value}"
    assert str(caught.value) == f"{caught.value.what}; {caught.value.remedy}" and "bad.csv" in caught.value.what
    copied = pickle.loads(pickle.dumps(caught.value))
    assert (type(copied), str(copied), copied.what) == (lookback.Input, str(caught.value), caught.value.what)
    with pytest.raises(lookback.Usage, match="--dt"):
        lookback.ingest(store, input=root, dt="yesterday")
    with pytest.raises(lookback.Refused):
        lookback.init(store)
    with pytest.raises(lookback.Io):
        lookback.report(store, html=root / "clicks/dt=2026-01-01/clicks.csv" / "page.html")
    for error in (lookback.Input, lookback.Usage, lookback.Busy, lookback.Corrupt, lookback.Different):
        assert issubclass(error, lookback.Error)


def test_what_a_failed_command_found_is_in_the_error(tmp_path):
    write_example(tmp_path)
    lookback.ingest(tmp_path / "other", input=tmp_path / "input", dt="2026-01-01", create=True)
    settings = dict(input=tmp_path / "input", dt="2026-01-02", out=tmp_path / "other out")
    lookback.produce(tmp_path / "other", max_history=1000, lookback_days=None, known_as_of=None, **settings)
    lookback.diff(tmp_path / "out", tmp_path / "other out")
    lookback.remove(tmp_path / "other", dt="2026-01-01")
    lookback.produce(tmp_path / "other", allow_gaps=True, **settings)
    with pytest.raises(lookback.Different) as caught:
        lookback.diff(tmp_path / "out", tmp_path / "other out")
    assert caught.value.summary["same"] is False


def test_progress_and_notes(tmp_path, caplog):
    root = write_input(tmp_path)
    events = []
    with caplog.at_level(logging.WARNING, "lookback"):
        (root / "orders/dt=2026-01-01").mkdir(parents=True)
        lookback.ingest(tmp_path / "store", input=root, dt="2026-01-01", create=True, progress=events.append)
    reading = [event for event in events if event.phase == "reading"]
    assert reading[-1].unit == "bytes" and reading[-1].done == reading[-1].total > 0
    (root / "clicks/dt=2026-01-02").mkdir()
    (root / "clicks/dt=2026-01-02/late.csv").write_text(CLICKS)
    days = dict(from_="2026-01-01", to="2026-01-02", out=tmp_path / "out")
    lookback.backfill(tmp_path / "store", input=root, **days, progress=events.append)
    assert any(event.item == "ingest 2026-01-02" for event in events)
    with pytest.raises(ZeroDivisionError):
        lookback.verify(tmp_path / "store", progress=lambda event: 1 / 0)
    lookback.verify(tmp_path / "store", progress=True)


SLOW = """
import os, signal, sys, threading, time
import lookback
{before}
threading.Timer(0.5, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
started = time.monotonic()
try:
    lookback.get(sys.argv[1], "-", dt="2026-01-02", out=sys.argv[1] + ".jsonl")
except {caught} as error:
    print(type(error).__name__, time.monotonic() - started < 10)
"""


@pytest.mark.parametrize(
    "before, caught",
    [
        ("", "KeyboardInterrupt"),
        # A handler of one's own keeps its meaning (polars#20961), and its exception ends the work (polars#2687).
        ("def mine(*_): raise RuntimeError('mine')\nsignal.signal(signal.SIGINT, mine)", "RuntimeError"),
    ],
)
def test_ctrl_c_ends_work_that_would_wait_for_ever(tmp_path, before, caught):
    write_example(tmp_path)
    # Nobody writes the ids that it reads: it waits for as long as nobody interrupts it.
    line = [sys.executable, "-c", SLOW.format(before=before, caught=caught), tmp_path / "store"]
    running = subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    running.wait(timeout=60)
    out, err = running.communicate()
    assert out.split() == [caught, "True"], (out, err)


def test_other_threads_run_meanwhile(tmp_path, monkeypatch):
    write_example(tmp_path)
    reader, writer = os.pipe()
    monkeypatch.setattr(sys, "stdin", None)
    kept = os.dup(0)
    os.dup2(reader, 0)
    ticks = []
    stop = threading.Event()

    def tick():
        while not stop.is_set():
            ticks.append(1)
            time.sleep(0.001)

    ticking = threading.Thread(target=tick)
    ticking.start()
    threading.Timer(0.3, lambda: (os.write(writer, b"7\n"), os.close(writer))).start()
    summary = lookback.get(tmp_path / "store", "-", dt="2026-01-02", out=tmp_path / "histories.jsonl")
    stop.set()
    ticking.join()
    os.dup2(kept, 0)
    assert summary["actions"] == 2 and len(ticks) > 50


def test_the_program_has_its_exit_codes_and_handles_its_signals(tmp_path):
    write_example(tmp_path)
    run = lambda *words: subprocess.run([sys.executable, "-m", "lookback", *words], capture_output=True, text=True)  # noqa: E731
    assert run("--version").stdout.startswith("lookback ")
    assert (run("status", "--store", tmp_path / "none").returncode, run("statsu").returncode) == (1, 2)
    line = [sys.executable, "-m", "lookback", "get", "--store", tmp_path / "store", "--dt", "2026-01-02", "--customers", "-"]
    running = subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    status = Path(f"/proc/{running.pid}/status")
    handles = lambda: int(re.search(r"SigCgt:\s+(\w+)", status.read_text())[1], 16) >> (signal.SIGTERM - 1) & 1  # noqa: E731
    while not handles():
        time.sleep(0.01)
    running.send_signal(signal.SIGTERM)
    assert running.wait(timeout=60) == 143


def test_the_module_is_light():
    # Neither numpy nor torch nor pyarrow is imported; the time is stated in the guide and is not judged here.
    said = "import sys, lookback; print([name for name in ('numpy', 'torch', 'pyarrow', 'tqdm') if name in sys.modules])"
    out = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
