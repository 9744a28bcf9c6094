"""``mmcico predict``: objects of any video."""

import argparse
import os.path as osp
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from typing import Any

from mmcico.utils.tool import positive_int, tool_parser
from mmcico.visualization.style import add_style_arguments, style_of

SAVE = ('video', 'masks', 'json')

NOTES = """\
A glob of images is one video. In quotes it has the name of its folder and the
order in which 2.png comes before 10.png; without quotes it is called "images"
and has the order of the shell. A folder or glob of video files gives all of
them.

files in the output folder:
  videos/NAME.mp4     the video with its objects
  masks/NAME/*.png    a palette image a frame: 0 background, 1 + id (16 bits from id 254)
  results.json        all videos, in the layout of YouTube-VIS
  tracks/NAME.json    id, class, score, masks and boxes of each track"""


def parse_args(args: Sequence[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = tool_parser('Find, segment and track the objects of videos.', NOTES)
    parser.add_argument(
        'sources',
        nargs='+',
        metavar='SOURCE',
        help='video file, folder or glob of images or of video files, URL, or '
        'number of a camera; before all options that take several values',
    )
    parser.add_argument(
        '--weights',
        help='checkpoint (path or URL) or ONNX file; it may hold its config (default: the '
        'any-object model of the package)',
    )
    parser.add_argument(
        '--model', help='config, or a name of "mmcico models"; needed if the weights hold no config'
    )
    parser.add_argument('--device', help='such as cpu or cuda:0 (default: a GPU if there is one)')
    parser.add_argument(
        '--out', default='outputs', help='folder to write to (default: %(default)s)'
    )
    parser.add_argument(
        '--save', nargs='+', choices=SAVE, default=SAVE, help='which files to write (default: all)'
    )
    parser.add_argument(
        '--score-thr',
        type=float,
        help="least score shown in videos and masks; JSON files have all (default: the model's, "
        'which is 0.3 for most)',
    )
    parser.add_argument('--fps', type=float, help="of videos; the source's if left out")
    parser.add_argument(
        '--allow-partial', action='store_true', help='take weights that do not fit the whole model'
    )
    add_network_arguments(parser)
    parser.add_argument('--quiet', action='store_true', help='no progress, no summary')
    add_style_arguments(parser)
    return parser.parse_args(args)


def add_network_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments about the execution of the network."""
    parser.add_argument(
        '--backend',
        choices=('pytorch', 'onnx'),
        help='onnx: --weights is a file of "mmcico export" (default: by its ending)',
    )
    parser.add_argument(
        '--precision',
        choices=('auto', 'fp32', 'bf16', 'fp16', 'float32', 'bfloat16', 'float16'),
        metavar='{auto,fp32,bf16,fp16}',
        default='fp32',
        help='of the network; auto: bf16 if the device is fast at it (default: %(default)s)',
    )
    parser.add_argument(
        '--batch-size',
        type=positive_int,
        help='number of clips of a file that the network gets at once; lower it if the memory of '
        'the device is short (default: 4; always 1 on a CPU)',
    )
    parser.add_argument(
        '--compiled',
        action='store_true',
        help='use torch.compile; on a CPU, the first clips wait for minutes, '
        'so it is for long videos',
    )


def to_source(text: str) -> str | int:
    """Return the number of a camera for digits, unless a file has this name."""
    return int(text) if text.isdigit() and not osp.exists(text) else text


def check_sources(sources: Sequence[str | int]) -> tuple[list[Any], list[str]]:
    """Check files before the model is built; return their videos and the names of these.

    Raises:
        ValueError: If one is missing or cannot be opened.
    """
    from mmcico.apis.media import all_videos
    from mmcico.apis.output_plan import named_sources
    from mmcico.apis.sources import open_source

    files = [each for each in sources if isinstance(each, str) and '://' not in each]
    videos = all_videos(files) if files else []
    for video in videos:
        for image in video if isinstance(video, list) else ():  # opened one by one when read
            open_source(image)
    return videos, [opened.name for opened in named_sources(videos)]


def check_outputs(
    videos: Sequence[Any], names: Sequence[str], out: str, save: Sequence[str]
) -> None:
    """Check before the model is built that no file of a video would be replaced.

    Raises:
        ValueError: If one would, or the folder cannot be written.
    """
    from mmcico.apis.output_plan import OutputPlan, identities

    plan = OutputPlan(out, tuple(save))
    taken = identities(videos)
    for name in names:
        plan.check_spared(name, taken)


def shown_frames(masks: Sequence[dict | None]) -> str:
    """Return where a track is seen, such as ``0-8 (7 frames)``."""
    seen = [frame for frame, mask in enumerate(masks) if mask is not None]
    if not seen:
        return '-'
    number = f'{len(seen)} frame' + 's' * (len(seen) > 1)
    return f'{seen[0]}-{seen[-1]} ({number})'


def summary(prediction: dict[str, Any], score_thr: float) -> list[str]:
    """Return a line for each track of a video.

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


def main(argv: Sequence[str]) -> None:
    """Run a model on videos.

    Args:
        argv (Sequence[str]): Arguments of the command.
    """
    parsed = parse_args(argv)
    style = style_of(parsed)
    sources = [to_source(text) for text in parsed.sources]
    check_outputs(*check_sources(sources), parsed.out, parsed.save)
    from mmcico.apis import CiCoInferencer
    from mmcico.apis.model_loading import ANY_OBJECT, ANY_OBJECT_NOTE, runs_any_object

    if runs_any_object(parsed.model, parsed.weights, parsed.backend):
        parsed.weights = str(ANY_OBJECT)
        sys.stderr.write(ANY_OBJECT_NOTE + '\n')
    with redirect_stdout(sys.stderr):  # MMEngine prints what it loads
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
        batch_size=parsed.batch_size,
    )
    if parsed.quiet:
        return
    shown = inferencer.least_score(parsed.score_thr)
    lines = [line for each in results['predictions'] for line in summary(each, shown)]
    lines.append(f'written to {parsed.out}')
    sys.stdout.write('\n'.join(lines) + '\n')
