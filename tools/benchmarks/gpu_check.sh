#!/usr/bin/env bash
# Run all checks and measurements of a GPU; write JSON to $OUT (default: work_dirs/gpu_check).
#   bash tools/benchmarks/gpu_check.sh                 on a GPU, at most six minutes
#   bash tools/benchmarks/gpu_check.sh --device cpu    a short form that tests the script itself
# --checkpoint FILE --config FILE measure the agreement of a trained model.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
export PYTHONPATH="$PWD${PYTHONPATH:+:$PYTHONPATH}"
exec "${PYTHON:-python3}" tools/benchmarks/gpu_check.py --out "${OUT:-work_dirs/gpu_check}" "$@"
