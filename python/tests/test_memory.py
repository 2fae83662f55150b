"""Rows from memory, by the Arrow stream interface: of every library, the same as from files."""

from __future__ import annotations

import random
from typing import Any, Callable

import deltalake
import duckdb
import pandas
import polars
import pyarrow
import pyarrow.orc
import pyarrow.parquet
import pytest
from pyiceberg.catalog.sql import SqlCatalog

import lookback

from lookback.rows import Rows
from lookback.torch import TrainingRows
from model import FIRST, Model, day, rows_of
from torch.utils.data import DataLoader

SEED = 20260102


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    return Model(tmp_path_factory.mktemp("memory"), SEED)


def table_of(model: Model, source: str, name: str) -> pyarrow.Table:
    return pyarrow.parquet.read_table(model.root / source / f"dt={name}" / "part.parquet", partitioning=None)


def content(store: Any) -> list[dict[str, Any]]:
    """Return all histories of a store, with the times of their actions."""
    return pyarrow.table(lookback.Store(store).histories(range(1, 20), dt=day(9), allow_gaps=True)).to_pylist()


def in_pieces(table: pyarrow.Table) -> pyarrow.RecordBatchReader:
    shuffled = table.take(random.Random(SEED).sample(range(len(table)), len(table)))
    return pyarrow.RecordBatchReader.from_batches(table.schema, shuffled.to_batches(max_chunksize=7))


def of_delta(table: pyarrow.Table, folder: Any) -> Any:
    deltalake.write_deltalake(str(folder / "delta"), table)
    return deltalake.DeltaTable(str(folder / "delta")).to_pyarrow_table()


def of_delta_query(table: pyarrow.Table, folder: Any) -> Any:
    deltalake.write_deltalake(str(folder / "delta query"), table)
    query = deltalake.QueryBuilder().register("t", deltalake.DeltaTable(str(folder / "delta query")))
    return query.execute("SELECT * FROM t")


def of_iceberg(table: pyarrow.Table, folder: Any) -> Any:
    warehouse = folder / "iceberg"
    warehouse.mkdir()
    catalog = SqlCatalog("tests", uri=f"sqlite:///{warehouse}/catalog.db", warehouse=f"file://{warehouse}")
    catalog.create_namespace("logs")
    made = catalog.create_table("logs.actions", schema=table.schema)
    made.append(table)
    return made.scan().to_arrow_batch_reader()


def of_orc(table: pyarrow.Table, folder: Any) -> Any:
    pyarrow.orc.write_table(table, folder / "rows.orc")
    return pyarrow.orc.read_table(folder / "rows.orc")


LIBRARIES: dict[str, Callable[[pyarrow.Table, Any], Any]] = {
    "table": lambda table, _: table,
    "batches in another order": lambda table, _: in_pieces(table),
    "polars": lambda table, _: polars.from_arrow(table),
    "duckdb": lambda table, _: duckdb.from_arrow(table).order("customer_id DESC"),
    "pandas": lambda table, _: table.to_pandas(),
    "delta": of_delta,
    "delta query": of_delta_query,
    "iceberg": of_iceberg,
    "orc": of_orc,
}


@pytest.mark.parametrize("library", LIBRARIES)
def test_rows_of_any_library_give_the_store_of_files(model, tmp_path, library):
    make = LIBRARIES[library]
    lookback.init(tmp_path / "memory", max_history=model.max_history)
    summaries = []
    for number in range(2):
        folder = tmp_path / f"{number}"
        folder.mkdir()
        rows = {}
        for source in ("clicks", "orders"):
            (folder / source).mkdir()
            rows[source] = make(table_of(model, source, day(number)), folder / source)
        summaries.append(lookback.ingest(tmp_path / "memory", dt=day(number), **rows))
    lookback.init(tmp_path / "files", max_history=model.max_history)
    for number, summary in enumerate(summaries):
        of_files = lookback.ingest(tmp_path / "files", input=model.root, dt=day(number))
        for name in ("actions", "types", "late", "early", "customers", "new_customers", "duplicates"):
            assert summary[name] == of_files[name], (name, library)
    assert content(tmp_path / "memory") == content(tmp_path / "files")
    assert sum(len(row["actions"]) for row in content(tmp_path / "files")) > 50


