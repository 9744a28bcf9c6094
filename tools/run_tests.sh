#!/usr/bin/env bash
# Lint, format, types and docstrings, then the whole test suite, in .venv; arguments go to pytest.
#   bash tools/run_tests.sh [arguments of pytest]
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"
cd "$ROOT"

ensure_environment "$ROOT/.venv" openmmlab,test
say "checking style, docstrings and types"
"$RUN" -m ruff check .
"$RUN" -m ruff format --check .
"$RUN" -m mypy
say "running the tests on OpenMMLab's packages"
"$RUN" -m pytest "$@"
