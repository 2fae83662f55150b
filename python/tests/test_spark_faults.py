"""Whatever is killed on a Spark cluster, the version is the old or the new one, and nothing stays behind."""

import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from functools import partial
from pathlib import Path

import pytest

import lookback

pytest.importorskip("pyspark")
pytest.importorskip("pyarrow")

from pyspark.sql import functions
from test_spark import COLUMNS, DAYS, NAMES, actions_of, end, impressions_of, start

import lookback.spark

# How many processes are killed; a longer run sets more.
KILLS = int(os.environ.get("LOOKBACK_TEST_KILLS", "6"))


@pytest.fixture(scope="module")
def spark(tmp_path_factory):
    local = tmp_path_factory.mktemp("spark")
    os.environ.update(SPARK_LOCAL_IP="127.0.0.1", PYSPARK_PYTHON=sys.executable)
    session = start(
        "local-cluster[2,1,1024]",
        spark_local_dir=str(local),
        spark_executor_memory="1g",
        spark_task_maxFailures="100",
        spark_stage_maxConsecutiveAttempts="100",
        spark_deploy_maxExecutorRetries="-1",
        spark_executor_maxNumFailures="1000",
    )
    session.sparkContext.setLogLevel("OFF")
    yield session
    end(session)
    left = [os.path.join(folder, name) for folder, _, names in os.walk(local) for name in names]
    assert not [name for name in left if "lookback" in name], "nothing is left of the tasks"


def processes():
    """The parent and the command line of each process."""
    found = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                stat = (folder / "stat").read_text()
                line = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
            found[int(folder.name)] = (int(stat.rpartition(")")[2].split()[1]), line)
    return found


def own(kind):
    """The processes of a kind that this one has started, directly or not."""
    found = processes()

    def is_own(process):
        while process in found:
            if process == os.getpid():
                return True
            process = found[process][0]
        return False

    of_kind = {
        "executor": lambda line: "CoarseGrainedExecutorBackend" in line,
        "worker": lambda line: "pyspark.daemon" in line or "pyspark/daemon.py" in line,
    }[kind]
    return [process for process, (_, line) in found.items() if of_kind(line) and is_own(process)]


def aged(place):
    """Has all files of a place two hours older, so that what no version names may be removed."""
    for folder, _, names in os.walk(place):
        for name in names:
            path = os.path.join(folder, name)
            then = os.stat(path).st_mtime - 7200
            os.utime(path, (then, then))


def files_of(place):
    return {name for _, _, names in os.walk(Path(place) / "files") for name in names}


def test_killed_workers_and_executors(spark, tmp_path):
    seed = int(os.environ.get("LOOKBACK_TEST_SEED", "1"))
    chosen = random.Random(seed)
    sharded = lookback.spark.Store(tmp_path / "sharded", shards=4)
    lookback.init(tmp_path / "store")
    for number, day in enumerate(DAYS[:3]):
        sharded.ingest(spark.createDataFrame(actions_of(number, day)), dt=day, columns=COLUMNS)
        lookback.ingest(tmp_path / "store", dt=day, actions=actions_of(number, day), columns=COLUMNS)
    shown = impressions_of(1)
    lookback.produce(tmp_path / "store", dt=DAYS[3], impressions=shown, columns=NAMES, out=tmp_path / "other")
    killed, runs = {"worker": 0, "executor": 0}, 0
    while sum(killed.values()) < KILLS:
        runs += 1
        begin = time.monotonic()
        ended = threading.Event()

        def kill(ended=ended):
            kind = min(killed, key=lambda kind: killed[kind])
            ended.wait(chosen.random() * 1.5)
            while not ended.is_set():
                found = own(kind)
                if found:
                    os.kill(chosen.choice(found), signal.SIGKILL)
                    killed[kind] += 1
                    return
                ended.wait(0.02)

        killer = threading.Thread(target=kill)
        killer.start()
        try:
            before = sharded.status()["version"]
            again = sharded.ingest(spark.createDataFrame(actions_of(1, DAYS[1])), dt=DAYS[1], columns=COLUMNS)
            assert again["version"] == before + 1, f"seed {seed}"
            sharded.produce(spark.createDataFrame(shown), dt=DAYS[3], out=tmp_path / "rows", columns=NAMES)
        finally:
            ended.set()
            killer.join()
        assert lookback.diff(tmp_path / "rows", tmp_path / "other", dt=DAYS[3])["same"], f"seed {seed}"
        assert time.monotonic() - begin < 300
    assert all(killed.values()) or KILLS < 2, killed
    assert lookback.shards.verify(sharded.url)["faults"] == 0
    # What attempts have left that nobody waited for goes when it is old.
    aged(sharded.url)
    sharded.ingest(spark.createDataFrame(actions_of(2, DAYS[2])), dt=DAYS[2], columns=COLUMNS)
    sharded.gc(keep=1, grace="1h")
    assert lookback.shards.verify(sharded.url)["faults"] == 0
    # Of versions that were removed nothing is left but their numbers.
    [text] = [text for text in map(Path.read_text, (Path(sharded.url) / "versions").iterdir()) if text]
    assert all(name in text for name in files_of(sharded.url)), "what no version names is gone"
    assert [path.name for path in (tmp_path / "rows").iterdir() if "staging" in path.name] == []
    print(f"{runs} runs, killed {killed}, seed {seed}")


