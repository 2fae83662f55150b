#!/usr/bin/env python3
"""The job in DuckDB, its rows handed as Arrow to pyarrow's writer.

1. Impressions are sorted in the order of the contract; their customers are numbered in order of their id.
2. Actions are read newest batches first, joined to those customers, and sorted as a whole by (customer and time in
   one 64-bit key, type, item), which is DuckDB's quickest way to order histories: half the time of sorted list
   aggregates and a quarter of top-n aggregates. Customers with a full history get a limit (see Job.rounds).
3. Each worker, on a connection and a thread of its own, aggregates the histories of its range of customers, joins them
   to the impressions, and unnests. (Without ORDER BY the lists are quicker still, but not always in order.)
4. pyarrow writes them. DuckDB's own COPY takes 1.5 times the CPU time for lists of 1,000, with each row group
   size and dictionary limit tried, and whether it is one COPY of a UNION ALL of ranges or one COPY for each range.

Memory: DuckDB's limit below, and the batches that wait for the writers.
"""
import sys
from concurrent.futures import ThreadPoolExecutor

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from job import ACTIONS, HISTORY, Job

JOB = Job(__doc__.splitlines()[0])
ROUND_DAYS = 30  # of the first round
BATCH_ROWS = 2048  # rows handed to the writer at once, each batch a row group
MEMORY_LIMIT = "12GB"
KEY_BITS = 63


def list_of(kind):
    return pa.list_(pa.field("element", kind, nullable=False))


SCHEMA = pa.schema([  # without nulls there are no definition levels to write
    pa.field("ranking_id", pa.string()),
    pa.field("customer_id", pa.int64(), nullable=False),
    pa.field("impression_pos", pa.int32(), nullable=False),
    pa.field("impression_item_id", pa.int64(), nullable=False),
    pa.field("label", pa.int32(), nullable=False),
    pa.field("actions", list_of(pa.int64()), nullable=False),
    pa.field("action_types", list_of(pa.int32()), nullable=False),
])


def load_impressions(con):
    """Table shown: impression rows in order, with the number of their customer; table customers with those numbers."""
    con.execute("""
        CREATE TABLE loaded AS SELECT ranking_id, customer_id, list_transform(impressions, lambda e: {
            item: e.item_id, label: coalesce(e.is_order, false)::INT}) AS list
        FROM read_parquet(?, hive_partitioning = false) WHERE len(impressions) > 0""", [JOB.impression_files()])
    con.execute("""
        CREATE TABLE customers AS SELECT customer_id, row_number() OVER (ORDER BY customer_id) - 1 AS customer
        FROM (SELECT DISTINCT customer_id FROM loaded)""")
    con.execute("""
        CREATE TABLE shown AS SELECT customer, customer_id, ranking_id, list
        FROM loaded JOIN customers USING (customer_id) ORDER BY customer_id, ranking_id NULLS FIRST, list""")
    return con.execute("SELECT count(*) FROM customers").fetchone()[0]


def scan(days, bits):
    """The query for the actions of some batches: key, type, item."""
    parts = [f"""
        SELECT (customer << {bits}) + ago AS key, {action_type}::TINYINT AS type, {item} AS item
        FROM (SELECT customer_id, {item}, {JOB.cutoff} - epoch_us({moment}) AS ago
            FROM read_parquet({files!r}, hive_partitioning = false)) JOIN customers USING (customer_id)
            LEFT JOIN full_histories USING (customer)
        WHERE ago > 0 AND ago <= coalesce(oldest, {(1 << bits) - 1})"""
             for kind, (action_type, item, moment) in ACTIONS.items() if (files := JOB.action_files(kind, days))]
    return " UNION ALL ".join(parts)


