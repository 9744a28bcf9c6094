"""``mmcico demo``: a generated video and what a model finds in it."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from mmcico.utils.files import claim_folder
from mmcico.utils.tool import natural_int, positive_int, tool_parser
from mmcico.visualization.style import add_style_arguments, style_of

#: file in which tools/quickstart.sh names its weights
LAST_CHECKPOINT = Path('work_dirs/quickstart/last_checkpoint')
SHEET_FRAMES = 6
#: files that are written beside the data
CONTENT = (
    *('truth.mp4', 'truth.png', 'results.json'),
    *('videos/found.mp4', 'masks/found', 'tracks/found.json'),
)
#: height and width of the frames of a video for the model of the package
NATURAL_SIZE = (180, 320)

NOTES = """\
Without weights, the any-object model of the package looks for the objects of a
photo-like video. The quick start trains a model for moving shapes; it runs in
the source folder for about ten minutes on two CPU cores:
  bash tools/quickstart.sh
"mmcico demo" in the same folder then finds its weights."""


def parse_args(args: Sequence[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = tool_parser('Generate a video and find its objects; needs no data.', NOTES)
    parser.add_argument(
        '--weights',
        help='checkpoint of a model for moving shapes (default: the model of the package)',
    )
    parser.add_argument('--model', help='config (default: the one in the weights)')
    parser.add_argument('--device', help='such as cpu or cuda:0')
    parser.add_argument(
        '--out', default='outputs/demo', help='folder to write to (default: %(default)s)'
    )
    parser.add_argument('--num-frames', type=positive_int, default=30)
    parser.add_argument('--seed', type=natural_int, default=7, help='of the video')
    parser.add_argument('--score-thr', type=float, help="least score drawn (default: the model's)")
    add_style_arguments(parser)
    return parser.parse_args(args)


def known_weights(given: str | None) -> str | None:
    """Return the given weights, else those of the quick start, else None."""
    if given is not None or not LAST_CHECKPOINT.is_file():
        return given
    weights = Path(LAST_CHECKPOINT.read_text().strip())
    beside = LAST_CHECKPOINT.parent / weights.name  # no file if the text is empty
    found = [path for path in (weights, beside) if path.is_file()]
    return str(found[0]) if found else None


def draw_truth(data: Path, args: argparse.Namespace) -> list[str]:
    """Draw the true objects as a video and as a contact sheet.

    Args:
        data (Path): Folder of the generated video.
        args (Namespace): Of the command line.

    Returns:
        list[str]: Paths of both.
    """
    from mmcico.visualization.draw import contact_sheet
    from mmcico.visualization.figures import spread_panels
    from mmcico.visualization.overlay_files import load_overlays
    from mmcico.visualization.overlays import overlay_frames
    from mmcico.visualization.picture_files import write_picture, write_video

    (overlay,) = load_overlays(data / 'instances.json')
    paths = [f'{args.out}/truth.mp4', f'{args.out}/truth.png']
    images, style = data / 'JPEGImages', style_of(args)
    write_video(paths[0], overlay_frames(overlay, images, style), 10)
    small = spread_panels(overlay, images, style, SHEET_FRAMES, 480)
    write_picture(paths[1], contact_sheet([frame for (frame,) in small], SHEET_FRAMES // 2))
    return paths


def make_video(data: Path, args: argparse.Namespace, natural: bool) -> None:
    """Generate a video with its annotations.

    Args:
        data (Path): Folder to write to.
        args (Namespace): Of the command line.
        natural (bool): Whether it resembles real video; otherwise, it shows moving shapes.
    """
    if natural:
        from mmcico.utils.package_files import package_root

        from .main import load_tool

        tool = load_tool(package_root() / 'tools' / 'dataset_tools' / 'make_natural_shapes.py')
        tool.write_dataset(data, 1, args.num_frames, NATURAL_SIZE, args.seed)
        return
    from mmcico.datasets.moving_shapes import make_config, write_dataset

    config = make_config('easy', num_frames=args.num_frames, objects=(3, 4))
    write_dataset(data, 1, args.seed, config)


def find_objects(data: Path, weights: str | None, args: argparse.Namespace) -> list[str]:
    """Run the model and report what it finds.

    Args:
        data (Path): Folder of the generated video.
        weights (str, optional): Checkpoint; it may be missing if there is a model.
        args (Namespace): Of the command line.

    Returns:
        list[str]: Lines to show.
    """
    from mmcico.apis import CiCoInferencer, open_source
    from mmcico.formats.read import read_annotations

    from .predict import summary

    inferencer = CiCoInferencer(args.model, weights, args.device)
    # the folder may hold more frames of an earlier run
    (generated,) = read_annotations(data / 'instances.json').videos
    frames = [str(data / 'JPEGImages' / name) for name in generated.file_names]
    video = open_source(frames, 'found')
    results = inferencer(video, out_dir=args.out, score_thr=args.score_thr, style=style_of(args))
    lines = summary(results['predictions'][0], inferencer.least_score(args.score_thr))
    return [f'weights {weights}', *lines, *results['visualization']]


def main(argv: Sequence[str]) -> None:
    """Generate a video and show the objects in it.

    Args:
        argv (Sequence[str]): Arguments of the command.

    Raises:
        ValueError: If the folder cannot be written, or has files of others.
    """
    parsed = parse_args(argv)
    from mmcico.apis.model_loading import ANY_OBJECT, ANY_OBJECT_NOTE, runs_any_object
    from mmcico.apis.output_plan import check_writable
    from mmcico.datasets.moving_shapes.generate import is_generated

    out, data = Path(parsed.out), Path(parsed.out, 'data')
    check_writable(out)
    claim_folder(out, CONTENT, (out / 'truth.mp4').is_file() and is_generated(data))
    weights = known_weights(parsed.weights)
    small = runs_any_object(parsed.model, weights)
    make_video(data, parsed, natural=small)
    paths = draw_truth(data, parsed)
    lines = find_objects(data, str(ANY_OBJECT) if small else weights, parsed)
    notes = [ANY_OBJECT_NOTE] if small else []
    sys.stdout.write('\n'.join([*lines, *paths, *notes]) + '\n')