def test_the_same_rows_are_the_same_batch(model, tmp_path):
    """Whatever their order and pieces: partitions that rest on them are not stale. Another row makes them stale."""
    store, clicks = tmp_path / "store", table_of(model, "clicks", day(0))
    lookback.ingest(store, dt=day(0), clicks=clicks, create=True)
    shown = table_of(model, "impressions", model.days[0])
    produced = lookback.produce(store, dt=day(1), impressions=shown, out=tmp_path / "out")
    assert produced["rows"] == len(model.produced(model.days[0]))
    again = lookback.ingest(store, dt=day(0), clicks=in_pieces(clicks))
    assert again["replaced"] and not lookback.stale(store, out=tmp_path / "out")["listed"]
    lookback.ingest(store, dt=day(0), clicks=clicks.slice(1))
    assert [one["dt"] for one in lookback.stale(store, out=tmp_path / "out")["listed"]] == [day(1)]


def test_impressions_from_memory_give_the_rows_of_files(model, tmp_path):
    for name in model.days:
        settings = dict(dt=name, order="shuffled", seed=4)
        lookback.produce(model.store, input=model.root, out=tmp_path / "files", **settings)
        shown = in_pieces(table_of(model, "impressions", name))
        lookback.produce(model.store, impressions=shown, out=tmp_path / "memory", **settings)
    assert lookback.diff(tmp_path / "files", tmp_path / "memory")["same"]
    renamed = table_of(model, "impressions", name).rename_columns(["request", "user", "items"])
    names = {"ranking_id": "request", "customer_id": "user", "impressions": "items"}
    lookback.produce(model.store, impressions=renamed, columns=names, out=tmp_path / "renamed", **settings)
    assert lookback.diff(tmp_path / "files", tmp_path / "renamed", dt=name)["same"]


def test_training_rows_of_impressions_from_memory_are_those_of_files(model, tmp_path):
    settings: dict[str, Any] = dict(days=model.days, batch_size=7, order="shuffled", seed=4)
    store = lookback.Store(model.store)
    wanted = [row for batch in store.rows(input=model.root, **settings) for row in rows_of(batch)]
    shown = {name: table_of(model, "impressions", name) for name in model.days}
    assert [row for batch in store.rows(impressions=shown, **settings) for row in rows_of(batch)] == wanted
    # Each library; of one day, without its name; in workers, who read it again; resumed.
    first = {**settings, "days": model.days[:1]}
    of_first = [row for batch in store.rows(input=model.root, **first) for row in rows_of(batch)]
    for make in LIBRARIES.values():
        made = make(shown[model.days[0]], tmp_path)
        assert [row for batch in store.rows(impressions=made, **first) for row in rows_of(batch)] == of_first
    for context in ("fork", "spawn"):
        rows = TrainingRows(model.store, impressions=shown, **settings)
        loader = DataLoader(rows, batch_size=None, num_workers=2, multiprocessing_context=context)
        batches = list(loader)
        assert [row for batch in batches for row in rows_of(batch)] == wanted
    rows.load_state_dict(batches[2].state)
    assert [row for batch in rows for row in rows_of(batch)] == wanted[21:]
    # The same rows in other pieces are the same; one row less is another day.
    pieces = {name: pyarrow.Table.from_batches(in_pieces(table)) for name, table in shown.items()}
    again = TrainingRows(model.store, impressions=pieces, **settings)
    again.load_state_dict(batches[2].state)
    assert [row for batch in again for row in rows_of(batch)] == wanted[21:]
    less = TrainingRows(model.store, impressions={**shown, model.days[0]: shown[model.days[0]].slice(1)}, **settings)
    less.load_state_dict(batches[2].state)
    with pytest.raises(lookback.Refused, match="have changed"):
        next(iter(less))
    # Other names of columns.
    renamed = shown[model.days[0]].rename_columns(["request", "user", "items"])
    names = {"ranking_id": "request", "customer_id": "user", "impressions": "items"}
    rows_of_names = store.rows(impressions=renamed, impression_columns=names, **first)
    assert [row for batch in rows_of_names for row in rows_of(batch)] == of_first


