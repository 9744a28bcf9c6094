"""Compare an ONNX file with the model it was exported from, on one video.

    python tools/deployment/compare_backends.py CONFIG CHECKPOINT FILE.onnx

Both run on the same clips of a video, of noise unless one is given, and take
turns clip by clip, so that whatever else the machine does falls on both.
Printed are how far the instances agree, and the ratio of the times. As
PyTorch computes only where there are candidates, the ratio depends on the
video: a ratio above one means that PyTorch takes longer.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Sequence

from mmcico.compat.checkpoint import load_from_local

import numpy as np
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope

from mmcico.apis.clip_stream import ClipStream, StreamState
from mmcico.apis.model_loading import load_weights
from mmcico.apis.sources import array_pipeline, open_source
from mmcico.deployment import Agreement, compare_clips, load_onnx_model
from mmcico.models.vis.cico import CiCo
from mmcico.registry import MODELS
from mmcico.utils.tool import run_tool, tool_parser


def parse_args(argv: Sequence[str]) -> argparse.Namespace:
    """The command line."""
    parser = tool_parser(__doc__)
    parser.add_argument('config', help='config file')
    parser.add_argument('checkpoint', help='weights of the model')
    parser.add_argument('onnx', help='file of export_onnx.py')
    parser.add_argument('--video', help='file, or folder of images; noise when left out')
    parser.add_argument('--frames', type=int, default=21, help='frames of the video to use')
    parser.add_argument('--score-thr', type=float, help="another score threshold than ClipNMS'")
    parser.add_argument('--threads', type=int, default=1, help='CPU threads of either side')
    return parser.parse_args(argv)


def frames_of(video: str | None, number: int) -> list[np.ndarray]:
    """(H, W, 3) frames of a video."""
    if video is not None:
        return [frame for frame, _ in zip(open_source(video), range(number))]
    noise = np.random.default_rng(0)
    return [noise.integers(0, 256, (360, 640, 3), dtype=np.uint8) for _ in range(number)]


def timed(stream: ClipStream, state: StreamState, frame: np.ndarray) -> tuple[StreamState, float]:
    """Push a frame; the new state and seconds."""
    start = time.perf_counter()
    state, _ = stream.push(state, frame)
    return state, time.perf_counter() - start


def compare(
    streams: dict[str, ClipStream], frames: Sequence[np.ndarray]
) -> tuple[Agreement, list[float]]:
    """Run both in turn; agreement, and ratios of time of all clips."""
    states = {name: StreamState() for name in streams}
    total, ratios = Agreement(), []
    for frame in frames:
        clips, times = states['onnx'].num_clips, {}
        for name, stream in streams.items():
            states[name], times[name] = timed(stream, states[name], frame)
        if states['onnx'].num_clips > clips:
            total += compare_clips(states['onnx'].last.clip, states['pytorch'].last.clip)
            ratios.append(times['pytorch'] / times['onnx'])
    return total, ratios


def load_model(cfg: Config, path: str) -> CiCo:
    """The model with its own layers."""
    model = MODELS.build(cfg.model).eval()
    checkpoint = load_from_local(path, 'cpu')
    load_weights(model, checkpoint.get('state_dict', checkpoint), path)
    return model


def main(argv: Sequence[str]) -> None:
    """Run the tool."""
    args = parse_args(argv)
    torch.set_num_threads(args.threads)
    cfg = Config.fromfile(args.config)
    init_default_scope(cfg.get('default_scope', 'mmdet'))
    models = dict(
        onnx=load_onnx_model(cfg, args.onnx, num_threads=args.threads),
        pytorch=load_model(cfg, args.checkpoint),
    )
    pipeline = array_pipeline(cfg)
    streams = {}
    for name, model in models.items():
        if args.score_thr is not None:
            model.nms.score_thr = args.score_thr
        streams[name] = ClipStream(model, pipeline)
    total, ratios = compare(streams, frames_of(args.video, args.frames))
    sys.stdout.write(
        f'{total.clips} clips, {total.instances} instances; ids and classes '
        f'{"the same" if total.same else "DIFFER"}; largest difference of '
        f'boxes {total.box:.1e} pixels, of scores {total.score:.1e}; '
        f'{total.mask_share:.2%} of {total.pixels} mask pixels differ\n'
    )
    if len(ratios) > 1:
        # the first clip shares no frame with another and warms both up
        ratio = statistics.median(ratios[1:])
        sys.stdout.write(
            f'time of PyTorch / time of ONNX Runtime, median of '
            f'{len(ratios) - 1} clips: {ratio:.2f}\n'
        )


if __name__ == '__main__':
    sys.exit(run_tool(main))
