"""What goes wrong in loaders of training data elsewhere, or would go wrong here: each with where it was seen."""

from __future__ import annotations

import copy
import gc
import itertools
import json
import os
import pickle
import random
import signal
import subprocess
import sys
import threading
import time
import weakref
from typing import Any

import numpy
import pytest
import torch
from model import Model, rows_of
from torch.utils.data import DataLoader

import lookback
from lookback.rows import Rows
from lookback.torch import TrainingRows

SEED = 20260131


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return Model(tmp_path_factory.mktemp("pitfalls"), SEED, days=3)


def settings(model, **more) -> dict[str, Any]:
    return {"input": model.root, "days": model.days, "batch_size": 5, "seed": 1, **more}


def training(model, **more) -> TrainingRows:
    return TrainingRows(model.store, **settings(model, **more))


def read(batches) -> list[Any]:
    return [row for batch in batches for row in rows_of(batch, len(batch) - batch.filled)]


def in_workers(rows, workers, **loader) -> list[Any]:
    return read(DataLoader(rows, batch_size=None, num_workers=workers, **loader))


def test_a_resumed_iteration_is_the_next_one_whoever_reads_it(model):
    # A position kept by each worker: another number of workers, or none, read the rest of the epoch a second time.
    states = [batch.state for batch in training(model)]
    full = read(training(model))
    for first, second in [(1, 2), (0, 1), (2, 0)]:
        rows = training(model)
        rows.load_state_dict(states[6])
        assert in_workers(rows, first) == full[35:], (SEED, first)
        assert in_workers(rows, second) == full, (SEED, first, second)


def test_a_state_of_other_days_is_refused(model):
    state = next(iter(training(model))).state
    for days in [model.days[::-1], model.days[:2]]:
        with pytest.raises(lookback.Refused, match="other days"):
            training(model, days=days).load_state_dict(state)


def test_what_is_no_state_is_refused_in_one_sentence(model):
    state = next(iter(training(model))).state
    rows = training(model)
    wrong = [("row", -1), ("row", "3"), ("row", True), ("epoch", "x"), ("epoch", -1), ("settings", None), ("dt", 3)]
    wrong += [("fingerprint", 5), ("fingerprint", None), ("fingerprint", "zz"), ("seed", None), ("days", None)]
    for name, value in wrong:
        with pytest.raises(lookback.Usage, match="no state of training rows"):
            rows.load_state_dict({**state, name: value})
    # A row behind the day's last one must not pass over the day.
    rows.load_state_dict({**state, "row": 10**6})
    with pytest.raises(lookback.Usage, match="is of row 1000000"):
        next(iter(rows))


def test_numbers_of_numpy_and_torch_are_numbers(model):
    # JSON of a state failed with a seed or an epoch of numpy.
    rows = training(model, seed=numpy.int64(3), batch_size=numpy.int32(4))
    rows.set_epoch(torch.tensor(2))
    state = json.loads(json.dumps(next(iter(rows)).state))
    again = training(model, seed=3, batch_size=4)
    again.set_epoch(2)
    assert next(iter(again)).state == state


def test_arguments_that_make_no_sense_are_named(model):
    wrong = [("batch_size", 0), ("batch_size", "5"), ("max_history", 0), ("lookback_days", -1), ("seed", 1.5)]
    wrong += [("max_rows_per_customer", 0), ("batch_actions_max", -2), ("order", None), ("layout", "wide")]
    for name, value in wrong:
        with pytest.raises(lookback.Usage, match=f"there is no {name} "):
            training(model, **{name: value})
    for name, ranks in [("rank", (-1, 2)), ("rank", (2, 2)), ("world_size", (0, 0))]:
        with pytest.raises(lookback.Usage, match=f"there is no {name} "):
            training(model, rank=ranks[0], world_size=ranks[1])
    with pytest.raises(lookback.Usage, match="one column"):
        training(model, columns="ranking_ids")


def test_a_copy_is_a_dataset_of_its_own(model):
    # A copy made before the ranks are known learns them later (datasets#5360), and is not told of the other's epochs.
    rows = training(model)
    for other in (copy.deepcopy(rows), pickle.loads(pickle.dumps(rows))):
        other.set_epoch(1)
        expected = training(model)
        expected.set_epoch(1)
        assert in_workers(other, 1) == read(expected)
        assert in_workers(rows, 1) == read(training(model))


