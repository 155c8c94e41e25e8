"""Reads all runs of an MLflow server with its own client, and prints them as JSON: mlflow_reads.py ADDRESS"""

import json
import sys

from mlflow import MlflowClient

client = MlflowClient(tracking_uri=sys.argv[1])
found = {}


def files(run, path=None):
    for it in client.list_artifacts(run.info.run_id, path):
        if it.is_dir:
            yield from files(run, it.path)
        else:
            # The size of an empty file is left out.
            yield [it.path, it.file_size or 0]


for experiment in client.search_experiments():
    runs = client.search_runs([experiment.experiment_id], max_results=1000)
    for run in runs:
        history = {
            key: [[it.step, it.value, it.timestamp] for it in client.get_metric_history(run.info.run_id, key)]
            for key in run.data.metrics
        }
        found.setdefault(experiment.name, []).append(
            {
                "id": run.info.run_id,
                "name": run.info.run_name,
                "status": run.info.status,
                "start": run.info.start_time,
                "end": run.info.end_time,
                "tags": run.data.tags,
                "params": run.data.params,
                "history": history,
                "files": sorted(files(run)),
            }
        )
json.dump(found, sys.stdout)
