# Functions for scripts that make their own virtual environment; to be sourced.
#
# Environment variables:
#   PYTHON  interpreter to start from (default: python3.11, else python3)
#   TORCH   what pip installs as PyTorch (default: torch==2.13.0); may name an
#           index, for example TORCH="torch --index-url URL"

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
TORCH=${TORCH:-torch==2.13.0}
STARTED=$(date +%s)

# say TEXT: a line with the time since the start
say() {
    local seconds=$(($(date +%s) - STARTED))
    printf '\n== %02d:%02d  %s\n' $((seconds / 60)) $((seconds % 60)) "$*"
}

# fail TEXT: end with a readable line
fail() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

# The interpreter to start from
base_python() {
    local candidate
    for candidate in ${PYTHON:-python3.11 python3 python}; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 10))' \
            2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
    fail "no Python 3.10 or later found; set PYTHON to its path"
}

# fingerprint EXTRAS BASE: changes when an installation has to be repeated
fingerprint() {
    echo "$1 $TORCH $("$2" --version)"
    cat "$ROOT"/setup.py "$ROOT"/requirements/*.txt
}

# ensure_environment FOLDER EXTRAS: a virtual environment with mmcico in it;
# sets RUN to its interpreter
ensure_environment() {
    local folder=$1 extras=$2 base
    base=$(base_python)
    RUN=$folder/bin/python
    if [ -x "$RUN" ] &&
        fingerprint "$extras" "$base" | cmp -s - "$folder/installed"; then
        say "using the environment $folder"
        return
    fi
    say "making the environment $folder with $("$base" --version)"
    if "$base" -c 'import sys, torch; sys.exit(not torch.cuda.is_available())' \
        2>/dev/null; then
        echo "PyTorch with a GPU is present and will be used"
        "$base" -m venv --clear --system-site-packages "$folder"
    else
        "$base" -m venv --clear "$folder"
        say "installing PyTorch ($TORCH)"
        # TORCH may hold several words
        "$RUN" -m pip install $TORCH
    fi
    say "installing mmcico[$extras]"
    # mmcv is built without compiled operators; mmcico needs none
    MMCV_WITH_OPS=0 "$RUN" -m pip install -e "$ROOT[$extras]"
    ensure_opencv
    "$RUN" -c 'import mmcico' || fail "mmcico does not import, see above"
    fingerprint "$extras" "$base" > "$folder/installed"
}

# mmcv asks for the OpenCV with windows, which needs libraries that servers
# lack; the headless one of the same version then takes its place
ensure_opencv() {
    if "$RUN" -c 'import cv2' 2>/dev/null; then
        return
    fi
    say "replacing OpenCV by the headless one"
    "$RUN" -m pip uninstall -y opencv-python opencv-python-headless
    "$RUN" -m pip install opencv-python-headless
}