def test_ranks_are_those_of_the_moment(model, monkeypatch):
    rows = pickle.loads(pickle.dumps(training(model)))
    monkeypatch.setenv("WORLD_SIZE", "2")
    # All ranks would train on the same rows (datasets#5360).
    with pytest.raises(lookback.Usage, match="WORLD_SIZE without RANK"):
        next(iter(rows))
    monkeypatch.setenv("RANK", "x")
    with pytest.raises(lookback.Usage, match="RANK='x'"):
        next(iter(rows))
    parts = []
    for rank in ("0", "1"):
        monkeypatch.setenv("RANK", rank)
        parts.append([read([batch]) for batch in copy.copy(rows)])
    assert len(parts[0]) == len(parts[1]), "ranks that end at different steps hang (pytorch#141069)"
    assert sorted(row for part in parts for batch in part for row in batch) == sorted(read(training(model, rank=0, world_size=1)))


RANKS = """
import json, sys, os, torch, torch.multiprocessing as multiprocessing
from torch.utils.data import DataLoader
from lookback.torch import TrainingRows

def train(rank, rows, folder):
    torch.distributed.init_process_group("gloo", init_method=f"file://{folder}/group", rank=rank, world_size=2)
    rows.set_epoch(3)
    for workers in (0, 1):
        items = [batch.impressions[: len(batch) - batch.filled].tolist() for batch in DataLoader(rows, None, num_workers=workers)]
        with open(f"{folder}/{rank}.{workers}", "w") as out:
            json.dump(items, out)
    torch.distributed.destroy_process_group()

if __name__ == "__main__":
    rows = TrainingRows(sys.argv[1], input=sys.argv[2], days=sys.argv[4:], batch_size=5, seed=1)
    next(iter(rows))
    multiprocessing.start_processes(train, (rows, sys.argv[3]), nprocs=2, start_method="fork")
"""


def test_ranks_that_are_given_a_dataset_have_rows_of_their_own(model, tmp_path):
    # The dataset is older than the process group and its processes (datasets#5360), and they share no position.
    script = tmp_path / "ranks.py"
    script.write_text(RANKS)
    line = [sys.executable, str(script), str(model.store), str(model.root), str(tmp_path), *model.days]
    subprocess.run(line, check=True, timeout=100)
    rows = training(model, rank=0, world_size=1)
    rows.set_epoch(3)
    for workers in (0, 1):
        parts = [json.loads((tmp_path / f"{rank}.{workers}").read_text()) for rank in range(2)]
        assert len(parts[0]) == len(parts[1])
        assert sorted(itertools.chain(*parts[0], *parts[1])) == sorted(row[0] for row in read(rows))
        assert parts[0] != parts[1]


