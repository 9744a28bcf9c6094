"""Compare the speed of mmcico with that of a plain implementation of the same network.

    python tools/benchmarks/dense_comparison.py CONFIG ... --out dense.json

The plain network computes every frame of every clip, with all anchors, all prototypes and PyTorch's
own 3D convolutions. Both run on the same clips in turn and share selection, masks and linking. The
weights are random; the candidates are the anchors nearest to the objects of a generated video. The
first clip does not count, as in a long video. The results in fp32 are compared with those of the
plain network.
"""

import argparse
import json
import statistics
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from mmcico.apis import CiCoInferencer
from mmcico.deployment import Agreement, compare_clips
from mmcico.utils.tool import run_tool, tool_parser

sys.path.append(str(Path(__file__).parents[1] / 'analysis_tools'))

from speed.builders import DenseNetwork, build, forced, plain_model, resolved, write_untrained
from speed.measures import machine, spread
from speed.runs import new_frame_seconds
from speed.videos import SpeedVideo, generated

CONFIGS = [
    f'configs/cico/cico-{name}_fpn_clip3_4xb6-12e_youtubevis2019.py'
    for name in ('yolact_r50', 'condinst_r50', 'yolact_swin-t')
]


def parse_args(argv: Sequence[str]) -> argparse.Namespace:
    """Parse the command line."""
    parser = tool_parser(__doc__)
    parser.add_argument('configs', nargs='*', default=CONFIGS, help='config files')
    parser.add_argument('--candidates', type=int, nargs='+', default=[10, 20, 40])
    parser.add_argument('--objects', type=int, default=8, help='number of objects of the video')
    parser.add_argument('--frames', type=int, default=5, help='number of frames of the video')
    parser.add_argument('--size', type=int, nargs=2, default=[360, 640], metavar=('H', 'W'))
    parser.add_argument('--repeats', type=int, default=5, help='number of measured runs')
    parser.add_argument('--precisions', nargs='+', default=['fp32', 'auto'])
    parser.add_argument('--device', default='cpu')
    parser.add_argument('--out', help='JSON file for the numbers')
    return parser.parse_args(argv)


def compare(
    runs: dict[str, CiCoInferencer], video: SpeedVideo, candidates: int, repeats: int
) -> dict:
    """Measure all variants in turn with a number of candidates."""
    times: dict[str, list[float]] = {name: [] for name in runs}
    found = {}
    with ExitStack() as stack:
        for each in runs.values():
            stack.enter_context(forced(each, video, candidates).active())
        for repeat in range(repeats + 1):
            for name, inferencer in runs.items():
                seconds, found[name] = new_frame_seconds(inferencer, video)
                if repeat:
                    times[name].append(seconds)
    dense = statistics.median(times['dense'])
    agreement = sum(map(compare_clips, found['fp32'], found['dense']), start=Agreement())
    return dict(
        instances=sum(map(len, found['dense'])) / len(found['dense']),
        seconds={name: spread(values) for name, values in times.items()},
        ratio={
            name: dense / statistics.median(values)
            for name, values in times.items()
            if name != 'dense'
        },
        agreement=dict(
            same=agreement.same,
            box=agreement.box,
            score=agreement.score,
            mask_share=agreement.mask_share,
        ),
    )


def measure(config: str, args: argparse.Namespace, folder: str) -> dict:
    """Measure one config with all numbers of candidates."""
    video = generated(f'{folder}/video', args.frames, tuple(args.size), args.objects)
    weights = write_untrained(config, video, folder)
    names = ['dense', *dict.fromkeys(['fp32', *args.precisions])]
    runs = {
        name: build(config, weights, args.device, 'fp32' if name == 'dense' else name)
        for name in names
    }
    runs['dense'].model.network = DenseNetwork(plain_model(runs['dense'], weights))
    return {number: compare(runs, video, number, args.repeats) for number in args.candidates}


@torch.no_grad()
def main(argv: Sequence[str]) -> None:
    """Measure all configs and print a table."""
    args = parse_args(argv)
    result: dict = dict(machine=machine(torch.device(args.device)), models={})
    others = list(dict.fromkeys(['fp32', *args.precisions]))
    means = [f'{name} ({resolved(name, args.device)})' if name == 'auto' else name
             for name in others]  # fmt: skip
    print(f'| model | candidates | dense, s a frame | {" | ".join(means)} | same as dense |')
    print('| --- ' * (4 + len(others)) + '|')
    for config in args.configs:
        with TemporaryDirectory() as folder:
            found = measure(config, args, folder)
        result['models'][Path(config).stem] = found
        for number, each in found.items():
            cells = [f'{each["ratio"][name]:.2f} x' for name in others]
            print(
                f'| {Path(config).stem.split("_fpn")[0]} | {number} | '
                f'{each["seconds"]["dense"]["median"]:.3f} | {" | ".join(cells)} | '
                f'{"yes" if each["agreement"]["same"] else "NO"}, scores '
                f'{each["agreement"]["score"]:.0e}, masks {each["agreement"]["mask_share"]:.1e} |',
                flush=True,
            )
    if args.out:
        Path(args.out).write_text(json.dumps(result, indent=1) + '\n')


if __name__ == '__main__':
    sys.exit(run_tool(main))
