"""A batch of training rows as numpy arrays and Arrow."""

from __future__ import annotations

from typing import Any

from lookback import _native
from lookback._iteration import State


class RowBatch:
    """A batch of B training rows of one day; U different histories, T actions in them, histories up to L long.

    Fields are attributes and items (``batch["actions"]``), numpy arrays on the batch's own memory, which goes back to
    the reader when the last of them is gone:

    - ``impressions`` [B] int64, ``labels`` [B] int32, ``customer_ids`` [B] int64, ``positions`` [B] int32;
    - layout ``padded``: ``actions`` [B, L] int64 or int32, ``action_types`` [B, L] int32 or uint8, most recent first,
      padded with 0;
    - layout ``dedup``: the same for histories, [U, L], and ``inverse`` [B] int64 into them;
    - layout ``jagged``: ``actions__values`` [T], ``action_types__values`` [T], ``actions__offsets`` [U + 1] int64, and
      ``inverse`` [B] int64;
    - on demand ``ranking_ids`` (a list of str or None), ``history_length`` int32, ``action_ages`` int32 in days and
      ``action_times`` int64 in microseconds since 1970-01-01 UTC, in the shapes of their layout.

    Attributes:
        layout: the layout of the fields.
        dt: the day of the rows.
        epoch: the epoch.
        filled: how many of the last rows do not count: they are repeated so that all ranks have the same number.
        state: where to go on behind this batch, the same for all ranks; see :meth:`Rows.load_state_dict`.
        max_history: L.
    """

    def __init__(self, batch: _native.Batch, state: State) -> None:
        self._batch = batch
        self._columns = columns_of(batch)
        self._ranking_ids = batch.ranking_ids()
        self.layout = batch.layout
        self.max_history = batch.max_history
        self.dt = batch.dt
        self.epoch = batch.epoch
        self.filled = batch.filled
        self.state = state

    def __len__(self) -> int:
        return len(self._batch)

    def keys(self) -> list[str]:
        """Return the names of the fields."""
        names = list(self._columns)
        return [*names, "ranking_ids"] if self._ranking_ids is not None else names

    def __getitem__(self, name: str) -> Any:
        if name == "ranking_ids":
            if self._ranking_ids is None:
                raise KeyError(name)
            return self._ranking_ids
        import numpy

        return numpy.asarray(self._columns[name])

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"a batch of layout {self.layout} has no field {name!r}") from None

    def __arrow_c_array__(self, requested_schema: object = None) -> tuple[object, object]:
        """Return the batch as an Arrow record batch, with the column names of a partition.

        Histories are large lists; in layouts ``dedup`` and ``jagged`` dictionaries of them.
        """
        return self._batch.__arrow_c_array__(requested_schema)

    def to_padded(self) -> dict[str, Any]:
        """Return all fields as arrays in layout ``padded``, copied from the histories."""
        import numpy

        fields = {name: self[name] for name in self.keys()}
        if self.layout == "padded":
            return fields
        inverse = fields.pop("inverse")
        offsets = fields.pop("actions__offsets", None)
        for name in list(fields):
            if not is_of_histories(name):
                continue
            cells = fields.pop(name)
            if offsets is not None and name != "history_length":
                lengths = numpy.diff(offsets)
                padded = numpy.zeros((len(lengths), self.max_history), cells.dtype)
                padded[numpy.arange(self.max_history) < lengths[:, None]] = cells
                cells = padded
            fields[name.replace("__values", "")] = cells[inverse]
        return fields


def columns_of(batch: _native.Batch) -> dict[str, _native.Column]:
    """Return the columns of a batch under the names of the fields."""
    return {field_name(batch.layout, name): column for name, column in batch.columns()}


def field_name(layout: str, column: str) -> str:
    """Return the name of the field that a column is."""
    is_values = layout == "jagged" and column in ("actions", "action_types", "action_ages", "action_times")
    return f"{column}__values" if is_values else column


def is_of_histories(name: str) -> bool:
    """Whether a field has something for each history, and not for each row."""
    return name.startswith("action") or name == "history_length"
