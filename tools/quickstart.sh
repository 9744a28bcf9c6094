#!/usr/bin/env bash
# Install mmcico into .venv, generate videos, train a small model, test it on other videos and draw
# the results.
#   bash tools/quickstart.sh [--model yolact|condinst]
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"
cd "$ROOT"

MODEL=yolact
while [ $# -gt 0 ]; do
    case $1 in
    --model) MODEL=${2:-} && shift 2 || shift ;;
    --model=*) MODEL=${1#*=} && shift ;;
    -h | --help) sed -n '2,4s/^# //p' "$0" && exit 0 ;;
    *) fail "unknown argument \"$1\"; usage: bash tools/quickstart.sh" \
        "[--model yolact|condinst]" ;;
    esac
done
case $MODEL in
yolact) WORK=work_dirs/quickstart ;;
condinst) WORK=work_dirs/quickstart_condinst ;;
*) fail "--model must be yolact or condinst, not \"$MODEL\"" ;;
esac
CONFIG=configs/demo/cico-${MODEL}_demo_moving-shapes.py
DATA=data/moving_shapes

# generate NAME NUMBER SEED: generate a part of the data set if it does not exist
generate() {
    if [ -f "$DATA/$1/instances.json" ]; then
        echo "$DATA/$1 exists"
        return
    fi
    rm -rf "$DATA/$1.part"
    "$RUN" tools/dataset_tools/make_moving_shapes.py --out "$DATA/$1.part" \
        --num-videos "$2" --seed "$3" --difficulty easy
    mv "$DATA/$1.part" "$DATA/$1"
}

say "[1/6] environment"
ensure_environment "$ROOT/.venv" openmmlab,test

say "[2/6] data: 250 videos for training, 20 others for the test"
mkdir -p "$DATA"
generate train 250 0
generate test 20 1

say "[3/6] training ($CONFIG)"
"$RUN" tools/train.py "$CONFIG" --work-dir "$WORK"

say "[4/6] testing on videos that the training has not seen"
"$RUN" tools/test.py "$CONFIG" "$(cat "$WORK/last_checkpoint")" \
    --work-dir "$WORK"

say "[5/6] drawing the results"
"$RUN" tools/visualize_results.py "$DATA/test/JPEGImages" \
    "$DATA/test/instances.json" "$WORK/results.json" --out "$WORK/overlays"

say "[6/6] results of CiCo-$MODEL on 20 unseen videos (mask, in 0..1)"
"$RUN" - "$WORK/metrics.json" <<'PYTHON'
import json
import sys

with open(sys.argv[1]) as file:
    metrics = json.load(file)
names = [n for n in ('AP', 'AP50', 'AP75', 'AR1', 'AR10') if n in metrics]
line = '+' + '+'.join(['-' * 9] * len(names)) + '+'
print(line)
print('|' + '|'.join(f'{name:^9}' for name in names) + '|')
print(line)
print('|' + '|'.join(f'{metrics[name]:^9.3f}' for name in names) + '|')
print(line)
PYTHON
for each in metrics.json results.json submission.zip overlays; do
    [ -e "$WORK/$each" ] || fail "$WORK/$each was not written"
done
echo "metrics            $WORK/metrics.json"
echo "results            $WORK/results.json"
echo "submission file    $WORK/submission.zip"
echo "videos, $(ls "$WORK"/overlays/*.mp4 | wc -l) of them  $WORK/overlays/*.mp4"
echo "model              $(cat "$WORK/last_checkpoint")"
say "done"