@pytest.mark.parametrize("at", ["before", "after"])
def test_tasks_that_fail(spark, tmp_path, at):
    sharded = lookback.spark.Store(tmp_path / "sharded", shards=4)
    frame = spark.createDataFrame(actions_of(1, DAYS[0]))
    marks = str(tmp_path / "marks")
    os.mkdir(marks)

    def failing(batches):
        """Fails once in each partition: before its rows are read, or when they have been."""
        from pyspark import TaskContext

        mark = os.path.join(marks, str(TaskContext.get().partitionId()))
        is_first = not os.path.exists(mark)
        open(mark, "w").close()
        if is_first and at == "before":
            raise RuntimeError("failed")
        yield from batches
        if is_first:
            raise RuntimeError("failed")

    made = sharded.ingest(frame.mapInArrow(failing, frame.schema), dt=DAYS[0], columns=COLUMNS)
    assert (made["version"], made["actions"]) == (2, len(actions_of(1, DAYS[0])))
    assert os.listdir(marks)


class LostTask(lookback.spark.Task):
    """A task whose first attempt dies when it has uploaded all."""

    def __init__(self, marks, *arguments):
        super().__init__(*arguments)
        self.marks = marks

    def __call__(self, batches):
        from pyspark import TaskContext

        answers = list(super().__call__(batches))
        mark = os.path.join(self.marks, str(TaskContext.get().partitionId()))
        if not os.path.exists(mark):
            open(mark, "w").close()
            os._exit(1)
        yield from answers


def test_answers_that_are_lost_after_the_upload(spark, tmp_path, monkeypatch):
    sharded = lookback.spark.Store(tmp_path / "sharded", shards=4)
    marks = str(tmp_path / "marks")
    os.mkdir(marks)
    monkeypatch.setattr(lookback.spark, "Task", partial(LostTask, marks))
    made = sharded.ingest(spark.createDataFrame(actions_of(1, DAYS[0])), dt=DAYS[0], columns=COLUMNS)
    monkeypatch.undo()
    assert made["version"] == 2 and len(os.listdir(marks)) == 4
    before = files_of(sharded.url)
    sharded.ingest(spark.createDataFrame(actions_of(2, DAYS[1])), dt=DAYS[1], columns=COLUMNS)
    aged(sharded.url)
    sharded.ingest(spark.createDataFrame(actions_of(3, DAYS[2])), dt=DAYS[2], columns=COLUMNS)
    collected = sharded.gc(keep=1, grace="1h")
    assert collected["removed_files"] > 0 and before - files_of(sharded.url)
    assert lookback.shards.verify(sharded.url)["faults"] == 0


def test_all_attempts_fail(spark, tmp_path):
    sharded = lookback.spark.Store(tmp_path / "sharded", shards=2)
    frame = spark.createDataFrame(actions_of(1, DAYS[0]))
    with pytest.raises(Exception, match="assert_true|never"):
        wrong = functions.when(functions.col("sku") > 0, functions.raise_error(functions.lit("never"))).otherwise(
            functions.col("sku")
        )
        sharded.ingest(frame.withColumn("sku", wrong), dt=DAYS[0], columns=COLUMNS)
    assert sharded.status()["version"] == 1
    assert sharded.ingest(frame, dt=DAYS[0], columns=COLUMNS)["version"] == 2


DRIVER = """
import os, sys
sys.path[:0] = [path for path in os.environ["PATHS"].split(os.pathsep)]
import lookback.spark
from test_spark import COLUMNS, NAMES, actions_of, impressions_of, start

place, out, what = sys.argv[1:]
spark = start("local[2]")
spark.sparkContext.setLogLevel("OFF")
store = lookback.spark.Store(place)
take = lookback.spark.answers

def dies(answers):
    take(answers)
    os._exit(7)

lookback.spark.answers = dies
if what == "ingest":
    store.ingest(spark.createDataFrame(actions_of(2, "2026-01-02")), dt="2026-01-02", columns=COLUMNS)
else:
    store.produce(spark.createDataFrame(impressions_of(1)), dt="2026-01-02", out=out, columns=NAMES)
"""


