"""Both stages on a Spark cluster: a sharded store whose shards are tasks.

Each task runs the library in its Python worker, on one shard, with the rows of its customers: what ``lookback.shards``
does one after the other on one machine. The driver makes the next version, or publishes the rows, in one step, when all
tasks have answered. ``docs/spark.md`` says what becomes of each failure.

Needs ``pyspark`` 3.4 or newer, classic or Connect, and this package on every executor.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Optional

from lookback import shards as commands
from lookback._call import Customers, call, words_of
from lookback._checks import usage
from lookback._produce import manifest
from lookback._spark import Task, columns_of, dealt_out, task_memory
from lookback._tasks import answers
from lookback._types import Columns, DayLike, PathLike, Size, Summary
from lookback.errors import Refused

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

__all__ = ["Store", "rows"]

_log = logging.getLogger("lookback")


class Store:
    """A sharded store that the tasks of a Spark cluster work on.

    Args:
        url: the URL of an object store, or a folder that driver and executors share.
        shards: make the store with so many shards, a power of two, if there is none. 1 to 4 GB a shard after a year is
            a good size.
        cache: a folder on the disks of the executors in which table files stay for the next task; without it one among
            Spark's own folders, which goes when the executor ends.
        cache_size: the most bytes that stay there, on each executor; 50 GB without it.
        task_memory: the memory of a task, in bytes or as text such as ``"2GiB"``; without it its share of what the
            executor leaves to Python (``spark.executor.pyspark.memory``, or the memory overhead), at least 256 MiB.
        settings: those of :func:`lookback.shards.init`, for a store that is made.

    Raises:
        lookback.Refused: there is no store, and ``shards`` does not say how to make one.
    """

    def __init__(
        self,
        url: PathLike,
        *,
        shards: Optional[int] = None,
        cache: Optional[PathLike] = None,
        cache_size: Optional[Size] = None,
        task_memory: Optional[Size] = None,
        **settings: Any,
    ) -> None:
        self._url = os.fspath(url)
        self._cache = None if cache is None else os.fspath(cache)
        self._cache_size = cache_size
        self._task_memory = task_memory
        if shards is not None:
            self._make(shards, settings)
        self.status()

    def _make(self, number: int, settings: Mapping[str, Any]) -> None:
        try:
            commands.init(self._url, shards=number, **settings)
        except Refused:
            there = self.status()["shards"]
            if there != number:
                _log.warning("the sharded store %s has %d shards, and not %d", self._url, there, number)

    @property
    def url(self) -> str:
        """Its URL or folder."""
        return self._url

    def __repr__(self) -> str:
        return f"lookback.spark.Store({self._url!r})"

    def status(self, number: Optional[int] = None) -> Summary:
        """Return what a version holds, the newest without ``number``, as :func:`lookback.shards.status` does."""
        return commands.status(self._url, number=number)

    def ingest(
        self,
        actions: Optional[DataFrame] = None,
        *,
        dt: DayLike,
        columns: Optional[Columns] = None,
        config: Optional[PathLike] = None,
        batch_id: Optional[str] = None,
        allow_empty: bool = False,
        allow_far_day: bool = False,
        allow_missing_source: bool = False,
        **sources: Optional[DataFrame],
    ) -> Summary:
        """Ingest one day's batch of actions into all shards, and make the next version.

        Args:
            actions: the actions of all types, with columns named by ``columns``: ``time`` and ``type``, whose values
                are names or numbers of types.
            sources: instead of it, or beside it: actions by the name of their source, as for :func:`lookback.ingest`
                (``clicks=…, add_to_carts=…, orders=…``).
            dt: the batch: the day on which its actions arrived.
            columns: names of columns by their keys ``customer_id``, ``item_id``, ``time``, ``date`` and ``type``, or
                such a mapping for each source; without it those of the configuration or of the contract.
            config: the configuration of names and layouts, a file that driver and executors can read.
            batch_id: an identity of the batch, such as the snapshot of a table: a store that has it already stays as it
                is, and nothing is read.
            allow_empty: accept a batch without any row.
            allow_far_day: accept a day later than tomorrow, or ten years from every other batch or most of its actions.
            allow_missing_source: accept a batch without rows of a source that all of the last seven batches had.

        Returns:
            The summary of ``lookback shards ingest --json``.

        Raises:
            lookback.Input: a row is bad; the message names it by its number in its task.
            lookback.Refused: the batch is implausible.
            lookback.Busy: other runs have made the next version five times meanwhile.
        """
        given = {name: frame for name, frame in {"actions": actions, **sources}.items() if frame is not None}
        if not given:
            raise usage("there are no actions", "give them as a DataFrame, or one by the name of each source")
        settings = {
            "dt": dt,
            "config": config,
            "allow_empty": allow_empty,
            "allow_far_day": allow_far_day,
            "allow_missing_source": allow_missing_source,
        }
        return self._run("shards ingest", given, columns, settings, {"batch_id": batch_id})

    def produce(
        self,
        impressions: DataFrame,
        *,
        dt: DayLike,
        out: PathLike,
        publish: str = "files",
        number: Optional[int] = None,
        columns: Optional[Mapping[str, str]] = None,
        config: Optional[PathLike] = None,
        known_as_of: Optional[DayLike] = None,
        max_history: Optional[int] = None,
        lookback_days: Optional[int] = None,
        compression: Optional[str] = None,
        row_group_rows: Optional[int] = None,
        part_rows: Optional[int] = None,
        with_: Optional[Iterable[str]] = None,
        item_type: Optional[str] = None,
        type_type: Optional[str] = None,
        order: Optional[str] = None,
        seed: Optional[int] = None,
        vacuum: Optional[str] = None,
        allow_gaps: bool = False,
        allow_pruned: bool = False,
    ) -> Summary:
        """Write the training rows of one day from all shards of a version, as one partition.

        Args:
            impressions: the impressions of the day.
            dt: the day whose impressions become rows; all their actions are from before this day.
            out: the output, a URL or a folder that driver and executors share; the rows go to ``out/dt=…/``.
            publish: ``"files"``, or ``"delta"`` to make the output a Delta table.
            number: the version; the newest without it.
            columns: names of the impressions' columns by their keys.

        The others are those of :func:`lookback.shards.produce`.

        Returns:
            The summary of ``lookback shards produce --json``.

        Raises:
            lookback.Refused: batches before the day are missing.
            lookback.Busy: another run has written the partition meanwhile.
        """
        if publish not in ("files", "delta"):
            raise usage(f"there is no way {publish!r} to publish rows", "give 'files' or 'delta'")
        settings = {
            "dt": dt,
            "out": out,
            "config": config,
            "known_as_of": known_as_of,
            "max_history": max_history,
            "lookback_days": lookback_days,
            "compression": compression,
            "row_group_rows": row_group_rows,
            "part_rows": part_rows,
            "with_": None if with_ is None else list(with_),
            "item_type": item_type,
            "type_type": type_type,
            "order": order,
            "seed": seed,
            "table": "delta" if publish == "delta" else None,
            "allow_gaps": allow_gaps,
            "allow_pruned": allow_pruned,
        }
        of_driver = {"number": number, "vacuum": vacuum}
        return self._run("shards produce", {"impressions": impressions}, columns, settings, of_driver)

    def backfill(
        self,
        actions: Optional[DataFrame] = None,
        *,
        from_: DayLike,
        to: DayLike,
        day: str = "dt",
        columns: Optional[Columns] = None,
        config: Optional[PathLike] = None,
        impressions: Optional[DataFrame] = None,
        out: Optional[PathLike] = None,
        as_daily: bool = False,
        ingest: Optional[Mapping[str, Any]] = None,
        produce: Optional[Mapping[str, Any]] = None,
        **sources: Optional[DataFrame],
    ) -> list[Summary]:
        """Ingest the batches of a range of days, each of which makes a version, and then produce the rows of each day.

        A day that the store holds is not ingested again, so a backfill that was interrupted goes on where it was.

        Args:
            actions: the actions of all days, or by the name of their source, as for :meth:`ingest`.
            from_: the first day.
            to: the last day.
            day: the name of the column, in all DataFrames, with the day of a row as a date or as text.
            columns: names of columns, by source; those of impressions under ``impressions``.
            config: the configuration of names and layouts.
            impressions: the impressions of all days; without them no rows are made.
            out: the output for the rows.
            as_daily: rows of a day use only batches up to the day before, as a run on that morning would have.
            ingest: further arguments of :meth:`ingest`.
            produce: further arguments of :meth:`produce`.

        Returns:
            The summaries of all runs, in their order.
        """
        if (impressions is None) != (out is None):
            raise usage("rows need both impressions and an output", "give both or none")
        given = {name: frame for name, frame in {"actions": actions, **sources}.items() if frame is not None}
        named: dict[str, Any] = dict(columns or {})
        of_rows = named.pop("impressions", None)
        first, last = _day(from_), _day(to)
        days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
        held = {batch["dt"] for batch in self.status()["batches"]}
        summaries = []
        for one in days if given else []:
            if one.isoformat() not in held:
                further = {**(ingest or {}), **{name: _on(frame, day, one) for name, frame in given.items()}}
                summaries.append(self.ingest(dt=one, columns=named or None, config=config, **further))
        if impressions is None or out is None:
            return summaries
        for one in days:
            known = one - timedelta(days=1) if as_daily else None
            shown = _on(impressions, day, one)
            further = {"known_as_of": known, **(produce or {})}
            summaries.append(self.produce(shown, dt=one, out=out, columns=of_rows, config=config, **further))
        return summaries

    def forget(
        self, customers: Customers, *, out: Optional[Iterable[PathLike]] = None, scrub: bool = False
    ) -> Summary:
        """Remove customers for good, and all earlier versions with them, as :func:`lookback.shards.forget` does.

        This runs on the driver, which fetches the shards of these customers one after the other. Caches on executors
        that outlive their session may have files with the customers until they are displaced.
        """
        return commands.forget(self._url, customers=customers, out=out, scrub=scrub)

    def gc(self, *, grace: str = "48h", keep: int = 7) -> Summary:
        """Remove versions but the newest ones, and old files that no version names: :func:`lookback.shards.gc`."""
        return commands.gc(self._url, grace=grace, keep=keep)

    def _run(
        self,
        command: str,
        frames: Mapping[str, DataFrame],
        columns: Optional[Columns],
        settings: Mapping[str, Any],
        of_driver: Mapping[str, Any],
    ) -> Summary:
        """Run a command whose tasks have the rows of DataFrames."""
        named = columns_of(frames, columns)
        spark = next(iter(frames.values())).sparkSession
        words = words_of(command, store=self._url, **settings)
        task = Task(words, self._cache, self._cache_size, self._task_memory or task_memory(spark))
        task.columns = named
        has_text_ids = self.status().get("ids", {}).get("customer") == "text"

        def engine(tasks: str) -> list[str]:
            number = json.loads(tasks)["shards"]
            dealt, task.schemas = dealt_out(frames, named, number, has_text_ids, settings["config"] is not None)
            task.tasks = tasks
            return answers([row["answer"] for row in dealt.mapInArrow(task, "answer string").collect()])

        return call(command, store=self._url, engine=engine, **settings, **of_driver)


def rows(spark: SparkSession, out: PathLike, dt: DayLike) -> DataFrame:
    """Return the rows of a day that were produced, as a DataFrame.

    The files are those of the partition's manifest when this is called; a run that replaces the partition takes them
    away, but in a Delta table.

    Args:
        spark: the session.
        out: the output that has ``dt=…/``, as Spark has to name it.
        dt: the day.

    Returns:
        The columns of the rows, and ``dt`` as a date.
    """
    from pyspark.sql import functions as f

    of_day = manifest(out, dt=dt)
    folder = f"{os.fspath(out).rstrip('/')}/dt={of_day['dt']}"
    names = [part["name"] for part in of_day["parts"]] or ["_manifest.parquet"]
    read = spark.read.parquet(*(f"{folder}/{name}" for name in names))
    return read.withColumn("dt", f.lit(of_day["dt"]).cast("date"))


def _day(value: DayLike) -> date:
    return date.fromisoformat(value) if isinstance(value, str) else date(value.year, value.month, value.day)


def _on(frame: DataFrame, column: str, day: date) -> DataFrame:
    """Return the rows of a day, without the column that says it."""
    return frame.where(frame[column] == day.isoformat()).drop(column)
