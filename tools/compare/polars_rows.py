#!/usr/bin/env python3
"""The job in Polars, with numpy where that is faster.

1. Impressions are sorted in the order of the contract; their customers are numbered in order of their id.
2. Actions are scanned newest batches first, joined to those customers, and become a 64-bit key of (customer, time
   backwards, type backwards) beside the item. After each round the customers whose history is full get a limit, and
   what is older never leaves the scan (see Job.rounds).
3. Each worker sorts the keys of its range of customers with numpy, which takes half the CPU time of Polars' sort; only
   rows of equal keys are looked at again, for their items. Histories are cut.
4. Each worker pads the histories for some thousand rows at a time, gathers them into the same arrays again and again
   (fresh ones cost a page fault for each 4 KiB), and writes a file. Polars takes half of pyarrow's CPU time for it.

Memory: the histories (16 bytes an action), one round of actions, and about 200 MB for each worker.
"""
import os
import sys
from concurrent.futures import ThreadPoolExecutor

from job import ACTIONS, HISTORY, Job

JOB = Job(__doc__.splitlines()[0])
os.environ["POLARS_MAX_THREADS"] = str(JOB.threads)  # read when Polars is imported

import numpy as np  # noqa: E402
import polars as pl  # noqa: E402

ROUND_DAYS = 30  # of the first round; 15 (of 30 days) and 60 (of 365) took as long within the noise
FILE_ROWS = 8192  # rows of a file, which is one row group: below 4,096 the overhead shows, above it is only memory
UNLIMITED = np.iinfo(np.int64).max


class Keys:
    """The layout of a sort key: customer | microseconds before the cut-off | 3 - type (2 bits)."""

    def __init__(self, customers):
        self.bits = 63 - max(1, (customers - 1).bit_length())

    def limit(self, key):
        """The microseconds before the cut-off."""
        return (key & ((1 << self.bits) - 1)) >> 2

    def edge(self, customer):
        """The smallest key of a customer; of the last one's successor there may be none."""
        return min(customer << self.bits, UNLIMITED)


def read_impressions():
    """Sorted by customer, ranking id and list; the list's elements are (item, label)."""
    element = pl.element().struct
    shown = pl.struct(item=element.field("item_id"), label=element.field("is_order").fill_null(False).cast(pl.Int32))
    return (
        pl.read_parquet(JOB.impression_files(), columns=["ranking_id", "customer_id", "impressions"],
                        hive_partitioning=False)
        .filter(pl.col("impressions").list.len() > 0)
        .with_columns(pl.col("impressions").list.eval(shown))
        .sort("customer_id", "ranking_id", "impressions", nulls_last=False)
    )


def scan(customers, days, keys):
    """Keys and items of the actions of some batches. `customers` has customer_id, base (of the key) and limit."""
    parts = []
    for kind, (action_type, item, moment) in ACTIONS.items():
        ago = JOB.cutoff - pl.col(moment).dt.epoch("us")
        files = JOB.action_files(kind, days)
        if files:
            parts.append(
                pl.scan_parquet(files, hive_partitioning=False)
                .select("customer_id", item=pl.col(item), ago=ago)
                .filter(pl.col("ago") > 0)
                .join(customers.lazy(), on="customer_id")
                .filter(pl.col("ago") <= pl.col("limit"))
                .select("item", key=pl.col("base") + pl.col("ago") * 4 + (3 - action_type), ago="ago")
            )
    actions = pl.concat(parts).collect(engine="streaming")
    if actions.height and actions["ago"].max() >> (keys.bits - 2):
        sys.exit("polars_rows.py: so many customers and so old actions do not fit a 64-bit key")
    return actions["key"].to_numpy(), actions["item"].to_numpy()


def newest(key, item, keys):
    """Sorts one worker's actions in the order of the contract and cuts each customer's to HISTORY."""
    order = np.argsort(key)
    key, item = key[order], item[order]
    same = key[1:] == key[:-1]
    if same.any():
        tied = np.zeros(len(key), bool)
        tied[1:] |= same
        tied[:-1] |= same
        at = np.flatnonzero(tied)
        item[at] = item[at][np.lexsort((-item[at], key[at]))]
    starts = customer_starts(key >> keys.bits)
    counts = np.diff(starts)
    if counts.size and counts.max() > HISTORY:
        kept = np.arange(len(key)) - np.repeat(starts[:-1], counts) < HISTORY
        key, item = key[kept], item[kept]
    return key, item


def customer_starts(customer):
    """Where each customer begins in a sorted array, and its end."""
    return np.concatenate(([0], np.flatnonzero(customer[1:] != customer[:-1]) + 1, [len(customer)])) \
        if len(customer) else np.zeros(1, np.int64)


