#!/usr/bin/env python3
"""Checks produced training rows against the raw action and impression files, cell by cell.

    check_rows.py --input ROOT --out OUT [--dt D ...] [--max-history 1000] [--lookback-days N]
                  [--known-as-of DAY | --as-daily] [--timezone UTC] [--memory-limit 4GB] [--threads 2]

The expected rows are worked out again from nothing but the input: DuckDB loads every action of the day's customers
into one table, and the history is what a window function over it says: the actions before the day began, newest first,
cut at --max-history. That is the slow and obvious way. It shares no code and no intermediate result with the program
(no store, nothing incremental, other readers), only SPEC.md, so a mistake in the one is not repeated in the other.

Compared are the column names and types, _SUCCESS, the number and order of the rows, and every cell, each element of
the lists included. Without --dt, every dt=... folder of OUT with a _SUCCESS is checked. --known-as-of leaves out the
batches after that day, --as-daily those after the day before each dt. Bad rows are left out and counted, as
`--quarantine` does; an impression row goes as a whole when one of its elements has no item.

Memory is bounded: the tables are in a temporary file (in TMPDIR), DuckDB spills beyond --memory-limit, and rows are
compared some thousand at a time. Exit code 0: all equal; 1: differences; 2: wrong usage or unreadable input.
"""
import argparse
import os
import re
import sys
import tempfile
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

ACTIONS = {  # folder: (action type, item column, time columns: the first that a file has)
    "clicks": (1, "item_id", ["click_time"]),
    "add_to_carts": (2, "config_id", ["occurred_at"]),
    "orders": (3, "config_id", ["occurred_at", "order_date"]),
}
COLUMNS = {  # of the output; the name in table expected, or None for the lists; dt only where it was asked for
    "dt": (pa.string(), "dt"), "ranking_id": (pa.string(), "ranking_id"), "customer_id": (pa.int64(), "customer_id"),
    "impression_pos": (pa.int32(), "pos"), "impression_item_id": (pa.int64(), "item"), "label": (pa.int32(), "label"),
    "actions": (pa.list_(pa.int64()), None), "action_types": (pa.list_(pa.int32()), None),
}
CHUNK, SHOWN = 8192, 5  # rows compared at a time, differences printed per day
EPOCH = datetime(1970, 1, 1)
END = int((datetime(2262, 1, 1) - EPOCH).total_seconds())
# Text times: date, hours and minutes, seconds with at most six of the decimals, offset.
ISO = r"^(\d{4}-\d\d-\d\d)(?:[T ]((?:[01]\d|2[0-3]):\d\d)(:\d\d(?:[.,]\d{1,6})?)?\d* ?(Z|[+-]\d\d(?::?\d\d)?)?)?$"
SETUP = f"""
SET TimeZone = 'UTC';
CREATE MACRO text_id(t) AS CASE WHEN regexp_full_match(t, '[+-]?[0-9]+') THEN TRY_CAST(t AS BIGINT) END;
CREATE MACRO iso(t) AS regexp_extract(t, '{ISO}', ['day', 'minute', 'second', 'zone']);
CREATE MACRO iso_shift(z) AS CASE WHEN z IN ('', 'Z') THEN 0 ELSE (CASE z[1] WHEN '-' THEN -60000000 ELSE 60000000 END)
    * (CAST(z[2:3] AS BIGINT) * 60 + coalesce(TRY_CAST(replace(z, ':', '')[4:] AS BIGINT), 0)) END;
CREATE MACRO iso_us(p) AS epoch_us(TRY_CAST(p.day || CASE p.minute WHEN '' THEN ' 00:00' ELSE ' ' || p.minute END
    || CASE p.second WHEN '' THEN ':00' ELSE replace(p.second, ',', '.') END AS TIMESTAMP)) - iso_shift(p.zone);
CREATE TABLE impressions (dt DATE, ranking_id VARCHAR, customer_id BIGINT, shown STRUCT(item BIGINT, label INT)[]);
CREATE TABLE loaded (customer_id BIGINT, item BIGINT, us BIGINT, type TINYINT, batch DATE);
CREATE TABLE zone (since BIGINT, shift BIGINT)"""
EXPECTED = """
CREATE OR REPLACE TABLE expected AS
WITH placed AS (
    SELECT *, row_number() OVER (ORDER BY customer_id, ranking_id NULLS FIRST, shown) AS place
    FROM impressions WHERE dt = $day),
spread AS (SELECT *, unnest(range(len(shown))) AS pos FROM placed)
SELECT row_number() OVER (ORDER BY place, pos) - 1 AS n, CAST(dt AS VARCHAR) AS dt, ranking_id, customer_id,
    CAST(pos AS INT) AS pos, shown[pos + 1].item AS item, shown[pos + 1].label AS label
FROM spread ORDER BY n"""
# One history entry per row, for the customers of some expected rows; pos counts from the newest.
HISTORY = """
SELECT customer_id, item, type, us,
    row_number() OVER (PARTITION BY customer_id ORDER BY us DESC, type DESC, item DESC) AS pos
FROM actions
WHERE us < $cutoff AND us >= $oldest AND batch <= $known AND customer_id BETWEEN $low AND $high
    AND customer_id IN (SELECT customer_id FROM expected WHERE n >= $first AND n < $last)
QUALIFY pos <= $cap"""


