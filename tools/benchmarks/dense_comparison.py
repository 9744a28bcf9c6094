"""Compare the speed of mmcico with that of a plain implementation of the same network.

    python tools/benchmarks/dense_comparison.py CONFIG ... --out dense.json

The plain network computes every frame of every clip, with all anchors, all prototypes and PyTorch's
own 3D convolutions. Both run on the same clips in turn and share selection, masks and linking. The
weights are random; the candidates are the anchors nearest to the objects of a generated video. The
first clip does not count, as in a long video. The results in fp32 are compared with those of the
plain network.
"""

import argparse
import statistics
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from mmcico.apis import CiCoInferencer
from mmcico.deployment import compare_clips
from mmcico.utils.launch import read_config
from mmcico.utils.tool import markdown_table, positive_int, run_tool, tool_parser, write_output

sys.path.append(str(Path(__file__).parents[1] / 'analysis_tools'))

from speed.builders import DenseNetwork, build, forced, plain_model, resolved, write_untrained
from speed.measures import machine, spread
from speed.runs import second_clip
from speed.videos import SpeedVideo, generated

CONFIGS = [
    f'configs/cico/cico-{name}_fpn_clip3_4xb6-12e_youtubevis2019.py'
    for name in ('yolact_r50', 'condinst_r50', 'yolact_swin-t')
]


def parse_args(argv: Sequence[str]) -> argparse.Namespace:
    """Parse the command line."""
    parser = tool_parser(__doc__)
    parser.add_argument('configs', nargs='*', default=CONFIGS, help='config files')
    parser.add_argument('--candidates', type=positive_int, nargs='+', default=[10, 20, 40])
    parser.add_argument(
        '--objects', type=positive_int, default=8, help='number of objects of the video'
    )
    parser.add_argument(
        '--size', type=positive_int, nargs=2, default=[360, 640], metavar=('H', 'W')
    )
    parser.add_argument('--repeats', type=positive_int, default=5, help='number of measured runs')
    parser.add_argument('--precisions', nargs='+', default=['fp32', 'auto'])
    parser.add_argument('--device', default='cpu')
    parser.add_argument('--keep', help='folder that keeps videos and weights for further runs')
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
        clips = {name: second_clip(each, video) for name, each in runs.items()}
        for name, run in clips.items():
            if name != 'dense':  # whose first clip has warmed up the same shapes
                run()
        for _ in range(repeats):
            for name, run in clips.items():
                seconds, found[name] = run()
                times[name].append(seconds)
    dense = found.pop('dense')
    middle = {name: statistics.median(values) for name, values in times.items()}
    return dict(
        instances=len(dense),
        seconds={name: spread(values) for name, values in times.items()},
        ratio={name: middle['dense'] / middle[name] for name in found},
        agreement={name: asdict(compare_clips(each, dense)) for name, each in found.items()},
    )


def prepared(config: str, args: argparse.Namespace, folder: Path) -> tuple[SpeedVideo, str]:
    """Return a video of two clips, and the path of random weights, which may be there already."""
    length = 2 * read_config(config).model.bbox_head.get('num_frames', 3)
    name = f'video_{length}_{args.size[0]}x{args.size[1]}_{args.objects}'
    video = generated(folder / name, length, tuple(args.size), args.objects)
    weights = folder / f'{Path(config).stem}.pth'
    if not weights.is_file():
        Path(write_untrained(config, video, str(folder))).replace(weights)
    return video, str(weights)


def measure(config: str, args: argparse.Namespace, folder: Path) -> dict:
    """Measure one config with all numbers of candidates."""
    video, weights = prepared(config, args, folder)
    names = ['dense', *dict.fromkeys(['fp32', *args.precisions])]
    runs = {
        name: build(config, weights, args.device, 'fp32' if name == 'dense' else name)
        for name in names
    }
    runs['dense'].model.network = DenseNetwork(plain_model(runs['dense'], weights))
    return {number: compare(runs, video, number, args.repeats) for number in args.candidates}


def row(model: str, candidates: int, found: dict) -> list[str]:
    """Return a line of the table."""
    exact = found['agreement']['fp32']
    share = exact['other_pixels'] / max(exact['pixels'], 1)
    return [
        model.split('_fpn')[0],
        str(candidates),
        str(found['instances']),
        f'{found["seconds"]["dense"]["median"]:.3f}',
        *(f'{each["median"]:.3f}' for name, each in found['seconds'].items() if name != 'dense'),
        *(f'{each:.2f} x' for each in found['ratio'].values()),
        f'{"yes" if exact["same"] else "NO"}, {share:.0e} of the mask pixels',
    ]


@torch.no_grad()
def main(argv: Sequence[str]) -> None:
    """Measure all configs and print a table."""
    args = parse_args(argv)
    result: dict = dict(machine=machine(torch.device(args.device)), models={})
    names = list(dict.fromkeys(['fp32', *args.precisions]))
    names = [f'{n} ({resolved(n, args.device)})' if n == 'auto' else n for n in names]
    rows = []
    with TemporaryDirectory() as temporary:
        folder = Path(args.keep or temporary)
        for config in args.configs:
            found = result['models'][Path(config).stem] = measure(config, args, folder)
            rows += [row(Path(config).stem, number, each) for number, each in found.items()]
    seconds = [f'{name}, s a new frame' for name in ['plain', *names]]
    ratios = [f'{name}, speed' for name in names]
    head = ['model', 'candidates', 'instances', *seconds, *ratios, 'fp32 as the plain network']
    write_output(markdown_table([head, *rows]), result, args.out, sys.stdout)


if __name__ == '__main__':
    sys.exit(run_tool(main))