@pytest.mark.parametrize("what", ["ingest", "produce"])
def test_a_driver_that_dies_before_the_commit(spark, tmp_path, what):
    sharded = lookback.spark.Store(tmp_path / "sharded", shards=2)
    sharded.ingest(spark.createDataFrame(actions_of(1, DAYS[0])), dt=DAYS[0], columns=COLUMNS)
    shown = spark.createDataFrame(impressions_of(1))
    rows = sharded.produce(shown, dt=DAYS[1], out=tmp_path / "rows", columns=NAMES)
    before = sorted(path.name for path in (tmp_path / "rows" / "dt=2026-01-02").iterdir())
    line = [sys.executable, "-c", DRIVER, sharded.url, str(tmp_path / "rows"), what]
    environment = {**os.environ, "PATHS": os.pathsep.join([os.path.dirname(__file__), *sys.path])}
    died = subprocess.run(line, env=environment, capture_output=True, text=True, timeout=300)
    assert died.returncode == 7, died.stderr
    assert sharded.status()["version"] == 2
    assert sorted(path.name for path in (tmp_path / "rows" / "dt=2026-01-02").iterdir()) == before
    # The next run ends as an undisturbed one, and leaves nothing of the dead one.
    again = sharded.produce(shown, dt=DAYS[1], out=tmp_path / "rows", columns=NAMES)
    assert again["rows"] == rows["rows"]
    assert {path.name for path in (tmp_path / "rows").iterdir()} == {".lookback-output", "dt=2026-01-02"}
    assert sharded.ingest(spark.createDataFrame(actions_of(2, DAYS[1])), dt=DAYS[1], columns=COLUMNS)["version"] == 3


SLOW = """
import os, sys, time
sys.path[:0] = os.environ["PATHS"].split(os.pathsep)
import lookback.spark
from test_spark import COLUMNS, actions_of, start

place, master, marks = sys.argv[1:]
spark = start(master, spark_speculation="true", spark_speculation_interval="100ms", spark_speculation_multiplier="1.1",
              spark_speculation_quantile="0.25", spark_executor_memory="512m", spark_cores_max="2")
spark.sparkContext.setLogLevel("OFF")

def slow(batches):
    from pyspark import TaskContext
    context = TaskContext.get()
    mark = os.path.join(marks, f"{context.partitionId()}-{context.attemptNumber()}-{context.taskAttemptId()}")
    open(mark, "w").close()
    first = [name for name in os.listdir(marks) if name.startswith(f"{context.partitionId()}-")]
    if context.partitionId() == 1 and len(first) == 1:
        time.sleep(20)
    yield from batches

class SlowTask(lookback.spark.Task):
    def __call__(self, batches):
        return super().__call__(slow(batches))

lookback.spark.Task = SlowTask
store = lookback.spark.Store(place)
made = store.ingest(spark.createDataFrame(actions_of(1, "2026-01-01")), dt="2026-01-01", columns=COLUMNS)
print(made["version"], made["actions"])
spark.stop()
"""


def test_a_task_that_runs_twice_at_the_same_time(tmp_path):
    """Speculation needs hosts of their own: a master and two workers on addresses of the loopback."""
    import pyspark

    home = Path(pyspark.__file__).parent
    lookback.shards.init(tmp_path / "sharded", shards=4)
    (tmp_path / "marks").mkdir()
    environment = {
        **os.environ,
        "SPARK_HOME": str(home),
        "PYSPARK_PYTHON": sys.executable,
        "PATHS": os.pathsep.join([os.path.dirname(__file__), *(path for path in sys.path if path)]),
    }

    def begin(name, *words, host):
        line = [str(home / "bin" / "spark-class"), f"org.apache.spark.deploy.{name}", "--host", host, *words]
        with open(tmp_path / f"{name}-{host}.log", "w") as log:
            return subprocess.Popen(line, env={**environment, "SPARK_LOCAL_IP": host}, stdout=log, stderr=log)

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    started = [begin("master.Master", "--port", str(port), "--webui-port", "0", host="127.0.0.1")]
    try:
        for host in ["127.0.0.2", "127.0.0.3"]:
            words = ["-c", "1", "-m", "1g", "--webui-port", "0", "-d", str(tmp_path / host), f"spark://127.0.0.1:{port}"]
            started.append(begin("worker.Worker", *words, host=host))
        line = [sys.executable, "-c", SLOW, str(tmp_path / "sharded"), f"spark://127.0.0.1:{port}", str(tmp_path / "marks")]
        said = subprocess.run(line, env=environment, capture_output=True, text=True, timeout=200)
        assert said.returncode == 0, said.stderr
        assert said.stdout.split() == ["2", str(len(actions_of(1, "2026-01-01")))]
    finally:
        for process in started:
            process.terminate()
        for process in started:
            process.wait(60)
    attempts = [name for name in os.listdir(tmp_path / "marks") if name.startswith("1-")]
    assert len(attempts) >= 2, "the slow task has run twice"
    assert lookback.shards.verify(tmp_path / "sharded")["faults"] == 0