def test_threads_read_one_dataset(model):
    # A day was stopped while another thread waited for it, or read it.
    rows = Rows(model.store, **settings(model, batch_size=1))
    full, taken = read(rows), {}

    def go(number: int) -> None:
        try:
            taken[number] = read(rows)
        except BaseException as error:
            taken[number] = error

    threads = [threading.Thread(target=go, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(taken[number] == full for number in range(4)), taken
    ahead, behind = iter(rows), iter(rows)
    both = [next(behind)], list(itertools.islice(ahead, len(full) - 1))
    assert read(both[0] + list(behind)) == full and read(both[1] + list(ahead)) == full


def test_loaders_with_a_state_for_each_worker_refuse_what_would_shift_rows(tmp_path):
    from torchdata.stateful_dataloader import StatefulDataLoader

    model = Model(tmp_path, SEED, days=2)
    full = read(training(model))
    loader = StatefulDataLoader(training(model), batch_size=None, num_workers=0)
    batches = iter(loader)
    for _ in range(4):
        next(batches)
    state = loader.state_dict()

    def rest(**more) -> list[Any]:
        again = StatefulDataLoader(training(model, **more), batch_size=None, num_workers=0)
        again.load_state_dict(state)
        return read(again)

    assert rest() == full[20:]
    with pytest.raises(lookback.Refused, match="other batches"):
        rest(batch_size=3)
    model.write_impressions(model.days[0], 30)
    with pytest.raises(lookback.Refused, match="are others than when the state was made"):
        rest()


def test_forks_while_days_are_prepared(tmp_path):
    # Forked workers deadlock in threads of the parent (lance#3640). The parent reads, and prepares the next day.
    model = Model(tmp_path, SEED, days=3, customers=100, lists=600)
    rows = Rows(model.store, **settings(model, batch_size=64))
    full = read(rows)
    for number in range(12):
        batches = iter(rows)
        for _ in range(number % 3):
            next(batches)
        child = os.fork()
        if child == 0:
            is_right = False
            try:
                if number % 3:
                    # The parent's iteration is refused, and is dropped without a word.
                    with pytest.raises(lookback.Usage, match="forked"):
                        next(batches)
                del batches
                is_right = read(rows) == full
            finally:
                os._exit(0 if is_right else 1)
        until = time.monotonic() + 60
        while not (ended := os.waitpid(child, os.WNOHANG))[0]:
            if time.monotonic() > until:
                os.kill(child, signal.SIGKILL)
            time.sleep(0.01)
        assert ended[1] == 0, (SEED, number)


def test_nothing_stays_of_rows_that_are_dropped(model):
    # Cycles kept threads, scratch files and memory until the garbage collector ran, which then waited for a lock.
    gc.disable()
    try:
        rows = Rows(model.store, **settings(model))
        batches = iter(rows)
        next(batches)
        gone = weakref.ref(rows)
        del rows, batches
        until = time.monotonic() + 30
        while gone() is not None and time.monotonic() < until:
            # What was prepared in the background ends first.
            time.sleep(0.01)
        assert gone() is None
        assert not [thread for thread in threading.enumerate() if thread.name.startswith("lookback")]
    finally:
        gc.enable()


def test_memory_of_batches_is_used_again(model):
    # Each batch in new memory costs more than its rows; a loop that keeps a batch while it asks for the next one too.
    rows = training(model, batch_size=1)
    places, batch = [], None
    for batch in rows:
        places.append(batch.actions.data_ptr())
    assert len(places) > 100 and len(set(places)) < len(places) // 2
    kept = [batch.actions for batch in training(model, batch_size=50)]
    assert [row for actions in kept for row in actions.tolist()] == [list(row[4]) for row in read(training(model))]


def test_a_state_is_made_without_any_reading(model, monkeypatch):
    # A state took seconds a step (torchdata#1317).
    from lookback import _native

    rows = training(model, columns=["ranking_ids", "history_length", "action_ages", "action_times"])
    next(iter(rows))

    def never(*_: Any) -> None:
        raise AssertionError("a state needs no native work")

    for name in ("call", "prepare", "histories"):
        monkeypatch.setattr(_native, name, never)
    assert len(json.dumps(rows.state_dict())) < 2_000
    rows.load_state_dict(rows.state_dict())
    year = TrainingRows.__new__(TrainingRows)
    year.__dict__.update(copy.copy(rows).__dict__)
    year._rows._days = [f"2025-{month:02}-{day:02}" for month in range(1, 13) for day in range(1, 29)]
    assert len(json.dumps(year._rows.state_at(year._rows._begin._replace(day=300)))) < 2_000


def test_nested_tensors_are_made_where_they_are_used(model):
    # Nested tensors do not pass from a worker (pytorch#110161): batches pass as plain tensors.
    rows = training(model, layout="jagged")
    for batch, alone in zip(DataLoader(rows, batch_size=None, num_workers=1), training(model, layout="jagged")):
        assert not any(isinstance(batch[name], torch.Tensor) and batch[name].is_nested for name in batch.keys())
        ours, theirs = batch.to_nested()["actions"], alone.to_nested()["actions"]
        assert ours.is_nested and [one.tolist() for one in ours.unbind()] == [one.tolist() for one in theirs.unbind()]


def test_the_number_of_batches_is_known_once_the_days_were_read(model):
    for more in [{}, {"drop_last": True}, {"rank": 1, "world_size": 3}, {"batch_size": 1_000}]:
        rows = training(model, **more)
        with pytest.raises(TypeError):
            len(rows)
        assert bool(rows)
        assert len(list(rows)) == len(rows), more
    rows = training(model, batch_actions_max=10)
    list(rows)
    with pytest.raises(TypeError):
        len(rows)


def test_progress_is_told_in_this_process_only(model):
    # A callback cannot be sent to a spawned worker, and should not be.
    told = []
    rows = training(model, progress=told.append)
    assert pickle.loads(pickle.dumps(rows))._rows._progress is None
    in_workers(rows, 1)
    assert told == []
    next(iter(rows))
    assert told and all(isinstance(event, lookback.ProgressEvent) for event in told)


INTERRUPTED = """
import os, signal, sys, time
from lookback.rows import Rows
own = []
if sys.argv[4] == "own":
    signal.signal(signal.SIGINT, lambda *_: own.append(1))
def interrupt(event):
    if not own:
        os.kill(os.getpid(), signal.SIGINT)
rows = Rows(sys.argv[1], input=sys.argv[2], days=sys.argv[3].split(), batch_size=1, progress=interrupt)
try:
    print(len(list(rows)) > 0, len(own) > 0)
except KeyboardInterrupt:
    print("interrupted")
"""


@pytest.mark.parametrize("handler, said", [("none", "interrupted\n"), ("own", "True True\n")])
def test_ctrl_c_while_a_day_is_prepared(model, handler, said):
    # Ctrl-C was ignored (polars#2687). A handler of one's own keeps its meaning.
    line = [sys.executable, "-c", INTERRUPTED, str(model.store), str(model.root), " ".join(model.days), handler]
    ended = subprocess.run(line, capture_output=True, text=True, timeout=60)
    assert (ended.stdout, ended.stderr) == (said, "")


KILLED = """
import os, signal, sys
from torch.utils.data import DataLoader
from lookback.torch import TrainingRows
rows = TrainingRows(sys.argv[1], input=sys.argv[2], days=sys.argv[3:], batch_size=1)
batches = iter(DataLoader(rows, batch_size=None, num_workers=2))
next(batches)
print(*[worker.pid for worker in batches._workers], flush=True)
os.kill(batches._workers[0].pid, signal.SIGKILL)
for batch in batches:
    pass
print("whole")
"""


def test_a_killed_worker_is_an_error_and_leaves_nothing(model, tmp_path):
    # What a crash leaves in shared memory blocks the next start (streaming#781). In a process of its own, since torch
    # tells of a dead worker by an exception anywhere, of more than one kind.
    shared = set(os.listdir("/dev/shm"))
    line = [sys.executable, "-c", KILLED, str(model.store), str(model.root), *model.days]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    ended = subprocess.run(line, env=environment, capture_output=True, text=True, timeout=100)
    pids = ended.stdout.split()
    assert ended.returncode == 1 and len(pids) == 2 and "whole" not in pids, ended
    assert not any(os.path.exists(f"/proc/{pid}") for pid in pids)
    assert [name for name in os.listdir(tmp_path) if "lookback" in name] == []
    assert {name for name in set(os.listdir("/dev/shm")) - shared if "lookback" in name} == set()
    assert read(training(model))


def test_resuming_at_random_in_every_layout_and_order(model):
    chance = random.Random(SEED)
    for trial in range(12):
        more = {"order": chance.choice(["shuffled", "carousel", "customer"]), "layout": chance.choice(["padded", "dedup", "jagged"])}
        more["batch_actions_max"] = chance.choice([None, 40])
        rows = Rows(model.store, **settings(model, **more))
        rows.set_epoch(epoch := chance.randrange(3))
        # A list holds all batches, so none of their memory is used again.
        batches = list(rows)
        full = [row for batch in batches for row in rows_of(batch.to_padded())]
        at = chance.randrange(len(batches))
        taken = sum(map(len, batches[: at + 1]))
        again = Rows(model.store, **settings(model, **{**more, "batch_size": chance.randrange(1, 9)}))
        again.load_state_dict(json.loads(json.dumps(batches[at].state)))
        again.set_epoch(epoch)
        rest = [row for batch in again for row in rows_of(batch.to_padded())]
        assert rest == full[taken:], (SEED, trial, more)
        # The next epoch is whole (datasets#7447).
        assert len([row for batch in again for row in rows_of(batch.to_padded())]) == len(full)
