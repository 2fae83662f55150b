#!/usr/bin/env python3
"""One way of reading a day's rows into tensors, timed: from the first batch to the end of the epoch. Prints a line of JSON.

Each way gives batches of 4,096 rows: items shown, labels, customers, positions, histories of items and of action types, as torch tensors. `--check` adds
a sum over all rows that does not depend on their order: a hash of every cell.
"""
import argparse
import json
import os
import resource
import time

BATCH = 4096


def pyarrow_way(args):
    """The padded rows by iter_batches, lists reshaped without a copy."""
    import pyarrow.parquet
    import torch

    for path in parts(args):
        for batch in pyarrow.parquet.ParquetFile(path).iter_batches(batch_size=BATCH, columns=COLUMNS):
            yield [torch.from_numpy(as_array(column)) for column in batch.columns]


def polars_way(args):
    """The padded rows by Polars, part file by part file, which is as far as it can stream into Python."""
    import polars
    import torch

    for path in parts(args):
        frame = polars.read_parquet(path, columns=COLUMNS)
        for first in range(0, len(frame), BATCH):
            some = frame[first : first + BATCH]
            yield [torch.from_numpy(as_array(some[name].to_arrow())) for name in COLUMNS]


def datasets_way(args):
    """The padded rows by Hugging Face datasets, streaming, in Arrow's form, which is its fastest."""
    import datasets
    import torch

    files = [str(path) for path in parts(args)]
    rows = datasets.load_dataset("parquet", data_files=files, split="train", streaming=True, columns=COLUMNS)
    for table in rows.with_format("arrow").iter(batch_size=BATCH):
        yield [torch.from_numpy(as_array(table.column(name).combine_chunks())) for name in COLUMNS]


def ceiling_way(args):
    """What any reader has to do at least: histories padded in memory, and one index_select for each batch."""
    import pyarrow.parquet
    import torch

    columns, histories, of_rows, known = [], ([], []), [], {}
    for path in parts(args):
        for batch in pyarrow.parquet.ParquetFile(path).iter_batches(batch_size=BATCH, columns=COLUMNS):
            arrays = [torch.from_numpy(as_array(column)) for column in batch.columns]
            columns.append(arrays[:4])
            for place, customer in enumerate(arrays[2].tolist()):
                if customer not in known:
                    known[customer] = len(known)
                    histories[0].append(arrays[4][place].clone())
                    histories[1].append(arrays[5][place].clone())
                of_rows.append(known[customer])
    ones = [torch.cat(column) for column in zip(*columns)]
    actions, types, of_rows = torch.stack(histories[0]), torch.stack(histories[1]), torch.tensor(of_rows)
    order = torch.randperm(len(of_rows), generator=torch.Generator().manual_seed(0))
    # The first pass is not timed: it gets the memory that the others use again.
    for timed in (False, True):
        for first in range(0, len(order), BATCH):
            rows = order[first : first + BATCH]
            batch = [one.index_select(0, rows) for one in ones]
            batch += [actions.index_select(0, of_rows[rows]), types.index_select(0, of_rows[rows])]
            if timed:
                yield batch
            # So that the next one finds its memory again: fresh memory costs more than the copy.
            del batch


def lookback_way(args):
    """The training reader."""
    from lookback.torch import TrainingRows
    from torch.utils.data import DataLoader

    rows = TrainingRows(args.store, input=args.input, days=[args.day], batch_size=BATCH, order=args.order, layout=args.layout, max_history=args.max_history,
                        batch_actions_max=args.batch_actions_max)
    loader = DataLoader(rows, batch_size=None, num_workers=args.workers, persistent_workers=args.stay)
    for epoch in range(args.epoch + 1):
        rows.set_epoch(epoch)
        for batch in loader:
            if epoch == args.epoch:
                yield batch


WAYS = {name[:-4]: way for name, way in list(globals().items()) if name.endswith("_way")}
COLUMNS = ["impression_item_id", "label", "customer_id", "impression_pos", "actions", "action_types"]


def parts(args):
    files = sorted((args.out / f"dt={args.day}").glob("[!_]*.parquet"))
    if not files:
        raise SystemExit(f"there are no rows of {args.day} in {args.out}")
    return files


def as_array(column):
    """A column as numpy, lists of one length as rows of a matrix, without a copy."""
    if hasattr(column, "flatten") and hasattr(column.type, "value_type"):
        return column.flatten().to_numpy(zero_copy_only=False).reshape(len(column), -1)
    return column.to_numpy(zero_copy_only=False)


def cells(batch):
    """Returns the columns of a batch in the order of COLUMNS, padded, without rows that do not count."""
    if isinstance(batch, list):
        return batch
    batch, rows = batch.to_padded(), size(batch)
    columns = [batch.impressions, batch.labels, batch.customer_ids, batch.positions, batch.actions, batch.action_types]
    return [column[:rows] for column in columns]


def size(batch):
    """Returns the number of rows of a batch that count."""
    return len(batch[0]) if isinstance(batch, list) else len(batch) - batch.filled


