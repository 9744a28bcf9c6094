#!/usr/bin/env bash
# Everything that is to be checked and measured on a GPU, as JSON in $OUT (default: work_dirs/gpu_check):
#   bash tools/benchmarks/gpu_check.sh                 on a GPU, at most six minutes
#   bash tools/benchmarks/gpu_check.sh --device cpu    a short form that tries the script itself
# Further arguments: --checkpoint FILE --config FILE for the agreement of a trained model.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
export PYTHONPATH="$PWD${PYTHONPATH:+:$PYTHONPATH}"
exec "${PYTHON:-python3}" tools/benchmarks/gpu_check.py --out "${OUT:-work_dirs/gpu_check}" "$@"
