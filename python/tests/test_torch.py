"""Rows as tensors: cell for cell those of `produce`, each once an epoch, resumed exactly."""

import json
import os
import pickle
import random
import subprocess
import sys

import pytest
import torch
from model import Model, rows_of
from torch.utils.data import DataLoader

import lookback
from lookback.rows import Rows
from lookback.torch import TrainingRows, from_partition

SEED = 20260101


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return Model(tmp_path_factory.mktemp("model"), SEED)


def read(rows, workers=0, **loader):
    """Return rows, in order, of all batches, and the states behind them."""
    loader = DataLoader(rows, batch_size=None, num_workers=workers, **loader)
    taken, states = [], []
    for batch in loader:
        taken += rows_of(batch.to_padded(), len(batch) - batch.filled)
        states.append(batch.state)
    return taken, states


def wanted(model, **settings):
    return [row for day in model.days for row in model.produced(day, **settings)]


@pytest.mark.parametrize("order", ["shuffled", "carousel", "customer"])
@pytest.mark.parametrize("layout", ["padded", "dedup", "jagged"])
def test_rows_are_those_of_produce(tmp_path, order, layout):
    for seed in range(3):
        model = Model(tmp_path / f"{seed}", SEED + seed)
        chance = random.Random(seed)
        settings = dict(
            order=order,
            seed=chance.randrange(1 << 40),
            max_history=chance.choice([None, 3]),
            lookback_days=chance.choice([None, 2]),
            item_type=chance.choice(["int64", "int32"]),
            type_type=chance.choice(["int32", "uint8"]),
        )
        columns = ["history_length", "action_ages"] if chance.random() < 0.5 else []
        rows = TrainingRows(
            model.store,
            input=model.root,
            days=model.days,
            batch_size=chance.choice([1, 7, 64]),
            layout=layout,
            columns=columns,
            **settings,
        )
        taken, states = read(rows)
        assert taken == wanted(model, **settings, with_=columns or None), (seed, settings)
        assert states[-1] == rows.state_dict() and len(json.dumps(states[-1])) < 2_000


@pytest.mark.parametrize("order", ["shuffled", "carousel", "customer"])
def test_rows_of_partitions_are_those_of_the_store(tmp_path, order):
    for seed in range(3):
        model = Model(tmp_path / f"{seed}", SEED + seed)
        written, out = random.Random(seed).choice(["customer", "carousel"]), tmp_path / f"out {seed}"
        for day in model.days:
            lookback.produce(model.store, input=model.root, dt=day, out=out, order=written, with_=["action_ages"])
        settings = dict(days=model.days, batch_size=7, order=order, seed=seed, columns=["history_length", "action_ages"])
        rows = TrainingRows.from_partition(out, layout="jagged", **settings)
        taken, states = read(rows)
        assert taken == wanted(model, order=order, seed=seed, with_=["history_length", "action_ages"]), (seed, written)
        loaded = from_partition(out, layout="dedup", **settings)
        loaded.load_state_dict(states[3])
        assert read(loaded)[0] == taken[28:]
        arrays = Rows.from_partition(out, **settings)
        assert [row for batch in arrays for row in rows_of(batch)] == taken
        with pytest.raises(lookback.Refused, match="max-history"):
            read(TrainingRows.from_partition(out, **{**settings, "max_history": model.max_history + 1}))
        part = next((out / f"dt={model.days[1]}").glob("part-*.parquet"))
        part.write_bytes(part.read_bytes()[:-1] + b"X")
        with pytest.raises(lookback.Error, match=part.name):
            read(TrainingRows.from_partition(out, **settings))