def test_impressions_that_are_not_those_of_the_days_are_refused(model):
    shown = table_of(model, "impressions", model.days[0])
    store, days = lookback.Store(model.store), model.days
    for settings, message in [
        ({}, "no input"),
        ({"input": model.root, "impressions": shown, "days": days[:1]}, "two kinds of input"),
        ({"impressions": shown}, "1 of 2 days"),
        ({"impressions": {days[0]: shown, "2026-02-01": shown}}, "or of others"),
        ({"impressions": [1, 2], "days": days[:1]}, "a list is no Arrow data"),
        ({"input": model.root, "impression_columns": {"customer_id": "user"}}, "not given"),
    ]:
        with pytest.raises(lookback.Usage, match=message):
            store.rows(**{"days": days, **settings})
    with pytest.raises(lookback.Usage, match="no setting impressions"):
        Rows.from_partition("out", days=days[:1], impressions=shown)
    once = shown.to_reader()
    rows = store.rows(impressions=once, days=days[:1])
    assert list(rows)
    unknown = store.rows(impressions=shown, impression_columns={"no_such_key": "user"}, days=days[:1])
    with pytest.raises(lookback.Error, match="no_such_key"):
        next(iter(unknown))


def test_training_rows_name_a_configuration_that_is_not_used(model, caplog):
    beside = model.root.parent / "lookback.toml"
    beside.write_text("")
    try:
        for settings, notes in [({"input": model.root}, 1), ({"input": model.root, "config": beside}, 0)]:
            caplog.clear()
            lookback.Store(model.store).rows(days=model.days, **settings)
            told = [record.getMessage() for record in caplog.records if "is not used" in record.getMessage()]
            assert len(told) == notes and all(str(beside) in text for text in told)
    finally:
        beside.unlink()


def test_columns_name_what_a_source_has(tmp_path):
    """A log of all events in one table; its types are names, or their numbers."""
    log = pandas.DataFrame(
        {
            "user": [7, 7, 8],
            "sku": [11, 12, 13],
            "at": [FIRST, FIRST.replace(hour=3), FIRST.replace(hour=5)],
            "event": ["click", "order", "click"],
        }
    )
    columns = {"customer_id": "user", "item_id": "sku", "time": "at", "type": "event"}
    said = lookback.ingest(tmp_path / "names", dt=day(0), events=log, columns=columns, create=True)
    assert said["types"] == {"click": 2, "add_to_cart": 0, "order": 1} and said["customers"] == 2
    numbered = log.assign(event=[1, 3, 1])
    lookback.ingest(tmp_path / "numbers", dt=day(0), events=numbered, columns={"events": columns}, create=True)
    assert content(tmp_path / "names") == content(tmp_path / "numbers")
    both = {"clicks": {"item_id": "sku"}, "orders": {"time": "at"}}
    clicks = pyarrow.table({"customer_id": [7], "sku": [11], "click_time": [FIRST]})
    orders = pyarrow.table({"customer_id": [7], "config_id": [12], "at": [FIRST]})
    lookback.ingest(tmp_path / "both", dt=day(0), clicks=clicks, orders=orders, columns=both, create=True)
    assert [row["actions"] for row in content(tmp_path / "both")][6] == [12, 11]


