"""Compare an ONNX file with the model it was exported from, on one video.

    python tools/deployment/compare_backends.py CONFIG CHECKPOINT FILE.onnx

Both run on the same clips of a video, or of noise if no video is given. They run each clip in turn,
so that other load of the machine slows both alike. The tool prints how far the instances agree, and
the ratio of the times; with a ratio above one, PyTorch takes longer. The ratio depends on the
video, because PyTorch computes most outputs near candidates only.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Sequence

from mmcico.compat.checkpoint import load_from_local

import numpy as np
import torch

from mmcico.apis.clip_stream import ClipStream, StreamState
from mmcico.apis.sources import array_pipeline, open_source
from mmcico.deployment import Agreement, compare_clips, load_onnx_model
from mmcico.utils.launch import build_model, read_config
from mmcico.utils.tool import positive_int, run_tool, tool_parser
from mmcico.utils.weights import load_weights


def parse_args(argv: Sequence[str]) -> argparse.Namespace:
    """Parse the command line."""
    parser = tool_parser(__doc__)
    parser.add_argument('config', help='config file')
    parser.add_argument('checkpoint', help='weights of the model')
    parser.add_argument('onnx', help='file that export_onnx.py has written')
    parser.add_argument('--video', help='video file or folder of images (default: noise)')
    parser.add_argument('--frames', type=positive_int, default=21, help='number of frames to use')
    parser.add_argument(
        '--score-thr', type=float, help='score threshold (default: that of the config)'
    )
    parser.add_argument(
        '--threads', type=positive_int, default=1, help='number of CPU threads of each'
    )
    return parser.parse_args(argv)


def frames_of(video: str | None, number: int) -> list[np.ndarray]:
    """Return (H, W, 3) frames of a video, or noise."""
    if video is not None:
        return [frame for frame, _ in zip(open_source(video), range(number))]
    noise = np.random.default_rng(0)
    return [noise.integers(0, 256, (360, 640, 3), dtype=np.uint8) for _ in range(number)]


def compare(
    streams: dict[str, ClipStream], frames: Sequence[np.ndarray]
) -> tuple[Agreement, list[float]]:
    """Run both in turn; return their agreement, and the ratio of times of each clip."""
    states = {name: StreamState() for name in streams}
    total, ratios = Agreement(), []
    for frame in frames:
        clips, times = states['onnx'].num_clips, {}
        for name, stream in streams.items():
            start = time.perf_counter()
            states[name], _ = stream.push(states[name], frame)
            times[name] = time.perf_counter() - start
        if states['onnx'].num_clips > clips:
            total += compare_clips(states['onnx'].last.clip, states['pytorch'].last.clip)
            ratios.append(times['pytorch'] / times['onnx'])
    return total, ratios


def main(argv: Sequence[str]) -> None:
    """Run both on the video and print the comparison."""
    args = parse_args(argv)
    torch.set_num_threads(args.threads)
    cfg = read_config(args.config)
    onnx = load_onnx_model(cfg, args.onnx, num_threads=args.threads)
    models = dict(onnx=onnx, pytorch=build_model(cfg).eval())
    checkpoint = load_from_local(args.checkpoint, 'cpu')
    load_weights(models['pytorch'], checkpoint.get('state_dict', checkpoint), args.checkpoint)
    pipeline = array_pipeline(cfg)
    streams = {}
    for name, model in models.items():
        if args.score_thr is not None:
            model.nms.score_thr = args.score_thr
        streams[name] = ClipStream(model, pipeline)
    total, ratios = compare(streams, frames_of(args.video, args.frames))
    print(
        f'{total.clips} clips, {total.instances} instances; ids and classes '
        f'{"the same" if total.same else "DIFFER"}; largest difference of boxes {total.box:.1e} '
        f'pixels, of scores {total.score:.1e}; {total.mask_share:.2%} of {total.pixels} mask '
        'pixels differ'
    )
    if len(ratios) > 1:
        # the first clip shares no frame with another one, and warms both up
        print(
            f'time of PyTorch / time of ONNX Runtime, median of {len(ratios) - 1} clips: '
            f'{statistics.median(ratios[1:]):.2f}'
        )


if __name__ == '__main__':
    sys.exit(run_tool(main))