class Unreadable(Exception):
    """Input that the check cannot make sense of."""


def as_day(text):
    day = date.fromisoformat(text)
    if str(day) != text:
        raise ValueError(f"{text} is not a day")
    return day


def as_zone(name):
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, OSError):
        raise ValueError(f"unknown time zone {name}") from None


def midnight(day, zone):
    """The instant at which the day begins, in microseconds; if that wall time is skipped, forward by the gap."""
    return int(datetime.combine(day, time(), zone).timestamp()) * 1_000_000


def wall_offsets(zone):
    """(first wall time, offset from UTC) of each stretch of equal offset, in microseconds.

    zoneinfo's fold=0 is the rule wanted: of two instants with the same wall time it means the earlier, and a wall time
    that was skipped is read with the offset before the gap, which moves it forward by the gap.
    """
    def offset(second):
        return int((EPOCH + timedelta(seconds=second)).replace(tzinfo=zone).utcoffset().total_seconds())
    step = 86400
    table = [(-2**62, offset(-2 * 86400) * 1_000_000)]
    for low in range(-2 * 86400, END + 2 * 86400, step) if zone.key != "UTC" else []:
        high, before = low + step, offset(low)
        if offset(high) != before:
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (middle, high) if offset(middle) == before else (low, middle)
            table.append((high * 1_000_000, offset(high) * 1_000_000))
    return table


def day_sources(root, kind, days=None):
    """(day, folder, SQL relation, {column: Arrow type, None for text}) of all files; Parquet of one schema together."""
    base, found = os.path.join(root, kind), {}
    for folder, folders, names in os.walk(base, followlinks=True):
        folders[:] = sorted(f for f in folders if f[0] not in "_." and (folder != base or f.startswith("dt=")))
        for path in sorted(os.path.join(folder, n) for n in names if n[0] not in "_." and folder != base):
            try:
                day = as_day(os.path.relpath(path, base).split(os.sep)[0][3:])
            except ValueError as error:
                raise Unreadable(f"{path}: {error}") from None
            suffix = re.search(r"\.(?:(parquet)|(?:(csv)|json|jsonl|ndjson)(?:\.gz|\.zst)?)$", path.lower())
            quoted = "'" + path.replace("'", "''") + "'"
            if suffix is None:
                raise Unreadable(f"{path}: the name does not tell the format")
            if days is not None and day not in days:
                continue
            if suffix[1]:
                schema = pq.read_schema(path).remove_metadata()
                types = {f.name: getattr(f.type, "value_type", f.type) for f in schema}  # of dictionaries and lists
                found.setdefault((day, schema.to_string(show_field_metadata=False)), (types, []))[1].append(quoted)
            elif suffix[2]:
                csv = f"read_csv({quoted}, header=true, all_varchar=true, delim=',', quote='\"', escape='\"')"
                names = {row[0]: None for row in duckdb.sql(f"DESCRIBE FROM {csv}").fetchall()}
                if "impressions" in names:  # as JSON in one cell
                    csv = ("(SELECT * REPLACE (from_json(impressions, "
                           f"""'[{{"item_id":"VARCHAR","is_order":"VARCHAR"}}]') AS impressions) FROM {csv})""")
                yield day, folder, csv, names
            else:
                texts = {"ranking_id", "customer_id"}.union(*([i, *t] for _, i, t in ACTIONS.values()))
                columns = ", ".join([f"{c}: 'VARCHAR'" for c in sorted(texts)])
                yield day, folder, (
                    "(SELECT * REPLACE (coalesce(occurred_at, order_date) AS occurred_at) FROM read_json("
                    f"{quoted}, format='newline_delimited', columns={{{columns}, "
                    "impressions: 'STRUCT(item_id VARCHAR, is_order VARCHAR)[]'}))"), dict.fromkeys(
                        [*texts, "impressions"])
    for (day, _), (types, paths) in found.items():
        relation = f"read_parquet([{', '.join(paths)}], hive_partitioning=false)"
        yield day, os.path.join(base, f"dt={day}"), relation, types


