"""A day is prepared once for all workers of a dataset, and nothing stays of those who prepared it."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import time
from typing import Any

import pytest
from model import Model, rows_of
from torch.utils.data import DataLoader

import lookback
from lookback import _native, _origin
from lookback._shared_days import SharedDays
from lookback.torch import TrainingRows

SEED = 20260207


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return Model(tmp_path_factory.mktemp("shared"), SEED, days=3)


def training(model, **settings) -> TrainingRows:
    return TrainingRows(model.store, **{"input": model.root, "days": model.days[:2], "batch_size": 5, "seed": 1, **settings})


def loader(rows, workers=2, **settings) -> Any:
    return DataLoader(rows, batch_size=None, num_workers=workers, **settings)


def read(batches) -> list[Any]:
    return [row for batch in batches for row in rows_of(batch.to_padded())]


def days_of(process: Any) -> set[str]:
    """Return the pieces of prepared days that a process reads where they lie, by their inodes."""
    with open(f"/proc/{process}/maps") as maps:
        lines = [line.split() for line in maps if "memfd:lookback" in line]
    return {line[4] for line in lines if line[1] == "r--s"}


def prepared(monkeypatch, tmp_path) -> list[str]:
    """Write down in a file, whoever does it, which day is prepared."""
    path, native = tmp_path / "prepared", _native.prepare

    def prepare(store, asked, *others):
        with open(path, "a") as log:
            log.write(f"{asked['dt']}\n")
        return native(store, asked, *others)

    monkeypatch.setattr(_origin._native, "prepare", prepare)
    path.touch()
    return path


@pytest.mark.parametrize("context", ["fork", "spawn", "forkserver"])
def test_workers_read_the_same_day_where_it_lies(model, context):
    expected = read(training(model))
    rows = training(model)
    batches = loader(rows, multiprocessing_context=context, persistent_workers=True)
    seen: list[Any] = []
    for number, batch in enumerate(batches):
        seen.extend(rows_of(batch))
        if number == 3:
            workers = [worker.pid for worker in multiprocessing.active_children() if days_of(worker.pid)]
            assert len(workers) == 2
            shared = set.intersection(*(days_of(pid) for pid in workers))
            # Histories and impressions; this process keeps them for the workers of the next epoch.
            assert len(shared) >= 2 and shared & days_of("self")
    assert seen == expected
    assert read(batches) == expected
    del batches, batch
    gc.collect()
    # Of both days.
    assert len(days_of("self")) == 4
    del rows
    gc.collect()
    assert days_of("self") == set()


@pytest.mark.parametrize("days, each", [(2, False), (3, True)])
def test_a_day_is_prepared_once(model, monkeypatch, tmp_path, days, each):
    """For all workers, and of two days for all epochs; of more days one process holds two, and so does each worker."""
    path = prepared(monkeypatch, tmp_path)
    settings = {"days": model.days[:days]}
    expected = {epoch: [] for epoch in range(3)}
    alone = training(model, **settings)
    for epoch in expected:
        alone.set_epoch(epoch)
        expected[epoch] = read(alone)
    path.write_text("")
    rows = training(model, **settings)
    for epoch, wanted in expected.items():
        rows.set_epoch(epoch)
        assert read(loader(rows, 1 + epoch)) == wanted, epoch
        done = path.read_text().split()
        if not each:
            assert sorted(done) == model.days[:2]
    # With one worker, once for each epoch at least.
    assert set(done) == set(model.days[:days]) and len(done) >= (days if not each else 2 * days)


def test_other_seeds_are_other_days(model, monkeypatch, tmp_path):
    path = prepared(monkeypatch, tmp_path)
    rows, other = training(model), training(model, seed=2)
    first, second = read(loader(rows)), read(loader(other))
    state = next(iter(training(model, seed=2))).state
    path.write_text("")
    rows.load_state_dict(state)
    assert read(loader(rows)) == second[5:] and first != second
    # A state of another seed has its own order, and its own days.
    assert sorted(path.read_text().split()) == model.days[:2]


def test_a_worker_that_is_killed_while_it_prepares_leaves_no_lock(model, monkeypatch, tmp_path):
    native, begun = _native.prepare, tmp_path / "begun"

    def hangs(*arguments):
        begun.write_text(str(os.getpid()))
        time.sleep(100)

    rows = training(model)
    monkeypatch.setattr(_origin._native, "prepare", hangs)
    batches = iter(loader(rows))
    while not begun.exists() or not begun.read_text():
        time.sleep(0.01)
    # The other one waits for it, and would go on by itself.
    monkeypatch.setattr(_origin._native, "prepare", native)
    os.kill(int(begun.read_text()), signal.SIGKILL)
    with pytest.raises(RuntimeError, match="exited unexpectedly"):
        list(batches)
    del batches
    gc.collect()
    assert read(loader(rows)) == read(training(model))


def test_a_day_whose_process_has_gone_is_prepared_anew(model, monkeypatch, tmp_path):
    """Its number may be another process's now, and its descriptors other files'."""
    path = prepared(monkeypatch, tmp_path)
    rows = training(model)
    monkeypatch.setattr(SharedDays, "keep", lambda *_: None)
    expected = read(training(model))
    path.write_text("")
    for epoch in range(2):
        assert read(loader(rows)) == expected
    assert sorted(path.read_text().split()) == sorted(2 * model.days[:2])
    day = _native.prepare(str(model.store), _asked(model), (None, None, None), _native.Stop(), lambda *_: None)
    shared = day.share((None, None, None))
    places = shared.places()
    assert day.places() == [] and len(places) == 3
    found = _native.shared_day(os.getpid(), places, (None, None, None))
    assert found is not None and (found.rows, found.fingerprint, found.summary) == (day.rows, day.fingerprint, day.summary)
    with open(os.devnull) as other:
        wrong = [(other.fileno(), *places[0][1:]), *places[1:]]
        assert _native.shared_day(os.getpid(), wrong, (None, None, None)) is None
    del shared
    assert _native.shared_day(os.getpid(), places, (None, None, None)) is None
    # What one process has found it keeps.
    assert _native.shared_day(os.getpid(), found.places(), (None, None, None)) is not None


def _asked(model) -> Any:
    return {
        **{"dt": model.days[0], "order": "shuffled", "seed": 1, "max_history": None, "item_type": "int64", "type_type": "int32"},
        **{"columns": [], "max_rows_per_customer": None, "input": str(model.root), "impressions": None, "config": None},
        **{"impression_columns": {}, "lookback_days": None, "known_as_of": None, "allow_gaps": False, "allow_pruned": False},
        "quarantine": None,
    }


def test_workers_that_cannot_share_prepare_for_themselves(model, monkeypatch, tmp_path):
    path = prepared(monkeypatch, tmp_path)
    expected = read(training(model))
    path.write_text("")
    monkeypatch.setattr(SharedDays, "_open", lambda self: None)
    rows = training(model)
    assert read(loader(rows)) == expected
    assert sorted(path.read_text().split()) == sorted(2 * model.days[:2])


def test_days_beyond_the_memory_limit_are_shared_as_files(tmp_path):
    """Scratch files have no name, and are read from the disk."""
    model, scratch = Model(tmp_path / "model", SEED, days=1, lists=200), tmp_path / "scratch"
    scratch.mkdir()
    store = lookback.Store(model.store, memory_limit=96 << 10, scratch=scratch)
    settings: Any = dict(input=model.root, days=model.days, batch_size=5, seed=1, layout="jagged", batch_actions_max=60)
    expected = read(TrainingRows(store, **settings))
    rows = TrainingRows(store, **settings)
    assert read(loader(rows)) == expected and len(expected) > 200
    assert os.listdir(scratch) == []
    links = [f"/proc/self/fd/{name}" for name in os.listdir("/proc/self/fd")]
    kept = [link for link in links if os.path.lexists(link) and str(scratch) in os.readlink(link)]
    # The impressions; the histories of these few customers are in memory.
    assert kept and len(days_of("self")) == 1
    del rows
    gc.collect()
    assert not any(os.path.lexists(link) and str(scratch) in os.readlink(link) for link in kept)


def test_a_lock_is_its_holders(tmp_path):
    board = _native.Board()
    one, other = (os.open(f"/proc/self/fd/{board.descriptor}", os.O_RDWR) for _ in range(2))
    assert _native.lock(one, 0, 10) and _native.lock(one, 0, 10)
    assert not _native.lock(other, 0, 10) and _native.lock(other, 10, 10)
    os.close(one)
    assert _native.lock(other, 0, 10)
    os.close(other)
    with pytest.raises(lookback.Io, match="lock"):
        _native.lock(other, 0, 10)
