"""The nightly job as an Airflow DAG (Airflow 3): the batch of the day before into the store, then the rows of the day.

`lookback` must be on the workers' PATH, and LOOKBACK_STORE, LOOKBACK_INPUT and LOOKBACK_OUT in their environment. One run at a time, since one process
writes a store. The store is made once before, by `lookback backfill` or `lookback init`: `ingest` begins none, so that a disk that is not mounted fails
the task. Both tasks can be cleared and run again at any time. A refused batch (exit code 1) fails its task, with one sentence in the log.
"""

from datetime import datetime, timedelta

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG

with DAG(
    dag_id="lookback_nightly",
    description="Ingest the actions of the day before and produce the training rows of the day",
    schedule="0 3 * * *",
    start_date=datetime(2026, 1, 1),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 2, "retry_delay": timedelta(minutes=10)},
) as dag:
    ingest = BashOperator(
        task_id="ingest",
        bash_command=(
            'lookback ingest --json --store "$LOOKBACK_STORE" --input "$LOOKBACK_INPUT" --dt {{ macros.ds_add(ds, -1) }}'
        ),
    )
    produce = BashOperator(
        task_id="produce",
        bash_command=(
            'lookback produce --json --store "$LOOKBACK_STORE" --input "$LOOKBACK_INPUT" --dt {{ ds }} --out "$LOOKBACK_OUT"'
        ),
    )
    ingest >> produce