def column(types, names, folder):
    """(name, Arrow type, whether text) of the first of the columns that there is."""
    for name in names:
        if name in types:
            return name, types[name], types[name] is None or str(types[name]) in ("string", "large_string")
    raise Unreadable(f"{folder}: a file has no column {' or '.join(names)}")


def id_sql(types, name, folder, prefix=""):
    name, kind, text = column(types, [name], folder)
    if not text and not pa.types.is_integer(kind):
        raise Unreadable(f"{folder}: {name} is {kind}, not an integer")
    return f"text_id({prefix}{name})" if text else f"TRY_CAST({prefix}{name} AS BIGINT)"


def time_sql(types, names, folder):
    """(SQL of the microseconds since 1970, SQL of whether they are wall time rather than an instant)."""
    name, kind, text = column(types, names, folder)
    if text:
        return f"iso_us(iso({name}))", f"iso({name}).zone = ''"
    if pa.types.is_date(kind):
        return f"epoch_us(TRY_CAST({name} AS TIMESTAMP))", "true"
    if not pa.types.is_timestamp(kind):
        raise Unreadable(f"{folder}: {name} is {kind}, not a time")
    # DuckDB rounds when it turns nanoseconds into microseconds; here they are cut off.
    us = f"epoch_ns({name}) // 1000" if kind.unit == "ns" else f"epoch_us({name})"
    return us, "true" if kind.tz is None else "false"


def load_impressions(con, root, days):
    for day, folder, relation, types in day_sources(root, "impressions", days):
        _, shown, text = column(types, ["impressions"], folder)
        element = {"item_id": None} if text else {f.name: f.type for f in shown}
        con.execute(f"""
            INSERT INTO impressions SELECT ?, CAST({column(types, ["ranking_id"], folder)[0]} AS VARCHAR),
                {id_sql(types, "customer_id", folder)}, list_transform(impressions, lambda e: {{
                    item: {id_sql(element, "item_id", folder, "e.")},
                    label: coalesce(CAST(TRY_CAST(e.is_order AS BOOLEAN) AS INT), 0)}})
            FROM {relation}""", [day])
    bad = "customer_id IS NULL OR len(list_filter(shown, lambda e: e.item IS NULL)) > 0"
    left_out = con.execute(f"DELETE FROM impressions WHERE {bad}").fetchall()[0][0]
    if left_out:
        print(f"{left_out} bad impression rows left out")


def load_actions(con, root, zone):
    """Table actions: every action of every customer who is among the impressions."""
    con.executemany("INSERT INTO zone VALUES (?, ?)", wall_offsets(zone))
    join = "CROSS JOIN zone" if zone.key == "UTC" else "ASOF LEFT JOIN zone ON us >= since"
    bad = f"customer_id IS NULL OR item IS NULL OR item = 0 OR us IS NULL OR us < 0 OR us >= {END * 1_000_000}"
    for kind, (action_type, item, times) in ACTIONS.items():
        for day, folder, relation, types in day_sources(root, kind):
            us, wall = time_sql(types, times, folder)
            con.execute(f"""
                INSERT INTO loaded
                SELECT customer_id, item, us - CASE WHEN wall THEN shift ELSE 0 END AS us, {action_type}, DATE '{day}'
                FROM (SELECT {id_sql(types, "customer_id", folder)} AS customer_id,
                        {id_sql(types, item, folder)} AS item, {us} AS us, {wall} AS wall FROM {relation}) {join}
                WHERE customer_id IN (SELECT customer_id FROM impressions) OR {bad}""")
    left_out = con.execute(f"SELECT count(*) FROM loaded WHERE {bad}").fetchall()[0][0]
    if left_out:
        print(f"{left_out} bad action rows left out")
    # The order makes it cheap to look up a range of customers; the result does not rely on it.
    con.execute(f"CREATE TABLE actions AS SELECT * FROM loaded WHERE NOT ({bad}) ORDER BY customer_id")
    con.execute("DROP TABLE loaded")


