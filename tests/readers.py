"""Reads a produced folder as its users do, root and partition, and prints how many rows each reader found at the root.

Fails where a reader refuses the folder, or gives a column another type than the contract says.
"""

import sys

import duckdb
import pandas
import polars
import pyarrow.dataset
import pyarrow.parquet

out = sys.argv[1]
part = f"{out}/dt=2026-01-04"
NAMES = ["dt", "ranking_id", "customer_id", "impression_pos", "impression_item_id", "label", "actions", "action_types"]

table = pyarrow.parquet.read_table(out)
assert table.column_names == NAMES, table.column_names
assert pyarrow.parquet.read_table(part).num_rows > 0
assert set(table["dt"].to_pylist()) == {"2026-01-03", "2026-01-04", "2026-01-05"}
print("pyarrow", table.num_rows)
print("pyarrow.dataset", pyarrow.dataset.dataset(out).count_rows())

frame = pandas.read_parquet(out)
assert list(frame.columns) == NAMES and len(pandas.read_parquet(part)) > 0
assert all(len(actions) == 1000 for actions in frame["actions"])
print("pandas", len(frame))

types = dict(row[:2] for row in duckdb.sql(f"describe select * from '{part}/*.parquet'").fetchall())
wanted = {"ranking_id": "VARCHAR", "customer_id": "BIGINT", "impression_pos": "INTEGER", "impression_item_id": "BIGINT",
          "label": "INTEGER", "actions": "BIGINT[]", "action_types": "INTEGER[]"}
assert {name: types[name] for name in wanted} == wanted, types
print("duckdb", duckdb.sql(f"select count(*) from '{out}/*/*.parquet' where len(actions) = 1000").fetchall()[0][0])

lazy = polars.scan_parquet(out)
assert polars.read_parquet(part).schema["actions"] == polars.List(polars.Int64)
print("polars", lazy.select(polars.len()).collect().item())
