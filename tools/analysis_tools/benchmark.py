"""How much time testing saves by leaving out work, results being the same.

    python tools/analysis_tools/benchmark.py CONFIG CHECKPOINT VIDEO

Each clip of the video runs twice, one way after the other: the whole network
on all of its frames; and as mmcico tests, where frames that the clip before
has shown are not computed again, and heads and prototypes only where there
are candidates. Instances and ids are compared.
"""

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import torch

from mmcico.apis import CiCoInferencer, open_source
from mmcico.datasets.clip_windows import clip_windows
from mmcico.models import CiCo
from mmcico.models.vis.clip_network import VideoState
from mmcico.utils.tool import run_tool, tool_parser


def parse_args(argv: Sequence[str]) -> argparse.Namespace:
    """The command line."""
    parser = tool_parser(__doc__)
    parser.add_argument('config', help='config file')
    parser.add_argument('checkpoint', help='weights')
    parser.add_argument('video', help='video file, folder or glob of images')
    parser.add_argument('--frames', type=int, default=60, help='at most so many frames')
    return parser.parse_args(argv)


def whole_network(
    model: CiCo, state: VideoState, inputs: torch.Tensor, frame_ids: tuple[int, ...]
) -> tuple[VideoState, Any]:
    """One clip without leaving anything out."""
    shape = tuple(inputs.shape[-2:])
    outputs, protos = model(inputs[None], mode='tensor')
    clip = model.detect(outputs.of_clip(0), protos[0], shape)

    def draw(params: torch.Tensor, boxes: torch.Tensor, **crops: torch.Tensor) -> torch.Tensor:
        return model.mask_head.redraw(protos[0], params, boxes, shape, **crops)

    return model.link(state, clip, frame_ids, draw)


def timed(device: torch.device, run: Callable, *args: Any) -> tuple[float, Any]:
    """Seconds and answer of a call."""
    if device.type == 'cuda':
        torch.cuda.synchronize(device)
    start = time.perf_counter()
    answer = run(*args)
    if device.type == 'cuda':
        torch.cuda.synchronize(device)
    return time.perf_counter() - start, answer


@torch.no_grad()
def main(argv: Sequence[str]) -> None:
    """Run both ways side by side."""
    args = parse_args(argv)
    inferencer = CiCoInferencer(args.config, args.checkpoint)
    model, clips = inferencer.model, inferencer.clips
    frames = list(open_source(args.video))[: args.frames]
    state, plain = VideoState(), VideoState()
    seconds = [0.0, 0.0]
    found = 0
    windows = clip_windows(len(frames), clips.num_frames, clips.overlap, clips.completion)
    for number, window in enumerate(windows):
        inputs, _ = clips.prepare('video', dict(enumerate(frames)), window)
        device = inputs.device
        slow, (plain, same) = timed(device, whole_network, model, plain, inputs, window.frame_ids)
        fast, (state, clip) = timed(
            device, model.step, state, inputs, window.frame_ids, window.num_final
        )
        if clip.instances_id.tolist() != same.instances_id.tolist():
            raise ValueError(f'clip {window.frame_ids}: the two ways differ')
        found += len(clip)
        if number:  # the first clip also warms up
            seconds[0] += slow
            seconds[1] += fast
    print(f'{len(windows)} clips, {found} instances, the same both ways')
    print(
        f'whole network {seconds[0]:.1f} s, as tested {seconds[1]:.1f} s: '
        f'{seconds[0] / seconds[1]:.2f} times faster'
    )


if __name__ == '__main__':
    sys.exit(run_tool(main))
