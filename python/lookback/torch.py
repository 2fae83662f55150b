"""Training rows as tensors, straight to the trainer: ``TrainingRows`` for ``torch.utils.data.DataLoader``."""

from __future__ import annotations

import multiprocessing.context
import os
import uuid
import weakref
from collections.abc import Iterator, Sequence
from multiprocessing.reduction import ForkingPickler
from typing import Any, Callable, Optional, Union

import torch
import torch.utils.dlpack
from torch.utils.data import IterableDataset, get_worker_info

from lookback import _native
from lookback._checks import changed, from_environment, usage
from lookback._iteration import Iteration, Position, State, Worker
from lookback._row_batch import columns_of, field_name, is_of_histories
from lookback._shared import Shared
from lookback._types import DayLike, PathLike, SentColumn
from lookback.rows import Rows
from lookback.store import Store

__all__ = ["TensorBatch", "TrainingRows", "from_partition"]


class TensorBatch:
    """A batch of B training rows of one day, as tensors.

    Fields are attributes and items (``batch["actions"]``). They and the other attributes are those of
    :class:`lookback.rows.RowBatch`, with tensors in place of arrays.
    """

    # What holds the fields in a worker process, and passes them on.
    _native: Optional[_native.Batch] = None

    def __init__(self, fields: dict[str, Any], **about: Any) -> None:
        self._fields = fields
        self._about = about

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        for held in (self._fields, self._about):
            if name in held:
                return held[name]
        raise AttributeError(f"a batch of layout {self._about['layout']} has no field {name!r}")

    def __getitem__(self, name: str) -> Any:
        return self._fields[name]

    def __contains__(self, name: object) -> bool:
        return name in self._fields

    def __reduce__(self) -> Any:
        return _received, (self._fields, self._about)

    def __len__(self) -> int:
        return int(self._fields["impressions"].shape[0])

    def __repr__(self) -> str:
        shapes = {name: list(field.shape) for name, field in self._fields.items() if isinstance(field, torch.Tensor)}
        return f"TensorBatch({self._about['dt']}, {self._about['layout']}, {shapes})"

    def keys(self) -> list[str]:
        """Return the names of the fields."""
        return list(self._fields)

    def _each(self, change: Callable[[torch.Tensor], torch.Tensor]) -> TensorBatch:
        def changed_or_not(field: Any) -> Any:
            return change(field) if isinstance(field, torch.Tensor) else field

        return TensorBatch({name: changed_or_not(field) for name, field in self._fields.items()}, **self._about)

    def pin_memory(self, device: Any = None) -> TensorBatch:
        """Return the batch in page-locked memory, from which a copy to a GPU runs beside other work."""
        return self._each(lambda tensor: tensor.pin_memory(device) if device is not None else tensor.pin_memory())

    def to(self, *arguments: Any, **settings: Any) -> TensorBatch:
        """Return the batch on a device; arguments are those of ``torch.Tensor.to``."""
        return self._each(lambda tensor: tensor.to(*arguments, **settings))

    def lengths(self) -> torch.Tensor:
        """Return the length of each row's history: [B] int64."""
        if self.layout == "jagged":
            of_histories: torch.Tensor = self.actions__offsets.diff()
            return of_histories[self.inverse]
        # Item 0 is the padding, and no item.
        lengths: torch.Tensor = (self.actions != 0).sum(1)
        return lengths if self.layout == "padded" else lengths[self.inverse]

    def mask(self) -> torch.Tensor:
        """Return where each row of ``to_padded()`` has actions: [B, L] bool."""
        return torch.arange(self.max_history, device=self.impressions.device) < self.lengths()[:, None]

    def to_padded(self) -> TensorBatch:
        """Return the same rows in layout ``padded``: the cells that ``lookback.produce`` writes."""
        if self.layout == "padded":
            return self
        fields = dict(self._fields)
        inverse = fields.pop("inverse")
        offsets = fields.pop("actions__offsets", None)
        padded: dict[str, Any] = {}
        for name, cells in fields.items():
            if not is_of_histories(name):
                padded[name] = cells
                continue
            if offsets is not None and name != "history_length":
                cells = self._pad(cells, offsets)
            padded[name.replace("__values", "")] = cells[inverse]
        return TensorBatch(padded, **{**self._about, "layout": "padded"})

    def _pad(self, values: torch.Tensor, offsets: torch.Tensor) -> torch.Tensor:
        is_there = torch.arange(self.max_history, device=values.device) < offsets.diff()[:, None]
        cells = torch.zeros(is_there.shape, dtype=values.dtype, device=values.device)
        cells[is_there] = values
        return cells

    def to_nested(self) -> dict[str, Any]:
        """Return the columns of histories as nested tensors of layout ``torch.jagged``: [U, *], or [B, *] if padded.

        Call it where the batch is used: nested tensors do not pass from one process to another.
        """
        if self.layout == "jagged":
            values = {name: self[name] for name in self.keys() if name.endswith("__values")}
            offsets = self.actions__offsets
        else:
            is_there = self.actions != 0
            lengths = is_there.sum(1)
            offsets = torch.cat([lengths.new_zeros(1), lengths.cumsum(0)])
            lists = [name for name in self.keys() if name.startswith("action")]
            values = {name: self[name][is_there] for name in lists}
        make = torch.nested.nested_tensor_from_jagged
        return {name.replace("__values", ""): make(cells, offsets) for name, cells in values.items()}

    def to_keyed_jagged(self) -> Any:
        """Return ``actions`` and ``action_types`` as a ``KeyedJaggedTensor`` of TorchRec, of U histories each.

        Raises:
            ImportError: torchrec is not installed.
        """
        try:
            from torchrec.sparse.jagged_tensor import KeyedJaggedTensor
        except ImportError as error:
            raise ImportError("to_keyed_jagged makes a tensor of TorchRec: pip install torchrec") from error
        nested = self.to_nested()
        keys = ["actions", "action_types"]
        lengths = nested["actions"].offsets().diff()
        values = torch.cat([nested[key].values().to(torch.int64) for key in keys])
        return KeyedJaggedTensor(keys=keys, values=values, lengths=lengths.repeat(len(keys)))


