# The extension module: see python/src/. What users call stands in the modules beside it.

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Optional, TypedDict, Union, final, type_check_only

from lookback._types import ArrowStreamable, FilePlace, Given, Limits, Report, SentColumn

__all__ = [
    "ArrowStream",
    "Batch",
    "Batches",
    "Board",
    "Column",
    "Day",
    "Lender",
    "Stop",
    "call",
    "default_memory",
    "from_partition",
    "histories",
    "lock",
    "prepare",
    "program",
    "receive",
    "shards_of",
    "shared_day",
    "unused_configuration",
    "vocabulary",
]

@type_check_only
class AskedRows(TypedDict):
    dt: str
    order: str
    seed: Optional[int]
    max_history: Optional[int]
    item_type: str
    type_type: str
    columns: Sequence[str]
    max_rows_per_customer: Optional[int]

@type_check_only
class Asked(AskedRows):
    input: Optional[Union[str, Path]]
    impressions: Optional[ArrowStreamable]
    impression_columns: Mapping[str, str]
    config: Optional[Union[str, Path]]
    lookback_days: Optional[int]
    known_as_of: Optional[str]
    allow_gaps: bool
    allow_pruned: bool
    quarantine: Optional[Union[str, Path]]

@type_check_only
class AskedVocabulary(TypedDict):
    input: Union[str, Path]
    from_: str
    to: str
    of: str
    config: Optional[Union[str, Path]]
    min_count: Optional[int]
    quarantine: Optional[Union[str, Path]]

@type_check_only
class Cut(TypedDict):
    layout: str
    batch_size: int
    batch_actions_max: Optional[int]
    world_size: int
    rank: int
    workers: int
    worker: int
    first_row: int
    drop_last: bool
    ranking_ids: bool

@final
class ArrowStream:
    def __arrow_c_stream__(self, requested_schema: object = None) -> object: ...

@final
class Column:
    @property
    def shape(self) -> list[int]: ...
    @property
    def dtype(self) -> str: ...
    @property
    def __array_interface__(self) -> dict[str, Any]: ...
    def __dlpack__(
        self,
        *,
        stream: object = None,
        max_version: object = None,
        dl_device: Optional[tuple[int, int]] = None,
        copy: Optional[bool] = None,
    ) -> object: ...
    def __dlpack_device__(self) -> tuple[int, int]: ...

@final
class Batch:
    @property
    def layout(self) -> str: ...
    @property
    def max_history(self) -> int: ...
    @property
    def dt(self) -> str: ...
    @property
    def filled(self) -> int: ...
    @property
    def epoch(self) -> int: ...
    @property
    def next_row(self) -> int: ...
    def __len__(self) -> int: ...
    def columns(self) -> list[tuple[str, Column]]: ...
    def send(self) -> list[tuple[str, SentColumn]]: ...
    def ranking_ids(self) -> Optional[list[Optional[str]]]: ...
    def __arrow_c_array__(self, requested_schema: object = None) -> tuple[object, object]: ...

@final
class Batches:
    def __iter__(self) -> Iterator[Batch]: ...
    def __next__(self) -> Batch: ...
    def close(self) -> None: ...

@final
class Board:
    def __new__(cls) -> Board: ...
    @property
    def descriptor(self) -> int: ...

@final
class Lender:
    def __new__(cls) -> Lender: ...

@final
class Stop:
    def __new__(cls) -> Stop: ...
    def stop(self) -> None: ...
    def check(self) -> None: ...

@final
class Day:
    @property
    def rows(self) -> int: ...
    @property
    def fingerprint(self) -> str: ...
    @property
    def summary(self) -> str: ...
    def batches(self, epoch: int, cut: Cut, lender: Optional[Lender], report: Report) -> Batches: ...
    def count(self, epoch: int, cut: Cut, report: Report) -> int: ...
    def share(self, limits: Limits) -> Day: ...
    def places(self) -> list[FilePlace]: ...

def call(words: list[str], given: Given, report: Report, runs_tasks: bool, scratch: Optional[str]) -> str: ...
def program(arguments: list[str]) -> int: ...
def prepare(store: Union[str, Path], asked: Asked, limits: Limits, stop: Stop, report: Report) -> Day: ...
def from_partition(
    out: Union[str, Path], asked: AskedRows, limits: Limits, stop: Stop, report: Report
) -> Day: ...
def default_memory() -> int: ...
def lock(descriptor: int, first: int, bytes: int) -> bool: ...
def receive(columns: Sequence[SentColumn]) -> list[Column]: ...
def shared_day(process: int, places: Sequence[FilePlace], limits: Limits) -> Optional[Day]: ...
def shards_of(customers: Sequence[Optional[Union[int, str]]], number: int) -> list[int]: ...
def unused_configuration(input: Union[str, Path]) -> Optional[str]: ...
def vocabulary(asked: AskedVocabulary, limits: Limits, report: Report) -> ArrowStream: ...
def histories(
    store: Union[str, Path],
    customers: Sequence[str],
    asked: tuple[str, Optional[int], Optional[int], Optional[str], bool, bool],
    limits: Limits,
    report: Report,
) -> ArrowStream: ...