def test_fields_have_the_shapes_and_types_of_the_contract(model):
    settings = dict(input=model.root, days=model.days[:1], batch_size=16, columns=["ranking_ids", "action_times"])
    length = model.max_history
    for layout in ("padded", "dedup", "jagged"):
        batch = next(iter(TrainingRows(model.store, layout=layout, **settings)))
        assert {name: (list(batch[name].shape), batch[name].dtype) for name in ("impressions", "labels", "customer_ids", "positions")} == {
            "impressions": ([16], torch.int64),
            "labels": ([16], torch.int32),
            "customer_ids": ([16], torch.int64),
            "positions": ([16], torch.int32),
        }
        assert len(batch) == 16 and len(batch.ranking_ids) == 16 and "ranking_ids" in batch
        if layout == "padded":
            assert batch.actions.shape == batch.action_types.shape == batch.action_times.shape == (16, length)
        else:
            histories = int(batch.inverse.max()) + 1
            assert batch.inverse.shape == (16,) and batch.inverse.dtype == torch.int64
            assert len(set(batch.customer_ids.tolist())) == histories
            if layout == "dedup":
                assert batch.actions.shape == (histories, length)
            else:
                offsets = batch.actions__offsets
                # Sums of lengths overflow 32 bits (pytorch#135930).
                assert offsets.dtype == torch.int64 and offsets.shape == (histories + 1,)
                assert batch.actions__values.shape == batch.action_types__values.shape == (int(offsets[-1]),)
        with pytest.raises(AttributeError, match="no field 'none'"):
            batch.none
    narrow = next(iter(TrainingRows(model.store, item_type="int32", type_type="uint8", **settings)))
    assert (narrow.actions.dtype, narrow.action_types.dtype) == (torch.int32, torch.uint8)


def test_forms_of_a_batch_agree(model):
    batches = {}
    for layout in ("padded", "dedup", "jagged"):
        settings = dict(input=model.root, days=model.days, batch_size=50, seed=5)
        batches[layout] = next(iter(TrainingRows(model.store, layout=layout, **settings)))
    padded = batches["padded"]
    lengths = (padded.actions != 0).sum(1)
    for layout, batch in batches.items():
        assert torch.equal(batch.lengths(), lengths), layout
        assert torch.equal(batch.mask(), padded.actions != 0), layout
        nested = batch.to_nested()
        of_rows = range(50) if layout == "padded" else batch.inverse.tolist()
        lists = [one.tolist() for one in nested["actions"].unbind()]
        assert [lists[place] for place in of_rows] == [
            row[:length] for row, length in zip(padded.actions.tolist(), lengths.tolist())
        ]
        moved = batch.to(torch.device("cpu"), copy=True)
        assert rows_of(moved.to_padded()) == rows_of(padded) and moved.state == batch.state
    if torch.cuda.is_available():
        assert batch.pin_memory().impressions.is_pinned()


def test_keyed_jagged_is_torchrecs(model, monkeypatch):
    batch = next(iter(TrainingRows(model.store, input=model.root, days=model.days, layout="jagged")))
    monkeypatch.setitem(sys.modules, "torchrec", None)
    monkeypatch.setitem(sys.modules, "torchrec.sparse.jagged_tensor", None)
    with pytest.raises(ImportError, match="pip install torchrec"):
        batch.to_keyed_jagged()
    import types

    # TorchRec is large and has no wheel for each platform: what it is given is what counts here.
    fake = types.ModuleType("torchrec.sparse.jagged_tensor")
    fake.KeyedJaggedTensor = lambda **given: given
    for name in ("torchrec", "torchrec.sparse"):
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    monkeypatch.setitem(sys.modules, "torchrec.sparse.jagged_tensor", fake)
    given = batch.to_keyed_jagged()
    assert given["keys"] == ["actions", "action_types"]
    lengths = batch.actions__offsets.diff()
    assert torch.equal(given["lengths"], torch.cat([lengths, lengths]))
    assert torch.equal(given["values"], torch.cat([batch.actions__values, batch.action_types__values.long()]))


@pytest.mark.parametrize("workers, context", [(1, "fork"), (2, "fork"), (3, "fork"), (2, "spawn"), (3, "spawn")])
def test_workers_give_the_batches_of_one_process(model, workers, context):
    settings = dict(input=model.root, days=model.days, batch_size=7, seed=3, layout="jagged")
    rows = TrainingRows(model.store, **settings)
    # The parent has read, with threads in the background, before it forks (lance#3640).
    expected, states = read(rows)
    assert read(rows, workers, multiprocessing_context=context, persistent_workers=True) == (expected, states)
    with pytest.raises(lookback.Usage, match="batch.state"):
        rows.state_dict()


def test_epochs_with_persistent_workers(model):
    settings = dict(input=model.root, days=model.days, batch_size=7, seed=3)
    alone, shared = TrainingRows(model.store, **settings), TrainingRows(model.store, **settings)
    loader = DataLoader(shared, batch_size=None, num_workers=2, persistent_workers=True)
    orders = []
    for epoch in (0, 1, 4):
        for rows in (alone, shared):
            rows.set_epoch(epoch)
        taken = [row for batch in loader for row in rows_of(batch)]
        assert taken == read(alone)[0]
        # Iterated again without set_epoch, it is the same epoch again, and whole (ray#58936).
        assert taken == [row for batch in loader for row in rows_of(batch)]
        orders.append(taken)
    assert orders[0] != orders[1] != orders[2] and sorted(orders[0]) == sorted(orders[1])