def _tensors(batch: _native.Batch) -> dict[str, Any]:
    columns = columns_of(batch)
    fields: dict[str, Any] = {name: torch.utils.dlpack.from_dlpack(column) for name, column in columns.items()}
    ids = batch.ranking_ids()
    if ids is not None:
        fields["ranking_ids"] = ids
    return fields


def _lender() -> Optional[_native.Lender]:
    """Return what lends memory that this worker and the process that started it both can use; none if they cannot."""
    global _LENDER
    parent = multiprocessing.parent_process()
    try:
        # One can open what the other has open, as the other can.
        if parent is None or not os.listdir(f"/proc/{parent.pid}/fd"):
            return None
    except OSError:
        return None
    if _LENDER is None or _LENDER[0] != os.getpid():
        _LENDER = (os.getpid(), _native.Lender())
    return _LENDER[1]


# That of a process: it stays, since batches are on their way when their dataset has gone.
_LENDER: Optional[tuple[int, _native.Lender]] = None


# The datasets of this process, by what the batches of its workers call them.
_DATASETS: weakref.WeakValueDictionary[str, TrainingRows] = weakref.WeakValueDictionary()


def _sent(batch: TensorBatch) -> Any:
    """Reduce a batch for another process, which takes it once: that of a worker leaves its memory where it is."""
    if batch._native is None or get_worker_info() is None:
        return batch.__reduce__()
    sent = {field_name(batch.layout, column): sent for column, sent in batch._native.send()}
    # A column that has no place in shared memory passes as torch passes it.
    fields = {name: None if name in sent else field for name, field in batch._fields.items()}
    return _taken, (fields, sent, batch._about)


def _taken(fields: dict[str, Any], sent: dict[str, SentColumn], about: dict[str, Any]) -> TensorBatch:
    # Also of a batch that nobody uses, so that its memory goes back.
    for name, column in zip(sent, _native.receive(list(sent.values()))):
        fields[name] = torch.utils.dlpack.from_dlpack(column)
    return _received(fields, about)


ForkingPickler.register(TensorBatch, _sent)


def _received(fields: dict[str, Any], about: dict[str, Any]) -> TensorBatch:
    """Return a batch that a worker has sent."""
    token, changes = about["made_by"]
    dataset = _DATASETS.get(token)
    is_stale = False
    if dataset is not None and get_worker_info() is None:
        is_stale = dataset._rows._changes != changes
        if not is_stale:
            dataset._shared.keep_day(dataset._rows, about["state"])
    return _StaleBatch({}, **about) if is_stale else TensorBatch(fields, **about)


class _StaleBatch(TensorBatch):
    """A batch that a worker had made before its dataset was asked to go on elsewhere. Whoever uses it is told."""

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(name) if name.startswith("__") else changed()

    def __getitem__(self, name: str) -> Any:
        raise changed()

    def __len__(self) -> int:
        raise changed()

    def pin_memory(self, device: Any = None) -> TensorBatch:
        # A loader does this in the background, and may well drop the batch.
        return self


