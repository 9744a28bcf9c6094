#!/usr/bin/env bash
# Train with several processes of this machine, or of NNODES machines:
#   tools/dist_train.sh CONFIG PROCESSES [arguments of tools/train.py]
# One process per GPU; without GPUs the processes run on the CPU.
set -euo pipefail
if [ $# -lt 2 ]; then
    sed -n '2,4s/^# //p' "$0" >&2
    exit 2
fi
CONFIG=$1
GPUS=$2
NNODES=${NNODES:-1}
NODE_RANK=${NODE_RANK:-0}
PORT=${PORT:-29500}
MASTER_ADDR=${MASTER_ADDR:-"127.0.0.1"}
HERE=$(cd "$(dirname "$0")" && pwd)

# with exec, signals to this script reach torchrun, which ends its processes
export PYTHONPATH="$HERE/..${PYTHONPATH:+:$PYTHONPATH}"
exec ${PYTHON:-python} -m torch.distributed.run \
    --nnodes="$NNODES" \
    --node_rank="$NODE_RANK" \
    --master_addr="$MASTER_ADDR" \
    --nproc_per_node="$GPUS" \
    --master_port="$PORT" \
    "$HERE/train.py" "$CONFIG" --launcher pytorch "${@:3}"
