#!/usr/bin/env python3
"""Compares two partitions cell by cell, in their order, and names the first differences.

    cells.py WANTED GOT [--name NAME]

Both are read a few thousand rows at a time, so memory does not grow with them. Exit code 0: equal; 1: differences.
"""
import argparse
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

COLUMNS = {
    "ranking_id": pa.string(), "customer_id": pa.int64(), "impression_pos": pa.int32(),
    "impression_item_id": pa.int64(), "label": pa.int32(), "actions": pa.list_(pa.int64()),
    "action_types": pa.list_(pa.int32()),
}
BATCH_ROWS, SHOWN = 4096, 5


class Mismatch(Exception):
    """The partitions cannot be compared any further: a column or its type is another."""


def batches(folder):
    """The rows of a partition, its files in order of name, with the columns and types of the contract."""
    for path in sorted(Path(folder).glob("*.parquet")):
        with pq.ParquetFile(path, pre_buffer=False) as file:
            if file.schema_arrow.names != list(COLUMNS):
                raise Mismatch(f"{path.name} has the columns {', '.join(file.schema_arrow.names)}")
            for batch in file.iter_batches(BATCH_ROWS):
                yield pa.RecordBatch.from_arrays([typed(path, *cell) for cell in zip(COLUMNS, batch.columns)],
                                                 names=list(COLUMNS))


def typed(path, name, column):
    """The column with the type that it has in COLUMNS, however its reader or writer dresses it."""
    want, got = COLUMNS[name], column.type
    if pa.types.is_dictionary(got) or pa.types.is_large_string(got) or pa.types.is_string_view(got):
        column = column.cast(pa.string())
    elif pa.types.is_list(got) or pa.types.is_large_list(got) or pa.types.is_fixed_size_list(got):
        column = column.cast(pa.list_(got.value_type))  # whatever the element is called, nullable or not
    if not column.type.equals(want):
        raise Mismatch(f"{path.name}: {name} is {got}, not {want}")
    return column


def aligned(wanted, got):
    """Pairs of batches with the same rows; in the last pair one is None where a partition has more rows."""
    left, right = next(wanted, None), next(got, None)
    while left is not None and right is not None:
        rows = min(len(left), len(right))
        yield left.slice(0, rows), right.slice(0, rows)
        left = left.slice(rows) if rows < len(left) else next(wanted, None)
        right = right.slice(rows) if rows < len(right) else next(got, None)
    if left is not None or right is not None:
        yield left, right


def differing_rows(left, right):
    """The rows in which two columns differ; null equals only null."""
    if pa.types.is_list(left.type):
        lengths = [pc.fill_null(pc.list_value_length(column), -1).to_numpy() for column in (left, right)]
        values = [column.flatten() for column in (left, right)]
        if (lengths[0] == lengths[1]).all() and values[0].equals(values[1]):
            return np.zeros(0, int)
        return np.array([row for row in range(len(left)) if not left.slice(row, 1).equals(right.slice(row, 1))])
    if left.equals(right):
        return np.zeros(0, int)
    return np.flatnonzero(pc.or_(pc.fill_null(pc.not_equal(left, right), False),
                                 pc.xor(left.is_null(), right.is_null())))


def short(value):
    """A cell as text; of a list only what fits a line."""
    return f"[{', '.join(map(str, value[:8]))}, ...]" if isinstance(value, list) else repr(value)


def compare(wanted, got):
    """Returns the number of rows compared, of cells, of cells that differ (a list is many cells, but one that
    differs), and what to print about the first of those."""
    rows = cells = count = 0
    found = []
    for left, right in aligned(batches(wanted), batches(got)):
        if left is None or right is None:
            count += 1
            found.append(f"{'fewer' if right is None else 'more'} rows than wanted after row {rows}")
            break
        for name in COLUMNS:
            pair = left[name], right[name]
            differing = differing_rows(*pair)
            count += len(differing)
            for row in differing[:SHOWN - len(found)] if len(found) < SHOWN else ():
                found.append(f"row {rows + row}, {name}: wanted {short(pair[0][int(row)].as_py())}, "
                             f"got {short(pair[1][int(row)].as_py())}")
            cells += len(pair[0].flatten()) if pa.types.is_list(pair[0].type) else len(pair[0])
        rows += len(left)
    if rows == 0 and not found:
        count, found = 1, ["there are no rows at all"]
    return rows, cells, count, found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("wanted", type=Path, help="a partition's folder")
    parser.add_argument("got", type=Path)
    parser.add_argument("--name", help="of the program that wrote the second one")
    args = parser.parse_args()
    name = args.name or args.got
    try:
        rows, cells, count, found = compare(args.wanted, args.got)
    except Mismatch as mismatch:
        print(f"{name}: {mismatch}")
        return 1
    print(f"{name}: {rows} rows, {cells} cells compared, {count} differ")
    for text in found:
        print(f"    {text}")
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main())
