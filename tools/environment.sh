# Functions for scripts that create a virtual environment; scripts source this file.
#
# Environment variables:
#   PYTHON  interpreter of the environment (default: python3.11, else python3)
#   TORCH   arguments of "pip install" for PyTorch (default: torch==2.13.0), such as
#           TORCH="torch --index-url URL"

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
TORCH=${TORCH:-torch==2.13.0}
STARTED=$(date +%s)

# say TEXT: print a line with the time since the start
say() {
    local seconds=$(($(date +%s) - STARTED))
    printf '\n== %02d:%02d  %s\n' $((seconds / 60)) $((seconds % 60)) "$*"
}

# fail TEXT: print an error and exit
fail() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

# base_python: print the first usable interpreter
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

# fingerprint EXTRAS BASE: print a text that changes if the installation must be repeated
fingerprint() {
    echo "$1 $TORCH $("$2" --version)"
    cat "$ROOT"/setup.py "$ROOT"/requirements/*.txt
}

# ensure_environment FOLDER EXTRAS: create a virtual environment with mmcico if it does not exist,
# and set RUN to its interpreter
ensure_environment() {
    local folder=$1 extras=$2 base
    base=$(base_python)
    RUN=$folder/bin/python
    if [ -x "$RUN" ] &&
        fingerprint "$extras" "$base" | cmp -s - "$folder/installed"; then
        say "using the environment $folder"
        return
    fi
    say "creating the environment $folder with $("$base" --version)"
    if "$base" -c 'import sys, torch; sys.exit(not torch.cuda.is_available())' \
        2>/dev/null; then
        echo "using the installed PyTorch, which supports the GPU"
        "$base" -m venv --clear --system-site-packages "$folder"
    else
        "$base" -m venv --clear "$folder"
        say "installing PyTorch ($TORCH)"
        # TORCH may have several words
        "$RUN" -m pip install $TORCH
    fi
    say "installing mmcico[$extras]"
    # build mmcv without compiled operators, which mmcico does not need
    MMCV_WITH_OPS=0 "$RUN" -m pip install -e "$ROOT[$extras]"
    ensure_opencv
    "$RUN" -c 'import mmcico' || fail "mmcico does not import, see above"
    fingerprint "$extras" "$base" > "$folder/installed"
}

# ensure_opencv: replace OpenCV by its headless version if it does not import. mmcv requires the
# version with windows, whose libraries are missing on many servers.
ensure_opencv() {
    if "$RUN" -c 'import cv2' 2>/dev/null; then
        return
    fi
    say "replacing OpenCV by its headless version"
    "$RUN" -m pip uninstall -y opencv-python opencv-python-headless
    "$RUN" -m pip install opencv-python-headless
}
