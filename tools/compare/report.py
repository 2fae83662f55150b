"""The Markdown that a comparison prints: what it ran on, a table of medians, and ratios to lookback."""
import os
import platform
import subprocess
from datetime import datetime
from importlib.metadata import version
from statistics import median

PACKAGES = {"polars": ["polars", "numpy"], "duckdb": ["duckdb", "pyarrow"], "spark-once": ["pyspark"],
            "spark-rows": ["pyspark"]}


def processor():
    with open("/proc/cpuinfo", encoding="utf-8") as lines:
        return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "unknown")


def memory():
    """Installed memory in GiB."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30


def heading(lookback, programs):
    """One line each about date, machine and versions."""
    tool = subprocess.run([lookback, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    names = dict.fromkeys(package for program in programs for package in PACKAGES[program])
    versions = [tool, *(f"{name} {version(name)}" for name in names), f"Python {platform.python_version()}"]
    return "\n".join([
        f"- {datetime.now().astimezone():%Y-%m-%d %H:%M %Z}; {len(os.sched_getaffinity(0))} cores ({processor()}), "
        f"{memory():.1f} GiB; load average {os.getloadavg()[0]:.1f} at the end",
        f"- {', '.join(versions)}",
    ])


def table(costs):
    """Medians over the rounds, each with its least and greatest value; `costs` has a list of Cost for each program,
    lookback's parts among them. Ratios are of medians, to `lookback`."""
    lines = ["| program | wall s | CPU s | peak MiB | wall ratio | CPU ratio | peak ratio |",
             "|---|---:|---:|---:|---:|---:|---:|"]
    middles = {name: [median(getattr(cost, field) for cost in runs) for field in ("wall", "cpu", "peak")]
               for name, runs in costs.items()}
    for name, runs in costs.items():
        cells = []
        for field, digits, middle in zip(("wall", "cpu", "peak"), (2, 2, 0), middles[name]):
            values = [getattr(cost, field) for cost in runs]
            cells.append(f"{middle:.{digits}f} ({min(values):.{digits}f}..{max(values):.{digits}f})")
        if name in ("ingest", "produce"):
            ratios = [""] * 3
            name = f"of which {name}"
        else:
            ratios = [f"{middle / own:.2f}" for middle, own in zip(middles[name], middles["lookback"])]
        lines.append(f"| {name} | {' | '.join(cells)} | {' | '.join(ratios)} |")
    return "\n".join(lines)
