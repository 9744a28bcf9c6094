"""``mmcico finetune``: from annotated videos to a trained and tested model."""

import argparse
import json
import os
import shlex
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from mmcico.utils.files import claim_folder, whole_file
from mmcico.utils.package_files import package_root
from mmcico.utils.tool import natural_int, tool_parser

if TYPE_CHECKING:
    from mmcico.apis.config_writer import Base, Choices, Data
    from mmcico.formats.annotations import AnnotationFile

NOTES = """\
The steps are commands of their own, which are shown as they run. The config that is written,
OUT/config.py, can be changed and trained with "mmcico train". docs/en/own_video.md tells the
whole way from a video to its tracks."""

#: configs that a training starts from without --from
CPU_BASE = 'configs/demo/cico-yolact_demo_moving-shapes.py'
GPU_BASE = 'configs/cico/cico-yolact_r50-coco_fpn_clip3_4xb6-12e_youtubevis2019.py'
#: steps that are measured for --time; the larger number if it takes at most this share of the time
FEW_MEASURED, MANY_MEASURED, MEASURED_SHARE = 12, 48, 0.05
NOT_MEASURED = ('param_scheduler', 'val_cfg', 'val_dataloader', 'val_evaluator')
#: optimiser wrappers that train in a precision
WRAPPERS = dict(fp32='OptimWrapper', bf16='mmcico.BFloat16OptimWrapper')


class Parts(NamedTuple):
    """The data and its two parts as :mod:`mmcico.formats` reads them, and the training clips."""

    whole: 'AnnotationFile'
    train: 'AnnotationFile'
    valid: 'AnnotationFile'
    num_clips: int


