"""Runs programs and measures them: wall time, CPU time, peak memory and bytes written of a process and all it starts.

It imports little, on purpose: Linux gives a new process the peak memory of the one that started it as its first value,
so a large parent would hide a small child.
"""
import ctypes
import os
import subprocess
import sys
import time
from dataclasses import dataclass

PR_SET_CHILD_SUBREAPER = 36
BLOCK_BYTES = 512  # what Linux counts written blocks in


@dataclass
class Cost:
    """What a run took: seconds from start to the end of its last process; CPU seconds, user and system, of all its
    processes; and the resident memory in MiB of the largest of them at its peak (not the sum: a JVM and the small
    Python that started it are counted as the JVM); bytes written to files, by all."""
    wall: float
    cpu: float
    peak: float
    written: int = 0

    def then(self, other):
        """The cost of this run and another after it."""
        return Cost(self.wall + other.wall, self.cpu + other.cpu, max(self.peak, other.peak),
                    self.written + other.written)


class Failed(Exception):
    """A program ended with another exit code than 0."""


def adopt_orphans():
    """Makes this process the parent of what its children leave behind, such as the JVM of PySpark, so that it is waited
    for and counted. Call once."""
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER) failed")


def run(command, log):
    """Runs a command to its end, its output going to the file `log`, and returns its Cost.

    No other child may be running. Raises Failed with the end of the log.
    """
    with open(log, "wb") as output:
        start = time.perf_counter()
        child = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=output,
                                 stderr=subprocess.STDOUT)
        cpu, peak, written, status = 0.0, 0, 0, None
        while True:
            try:
                ended, code, usage = os.wait4(-1, 0)
            except ChildProcessError:
                break
            cpu += usage.ru_utime + usage.ru_stime
            peak = max(peak, usage.ru_maxrss)
            written += usage.ru_oublock * BLOCK_BYTES
            if ended == child.pid:
                status = child.returncode = os.waitstatus_to_exitcode(code)
        wall = time.perf_counter() - start
    if status != 0:
        with open(log, encoding="utf-8", errors="replace") as text:
            raise Failed(f"{' '.join(map(str, command))}\nended with exit code {status}:\n{text.read()[-2000:]}")
    return Cost(wall, cpu, peak / 1024, written)


def show(text):
    """Progress goes to stderr; the table alone to stdout."""
    print(text, file=sys.stderr, flush=True)