@pytest.mark.parametrize("world_size", [1, 2, 3])
@pytest.mark.parametrize("drop_last", [False, True])
def test_ranks_have_each_row_once_and_the_same_steps(model, world_size, drop_last):
    settings = dict(input=model.root, days=model.days, seed=9, drop_last=drop_last)
    alone = [rows_of(batch) for batch in TrainingRows(model.store, batch_size=6 * world_size, **settings)]
    ranks = []
    for rank in range(world_size):
        rows = TrainingRows(model.store, batch_size=6, rank=rank, world_size=world_size, **settings)
        ranks.append(list(rows))
    # Ranks that end at different steps hang (pytorch#141069).
    assert len({len(batches) for batches in ranks}) == 1
    for step, batches in enumerate(zip(*ranks)):
        assert len({len(batch) for batch in batches}) == 1 and len({json.dumps(batch.state) for batch in batches}) == 1
        counted = [row for batch in batches for row in rows_of(batch, len(batch) - batch.filled)]
        assert counted == alone[step][: len(counted)] and sorted(counted) == sorted(alone[step])
    assert drop_last or sum(map(len, alone)) == len(wanted(model))


def test_resuming_anywhere_with_any_number_of_ranks_and_workers(model):
    chance = random.Random(SEED)
    settings = dict(input=model.root, days=model.days, seed=11)
    batches = list(TrainingRows(model.store, batch_size=6, **settings))
    counts, states = [len(batch) for batch in batches], [batch.state for batch in batches]
    full = [row for batch in batches for row in rows_of(batch)]
    for trial in range(8):
        at = chance.randrange(len(states))
        state = json.loads(json.dumps(states[at]))
        rest = full[sum(counts[: at + 1]) :]
        world_size, workers, size = chance.choice([1, 2, 3]), chance.choice([0, 1, 2]), chance.choice([2, 5])
        parts = []
        for rank in range(world_size):
            # Another seed and epoch: those of the state count (torchtitan#3008).
            other = {**settings, "seed": 99}
            rows = TrainingRows(model.store, batch_size=size, rank=rank, world_size=world_size, **other)
            rows.load_state_dict(state)
            rows.set_epoch(state["epoch"])
            # A state loaded and asked for again is the same (torchdata#1437).
            assert rows.state_dict() == state
            loader = DataLoader(rows, batch_size=None, num_workers=workers)
            parts.append([rows_of(batch, len(batch) - batch.filled) for batch in loader])
            # The epochs that follow are whole (datasets#7447).
            assert sum(len(batch) - batch.filled for batch in loader) >= len(full) // world_size - size * len(model.days)
        together = [row for step in zip(*parts) for part in step for row in part]
        assert together == rest, (SEED, trial, world_size, workers, size)


def test_resuming_twice_within_an_epoch(model):
    settings = dict(input=model.root, days=model.days, seed=12, batch_size=5)
    full, _ = read(TrainingRows(model.store, **settings))
    taken, state = [], None
    # A position counted from the last resume shifts the order at the second one; buffers lose or repeat rows (datasets#7901).
    while True:
        rows = TrainingRows(model.store, **settings)
        if state is not None:
            rows.load_state_dict(state)
        batches = [batch for batch, _ in zip(rows, range(3))]
        if not batches:
            break
        taken += [row for batch in batches for row in rows_of(batch)]
        state = batches[-1].state
    assert taken == full
    # Nothing is left behind the last batch; then comes a whole epoch, and another one where asked for.
    rows.load_state_dict(state)
    assert list(rows) == [] and read(rows)[0] == full
    rows.load_state_dict(state)
    rows.set_epoch(state["epoch"] + 1)
    assert sorted(read(rows)[0]) == sorted(full)


