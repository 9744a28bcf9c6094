#!/usr/bin/env bash
# The whole test suite in .venv; arguments go to pytest.
#   bash tools/run_tests.sh [arguments of pytest]
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"
cd "$ROOT"

ensure_environment "$ROOT/.venv" openmmlab,test
say "running the tests on OpenMMLab's packages"
"$RUN" -m pytest "$@"