def parse_args(argv: Sequence[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = tool_parser(
        'Train a model on videos of your own, test it and draw its results.', NOTES
    )
    parser.add_argument('data', help='annotation file: YouTube-VIS, OVIS or CocoVID')
    parser.add_argument('--images', required=True, help='folder of the frames')
    parser.add_argument(
        '--from',
        dest='base',
        metavar='NAME|CHECKPOINT',
        help='model to start from: a name of "mmcico models", "any-object", a config, or a '
        'checkpoint of this package, whose classes may differ (default: the small model from '
        'random values on a CPU, ResNet-50 from COCO on a GPU)',
    )
    length = parser.add_mutually_exclusive_group()
    length.add_argument(
        '--time', default='10m', help='time of all, such as 20m or 1h (default: %(default)s)'
    )
    length.add_argument('--epochs', type=float, help='passes over the training frames')
    parser.add_argument(
        '--valid-share',
        type=float,
        default=0.2,
        help='share of the videos that are kept for validation (default: %(default)s)',
    )
    parser.add_argument('--seed', type=natural_int, default=0, help='of the split')
    parser.add_argument(
        '--out', default='work_dirs/finetune', help='folder to write to (default: %(default)s)'
    )
    parser.add_argument(
        '--config-only', action='store_true', help='check, split and write the config; no training'
    )
    args = parser.parse_args(argv)
    if args.epochs is not None and not args.epochs > 0:
        parser.error(f'--epochs {args.epochs}: choose more than 0')
    if not 0 < args.valid_share < 1:
        parser.error(f'--valid-share {args.valid_share} is not between 0 and 1')
    return args


def say(*lines: str) -> None:
    """Write lines at once, between those of the commands."""
    sys.stdout.write('\n'.join(lines) + '\n')
    sys.stdout.flush()


def run(name: str, *values: object, quiet: bool = False) -> int:
    """Run a command of the package and return its exit code; show it unless ``quiet``."""
    from .main import COMMANDS, load_tool

    args = [str(each) for each in values]
    if not quiet:
        say('', f'$ mmcico {name} {shlex.join(args)}')
    return load_tool(package_root() / 'tools' / COMMANDS[name].home).main(args) or 0


def check_and_split(args: argparse.Namespace, out: Path) -> Parts:
    """Check the data and divide it.

    Raises:
        ValueError: If there are errors in the data, fewer than two videos, or no frame with an
            object in the training part, or if the folder has files of others.
    """
    from mmcico.apis.training_plan import count_query_frames
    from mmcico.formats.read import read_annotations

    if run('check', args.data, '--images', args.images):
        raise ValueError(f'{args.data} has errors, listed above; correct them first')
    whole = read_annotations(args.data)
    if len(whole.videos) < 2:
        raise ValueError(
            f'{args.data} has {len(whole.videos)} video; training and validation need one each: '
            'cut the video into two or more before it is labelled'
        )
    names = ('train.json', 'valid.json')
    claim_folder(out, (*names, 'base.py', 'model.pth', 'training', 'pictures'))
    split = ['--method', 'stratified', '--fraction', args.valid_share, '--seed', args.seed]
    run('split', args.data, *split, '--out-dir', out, '--names', *names)
    train, valid = (read_annotations(out / name) for name in names)
    num_clips = count_query_frames(train)
    if not num_clips:
        raise ValueError(f'{train.name}: no frame shows an object; there is nothing to learn')
    return Parts(whole, train, valid, num_clips)


def choose_base(name: str | None) -> 'Base':
    """Return the model to start from, and say which."""
    from mmengine.device import get_device

    from mmcico.apis.config_writer import find_base

    base = find_base(name or (CPU_BASE if get_device() == 'cpu' else GPU_BASE))
    say('', f'start    {base.name}' + ('' if base.weights else ', without weights of its own'))
    return base


def describe_data(args: argparse.Namespace, parts: Parts, base: 'Base', out: Path) -> 'Data':
    """Return the data of the training, and say what becomes of classes."""
    from mmcico.apis.config_writer import Data, has_classes, used_classes

    classes = used_classes(parts.train, base.classes)
    say(f'classes  {", ".join(classes)}')
    others = [name for _, name in parts.whole.categories if name not in classes]
    if others:
        say(f'         without an object in the training part, left out: {", ".join(others)}')
    if base.weights and not has_classes(base, classes):
        say(
            f'         the checkpoint has {len(base.classes) or "unknown"} other classes: '
            'the layer of the classes is learned anew'
        )
    counts = (
        f'{len(parts.train.videos)} videos with {parts.num_clips} frames that show objects '
        f'for training, {len(parts.valid.videos)} videos for validation'
    )
    paths = (Path(args.images), out / 'train.json', out / 'valid.json')
    images, train_file, valid_file = (str(path.resolve()) for path in paths)
    return Data(images, train_file, valid_file, tuple(classes), counts)


def choose(parts: Parts, base: 'Base') -> 'Choices':
    """Return the choices for the data and this machine, and say them."""
    from mmengine.device import get_device

    from mmcico.apis.config_writer import anchor_strides
    from mmcico.apis.training_plan import make_choices
    from mmcico.deployment.precision import best_precision

    device, cores = get_device(), os.cpu_count() or 1
    made = make_choices(parts.train, device, anchor_strides(base), cores, base.known_side)
    small, large = made.sides
    say(
        f'input    {made.scale[0]} x {made.scale[1]} pixels, where objects have sides of '
        f'{small:.0f} to {large:.0f} pixels'
    )
    if made.anchors:
        say(f'anchors  {made.anchors.scale:g} times the strides {made.anchors.strides}')
    precision, reason = best_precision(device)
    say(f'steps    in {precision}: {reason}')
    return made._replace(wrapper=WRAPPERS[precision])


def number_of_steps(args: argparse.Namespace, parts: Parts, config: Path, batch_size: int) -> int:
    """Return the number of steps for --epochs, or for --time from the time of some steps."""
    from mmcico.apis import training_plan as plan

    if args.epochs is not None:
        return plan.steps_of_epochs(args.epochs, parts.num_clips, batch_size)
    begin = time.perf_counter()
    seconds = plan.seconds_of(args.time)
    step = measure(config, FEW_MEASURED)
    if MANY_MEASURED * step <= MEASURED_SHARE * seconds:
        step = measure(config, MANY_MEASURED)
    say(f'time     {step:.2f} s a step of {batch_size} clips')
    seconds -= time.perf_counter() - begin
    num_valid = sum(video.length for video in parts.valid.videos)
    return plan.steps_of_time(seconds, step, parts.num_clips, num_valid, batch_size)


def own_names(name: str) -> list[str]:
    """Return settings that keep the logs of two runners of a process apart."""
    return [f'{key}={name}_{time.time_ns()}' for key in ('experiment_name', 'visualizer.name')]


def measure(config: Path, num_steps: int) -> float:
    """Return the mean time of a step, the first third left out.

    The first steps with inputs of a new size take longer.
    """
    with tempfile.TemporaryDirectory() as folder:
        options = ['--work-dir', folder, '--cfg-options', *own_names('measure')]
        run(
            'train',
            config,
            *options,
            f'train_cfg.max_iters={num_steps}',
            *(f'{part}=None' for part in NOT_MEASURED),
            'default_hooks.logger.interval=1',
            'default_hooks.checkpoint=None',
            'log_processor.window_size=1',
            'log_level=WARNING',
            quiet=True,
        )
        (log,) = Path(folder).glob('*/vis_data/scalars.json')
        steps = log.read_text().splitlines()[num_steps // 3 :]
    return sum(json.loads(line)['time'] for line in steps) / len(steps)


def train_and_test(args: argparse.Namespace, config: Path, out: Path, shown: float) -> list[str]:
    """Train, test and draw what has a score of at least ``shown``.

    Returns:
        list[str]: Lines for the user.
    """
    run('train', config)
    done = out / 'training'
    weights = done / Path((done / 'last_checkpoint').read_text().strip()).name
    model = out / 'model.pth'
    with open(weights, 'rb') as source, whole_file(model) as target:
        shutil.copyfileobj(source, target)
    run('test', config, model, '--cfg-options', *own_names('test'))
    options = ['--score-thr', shown, '--side-by-side', '--contact-sheet', '--out', out / 'pictures']
    run('visualize', args.images, out / 'valid.json', done / 'results.json', *options)
    metrics = json.loads((done / 'metrics.json').read_text())
    figures = [f'{key} {metrics[key]:.3f}' for key in ('AP', 'AP50', 'AP75') if key in metrics]
    return [
        f'{", ".join(figures)} on the validation videos',
        f'model      {model}',
        f'results    {done / "results.json"}',
        f'pictures   {out / "pictures"}, ground truth on the right',
        f'next       mmcico predict NEW_VIDEO.mp4 --weights {shlex.quote(str(model))}',
    ]


def main(argv: Sequence[str]) -> None:
    """Check, split, write a config, train, test, draw.

    Args:
        argv (Sequence[str]): Arguments of the command.

    Raises:
        ValueError: If the folder has a config, or the data has errors.
    """
    args = parse_args(argv)
    out = Path(args.out)
    from mmcico.apis import training_plan as plan
    from mmcico.apis.config_writer import check_no_config, write_config
    from mmcico.apis.output_plan import SHOWN_SCORE, check_writable

    plan.seconds_of(args.time)  # a mistake is told before the work
    check_writable(out)
    check_no_config(out)
    parts = check_and_split(args, out)
    base = choose_base(args.base)
    data = describe_data(args, parts, base, out)
    choices = choose(parts, base)
    with tempfile.TemporaryDirectory() as draft:
        config = write_config(Path(draft), base, data, choices)
        steps = number_of_steps(args, parts, config, choices.batch_size)
    schedule = plan.schedule_of(steps, parts.num_clips, choices.batch_size)
    config = write_config(out, base, data, choices._replace(schedule=schedule))
    say(
        f'length   {steps} steps, {schedule.epochs:.0f} passes over the frames',
        f'config   {config}',
    )
    if not base.weights and steps < plan.FEW_STEPS:
        say(
            f'warning: {steps} steps may be too few to learn from random values, which often takes '
            f'{plan.FEW_STEPS} or more; give more time, or start from a checkpoint (--from)'
        )
    if not args.config_only:
        shown = base.config.get('shown_score', SHOWN_SCORE)
        say('', *train_and_test(args, config, out, shown))