def test_a_state_loaded_while_iterating_is_never_passed_over(model):
    settings = dict(input=model.root, days=model.days, seed=13, batch_size=5)
    full, states = read(TrainingRows(model.store, **settings))
    rows = TrainingRows(model.store, **settings)
    batches = iter(rows)
    rows.load_state_dict(states[1])
    assert rows_of(next(batches)) == full[10:15], "nothing was taken yet"
    rows.load_state_dict(states[4])
    with pytest.raises(lookback.Refused, match="iterate anew"):
        next(batches)
    assert rows_of(next(iter(rows))) == full[25:30]
    # The same where workers have read ahead.
    rows = TrainingRows(model.store, **settings)
    batches = iter(DataLoader(rows, batch_size=None, num_workers=1))
    next(batches)
    rows.load_state_dict(states[4])
    with pytest.raises(lookback.Refused, match="iterate anew"):
        rows_of(next(batches))


def test_other_rows_are_refused(tmp_path):
    model = Model(tmp_path, SEED)
    settings = dict(input=model.root, days=model.days, batch_size=5)
    rows = TrainingRows(model.store, **settings)
    state = next(iter(rows)).state
    for other in [dict(order="carousel"), dict(max_history=2), dict(lookback_days=1), dict(known_as_of="day_before")]:
        with pytest.raises(lookback.Refused, match=next(iter(other))):
            TrainingRows(model.store, **{**settings, **other}).load_state_dict(state)
    with pytest.raises(lookback.Refused, match="none of the days"):
        TrainingRows(model.store, **{**settings, "days": model.days[1:]}).load_state_dict(state)
    for wrong in [{}, {**state, "version": 7}, None]:
        with pytest.raises(lookback.Usage, match="no state"):
            rows.load_state_dict(wrong)
    for wrong in [dict(days=model.days[0]), dict(days=[]), dict(columns=["age"]), dict(seed=-1), dict(rank=1)]:
        with pytest.raises(lookback.Usage):
            TrainingRows(model.store, **{**settings, **wrong})
    for wrong in [dict(layout="wide"), dict(order="none"), dict(batch_size=0), dict(rank=2, world_size=2)]:
        with pytest.raises(lookback.Usage):
            next(iter(TrainingRows(model.store, **{**settings, **wrong})))
    model.write_impressions(model.days[0], 30)
    for workers in (0, 1):
        again = TrainingRows(model.store, **settings)
        again.load_state_dict(state)
        with pytest.raises(lookback.Refused, match="are others than when the state was made"):
            next(iter(DataLoader(again, batch_size=None, num_workers=workers)))


def test_known_as_of_the_day_before(model):
    settings = dict(input=model.root, days=model.days[:1], known_as_of="day_before")
    taken, _ = read(TrainingRows(model.store, order="customer", **settings))
    assert taken == model.produced(model.days[0], known_as_of="2026-01-03")


def test_most_rows_of_a_customer_and_batches_by_actions(model):
    settings = dict(input=model.root, days=model.days, layout="jagged", seed=2)
    taken, _ = read(TrainingRows(model.store, max_rows_per_customer=2, **settings))
    customers = [(row[2], place < 0) for place, row in enumerate(taken)]
    assert len(taken) < len(wanted(model)) and max(customers.count(one) for one in customers) <= 2 * len(model.days)
    for workers in (0, 2):
        rows = TrainingRows(model.store, batch_size=1_000, batch_actions_max=20, order="customer", **settings)
        loader = DataLoader(rows, batch_size=None, num_workers=workers)
        batches = list(loader)
        assert all(len(batch.actions__values) <= 20 or len(batch.actions__offsets) == 2 for batch in batches)
        assert len(batches) > 2
        assert [row for batch in batches for row in rows_of(batch.to_padded())] == wanted(model)


def test_stateful_data_loader(model):
    from torchdata.stateful_dataloader import StatefulDataLoader

    settings = dict(input=model.root, days=model.days, seed=14, batch_size=5)
    full, _ = read(TrainingRows(model.store, **settings))
    for workers in (0, 2):
        loader = StatefulDataLoader(TrainingRows(model.store, **settings), batch_size=None, num_workers=workers)
        taken, state = [], None
        for number, batch in enumerate(loader):
            taken += rows_of(batch)
            if number == 4:
                state = loader.state_dict()
                break
        loader = StatefulDataLoader(TrainingRows(model.store, **settings), batch_size=None, num_workers=workers)
        loader.load_state_dict(state)
        taken += [row for batch in loader for row in rows_of(batch)]
        assert taken == full, workers
        assert [row for batch in loader for row in rows_of(batch)] == full, workers


