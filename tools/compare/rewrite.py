#!/usr/bin/env python3
"""Writes the rows of a partition anew with pyarrow, in their order: dictionaries, zstd level 1, row groups of 4,096 rows."""
import sys
from pathlib import Path

import pyarrow.parquet as parquet

ROW_GROUP_ROWS = 4096


def main():
    partition, out = Path(sys.argv[1]), Path(sys.argv[2])
    out.mkdir(parents=True)
    for part in sorted(partition.glob("*.parquet")):
        source = parquet.ParquetFile(part)
        with parquet.ParquetWriter(out / part.name, source.schema_arrow, compression="zstd", compression_level=1) as writer:
            # In batches of whole row groups: a day of rows is a thousand times larger in memory than in its file.
            for batch in source.iter_batches(batch_size=ROW_GROUP_ROWS):
                writer.write_batch(batch, row_group_size=ROW_GROUP_ROWS)


if __name__ == "__main__":
    main()