def test_what_is_wrong_is_said_in_one_sentence(model, tmp_path):
    clicks = pyarrow.table({"customer_id": [7, 7], "item_id": [11, None], "click_time": [FIRST, FIRST]})

    def refused(kind: type[lookback.Error], words: list[str], **given: Any) -> None:
        with pytest.raises(kind) as caught:
            lookback.ingest(tmp_path / "store", **{"dt": day(0), "create": True, **given})
        said = str(caught.value)
        assert "\n" not in said and all(word in said for word in words), said
        assert not (tmp_path / "store").exists()

    refused(lookback.Input, ["clicks", "row 2", "item_id"], clicks=clicks)
    refused(lookback.Input, ["clicks", "click_time"], clicks=clicks.drop_columns(["click_time"]))
    refused(lookback.Input, ["clicks", "item_id"], clicks=clicks.set_column(1, "item_id", [[1.5, 2.5]]))
    refused(lookback.Usage, ["no source click", "did you mean clicks"], click=clicks)
    refused(lookback.Usage, ["allow_emty", "bool"], input=model.root, allow_emty=True)
    refused(lookback.Usage, ["clicks", "list"], clicks=[1, 2])
    refused(lookback.Usage, ["no input"])
    refused(lookback.Usage, ["two kinds of input"], clicks=clicks, input=model.root)
    refused(lookback.Usage, ["item", "item_id"], clicks=clicks, columns={"item": "sku"})
    refused(lookback.Usage, ["'orders'"], clicks=clicks, columns={"orders": {"item_id": "sku"}})
    refused(lookback.Usage, ["events", "time"], events=clicks, columns={"item_id": "sku"})

    def failing() -> Any:
        yield clicks.slice(0, 1).to_batches()[0]
        raise RuntimeError("the warehouse went away")

    reader = pyarrow.RecordBatchReader.from_batches(clicks.schema, failing())
    refused(lookback.Input, ["clicks", "the warehouse went away"], clicks=reader)
    lookback.ingest(tmp_path / "store", dt=day(0), clicks=clicks, create=True, quarantine=tmp_path / "aside")
    assert lookback.status(tmp_path / "store")["actions"] == 1


def test_a_stream_is_read_once(tmp_path):
    clicks = pyarrow.table({"customer_id": [7], "item_id": [11], "click_time": [FIRST]})
    reader = pyarrow.RecordBatchReader.from_batches(clicks.schema, clicks.to_batches())
    lookback.ingest(tmp_path / "store", dt=day(0), clicks=reader, create=True)
    with pytest.raises(lookback.Input, match="has no actions"):
        lookback.ingest(tmp_path / "store", dt=day(0), clicks=reader)
    assert lookback.status(tmp_path / "store")["actions"] == 1


def test_a_vocabulary_is_arrow_too(model, tmp_path):
    settings = dict(from_=day(0), to=model.days[-1], of="items")
    said = lookback.vocabulary(model.root, out=tmp_path / "items.parquet", **settings)
    ids = pyarrow.table(lookback.vocabulary(model.root, **settings))
    assert ids == pyarrow.parquet.read_table(tmp_path / "items.parquet").replace_schema_metadata(None)
    assert ids["index"].to_pylist() == list(range(1, said["ids"] + 1)) and said["ids"] > 20
    with pytest.raises(lookback.Usage, match="kind of ids"):
        lookback.vocabulary(model.root, **{**settings, "of": "item"})


def test_ids_may_be_text(tmp_path):
    """UUIDs and codes as they are: commands and histories take the text."""
    (tmp_path / "lookback.toml").write_text('[ids]\ncustomer = "text"\nitem = "text"\n')
    rows = {"customer_id": ["u-7", "u-7", "u-8"], "item_id": ["0042", "42", "0042"], "click_time": [FIRST] * 3}
    settings = dict(dt=day(0), config=tmp_path / "lookback.toml", create=True)
    lookback.ingest(tmp_path / "store", clicks=pyarrow.table(rows), **settings)
    store = lookback.Store(tmp_path / "store")
    table = pyarrow.table(store.histories(["u-8", "u-7", "nobody"], dt=day(1)))
    lengths = {row["customer_text"]: len(row["actions"]) for row in table.to_pylist()}
    assert lengths == {"u-7": 2, "u-8": 1, "nobody": 0}
    items = dict(zip(table["customer_text"].to_pylist(), table["actions"].to_pylist()))
    assert len(set(items["u-7"])) == 2 and set(items["u-8"]) < set(items["u-7"])
    shown = lookback.show(tmp_path / "store", "u-8", dt=day(1))
    assert shown["customer_text"] == "u-8" and shown["actions"][0]["item_id"] == items["u-8"][0]
    lookback.forget(tmp_path / "store", customers=["u-8"])
    assert pyarrow.table(store.histories(["u-8"], dt=day(1))).num_rows == 0
    numbers = pyarrow.table({**rows, "customer_id": [7, 7, 8], "item_id": [1, 2, 3]})
    lookback.ingest(tmp_path / "numbers", dt=day(0), clicks=numbers, create=True)
    with pytest.raises(lookback.Usage, match="no customer"):
        lookback.Store(tmp_path / "numbers").histories(["u-7"], dt=day(1))
