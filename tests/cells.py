"""Prints the rows of a partition as pyarrow, Polars and DuckDB read them: one line of JSON for each, times in microseconds since 1970.

Fails where a reader gives `action_times` another type than instants in UTC.
"""

import json
import sys

import duckdb
import polars
import pyarrow
import pyarrow.parquet

folder = sys.argv[1]


def put(reader, columns):
    print(json.dumps({"reader": reader, "rows": [list(row) for row in zip(*columns, strict=True)]}))


def instants(times):
    """Exactly, and without a datetime, which pyarrow makes of a timestamp and which knows years alone."""
    return [[time.value for time in row] for row in times]


table = pyarrow.parquet.read_table(folder)
times = table["action_times"]
assert times.type.value_type == pyarrow.timestamp("us", tz="UTC"), times.type
columns = [table[name].to_pylist() for name in table.column_names if name != "action_times"]
put("pyarrow", columns + [instants(times)])

frame = polars.read_parquet(folder)
assert frame.schema["action_times"] == polars.List(polars.Datetime("us", "UTC")), frame.schema
frame = frame.with_columns(polars.col("action_times").list.eval(polars.element().dt.epoch("us")))
put("polars", [frame[name].to_list() for name in frame.columns])

files = f"read_parquet('{folder}/part-*.parquet', hive_partitioning = false)"
types = {row[0]: row[1] for row in duckdb.sql(f"describe select * from {files}").fetchall()}
assert types["action_times"] == "TIMESTAMP WITH TIME ZONE[]", types
names = [name for name in types if name != "action_times"]
query = f"select {', '.join(names)}, list_transform(action_times, lambda t: epoch_us(t)) from {files}"
put("duckdb", list(zip(*duckdb.sql(query).fetchall(), strict=True)))
