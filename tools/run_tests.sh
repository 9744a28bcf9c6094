#!/usr/bin/env bash
# Check style, types, docstrings and documentation, and run all tests, in .venv.
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
# two processes; the tests of a file share fixtures
"$RUN" -m pytest -n 2 --dist loadfile --no-loadscope-reorder "$@"