def test_a_state_costs_nothing(model):
    # States of seconds a step (torchdata#1317): this one is a few values, made without any reading.
    rows = TrainingRows(model.store, input=model.root, days=model.days, batch_size=1)
    batch = next(iter(rows))
    assert batch.state is batch.state and len(pickle.dumps(batch.state)) < 1_000


RANK = """
import sys, torch
from lookback.torch import TrainingRows
store, root, rank, port, *days = sys.argv[1:]
# The dataset is there before the process group (datasets#5360).
rows = TrainingRows(store, input=root, days=days, batch_size=4, seed=1)
torch.distributed.init_process_group("gloo", init_method=f"tcp://127.0.0.1:{port}", rank=int(rank), world_size=2)
steps = 0
for batch in torch.utils.data.DataLoader(rows, batch_size=None, num_workers=1):
    total = batch.impressions[: len(batch) - batch.filled].sum()
    torch.distributed.all_reduce(total)
    print(total.item(), [row for row in batch.impressions.tolist()[: len(batch) - batch.filled]])
    steps += 1
torch.distributed.destroy_process_group()
print("steps", steps)
"""


def test_two_ranks_train_on_different_rows(model):
    import socket

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    line = [sys.executable, "-c", RANK, str(model.store), str(model.root)]
    ranks = [
        subprocess.Popen([*line, str(rank), port, *model.days], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for rank in range(2)
    ]
    said = [rank.communicate(timeout=120) for rank in ranks]
    assert [rank.returncode for rank in ranks] == [0, 0], said
    lines = [out.splitlines() for out, _ in said]
    assert lines[0][-1] == lines[1][-1]
    items = sorted(item for out in lines for line in out[:-1] for item in json.loads(line.split(" ", 1)[1]))
    assert items == sorted(row[0] for row in wanted(model))
    assert [line.split(" ", 1)[0] for line in lines[0]] == [line.split(" ", 1)[0] for line in lines[1]]


KILLED = """
import os, signal, sys
from torch.utils.data import DataLoader
from lookback.torch import TrainingRows
rows = TrainingRows(sys.argv[1], input=sys.argv[2], days=sys.argv[3:], batch_size=1)
for batch in DataLoader(rows, batch_size=None, num_workers=2):
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_killed_trainer_leaves_nothing_in_the_way(model, tmp_path):
    shared = set(os.listdir("/dev/shm"))
    line = [sys.executable, "-c", KILLED, str(model.store), str(model.root), *model.days]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    # Its workers notice within seconds; they hold the pipes until then.
    killed = subprocess.run(line, env=environment, capture_output=True, text=True)
    assert killed.returncode == -9, killed.stderr
    # Scratch files have no name from the beginning on; what is shared (streaming#781) has none either, and is torch's.
    assert [name for name in os.listdir(tmp_path) if "lookback" in name] == []
    assert {name for name in set(os.listdir("/dev/shm")) - shared if "lookback" in name} == set()
    assert read(TrainingRows(model.store, input=model.root, days=model.days))[0]


INTERRUPTED = """
import os, signal, sys, threading, time
from lookback.torch import TrainingRows
rows = TrainingRows(sys.argv[1], input=sys.argv[2], days=sys.argv[3:], batch_size=1)
threading.Timer(1, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
try:
    while True:
        for batch in rows:
            pass
except KeyboardInterrupt:
    print("interrupted")
"""


def test_ctrl_c_ends_an_iteration(model):
    line = [sys.executable, "-c", INTERRUPTED, str(model.store), str(model.root), *model.days]
    said = subprocess.run(line, capture_output=True, text=True, timeout=60)
    assert said.stdout == "interrupted\n" and said.stderr == "", said


def test_numpy_and_arrow_without_torch(model):
    import pyarrow

    for layout in ("padded", "dedup", "jagged"):
        rows = lookback.Store(model.store).rows(input=model.root, days=model.days, layout=layout, batch_size=33)
        taken = [row for batch in rows for row in rows_of(batch.to_padded())]
        assert taken == wanted(model, order="shuffled"), layout
        batch = next(iter(rows))
        arrow = pyarrow.record_batch(batch)
        assert arrow.column("impression_item_id").to_pylist() == batch.impressions.tolist()
        padded = batch.to_padded()["actions"].tolist()
        lists = arrow.column("actions")
        lists = lists.dictionary_decode() if layout != "padded" else lists
        assert [row + [0] * (model.max_history - len(row)) for row in lists.to_pylist()] == padded
    with pytest.raises(AttributeError):
        batch.none