def _given(rank: Optional[int], world_size: Optional[int]) -> dict[str, Any]:
    if (rank is None) != (world_size is None):
        raise usage("rank and world_size belong together", "give both or neither")
    return {} if rank is None else {"rank": rank, "world_size": world_size}


class TrainingRows(IterableDataset[TensorBatch]):
    """The training rows of days as whole batches of tensors, for ``DataLoader(rows, batch_size=None, ...)``.

    Arguments, order, epochs, states, memory and errors are those of :class:`lookback.rows.Rows`, but for these:

    Args:
        rank, world_size: without them those of ``torch.distributed``, or else of ``RANK`` and ``WORLD_SIZE``, when the
            iteration begins.

    Workers of a ``DataLoader`` may be forked or spawned; they share the days, each of which
    one of them prepares, and together they give the batches of one process in the same order. With workers that read ahead, the state to keep is that of the batch that
    was used last (``batch.state``), and ``state_dict()`` is refused. ``set_epoch`` and ``load_state_dict`` reach
    workers that are there already (``persistent_workers=True``) with the next iteration.

    ``state_dict`` and ``load_state_dict`` also serve ``torchdata.stateful_dataloader.StatefulDataLoader``.

    Example:
        >>> from torch.utils.data import DataLoader
        >>> from lookback.torch import TrainingRows
        >>> rows = TrainingRows("store", input="input", days=["2026-01-02"], batch_size=2, order="shuffled", seed=1)
        >>> for epoch in range(2):
        ...     rows.set_epoch(epoch)
        ...     for batch in DataLoader(rows, batch_size=None):
        ...         print(batch.actions.shape, batch.actions.dtype, int(batch.labels.sum()), batch.state["row"])
        torch.Size([2, 1000]) torch.int64 1 2
        torch.Size([2, 1000]) torch.int64 1 2
    """

    def __init__(
        self,
        store: Union[Store, PathLike],
        *,
        days: Sequence[DayLike],
        rank: Optional[int] = None,
        world_size: Optional[int] = None,
        **settings: Any,
    ) -> None:
        given = _given(rank, world_size)
        self._take(Rows(store, days=days, **given, **settings), bool(given))

    @classmethod
    def from_partition(
        cls,
        out: PathLike,
        *,
        days: Sequence[DayLike],
        rank: Optional[int] = None,
        world_size: Optional[int] = None,
        **settings: Any,
    ) -> TrainingRows:
        """Return the rows of produced partitions, for who has them and no store: the same batches.

        Arguments and errors are those of :meth:`lookback.rows.Rows.from_partition`, ranks those of this class.

        Example:
            >>> from lookback.torch import TrainingRows
            >>> rows = TrainingRows.from_partition("out", days=["2026-01-02"], batch_size=2, order="customer")
            >>> for batch in rows:
            ...     print(batch.labels, batch.actions[:, :3])
            tensor([1, 0], dtype=torch.int32) tensor([[12, 11,  0],
                    [12, 11,  0]])
        """
        given = _given(rank, world_size)
        rows = cls.__new__(cls)
        rows._take(Rows.from_partition(out, days=days, **given, **settings), bool(given))
        return rows

    def _take(self, rows: Rows, has_ranks: bool) -> None:
        self._rows = rows
        self._ranks = (rows.worker.rank, rows.worker.world_size) if has_ranks else None
        # Those of the process that started this one.
        self._started_by: Optional[tuple[int, int]] = None
        self._begin()

    def _begin(self) -> None:
        """Become a dataset of this process."""
        self._shared = Shared(len(self._rows._days))
        self._token = uuid.uuid4().hex
        _DATASETS[self._token] = self
        self._shared.publish(self._rows)

    def _adopt(self) -> None:
        """If this came from another process, as in a rank that was given it, have nothing in common with that one's."""
        if self._shared.process != os.getpid() and get_worker_info() is None:
            self._begin()

    def __getstate__(self) -> dict[str, Any]:
        if multiprocessing.context.get_spawning_popen() is None:
            # A copy, and no part of this dataset.
            return {name: value for name, value in self.__dict__.items() if name not in ("_shared", "_token")}
        # A spawned worker knows of no process group, and shares what follows.
        self._adopt()
        return {**self.__dict__, "_started_by": self._current_ranks()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        if "_shared" in state:
            _DATASETS[self._token] = self
        else:
            self._begin()

    def _current_ranks(self) -> tuple[int, int]:
        if self._ranks is not None:
            return self._ranks
        if torch.distributed.is_available() and torch.distributed.is_initialized():
            return torch.distributed.get_rank(), torch.distributed.get_world_size()
        if get_worker_info() is not None and self._started_by is not None:
            return self._started_by
        world_size = from_environment("WORLD_SIZE", 1, 1)
        if world_size > 1 and "RANK" not in os.environ:
            raise usage(
                "the environment has WORLD_SIZE without RANK, so that all ranks would read the same rows",
                "set RANK too, or give rank and world_size",
            )
        return from_environment("RANK", 0, 0), world_size

    def set_epoch(self, epoch: int) -> None:
        """Read this epoch from now on, from its beginning; it is 0 before.

        The epoch of a loaded state goes on where the state says.
        """
        self._adopt()
        self._rows.set_epoch(epoch)
        self._shared.publish(self._rows)

    def state_dict(self) -> State:
        """Return where this goes on: behind the batch that was given last, or where the next iteration begins.

        Raises:
            lookback.Usage: worker processes have read ahead of what was used; ``batch.state`` is right.
        """
        self._adopt()
        if get_worker_info() is None and self._shared.has_workers():
            raise usage(
                "worker processes have read ahead, and only they know how far",
                "keep batch.state of the batch that was used last, or use StatefulDataLoader",
            )
        return self._rows.state_dict()

    def load_state_dict(self, state: State) -> None:
        """Go on behind the batch that a state belongs to, in the next iteration; the ones after it are whole epochs.

        See :meth:`lookback.rows.Rows.load_state_dict`.
        """
        if get_worker_info() is not None:
            # A loader that keeps a state for each worker: it is no matter of the others.
            self._rows._begin = self._rows.position_of(state)
            return
        self._adopt()
        self._rows.load_state_dict(state)
        self._shared.publish(self._rows)

    def __iter__(self) -> Iterator[TensorBatch]:
        self._adopt()
        info = get_worker_info()
        worker, workers = (0, 1) if info is None else (info.id, info.num_workers)
        if info is not None:
            self._rows._progress = None
            self._rows._lender = _lender()
            self._rows._shared_days = self._shared.days
            # Each loader draws a seed for its workers, who add their numbers to it.
            self._shared.take(self._rows, (info.seed - worker) or 1, worker)
        return _TensorIteration(self, Iteration(self._rows, Worker(*self._current_ranks(), worker, workers)))

    def __bool__(self) -> bool:
        return True

    def __len__(self) -> int:
        """Return the number of batches of a whole epoch; see :meth:`lookback.rows.Rows.__len__`."""
        return self._rows.count(self._current_ranks()[1])

    def __repr__(self) -> str:
        return repr(self._rows).replace("lookback.rows.Rows", "lookback.torch.TrainingRows")


def _adopt_all() -> None:
    """Before a fork: whoever is forked shares what is this process's own."""
    for dataset in list(_DATASETS.values()):
        dataset._adopt()


os.register_at_fork(before=_adopt_all)


class _TensorIteration(Iterator[TensorBatch]):
    """An iteration whose batches are tensors."""

    def __init__(self, dataset: TrainingRows, iteration: Iteration) -> None:
        self._dataset = dataset
        self._iteration = iteration

    def __next__(self) -> TensorBatch:
        if get_worker_info() is not None and self._dataset._shared.changes() != self._dataset._rows._changes:
            raise changed()
        dataset = self._dataset
        begins = not self._iteration.has_begun() and get_worker_info() is None
        if begins and dataset._shared.has_workers():
            # Workers have read on from where the rows stood.
            dataset._rows._begin = Position(*dataset._rows._begin[:2], 0, 0, None)
        try:
            batch, state = next(self._iteration)
        finally:
            if begins:
                # The next iteration, whoever's it is, is a whole epoch.
                dataset._shared.publish(dataset._rows)
        about = dict(
            layout=batch.layout,
            dt=batch.dt,
            epoch=batch.epoch,
            filled=batch.filled,
            state=state,
            made_by=(self._dataset._token, self._dataset._rows._changes),
            max_history=batch.max_history,
        )
        made = TensorBatch(_tensors(batch), **about)
        if dataset._rows._lender is not None:
            made._native = batch
        return made

    def state_dict(self) -> State:
        return self._iteration.state_dict()

    def load_state_dict(self, state: State) -> None:
        self._iteration.load_state_dict(state)


from_partition = TrainingRows.from_partition