class Differences:
    def __init__(self):
        self.count, self.first = 0, []

    def add(self, text, count=1):
        self.count += count
        if len(self.first) < SHOWN:
            self.first.append(text)

    def cells(self, name, numbers, got, want):
        """The cells in which two Arrow arrays differ; null equals only null."""
        differ = pc.or_(pc.fill_null(pc.not_equal(got, want), False), pc.xor(got.is_null(), want.is_null()))
        at = np.flatnonzero(differ)
        for k in at[:SHOWN]:
            self.add(f"row {numbers[k]}, {name}: got {got[k].as_py()!r}, expected {want[k].as_py()!r}", 0)
        self.count += len(at)

    def lists(self, name, numbers, got, histories, place):
        """The list elements in which row k of got differs from histories[place[k]]."""
        cap = histories.shape[1]
        whole = np.asarray(pc.fill_null(pc.equal(pc.list_value_length(got), cap), False))
        for k in np.flatnonzero(~whole):
            length = f"a list of {len(got[k])}" if got[k].is_valid else "null"
            self.add(f"row {numbers[k]}, {name}: got {length}, expected a list of {cap}", cap)
        if not whole.all():
            got, numbers, place = got.filter(pa.array(whole)), numbers[whole], place[whole]
        values = got.flatten()
        null = np.asarray(values.is_null()).reshape(-1, cap) if values.null_count else np.False_
        values = pc.fill_null(values, 0).to_numpy().reshape(-1, cap)
        differ = (values != histories[place]) | null
        if differ.any():
            at = np.argwhere(differ)
            for k, p in at[:SHOWN]:
                value = None if null.ndim and null[k, p] else values[k, p]
                self.add(f"row {numbers[k]}, {name}[{p}]: got {value}, expected {histories[place[k], p]}", 0)
            self.count += len(at)


def part_files(folder, found):
    """The data files in order, or none of them when the columns are not as they should be."""
    if not os.path.isfile(os.path.join(folder, "_SUCCESS")):
        found.add("_SUCCESS is missing")
    names = sorted(n for n in os.listdir(folder) if n[0] not in "_.") if os.path.isdir(folder) else []
    if names != [f"part-{k:05}.parquet" for k in range(len(names))]:
        found.add(f"the data files are {', '.join(names[:SHOWN])} ..., expected part-00000.parquet and so on")
    usable = True
    for name in names:
        schema = pq.read_schema(os.path.join(folder, name))
        wanted = {column: kind for column, (kind, _) in COLUMNS.items() if column != "dt" or "dt" in schema.names}
        # A dictionary of strings is a string column of Parquet with a hint for Arrow's readers.
        types = [t.value_type if pa.types.is_dictionary(t) else pa.list_(t.value_type) if pa.types.is_list(t) else t
                 for t in schema.types]
        got = dict(zip(schema.names, types))  # list types are equal whatever their element is called
        if got != wanted or schema.names != list(wanted) or not schema.field("ranking_id").nullable:
            texts = [", ".join(f"{n} {t}" for n, t in types.items()) for types in (got, wanted)]
            found.add(f"{name}: the columns are {texts[0]}; expected {texts[1]}, ranking_id nullable")
            usable = False
    return [os.path.join(folder, n) for n in names] if usable else []


