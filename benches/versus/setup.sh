#!/usr/bin/env bash
# Makes the virtual environment that benches/versus/ runs in: benches/versus/setup.sh [FOLDER]
#
# pip's own configuration decides where packages come from. Where it knows an index of PyTorch's CPU builds,
# that build is taken. Otherwise it is the default build: the same on a CPU, but several gigabytes larger.
set -euo pipefail

project=$(cd "$(dirname "$0")/../.." && pwd)
venv=${1:-$project/target/versus-venv}

"${PYTHON:-python3}" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    echo "Python 3.11 or later is wanted; PYTHON=/path/to/python names one" >&2
    exit 1
}
"${PYTHON:-python3}" -m venv "$venv"
pip=("$venv/bin/python" -m pip --disable-pip-version-check --quiet)

"${pip[@]}" install numpy==2.4.6 scipy==1.17.1 tensorflow-cpu==2.21.0 keras==3.15.1
"${pip[@]}" install --retries 1 'torch==2.15.0+cpu' || {
    echo "no CPU build of PyTorch found; installing the default build" >&2
    "${pip[@]}" install torch==2.15.0
}

"$venv/bin/python" - <<'PYTHON'
import keras, numpy, tensorflow, torch

print("numpy", numpy.__version__, "torch", torch.__version__, "tensorflow", tensorflow.__version__)
print("keras", keras.__version__, "on", keras.backend.backend())
PYTHON
echo "ready: $venv/bin/python benches/versus/run.py"
