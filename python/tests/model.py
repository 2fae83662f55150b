"""Small random inputs and stores, and the rows that `produce` writes from them."""

from __future__ import annotations

import random
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Optional

import pyarrow
import pyarrow.parquet

import lookback

FIRST = datetime(2026, 1, 1, tzinfo=timezone.utc)
LISTS = pyarrow.list_(pyarrow.struct([("item_id", pyarrow.int64()), ("is_order", pyarrow.int32())]))


def day(number: int) -> str:
    return (FIRST + timedelta(days=number)).strftime("%Y-%m-%d")


class Model:
    """A store of some days of random actions, and the impressions of the days after."""

    def __init__(self, folder: Path, seed: int, *, customers: int = 12, action_days: int = 4, days: int = 2, lists: int = 20,
                 max_history: Optional[int] = None):
        chance = random.Random(seed)
        self.root, self.store, self.folder = folder / "input", folder / "store", folder
        self.max_history = max_history or chance.choice([4, 9, 30])
        lookback.init(self.store, max_history=self.max_history)
        for number in range(action_days):
            for source, item, time in [("clicks", "item_id", "click_time"), ("orders", "config_id", "occurred_at")]:
                rows = [
                    {
                        "customer_id": chance.randrange(1, customers),
                        item: chance.randrange(1, 40),
                        # Ties are common, and some are late.
                        time: FIRST + timedelta(days=max(0, number - chance.choice([0, 0, 2])), hours=chance.randrange(24)),
                    }
                    for _ in range(chance.randrange(20, 90))
                ]
                self._write(f"{source}/dt={day(number)}", pyarrow.Table.from_pylist(rows))
            lookback.ingest(self.store, input=self.root, dt=day(number))
        self.days = [day(action_days + 1 - days + number) for number in range(days)]
        self._chance, self._customers = chance, customers
        for name in self.days:
            self.write_impressions(name, lists)

    def write_impressions(self, name: str, lists: int) -> None:
        chance = self._chance
        rows = [
            {
                "ranking_id": chance.choice([None, "a", "b", f"r{number}"]),
                # Some without any history.
                "customer_id": chance.randrange(1, self._customers + 3),
                "impressions": [
                    {"item_id": chance.randrange(1, 40), "is_order": chance.choice([0, 0, 1, None])}
                    for _ in range(chance.randrange(0, 7))
                ],
            }
            for number in range(lists)
        ]
        # Equal lists are rows of their own.
        rows += rows[:2]
        columns = [("ranking_id", pyarrow.string()), ("customer_id", pyarrow.int64()), ("impressions", LISTS)]
        self._write(f"impressions/dt={name}", pyarrow.Table.from_pylist(rows, pyarrow.schema(columns)))

    def _write(self, name: str, table: pyarrow.Table) -> None:
        (self.root / name).mkdir(parents=True, exist_ok=True)
        pyarrow.parquet.write_table(table, self.root / name / "part.parquet")

    def produced(self, name: str, **settings: Any) -> list[tuple[Any, ...]]:
        """Return the rows that `produce` writes, in their order, with the columns of :func:`rows_of`."""
        out = self.folder / f"out {len(list(self.folder.iterdir()))}"
        settings = {name: value for name, value in settings.items() if value is not None}
        if settings.get("order", "shuffled") == "customer":
            settings.pop("seed", None)
        lookback.produce(self.store, input=self.root, dt=name, out=out, **settings)
        parts = sorted((out / f"dt={name}").glob("part-*.parquet"))
        table = pyarrow.concat_tables(pyarrow.parquet.ParquetFile(part).read() for part in parts)
        named = {name: table.column(name).to_pylist() for name in table.column_names}
        lists = [named[column] for column in ("actions", "action_types")]
        for column in ("action_ages", "history_length"):
            if column in named:
                lists.append(named[column])
        ones = [named[column] for column in ("impression_item_id", "label", "customer_id", "impression_pos")]
        return [tuple(one if not isinstance(one, list) else tuple(one) for one in row) for row in zip(*ones, *lists)]


def rows_of(fields: Any, keep: int | None = None) -> list[tuple[Any, ...]]:
    """Return the rows of a padded batch: item, label, customer, position, actions, types, and what else it has."""
    names = ["impressions", "labels", "customer_ids", "positions", "actions", "action_types"]
    names += [name for name in ("action_ages", "history_length") if name in fields.keys()]
    columns = [fields[name].tolist() for name in names]
    rows = [tuple(one if not isinstance(one, list) else tuple(one) for one in row) for row in zip(*columns)]
    return rows if keep is None else rows[:keep]
