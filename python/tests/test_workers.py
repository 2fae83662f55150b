"""Batches of worker processes lie in memory that they share with the trainer's, and it is used again."""

import copy
import gc
import multiprocessing
import os
import pickle
import subprocess
import sys
import tempfile

import pytest
import torch
from model import Model, rows_of
from torch.utils.data import DataLoader

from lookback import _native
from lookback.torch import TensorBatch, TrainingRows

SEED = 20260103


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    # Histories so long that a column of 16 rows is worth sharing.
    return Model(tmp_path_factory.mktemp("workers"), SEED, max_history=1000, lists=60)


def training(model, **settings):
    return TrainingRows(model.store, input=model.root, days=model.days, **{"batch_size": 16, "seed": 2, **settings})


def mapped():
    """Return the pieces of memory of batches that this process shares."""
    with open("/proc/self/maps") as maps:
        return [line.split()[4] for line in maps if "memfd:lookback" in line and "rw-s" in line]


def opened(pid):
    """Return how many pieces of memory of batches a process has open."""
    links = [f"/proc/{pid}/fd/{name}" for name in os.listdir(f"/proc/{pid}/fd")]
    return sum("memfd:lookback" in os.readlink(link) for link in links if os.path.lexists(link))


@pytest.mark.parametrize("context", ["fork", "spawn"])
@pytest.mark.parametrize("layout", ["padded", "dedup", "jagged"])
def test_batches_stay_as_they_are_while_they_are_held(model, layout, context):
    """Whatever the workers make meanwhile, and whatever becomes of other batches."""
    # A batch of all rows, so that a jagged one is large enough too.
    settings = dict(layout=layout, batch_size=16 if layout == "padded" else 400, columns=["ranking_ids", "action_times"])
    expected = [batch for batch in training(model, **settings)]
    held, copies = [], []
    for number, batch in enumerate(DataLoader(training(model, **settings), batch_size=None, num_workers=2, multiprocessing_context=context)):
        assert batch.state == expected[number].state and batch.ranking_ids == expected[number].ranking_ids
        if number % 3:
            held.append((number, batch))
            copies.append({name: batch[name].clone() for name in batch.keys() if name != "ranking_ids"})
    assert number + 1 == len(expected) and len(held) == len(expected) - (len(expected) + 2) // 3
    assert layout != "padded" or (len(mapped()) >= len(held) > 4)
    for (number, batch), copied in zip(held, copies):
        for name, cells in copied.items():
            assert torch.equal(batch[name], cells) and torch.equal(batch[name], expected[number][name]), (number, name)
            assert batch[name].dtype == expected[number][name].dtype
        assert rows_of(batch.to_padded()) == rows_of(expected[number].to_padded())
    held.clear()
    copies.clear()
    del batch
    gc.collect()
    assert mapped() == []


def test_a_worker_does_not_wait_for_ever_for_memory(model):
    """It waits a while for columns that are large, so that it needs less memory; who keeps all batches gets them too."""
    rows = training(model, batch_size=150)
    expected = list(training(model, batch_size=150))
    assert len(expected) > 3 and expected[0].actions.nbytes > 1 << 20
    for workers in (1, 2):
        held = list(DataLoader(rows, batch_size=None, num_workers=workers))
        assert len(held) == len(expected)
        for batch, one in zip(held, expected):
            assert torch.equal(batch.actions, one.actions) and torch.equal(batch.action_types, one.action_types)
        assert len(mapped()) >= len(held)
        del batch, held
        gc.collect()
        assert mapped() == []


def test_memory_is_used_again_and_a_slice_keeps_it(model):
    rows = training(model, batch_size=10)
    loader = DataLoader(rows, batch_size=None, num_workers=1, persistent_workers=True)
    kept = kept_copy = None
    seen, count = set(), 0
    for epoch in range(2):
        rows.set_epoch(epoch)
        for batch in loader:
            seen.update(mapped())
            count += 1
            if count == 3:
                # A view of a view keeps the memory of the whole column.
                kept = batch.actions[2:5].t()[:7]
                kept_copy = kept.clone()
            del batch
    assert torch.equal(kept, kept_copy) and len(mapped()) == 1
    # Batches that are made, on their way, used; not one for each.
    assert count > 40 and len(seen) <= 12, (count, len(seen))
    [worker] = multiprocessing.active_children()
    assert 0 < opened(worker.pid) <= 20
    del kept, loader
    gc.collect()
    assert mapped() == []


