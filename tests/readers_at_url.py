"""Reads the rows of a produced output at a URL of an S3 server by the usual ways of its readers; prints how many rows each found.

Fails where a reader finds other columns, days or cells than pyarrow does. The credentials come from the environment.
"""

import os
import sys

import duckdb
import fsspec.implementations.arrow
import pandas
import polars
import pyarrow.dataset
import pyarrow.fs
import pyarrow.parquet

url, day = sys.argv[1:]
endpoint, region = os.environ["AWS_ENDPOINT_URL"], os.environ["AWS_REGION"]
s3 = pyarrow.fs.S3FileSystem(endpoint_override=endpoint.removeprefix("http://"), scheme="http", region=region)
path = url.removeprefix("s3://")
NAMES = ["ranking_id", "customer_id", "impression_pos", "impression_item_id", "label", "actions", "action_types", "dt"]
KEY = ["customer_id", "ranking_id", "impression_pos"]


def cells(table):
    """All cells, in the order of the rows, which is that of customer and ranking."""
    rows = [{name: row[name] for name in NAMES[:-1]} for row in table.to_pylist()]
    return sorted(rows, key=lambda row: [row[name] for name in KEY])


def put(reader, table):
    assert table.column_names == NAMES, (reader, table.column_names)
    assert {str(value) for value in table["dt"].to_pylist()} == {day}, reader
    assert cells(table) == expected, reader
    print(f"{reader}: {table.num_rows}")


expected = cells(pyarrow.parquet.read_table(f"{path}/dt={day}", filesystem=s3))
assert expected and all(len(row["actions"]) == 1000 for row in expected)
put("pyarrow read_table", pyarrow.parquet.read_table(path, filesystem=s3))
put("pyarrow dataset", pyarrow.dataset.dataset(path, filesystem=s3, partitioning="hive").to_table())
by_url = f"{url}?scheme=http&region={region}&endpoint_override={endpoint.removeprefix('http://')}"
put("pyarrow by URL", pyarrow.dataset.dataset(by_url, partitioning="hive").to_table())
for way, frame in {"pandas": pandas.read_parquet(path, filesystem=s3), "pandas by URL": pandas.read_parquet(by_url)}.items():
    put(way, pyarrow.Table.from_pandas(frame.astype({"dt": str}), preserve_index=False))

options = {"aws_endpoint_url": endpoint, "aws_region": region, "aws_allow_http": "true",
           "aws_access_key_id": os.environ["AWS_ACCESS_KEY_ID"], "aws_secret_access_key": os.environ["AWS_SECRET_ACCESS_KEY"]}
pattern = f"{url}/dt=*/part-*.parquet"
for way, lazy in {"polars": polars.scan_parquet(pattern, storage_options=options, hive_partitioning=True),
                  "polars by folder": polars.scan_parquet(url + "/", storage_options=options, hive_partitioning=True)}.items():
    put(way, lazy.collect().to_arrow())


class Objects(fsspec.implementations.arrow.ArrowFSWrapper):
    """What DuckDB reads from without an extension of its own."""

    protocol = "objects"

    @classmethod
    def _strip_protocol(cls, path):
        return path.removeprefix("objects://").rstrip("/")


# Its own reader of s3:// is the extension httpfs, which comes from the internet.
connection = duckdb.connect()
connection.register_filesystem(Objects(s3))
found = connection.sql(f"from read_parquet('objects://{path}/dt=*/part-*.parquet', hive_partitioning = true)")
put("duckdb", found.to_arrow_table())
lent = pyarrow.dataset.dataset(path, filesystem=s3, partitioning="hive")
put("duckdb on a dataset", connection.sql("from lent").to_arrow_table())
