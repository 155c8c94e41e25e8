#!/usr/bin/env bash
# Makes a Python environment with the programs that exports are tested with: setup.sh FOLDER
set -euo pipefail
python3 -m venv "$1"
"$1/bin/pip" install -q 'mlflow>=3' tensorboard pandas pyarrow polars duckdb