def test_a_batch_can_be_copied_and_pickled_anywhere(model):
    """Only what a worker sends to its trainer shares memory: it is taken once. Whatever is pickled otherwise is whole."""
    [expected] = [batch for batch in training(model) if batch.state["row"] == 16 and batch.dt == model.days[0]]
    for batch in (next(iter(DataLoader(training(model), batch_size=None, num_workers=workers))) for workers in (0, 1)):
        for again in (copy.deepcopy(batch), pickle.loads(pickle.dumps(batch)), pickle.loads(pickle.dumps(batch))):
            assert rows_of(again) == rows_of(batch) == rows_of(expected)
            again.actions.fill_(7)
            assert rows_of(batch) == rows_of(expected)


class Sum:
    def __call__(self, batch):
        batch.actions.add_(1)
        return batch


class Tensors:
    def __call__(self, batch):
        return {"actions": batch.actions, "labels": batch.labels}


def test_what_a_worker_does_to_its_batches_arrives(model):
    expected = list(training(model))
    for number, batch in enumerate(DataLoader(training(model), batch_size=None, num_workers=2, collate_fn=Sum())):
        assert isinstance(batch, TensorBatch) and torch.equal(batch.actions, expected[number].actions + 1)
        # The padding of the next batch is 0 again, though the one before has left 1.
    for number, fields in enumerate(DataLoader(training(model), batch_size=None, num_workers=2, collate_fn=Tensors())):
        assert torch.equal(fields["actions"], expected[number].actions)
        assert torch.equal(fields["labels"], expected[number].labels)
    assert number + 1 == len(expected)


KILLED = """
import os, signal, sys, torch
from torch.utils.data import DataLoader
from lookback.torch import TrainingRows
store, root, *days = sys.argv[1:]
rows = TrainingRows(store, input=root, days=days, batch_size=8)
batches = iter(DataLoader(rows, batch_size=None, num_workers=2))
held = [next(batches) for _ in range(3)]
before = [batch.actions.clone() for batch in held]
for worker in batches._workers:
    os.kill(worker.pid, signal.SIGKILL)
    worker.join()
assert all(torch.equal(batch.actions, copied) for batch, copied in zip(held, before))
print("held")
try:
    print("whole", len(list(batches)))
except RuntimeError as error:
    print("exited unexpectedly" in str(error))
"""


def test_batches_outlive_the_worker_that_made_them(model, tmp_path):
    shared = set(os.listdir("/dev/shm"))
    line = [sys.executable, "-c", KILLED, str(model.store), str(model.root), *model.days]
    ended = subprocess.run(line, capture_output=True, text=True, timeout=100, env={**os.environ, "TMPDIR": str(tmp_path)})
    assert ended.stdout.split() == ["held", "True"], ended
    assert {name for name in set(os.listdir("/dev/shm")) - shared if "lookback" in name} == set()


def test_what_was_not_sent_is_refused():
    with pytest.raises(Exception, match="no such|No such"):
        _native.receive([("int64", [1], (os.getpid(), 1 << 20, 0))])
    # Memory of two pages, the first of which counts its users.
    with tempfile.TemporaryFile() as file:
        file.truncate(8192)
        for integer, shape, offset in [
            ("int16", [1], 0),
            ("int64", [], 0),
            ("int64", [513], 0),
            ("int64", [1], 4096),
            ("int64", [1], 8),
            ("int64", [1 << 60, 1 << 60], 0),
        ]:
            os.pwrite(file.fileno(), (2).to_bytes(4, "little"), 0)
            with pytest.raises(ValueError, match="no column"):
                _native.receive([("int32", [1], (os.getpid(), file.fileno(), 64)), (integer, shape, (os.getpid(), file.fileno(), offset))])
