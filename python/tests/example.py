"""The small input of the documentation's examples."""

from pathlib import Path

import lookback

CLICKS = "customer_id,item_id,click_time\n7,11,2026-01-01T08:00:00Z\n7,12,2026-01-01T09:30:00Z\n"
SHOWN = '{"ranking_id":"a","customer_id":7,"impressions":[{"item_id":12,"is_order":1},{"item_id":13}]}'


def write_input(folder: Path) -> Path:
    """Write ``input/``: actions of 2026-01-01, and an impression list of 2026-01-02."""
    for name, text in [("clicks/dt=2026-01-01/clicks.csv", CLICKS), ("impressions/dt=2026-01-02/shown.jsonl", SHOWN)]:
        path = folder / "input" / name
        path.parent.mkdir(parents=True)
        path.write_text(text)
    return folder / "input"


def write_example(folder: Path) -> None:
    """Write ``input/``, ``store`` with the actions, and ``out/`` with the rows."""
    write_input(folder)
    lookback.ingest(folder / "store", input=folder / "input", dt="2026-01-01", create=True)
    lookback.produce(folder / "store", input=folder / "input", dt="2026-01-02", out=folder / "out")