def check_day(con, args, day, found):
    """Compares one partition; returns its number of rows and what to print about it."""
    cutoff, cap, newest, rows, cells = midnight(day, args.timezone), args.max_history, None, 0, 0
    reach = {"cutoff": cutoff, "cap": cap, "oldest": 0,
             "known": day - timedelta(days=1) if args.as_daily else args.known_as_of or date.max}
    if args.lookback_days is not None:
        reach["oldest"] = midnight(day - timedelta(days=args.lookback_days), args.timezone)
    con.execute(EXPECTED, {"day": day})
    wanted, customers = con.execute("SELECT count(*), count(DISTINCT customer_id) FROM expected").fetchall()[0]
    for path in part_files(os.path.join(args.out, f"dt={day}"), found):
        with pq.ParquetFile(path, pre_buffer=False, buffer_size=1 << 20) as file:
            for got in file.iter_batches(CHUNK):
                window = {"first": rows, "last": rows + len(got)}
                want = con.sql("SELECT * FROM expected WHERE n >= $first AND n < $last ORDER BY n",
                               params=window).to_arrow_table().combine_chunks()
                got, rows, numbers = got.slice(0, len(want)), rows + len(got), want["n"].to_numpy()
                if len(want) == 0:
                    continue  # more rows than expected: counted below
                for name, (_, source) in COLUMNS.items():
                    if source and name in got.schema.names:
                        cells += len(want)
                        found.cells(name, numbers, got[name], want[source].combine_chunks())
                who, place = np.unique(want["customer_id"].to_numpy(), return_inverse=True)
                ends = {"low": int(who[0]), "high": int(who[-1])}
                history = con.execute(HISTORY, reach | window | ends).fetchnumpy()
                at = np.searchsorted(who, history["customer_id"]), history["pos"] - 1
                for name, source, kind in (("actions", "item", np.int64), ("action_types", "type", np.int32)):
                    padded = np.zeros((len(who), cap), kind)
                    padded[at] = history[source]
                    found.lists(name, numbers, got[name], padded, place)
                newest = max([newest, *history["us"].max(keepdims=True)] if newest else history["us"], default=None)
    if rows != wanted:
        found.add(f"got {rows} rows, expected {wanted}", abs(rows - wanted))
    if newest is not None and newest >= cutoff:
        found.add("an action at or after the cut-off was used")
    moment = ["none" if us is None else f"{EPOCH + timedelta(microseconds=int(us))}Z" for us in (newest, cutoff)]
    cells += min(rows, wanted) * 2 * cap
    return rows, (f"{rows} rows, {customers} customers, {cells} cells compared, newest action {moment[0]}, "
                  f"cut-off {moment[1]}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--input", required=True, metavar="ROOT")
    parser.add_argument("--out", required=True)
    parser.add_argument("--dt", action="append", type=as_day, help="may be repeated; default: all with _SUCCESS in OUT")
    parser.add_argument("--max-history", type=int, default=1000)
    parser.add_argument("--lookback-days", type=int, metavar="N")
    known = parser.add_mutually_exclusive_group()
    known.add_argument("--known-as-of", type=as_day, metavar="DAY")
    known.add_argument("--as-daily", action="store_true", help="known as of the day before each dt")
    parser.add_argument("--timezone", type=as_zone, default="UTC")
    parser.add_argument("--memory-limit", default="4GB")
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    if args.max_history < 1 or args.threads < 1 or (args.lookback_days or 0) < 0:
        parser.error("--max-history and --threads are at least 1, --lookback-days at least 0")
    for folder in (args.input, args.out):
        if not os.path.isdir(folder):
            parser.error(f"{folder} is no folder")
    days = sorted(set(args.dt or [as_day(name[3:]) for name in os.listdir(args.out) if name.startswith("dt=")
                                  and os.path.isfile(os.path.join(args.out, name, "_SUCCESS"))]))
    if not days:
        parser.error(f"no dt=... folder with _SUCCESS in {args.out}")
    total_rows = total_differences = 0
    with tempfile.TemporaryDirectory(prefix="check_rows-") as scratch:
        with duckdb.connect(os.path.join(scratch, "db"), config={
                "memory_limit": args.memory_limit, "threads": args.threads, "temp_directory": scratch}) as con:
            con.execute(SETUP)
            load_impressions(con, args.input, set(days))
            load_actions(con, args.input, args.timezone)
            for day in days:
                found, rows = Differences(), 0
                try:
                    rows, text = check_day(con, args, day, found)
                except (pa.ArrowException, OSError) as error:
                    text = f"unreadable: {error}"
                    found.add(text)
                print(f"dt={day}: {text}: {f'{found.count} DIFFERENCES' if found.count else 'OK'}", flush=True)
                for text in found.first:
                    print(f"    {text}")
                total_rows, total_differences = total_rows + rows, total_differences + found.count
    print(f"{len(days)} partitions, {total_rows} rows, {total_differences} differences")
    return 1 if total_differences else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (Unreadable, ValueError, duckdb.Error, pa.ArrowException, OSError) as error:
        print(f"check_rows.py: {error}", file=sys.stderr)
        sys.exit(2)
