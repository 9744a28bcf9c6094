#!/usr/bin/env bash
# Lint, format, types, docstrings and documentation, then the whole test suite, in .venv;
# arguments go to pytest.
#   bash tools/run_tests.sh [arguments of pytest]
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"
cd "$ROOT"

ensure_environment "$ROOT/.venv" openmmlab,test
say "checking style, docstrings and types"
"$RUN" -m ruff check .
"$RUN" -m ruff format --check .
"$RUN" -m mypy
say "building the documentation"
"$RUN" -m sphinx -q -W --keep-going docs/en "$ROOT/.venv/site"
say "running the tests on OpenMMLab's packages"
# one thread in each of two processes; tests of a file share what they set up
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-1}
"$RUN" -m pytest -n 2 --dist loadfile "$@"