def checked(batch, factors):
    """Returns the sum of a hash of each row: products with random odd numbers, mixed, modulo 2**64."""
    import torch

    hashes = 0
    for column, factor in zip(cells(batch), factors):
        column = column.to(torch.int64)
        column = (column ^ (column >> 7)) * factor[: column.shape[1]] if column.dim() == 2 else column * factor[0]
        hashes = (hashes ^ (column.sum(1) if column.dim() == 2 else column)) * -7046029254386353131
    return int((hashes ^ (hashes >> 29)).sum())


def ranks(args):
    """The way in so many processes at once, the ranks of a process group of gloo: sums, and the longest time and largest peak."""
    import socket
    import subprocess
    import sys

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = [word for word in sys.argv if not word.startswith("--ranks")]
    group = {"WORLD_SIZE": args.ranks, "LOCAL_WORLD_SIZE": args.ranks, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    running = []
    for rank in range(args.ranks):
        environment = {**os.environ, **{name: str(value) for name, value in {**group, "RANK": rank}.items()}}
        running.append(subprocess.Popen([sys.executable, *words], env=environment, stdout=subprocess.PIPE))
    said = [json.loads(process.communicate()[0]) for process in running]
    if len({one["batches"] for one in said}) > 1:
        raise SystemExit(f"the ranks make different numbers of steps: {said}")
    sums = {name: sum(one[name] for one in said) for name in ("rows", "all", "cpu", "batches", "sum")}
    longest = {name: max(one[name] for one in said) for name in ("first", "wall", "peak")}
    return {**sums, **longest, "sum": sums["sum"] % (1 << 64)}


def join_group():
    """Where this process is a rank: wait for the others, now and at each call of what is returned."""
    import torch.distributed

    if "RANK" not in os.environ:
        return lambda: None
    torch.distributed.init_process_group("gloo")
    return torch.distributed.barrier


def end_to_end(args):
    """From the files of the batch of the day before to the end of the day's epoch: `lookback` ingests it into the store and reads; `pyarrow` reads the rows
    that Polars has produced from the raw files. Imports, but Polars' own, are not timed."""
    import subprocess
    import sys
    from datetime import date, timedelta
    from pathlib import Path

    if args.way == "lookback":
        import lookback
        import lookback.torch  # noqa: F401
    else:
        import pyarrow.parquet  # noqa: F401
    before, begun, rows = os.times(), time.perf_counter(), 0
    if args.way == "lookback":
        lookback.ingest(args.store, input=args.input, dt=date.fromisoformat(args.day) - timedelta(days=1))
    else:
        program = Path(__file__).with_name("polars_rows.py")
        words = ["--input", args.input, "--dt", args.day, "--days", args.days, "--out", args.out]
        subprocess.run([sys.executable, program, *words], check=True, stdout=sys.stderr)
    for batch in WAYS[args.way](args):
        rows += size(batch)
    wall, after = time.perf_counter() - begun, os.times()
    return {"rows": rows, "all": rows, "wall": wall, "cpu": sum(after[:4]) - sum(before[:4])}


def main():
    from pathlib import Path

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("way", choices=sorted(WAYS))
    for name in ("store", "input", "out"):
        parser.add_argument(f"--{name}", type=Path)
    parser.add_argument("--day")
    parser.add_argument("--order", default="shuffled")
    parser.add_argument("--layout", default="padded")
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--stay", action="store_true", help="workers stay over the epochs, and the time ends with the last batch, before they do")
    parser.add_argument("--ranks", type=int, default=1)
    parser.add_argument("--epoch", type=int, default=0)
    parser.add_argument("--max-history", type=int)
    parser.add_argument("--batch-actions-max", type=int)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--end-to-end", action="store_true", help="from a new batch's files to the end of the epoch")
    parser.add_argument("--days", help="batches before the day, for Polars")
    args = parser.parse_args()

    if args.ranks > 1:
        print(json.dumps(ranks(args)))
        return

    import torch

    generator = torch.Generator().manual_seed(1)
    factors = [torch.randint(1, 1 << 62, (100_000,), generator=generator) | 1 for _ in COLUMNS] if args.check else None
    if args.end_to_end:
        print(json.dumps(end_to_end(args)))
        return
    wait = join_group()
    start = time.perf_counter()
    batches = WAYS[args.way](args)
    batch = next(batches)
    first, all_rows, timed_rows, count = time.perf_counter() - start, size(batch), 0, 1
    total = checked(batch, factors) if args.check else 0
    del batch
    wait()
    before, begun = os.times(), time.perf_counter()
    for batch in batches:
        timed_rows += size(batch)
        count += 1
        if args.check:
            total += checked(batch, factors)
        del batch
        last = time.perf_counter()
    wall, after = (last if args.stay else time.perf_counter()) - begun, os.times()
    wait()
    cpu = after.user + after.system - before.user - before.system
    # With workers, the time of their whole lives.
    cpu += after.children_user + after.children_system if args.workers else 0
    print(json.dumps({"first": first, "rows": timed_rows, "all": all_rows + timed_rows, "wall": wall, "cpu": cpu,
                      "batches": count, "sum": total % (1 << 64), "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))


if __name__ == "__main__":
    main()
