"""Histories as Arrow streams."""

import json
import pickle

import duckdb
import polars
import pyarrow
import pytest
from example import write_example

import lookback


@pytest.fixture
def store(tmp_path):
    write_example(tmp_path)
    return lookback.Store(tmp_path / "store")


def test_histories_are_those_of_get_whoever_reads_them(store, tmp_path):
    lookback.get(store.path, [9, 7, 7], dt="2026-01-02", out=tmp_path / "histories.parquet")
    import pyarrow.parquet

    expected = pyarrow.parquet.read_table(tmp_path / "histories.parquet")
    histories = lambda: store.histories([9, 7, 7], dt="2026-01-02")  # noqa: E731
    table = pyarrow.table(histories())
    assert table.to_pylist() == expected.to_pylist() and table.num_rows == 2
    assert polars.DataFrame(histories()).to_dicts() == polars.from_arrow(expected).to_dicts()
    reader = pyarrow.RecordBatchReader.from_stream(histories())
    assert duckdb.sql("select customer_id, len(actions) from reader order by 1").fetchall() == [(7, 2), (9, 0)]
    shown = lookback.show(store.path, 7, dt="2026-01-02")["actions"]
    assert table.to_pylist()[0]["actions"] == [action["item_id"] for action in shown]


def test_a_stream_is_read_once_and_may_be_left(store):
    histories = store.histories([7], dt="2026-01-02")
    pyarrow.table(histories)
    with pytest.raises(ValueError, match="read before"):
        pyarrow.table(histories)
    # Never read: its thread ends with it.
    del histories
    store.histories(range(1, 100_000), dt="2026-01-02")


def test_settings_and_refusals(store, tmp_path):
    one = pyarrow.table(store.histories([7], dt="2026-01-02", max_history=1)).to_pylist()
    assert [row["actions"] for row in one] == [[12]]
    none = pyarrow.table(store.histories([7], dt="2026-01-02", known_as_of="2025-12-31", allow_gaps=True)).to_pylist()
    assert [row["actions"] for row in none] == [[]]
    with pytest.raises(lookback.Refused):
        store.histories([7], dt="2026-01-20")
    with pytest.raises(lookback.Usage, match="dt"):
        store.histories([7], dt="2026-13-01")
    with pytest.raises(lookback.Refused):
        lookback.Store(tmp_path / "none")
    with pytest.raises(lookback.Usage, match="no amount of memory"):
        lookback.Store(tmp_path / "store", memory_limit="much")


def test_a_store_is_a_value(store):
    copied = pickle.loads(pickle.dumps(store))
    assert json.dumps(copied.status()) == json.dumps(store.status()) and repr(copied) == repr(store)