def load_histories(con, bits):
    """Table sorted: actions in order, and table starts: the first row of each customer in it."""
    con.execute("CREATE TABLE full_histories (customer BIGINT, oldest BIGINT)")
    held = ""
    for days in JOB.rounds(ROUND_DAYS):
        if held:
            con.execute(f"""
                CREATE TABLE held AS SELECT key, type, item FROM sorted JOIN starts ON customer = key >> {bits}
                WHERE sorted.rowid < first + {HISTORY}""")
            con.execute(f"""
                CREATE OR REPLACE TABLE full_histories AS SELECT key >> {bits} AS customer,
                    max(key & {(1 << bits) - 1}) AS oldest
                FROM held GROUP BY 1 HAVING count(*) = {HISTORY}""")
        con.execute(f"CREATE OR REPLACE TABLE sorted AS {held} {scan(days, bits)} ORDER BY key, type DESC, item DESC")
        con.execute(f"""
            CREATE OR REPLACE TABLE starts AS SELECT key >> {bits} AS customer, min(rowid) AS first
            FROM sorted GROUP BY 1""")
        con.execute("DROP TABLE IF EXISTS held")
        held = "SELECT key, type, item FROM held UNION ALL"


def write(con, path, first, last, bits):
    """Writes the rows of customers first..last, on this thread alone."""
    con.execute(f"""
        CREATE TEMP TABLE histories AS SELECT customer, list(item ORDER BY place) AS items,
            list(type::INT ORDER BY place) AS types
        FROM (SELECT customer, item, type, sorted.rowid AS place FROM sorted JOIN starts ON customer = key >> {bits}
            WHERE key >= {first << bits} AND customer < {last} AND sorted.rowid < first + {HISTORY})
        GROUP BY customer""")
    con.execute(f"""
        CREATE TEMP TABLE padded AS SELECT customer,
            list_resize(coalesce(items, []::BIGINT[]), {HISTORY}, 0) AS actions,
            list_resize(coalesce(types, []::INT[]), {HISTORY}, 0) AS action_types
        FROM customers LEFT JOIN histories USING (customer) WHERE customer >= {first} AND customer < {last}""")
    rows = con.sql(f"""
        SELECT ranking_id, customer_id, unnest(range(len(list)))::INT AS impression_pos,
            unnest(list).item AS impression_item_id, unnest(list).label AS label, actions, action_types
        FROM (SELECT * FROM shown WHERE customer >= {first} AND customer < {last}) LEFT JOIN padded USING (customer)
        """).to_arrow_reader(BATCH_ROWS)
    zstd = {"compression_level": 1} if JOB.codec == "zstd" else {}
    with pq.ParquetWriter(path, SCHEMA, compression=JOB.codec, use_dictionary=False, write_statistics=False,
                          store_schema=False, **zstd) as writer:
        for batch in rows:
            columns = [pa.ListArray.from_arrays(column.offsets, column.values, type=field.type)
                       if pa.types.is_list(field.type) else column for field, column in zip(SCHEMA, batch.columns)]
            writer.write_batch(pa.RecordBatch.from_arrays(columns, schema=SCHEMA), row_group_size=BATCH_ROWS)


def main():
    scratch = JOB.fresh_folder() / "_scratch"
    settings = {"threads": JOB.threads, "memory_limit": MEMORY_LIMIT, "temp_directory": str(scratch)}
    with duckdb.connect(config=settings) as con:
        count = load_impressions(con)
        bits = KEY_BITS - max(1, (count - 1).bit_length())
        # What is older than the key can say is left out: that must lie before any action of a benchmark, nine years back at least.
        if bits < 48:
            sys.exit("duckdb_rows.py: so many customers and times of nine years do not fit a 64-bit key")
        load_histories(con, bits)
        # From here on rows must keep their order: no second thread in a query, no join turned around.
        con.execute("SET threads = 1; SET disabled_optimizers = 'build_side_probe_side,join_order'")
        edges = [count * worker // JOB.threads for worker in range(JOB.threads + 1)]
        with ThreadPoolExecutor(JOB.threads) as pool:
            list(pool.map(lambda worker: write(con.cursor(), JOB.folder / f"part-{worker:05}.parquet",
                                               edges[worker], edges[worker + 1], bits), range(JOB.threads)))


if __name__ == "__main__":
    try:
        main()
    except duckdb.Error as error:
        sys.exit(f"duckdb_rows.py: {error}")
