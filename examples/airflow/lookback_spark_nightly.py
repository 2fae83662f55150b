"""The nightly job on a Spark cluster as an Airflow DAG (Airflow 3): `examples/spark/nightly.py` by `spark-submit`.

`spark-submit` must be on the workers' PATH, and LOOKBACK_JOB (the path of nightly.py), LOOKBACK_STORE, LOOKBACK_ACTIONS, LOOKBACK_IMPRESSIONS and
LOOKBACK_OUT in their environment; what the cluster needs stands in spark-defaults.conf. Runs may overlap, since each makes a version of its own or begins
again. The task can be cleared and run again at any time. What is refused fails it, with one sentence in the log.
"""

from datetime import datetime, timedelta

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG

with DAG(
    dag_id="lookback_spark_nightly",
    description="Ingest the actions of the day before and produce the training rows of the day, on Spark",
    schedule="0 3 * * *",
    start_date=datetime(2026, 1, 1),
    catchup=False,
    default_args={"retries": 2, "retry_delay": timedelta(minutes=10)},
) as dag:
    nightly = BashOperator(
        task_id="nightly",
        bash_command=(
            'spark-submit "$LOOKBACK_JOB" --store "$LOOKBACK_STORE" --shards 64 --actions "$LOOKBACK_ACTIONS"'
            ' --impressions "$LOOKBACK_IMPRESSIONS" --out "$LOOKBACK_OUT" --dt {{ ds }}'
        ),
    )
