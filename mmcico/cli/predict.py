"""``mmcico predict``: objects of any video."""

import argparse
import os.path as osp
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from typing import Any

from mmcico.visualization.style import add_style_arguments, style_of

SAVE = ('video', 'masks', 'json')

EXAMPLES = """\
examples:
  mmcico predict video.mp4 --weights work_dirs/quickstart/iter_1500.pth
  mmcico predict a.mp4 b.mp4 frames/ --model CONFIG --weights MODEL.pth
  mmcico predict "clips/*.mp4" --weights MODEL.pth      a video each
  mmcico predict 0 --weights MODEL.pth                  camera 0, Ctrl-C ends
  mmcico predict rtsp://host/stream --weights MODEL.pth --save json
  mmcico predict "frames/*.png" --weights MODEL.pth --fps 25 --boxes --trail 20

a glob of images in quotes is a video, named by its folder, with 2.png before
10.png; without quotes it is one, too, "images", in the order of the shell; a
folder or glob of video files is all of them

files in the output folder:
  videos/NAME.mp4     the video with its objects
  masks/NAME/*.png    a palette image a frame: 0 background, 1 + id (16 bits from id 254)
  results.json        all videos, in the layout of YouTube-VIS
  tracks/NAME.json    id, class, score, masks and boxes of each track"""


def parse_args(args: Sequence[str]) -> argparse.Namespace:
    """Arguments of the command line."""
    parser = argparse.ArgumentParser(
        'mmcico predict',
        description='Find, segment and track the objects of videos.',
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        'sources',
        nargs='+',
        metavar='SOURCE',
        help='video file, folder or glob of images or of video files, URL, or '
        'number of a camera; before all options that take several values',
    )
    parser.add_argument(
        '--weights', help='checkpoint, path or URL, or ONNX file; it knows its config'
    )
    parser.add_argument('--model', help='another config, or a name of "mmcico models"')
    parser.add_argument('--device', help='such as cpu or cuda:0; the best there is if left out')
    parser.add_argument(
        '--out', default='outputs', help='folder to write to (default: %(default)s)'
    )
    parser.add_argument(
        '--save', nargs='+', choices=SAVE, default=SAVE, help='which files to write (default: all)'
    )
    parser.add_argument(
        '--score-thr',
        type=float,
        default=0.3,
        help='least score shown in videos and masks; JSON files have all (default: %(default)s)',
    )
    parser.add_argument('--fps', type=float, help="of videos; the source's if left out")
    parser.add_argument(
        '--allow-partial', action='store_true', help='take weights that do not fit the whole model'
    )
    add_network_arguments(parser)
    parser.add_argument('--quiet', action='store_true', help='no progress, no summary')
    add_style_arguments(parser)
    parsed = parser.parse_args(args)
    if parsed.weights is None and parsed.model is None:
        parser.error(
            'give --weights CHECKPOINT (and --model CONFIG for '
            'weights that do not hold their config); '
            '"mmcico demo" shows how to get some'
        )
    return parsed


def add_network_arguments(parser: argparse.ArgumentParser) -> None:
    """What runs the network."""
    parser.add_argument(
        '--backend',
        choices=('pytorch', 'onnx'),
        help='onnx: --weights is a file of "mmcico export" (default: by its ending)',
    )
    parser.add_argument(
        '--precision',
        choices=('float32', 'bfloat16', 'float16'),
        default='float32',
        help='of the network (default: %(default)s)',
    )
    parser.add_argument(
        '--compiled',
        action='store_true',
        help='use torch.compile; on a CPU, the first clips wait for minutes, '
        'so it is for long videos',
    )


def to_source(text: str) -> str | int:
    """What is meant by an argument: a digit is a camera unless it exists."""
    return int(text) if text.isdigit() and not osp.exists(text) else text


def check_sources(sources: Sequence[str | int]) -> None:
    """Complain of files before the model is built.

    Raises:
        ValueError: If one is missing or cannot be opened.
    """
    from mmcico.apis.file_lists import each_video
    from mmcico.apis.sources import open_source

    for source in sources:
        if isinstance(source, str) and '://' not in source:
            for each in each_video(source):
                open_source(each)


def shown_frames(masks: Sequence[dict | None]) -> str:
    """Where a track is seen, such as ``0-8 (7 frames)``."""
    seen = [frame for frame, mask in enumerate(masks) if mask is not None]
    if not seen:
        return '-'
    number = f'{len(seen)} frame' + 's' * (len(seen) > 1)
    return f'{seen[0]}-{seen[-1]} ({number})'


def summary(prediction: dict[str, Any], score_thr: float) -> list[str]:
    """The tracks of a video, a line each.

    Args:
        prediction (dict): ``name`` and ``tracks`` of a video.
        score_thr (float): Tracks below are only counted.

    Returns:
        list[str]: Lines to show.
    """
    tracks = prediction['tracks']
    good = [track for track in tracks if track['score'] >= score_thr]
    lines = [
        f'{prediction["name"]}: {len(good)} track'
        + 's' * (len(good) != 1)
        + f' (and {len(tracks) - len(good)} with a score below {score_thr:g})'
    ]
    if good:
        width = max(5, *(len(track['class']) for track in good))
        lines.append(f'   id  {"class":<{width}}  score  frames')
    for track in good:
        lines.append(
            f'{track["id"]:>5}  {track["class"]:<{width}}  '
            f'{track["score"]:>5.2f}  '
            f'{shown_frames(track["segmentations"])}'
        )
    return lines


def run(name: str, args: list[str], debug: bool) -> None:
    """Run a model on videos.

    Args:
        name (str): The command.
        args (list[str]): What follows it.
        debug (bool): Not used.
    """
    parsed = parse_args(args)
    style = style_of(parsed)
    sources = [to_source(text) for text in parsed.sources]
    check_sources(sources)
    from mmcico.apis import CiCoInferencer

    with redirect_stdout(sys.stderr):  # MMEngine says what it loads
        inferencer = CiCoInferencer(
            parsed.model,
            parsed.weights,
            parsed.device,
            allow_partial=parsed.allow_partial,
            show_progress=not parsed.quiet,
            backend=parsed.backend,
            precision=parsed.precision,
            compiled=parsed.compiled,
        )
    results = inferencer(
        sources,
        out_dir=parsed.out,
        save=parsed.save,
        score_thr=parsed.score_thr,
        style=style,
        fps=parsed.fps,
    )
    if parsed.quiet:
        return
    lines = [line for each in results['predictions'] for line in summary(each, parsed.score_thr)]
    lines.append(f'written to {parsed.out}')
    sys.stdout.write('\n'.join(lines) + '\n')
