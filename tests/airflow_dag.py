"""Loads the example DAG with Airflow itself and runs the commands of its tasks, in their order, for the day that is named."""

import importlib.util
import subprocess
import sys

from airflow.sdk.execution_time import macros

path, day = sys.argv[1:]
spec = importlib.util.spec_from_file_location("lookback_nightly", path)
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
tasks = []
waiting = list(module.dag.tasks)
while waiting:
    ready = [task for task in waiting if task.upstream_task_ids <= {done.task_id for done in tasks}]
    assert ready, waiting
    tasks += ready
    waiting = [task for task in waiting if task not in ready]
assert [task.task_id for task in tasks] == ["ingest", "produce"], tasks
assert module.dag.max_active_runs == 1 and not module.dag.catchup
for task in tasks:
    command = task.render_template(task.bash_command, {"ds": day, "macros": macros})
    assert "{{" not in command, command
    print(command, flush=True)
    subprocess.run(["bash", "-c", command], check=True)
