"""Training rows as batches in memory, without torch: numpy arrays and Arrow."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any, Optional, Union

from lookback import _native
from lookback._call import day as day_text
from lookback._checks import LARGEST, from_environment, refused, usage, whole
from lookback._days import PreparedDays
from lookback._iteration import STATE_VERSION, Iteration, Position, State, Worker, check_state
from lookback._limits import limits_of
from lookback._origin import PartitionOrigin, StoreOrigin, by_day
from lookback._row_batch import RowBatch
from lookback._shared_days import SharedDays
from lookback._types import DayLike, Impressions, Limits, PathLike, Size
from lookback._work import Progress, Reporter
from lookback.store import Store

__all__ = ["RowBatch", "Rows"]

# The columns beside those that every batch has.
_EXTRA = ("ranking_ids", "history_length", "action_ages", "action_times")
# Settings that are one of some names.
_NAMES = {
    "order": ("shuffled", "carousel", "customer"),
    "layout": ("padded", "dedup", "jagged"),
    "item_type": ("int64", "int32"),
    "type_type": ("int32", "uint8"),
}
# Settings that have gone into a partition.
_OF_STORE = (
    *("input", "impressions", "impression_columns", "lookback_days", "known_as_of", "config"),
    *("allow_gaps", "allow_pruned", "quarantine"),
)
# Settings that are a number, or None.
_NUMBERS = ("max_history", "batch_actions_max", "max_rows_per_customer")


class Rows:
    """The training rows of days, one day after the other, as batches, epoch after epoch.

    An epoch is one iteration. Its order is a function of rows, ``seed`` and epoch alone; every row comes exactly once.
    The rows are those that :func:`lookback.produce` writes with the same settings, cell for cell; no padded row is ever
    written. Each day is read from the store once; the next one is prepared while this one is read.

    Memory, in each process that iterates: half of the store's memory limit for each of at most two prepared days (all
    of it if there is one day), beyond which they lie in scratch files; the batches that the caller holds come on top.
    Without a limit the worker processes and the ranks of a machine (``LOCAL_WORLD_SIZE``) share the default. Worker
    processes share each prepared day, which is in memory once.

    Args:
        store: a :class:`lookback.Store`, or its folder.
        input: the root that holds ``impressions/dt=…/``, or what the configuration names.
        impressions: instead of ``input``: the impressions of the one day as Arrow data with ``__arrow_c_stream__``, such
            as a table of pyarrow, Polars or DuckDB; or such data by day. A day is read again where it is prepared again
            (of more than two days, in each epoch), so a table is better than a reader, which gives its rows once.
        impression_columns: the names of their columns by key, as ``columns`` of :func:`lookback.produce`.
        days: the days, in the order in which they are read; one day is a list of one.
        batch_size: the rows of a batch.
        order: ``"shuffled"``, ``"carousel"`` (impression lists shuffled, each in one piece) or ``"customer"``.
        seed: of the order.
        layout: ``"padded"``, ``"dedup"`` or ``"jagged"``; see :class:`RowBatch`.
        max_history: use only the newest so many actions.
        lookback_days: use only actions of so many days before the day.
        known_as_of: use only batches up to and including this day; ``"day_before"``: up to the day before each day, as
            they were known that morning.
        columns: of ``"ranking_ids"``, ``"history_length"``, ``"action_ages"``, ``"action_times"``.
        item_type: ``"int64"`` or ``"int32"``, of ``actions``.
        type_type: ``"int32"`` or ``"uint8"``, of ``action_types``.
        batch_actions_max: cut batches also before they have more actions than this.
        max_rows_per_customer: use only so many rows of each customer, the same in every epoch.
        rank, world_size: this rank's slice of each global batch of ``batch_size * world_size`` rows. All ranks make the
            same number of steps.
        drop_last: leave out the last batch of a day if it is short; else it is filled up, and ``batch.filled`` says by
            how many rows.
        config: the configuration of names and layouts.
        allow_gaps, allow_pruned, quarantine: as in :func:`lookback.produce`.
        progress: a function that takes :class:`lookback.ProgressEvent`, or ``True`` for bars of tqdm; not called in
            worker processes.

    ``len(rows)`` is the number of batches of a whole epoch once each day was read in this process.

    Raises:
        lookback.Usage: settings that make no sense.
        lookback.Error: while it is iterated, as :func:`lookback.produce` does.

    Example:
        >>> rows = lookback.Store("store").rows(input="input", days=["2026-01-02"], batch_size=2, layout="jagged")
        >>> for batch in rows:
        ...     print(batch.labels.sum(), batch.actions__values.tolist(), batch.inverse.tolist())
        1 [12, 11] [0, 0]
    """

    def __init__(
        self,
        store: Union[Store, PathLike, PartitionOrigin],
        *,
        input: Optional[PathLike] = None,
        impressions: Optional[Impressions] = None,
        impression_columns: Optional[Mapping[str, str]] = None,
        days: Sequence[DayLike],
        batch_size: int = 4096,
        order: str = "shuffled",
        seed: int = 0,
        layout: str = "padded",
        max_history: Optional[int] = None,
        lookback_days: Optional[int] = None,
        known_as_of: Optional[DayLike] = None,
        columns: Iterable[str] = (),
        item_type: str = "int64",
        type_type: str = "int32",
        batch_actions_max: Optional[int] = None,
        max_rows_per_customer: Optional[int] = None,
        rank: int = 0,
        world_size: int = 1,
        drop_last: bool = False,
        config: Optional[PathLike] = None,
        allow_gaps: bool = False,
        allow_pruned: bool = False,
        quarantine: Optional[PathLike] = None,
        progress: Progress = None,
    ) -> None:
        if isinstance(days, (str, date)):
            raise usage("days is one day", "give a list of days, such as ['2026-01-31']")
        self._days = [day_text(day) for day in days]
        if not self._days or len(set(self._days)) < len(self._days):
            raise usage("days has no day, or one twice", "name each day once")
        origin = store if isinstance(store, PartitionOrigin) else StoreOrigin(
            store if isinstance(store, Store) else Store(store),
            input,
            impressions=by_day(impressions, self._days),
            impression_columns=impression_columns,
            lookback_days=lookback_days,
            known_as_of=known_as_of,
            config=config,
            allow_gaps=allow_gaps,
            allow_pruned=allow_pruned,
            quarantine=quarantine,
        )
        self._origin: Union[StoreOrigin, PartitionOrigin] = origin
        seed = whole("seed", seed, 0, LARGEST)
        batch_size, world_size = whole("batch_size", batch_size), whole("world_size", world_size)
        rank = whole("rank", rank, 0, world_size - 1)
        named = {"order": order, "layout": layout, "item_type": item_type, "type_type": type_type}
        for name, value in named.items():
            if value not in _NAMES[name]:
                raise usage(f"there is no {name} {value!r}", f"give one of: {', '.join(_NAMES[name])}")
        numbers = (max_history, batch_actions_max, max_rows_per_customer)
        max_history, batch_actions_max, max_rows_per_customer = (
            None if value is None else whole(name, value) for name, value in zip(_NUMBERS, numbers)
        )
        if isinstance(columns, str):
            raise usage("columns is one column", f"give a list of columns, such as [{columns!r}]")
        wanted = list(columns)
        for unknown in [column for column in wanted if column not in _EXTRA]:
            raise usage(f"there is no column {unknown!r}", f"give some of: {', '.join(_EXTRA)}")
        # What determines the rows and their order, beside the days and the seed.
        self._settings: State = {
            "order": order,
            "max_history": max_history,
            **origin.settings,
            "columns": sorted({column for column in wanted if column != "ranking_ids"}),
            "item_type": item_type,
            "type_type": type_type,
            "max_rows_per_customer": max_rows_per_customer,
        }
        self._cut: State = {
            "layout": layout,
            "batch_size": batch_size,
            "batch_actions_max": batch_actions_max,
            "drop_last": drop_last,
            "ranking_ids": "ranking_ids" in wanted,
        }
        self.worker = Worker(rank, world_size)
        self._progress = progress
        self._begin = Position(0, seed, 0, 0, None)
        self._behind: Optional[State] = None
        # Counts what a running iteration has to notice: states loaded, epochs set.
        self._changes = 0
        # The workers that share what this rank may use.
        self._shared_by = 1
        # In a worker: where it and the others find the days that one of them has prepared.
        self._shared_days: Optional[SharedDays] = None
        # Lends memory that the process that started this one can use too.
        self._lender: Optional[_native.Lender] = None
        # The rows of each day that was prepared.
        self._counts: dict[str, int] = {}
        self._prepared = PreparedDays()

    @classmethod
    def from_partition(
        cls,
        out: PathLike,
        *,
        days: Sequence[DayLike],
        memory_limit: Optional[Size] = None,
        threads: Optional[int] = None,
        scratch: Optional[PathLike] = None,
        **settings: Any,
    ) -> Rows:
        """Return the rows of produced partitions, for who has them and no store: the same batches.

        Args:
            out: the output folder, which holds ``dt=…/``, in whatever order the rows were written.
            days: the days, in the order in which they are read.
            memory_limit: bytes, or text such as ``"2GiB"``; half of the machine's memory without it.
            threads: one for each core without it; the result is the same with any number.
            scratch: the folder for scratch files.
            settings: those of :class:`Rows` but its input, ``lookback_days``, ``known_as_of``, ``config``,
                ``allow_gaps``, ``allow_pruned`` and ``quarantine``, which have gone into the partition. ``max_history`` is at most that
                of the partition; ages and times of actions are there if it has them.

        Raises:
            lookback.Refused: while it is iterated: a partition is incomplete or has changed; its rows do not allow the
                settings; or its rows are shuffled, and leave open which of them are one impression.

        Example:
            >>> from lookback.rows import Rows
            >>> for batch in Rows.from_partition("out", days=["2026-01-02"], order="customer"):
            ...     print(batch.impressions.tolist(), batch.labels.tolist(), batch.actions[:, :3].tolist())
            [12, 13] [1, 0] [[12, 11, 0], [12, 11, 0]]
        """
        for name in settings:
            if name in _OF_STORE:
                raise usage(f"rows of partitions have no setting {name}", "leave it out; it has gone into the partition")
        return cls(PartitionOrigin(out, limits_of(memory_limit, threads, scratch)), days=days, **settings)

    def __getstate__(self) -> State:
        # Prepared days and memory stay in their process, and so does the progress callback.
        kept = {name: value for name, value in self.__dict__.items() if name != "_prepared"}
        return {**kept, "_progress": None, "_lender": None}

    def __setstate__(self, state: State) -> None:
        self.__dict__.update(state)
        self._prepared = PreparedDays()

    def set_epoch(self, epoch: int) -> None:
        """Read this epoch from now on, from its beginning; it is 0 before.

        The epoch of a loaded state goes on where the state says.
        """
        epoch = whole("epoch", epoch, 0, LARGEST)
        if epoch != self._begin.epoch:
            self._go(Position(epoch, self._begin.seed, 0, 0, None))

    def state_dict(self) -> State:
        """Return where this goes on: behind the batch that was given last, or where the next iteration begins.

        It is a few numbers and short texts, at most 2 kB as JSON, the same for all ranks. ``batch.state`` is the same
        for any batch.
        """
        return dict(self._behind) if self._behind is not None else self.state_at(self._begin)

    def load_state_dict(self, state: State) -> None:
        """Go on behind the batch that a state belongs to, in the next iteration; the ones after it are whole epochs.

        The state's seed and epoch count. The rows before it are not read. The number of ranks, of workers and the rows
        of a batch may be others than before. A state behind the last batch leaves an iteration without a batch.

        Raises:
            lookback.Refused: the settings that determine the rows are others than the state's; or, when it is iterated,
                the store or the impressions have changed.
            lookback.Usage: it is no state.
        """
        self._go(self.position_of(state))

    def _go(self, position: Position) -> None:
        self._begin, self._behind = position, None
        self._changes += 1

    def state_at(self, position: Position) -> State:
        """Return the state of a position."""
        return {
            "version": STATE_VERSION,
            "seed": position.seed,
            "epoch": position.epoch,
            "dt": self._days[position.day],
            "row": position.row,
            "fingerprint": position.fingerprint,
            "days": self._days_hash(),
            "settings": self._settings,
        }

    def _days_hash(self) -> str:
        # A year of days is more than a state may have.
        return hashlib.sha256(" ".join(self._days).encode()).hexdigest()[:16]

    def position_of(self, state: State) -> Position:
        """Return the position of a state. Fails if it is that of other rows."""
        check_state(state)
        for name, own in self._settings.items():
            theirs = state["settings"].get(name)
            if theirs != own:
                raise refused(
                    f"the state is of rows with {name} {theirs!r}, and these have {own!r}",
                    "give the settings that the state was made with, or begin a new epoch with set_epoch",
                )
        if state["dt"] not in self._days:
            raise refused(f"the state is of {state['dt']}, which is none of the days", "add the day to days")
        if state["days"] != self._days_hash():
            raise refused(
                "the state is of rows of other days, or of days in another order",
                "give the days that the state was made with, or begin a new epoch with set_epoch",
            )
        day = self._days.index(state["dt"])
        return Position(state["epoch"], state["seed"], day, state["row"], state["fingerprint"])

    def _prepare(self, asked: str, stop: _native.Stop) -> _native.Day:
        day, seed = asked.split(" ")
        # A seed has no use in the order by customer.
        ordered: State = {"dt": day, "seed": None if self._settings["order"] == "customer" else int(seed)}
        wanted, shared = {**self._settings, **ordered}, self._shared_days

        def prepare(limits: Limits) -> _native.Day:
            reporter = Reporter(self._progress)
            try:
                return self._origin.prepare(wanted, limits, stop, reporter)
            finally:
                reporter.close()

        own = self._limits(self._shared_by)
        if shared is None:
            return prepare(own)
        # While one worker prepares a day for all of them, the others wait.
        return shared.get(self._days.index(day), asked, prepare, self._limits(1), own, stop)

    def asked(self, day: str, seed: int) -> tuple[int, str, Limits]:
        """Return the number of a day, its name among prepared days, and what preparing it may use."""
        return self._days.index(day), f"{day} {seed}", self._limits(1)

    def _limits(self, shared_by: int) -> Limits:
        """Return what one of so many workers may use."""
        memory, threads, scratch = self._origin.limits
        # Ranks are others' processes on the same machine.
        beside = shared_by * from_environment("LOCAL_WORLD_SIZE", 1, 1)
        if memory is None:
            memory = _native.default_memory() // beside
        if threads is None:
            threads = max(1, (os.cpu_count() or 1) // beside)
        return memory // (2 if len(self._days) > 1 else 1), threads, scratch

    def day(self, position: Position) -> _native.Day:
        """Return the prepared day of a position; the next one is prepared in the background from then on."""
        _, name, _ = self.asked(self._days[position.day], position.seed)
        # Behind the last day comes the first one, of the next epoch; it is there already if there are two.
        following = position.day + 1 if position.day + 1 < len(self._days) else None
        next_day = None if following is None else f"{self._days[following]} {position.seed}"
        prepared = self._prepared.get(name, next_day, self._prepare)
        if position.fingerprint is not None and prepared.fingerprint != position.fingerprint:
            raise refused(
                f"the rows of {self._days[position.day]} are others than when the state was made: the store, the "
                "impressions or the version of lookback have changed",
                "begin a new epoch with set_epoch, or restore what the state rests on",
            )
        if position.row > prepared.rows:
            raise usage(
                f"the state is of row {position.row}, and {self._days[position.day]} has {prepared.rows} rows",
                "load what state_dict() or batch.state has given",
            )
        self._counts[self._days[position.day]] = prepared.rows
        return prepared

    def cut(self, first_row: int, worker: Worker) -> Any:
        """Return how a day is cut into batches from a row on."""
        return {**self._cut, **worker._asdict(), "first_row": first_row}

    def __iter__(self) -> Iterator[RowBatch]:
        return map(self._made, Iteration(self, self.worker))

    def __bool__(self) -> bool:
        return True

    def __len__(self) -> int:
        """Return the number of batches of a whole epoch.

        Raises:
            TypeError: it is not known yet: each day has to be read once in this process (``DataLoader``'s workers are
                others), and ``batch_actions_max`` lets the histories decide.
        """
        return self.count(self.worker.world_size)

    def count(self, world_size: int) -> int:
        """Return the number of batches of a rank in a whole epoch; see ``len``."""
        if self._cut["batch_actions_max"] is not None or any(day not in self._counts for day in self._days):
            raise TypeError("the number of batches is known once each day was read, and not with batch_actions_max")
        size = self._cut["batch_size"] * world_size
        more = 0 if self._cut["drop_last"] else size - 1
        return sum((self._counts[day] + more) // size for day in self._days)

    def _made(self, batch: tuple[_native.Batch, State]) -> RowBatch:
        return RowBatch(*batch)

    def __repr__(self) -> str:
        return f"lookback.rows.Rows({self._origin.place!r}, days={self._days}, {self._settings})"