def limits(histories, count, keys):
    """For each of `count` customers the age of the last action of a full history, else no limit."""
    found = np.full(count, UNLIMITED)
    for key, _ in histories:
        starts = customer_starts(key >> keys.bits)
        last = starts[1:][np.diff(starts) == HISTORY] - 1
        found[key[last] >> keys.bits] = keys.limit(key[last])
    return found


class Writer:
    """Writes the rows of one worker's range of customers; it owns the arrays that rows are gathered into."""

    def __init__(self, folder, worker, impressions, customers):
        self.folder, self.worker, self.impressions, self.customers = folder, worker, impressions, customers
        self.lengths = impressions["impressions"].list.len().to_numpy().astype(np.int64)
        self.room = FILE_ROWS + int(self.lengths.max(initial=0))  # a list is not cut at the end of a file
        self.padded = [np.empty((FILE_ROWS, HISTORY), kind) for kind in (np.int64, np.int32)]
        self.gathered = [np.empty((self.room, HISTORY), kind) for kind in (np.int64, np.int32)]

    def write(self, key, item, first, last, keys):
        """`customers[n]` is the number of the customer of impression row n; those in first..last are written."""
        types = (3 - (key & 3)).astype(np.int32)
        starts = np.searchsorted(key >> keys.bits, np.arange(first, last + 1))
        row, end = np.searchsorted(self.customers, (first, last))
        rows_before = np.concatenate(([0], np.cumsum(self.lengths)))
        file = 0
        while row < end:
            stop = min(end, int(np.searchsorted(rows_before, rows_before[row] + FILE_ROWS)))
            low, high = int(self.customers[row]), int(self.customers[stop - 1]) + 1
            histories = [array[:high - low] for array in self.padded]
            bounds = starts[low - first:high - first + 1]
            counts, inside = np.diff(bounds), slice(bounds[0], bounds[-1])
            place = (np.repeat(np.arange(high - low), counts),
                     np.arange(bounds[0], bounds[-1]) - np.repeat(bounds[:-1], counts))
            chosen = np.repeat(self.customers[row:stop] - low, self.lengths[row:stop])
            lists = []
            for history, values, room in zip(histories, (item, types), self.gathered):
                history[:] = 0
                history[place] = values[inside]
                lists.append(np.take(history, chosen, axis=0, out=room[:len(chosen)], mode="clip"))
            self.write_file(self.folder / f"part-{self.worker:02}-{file:05}.parquet", row, stop, *lists)
            row, file = stop, file + 1

    def write_file(self, path, row, stop, actions, types):
        shown = pl.col("impressions").struct
        length = pl.col("impressions").list.len()
        (
            self.impressions[row:stop]
            .with_columns(impression_pos=pl.int_ranges(0, length, dtype=pl.Int32))
            .explode("impressions", "impression_pos")
            .select("ranking_id", "customer_id", "impression_pos",
                    shown.field("item").alias("impression_item_id"), shown.field("label"))
            .with_columns(actions=pl.Series(actions).arr.to_list(), action_types=pl.Series(types).arr.to_list())
            .write_parquet(path, compression=JOB.codec, compression_level=1 if JOB.codec == "zstd" else None,
                           row_group_size=self.room, statistics=False)
        )


def main():
    impressions = read_impressions()
    known = impressions.select(pl.col("customer_id").unique().sort())
    keys = Keys(known.height)
    base = pl.int_range(known.height, dtype=pl.Int64, eager=True) * (1 << keys.bits)
    edges = [known.height * worker // JOB.threads for worker in range(JOB.threads + 1)]
    histories = [(np.zeros(0, np.int64), np.zeros(0, np.int64))] * JOB.threads
    with ThreadPoolExecutor(JOB.threads) as pool:
        for days in JOB.rounds(ROUND_DAYS):
            limit = limits(histories, known.height, keys)
            key, item = scan(known.with_columns(base=base, limit=pl.Series(limit)), days, keys)

            def merge(worker):
                mine = key >= keys.edge(edges[worker])
                if worker + 1 < JOB.threads:
                    mine &= key < keys.edge(edges[worker + 1])
                held, found = histories[worker], (key[mine], item[mine])
                if len(held[0]):
                    found = [np.concatenate(pair) for pair in zip(held, found)]
                return newest(*found, keys)

            histories = list(pool.map(merge, range(JOB.threads)))
        del key, item
        folder = JOB.fresh_folder()
        customers = np.searchsorted(known["customer_id"].to_numpy(), impressions["customer_id"].to_numpy())

        def write(worker):
            writer = Writer(folder, worker, impressions, customers)
            writer.write(*histories[worker], edges[worker], edges[worker + 1], keys)

        list(pool.map(write, range(JOB.threads)))


if __name__ == "__main__":
    main()
