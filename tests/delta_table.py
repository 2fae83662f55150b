"""Reads a Delta table with deltalake and compares it with plain partitions, or does to it what other programs do."""

import glob
import os
import sys
from datetime import date

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import DeltaTable


def plain_rows(folder):
    tables = []
    for part in sorted(glob.glob(f"{folder}/dt=*/part-*.parquet")):
        table = pq.ParquetFile(part).read()
        day = date.fromisoformat(os.path.basename(os.path.dirname(part))[len("dt="):])
        tables.append(table.append_column("dt", pa.array([day] * len(table), pa.date32())))
    return pa.concat_tables(tables)


def sorted_rows(table, names):
    return sorted(repr([row[name] for name in names]) for row in table.to_pylist())


def same(read, expected):
    read = pa.table(read)
    names = expected.column_names
    assert sorted(read.column_names) == sorted(names), (read.column_names, names)
    one, other = sorted_rows(read, names), sorted_rows(expected, names)
    assert one == other, f"{len(one)} rows, {len(other)} expected; first: {one[:1]}, {other[:1]}"
    assert len(one) > 0


def table_at(url, version=None):
    return DeltaTable(url, version=version)


def main(action, url, *rest):
    table = table_at(url, int(rest[1]) if action == "same" and len(rest) > 1 else None)
    if action == "same":
        same(table.to_pyarrow_table(), plain_rows(rest[0]))
        schema = {field.name: field for field in table.schema().fields}
        assert schema["ranking_id"].nullable and not schema["customer_id"].nullable
        assert table.metadata().partition_columns == ["dt"]
    elif action == "filters":
        expected = plain_rows(rest[0])
        for day in ["2026-01-03", "2026-01-04"]:
            of_day = expected.filter(pa.compute.equal(expected["dt"], date.fromisoformat(day)))
            same(table.to_pyarrow_table(partitions=[("dt", "=", day)]), of_day)
        # By the statistics of the files too.
        customers = pa.compute.field("impression_item_id") == 9
        same(table.to_pyarrow_table(filters=customers), expected.filter(pa.compute.equal(expected["impression_item_id"], 9)))
        assert table.to_pyarrow_table(filters=pa.compute.field("impression_item_id") == 10).num_rows == 0
    elif action == "history":
        history = table.history()
        assert len(history) == int(rest[0]), history
        assert all(entry["operation"] == "WRITE" and entry["timestamp"] > 1_700_000_000_000 for entry in history), history
        assert history[0]["engineInfo"].startswith("lookback/"), history[0]
    elif action == "checkpoint":
        table.alter.set_table_properties({"delta.logRetentionDuration": "interval 0 days"})
        table = table_at(url)
        table.create_checkpoint()
        table.cleanup_metadata()
    elif action == "optimize":
        metrics = table.optimize.compact()
        assert metrics["numFilesRemoved"] > 0, metrics
    elif action == "vacuum":
        removed = table.vacuum(retention_hours=0, enforce_retention_duration=False, dry_run=False)
        assert len(removed) > 0
    else:
        raise SystemExit(f"no action {action}")


main(*sys.argv[1:])
