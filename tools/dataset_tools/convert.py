"""Convert data sets to the layout of YouTube-VIS and OVIS, and back.

    python tools/dataset_tools/convert.py masks data/DAVIS/JPEGImages/480p \
        data/DAVIS/Annotations/480p --out data/DAVIS/instances.json
    python tools/dataset_tools/convert.py coco annotations/instances.json \
        --target 2021 --class-map coco --drop-unmatched --out coco_2021.json

Needs no OpenMMLab package.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from pure_import import pure_import

patient_output = pure_import('utils.patient_output').patient_output
load_json = pure_import('utils.json_file').load_json
load_annotations = pure_import('datasets.annotation_files').load_annotations
class_maps = pure_import('datasets.converters.class_maps')
coco_images = pure_import('datasets.converters.coco_images')
json_source = pure_import('datasets.converters.json_source')
labelme = pure_import('datasets.converters.labelme')
mask_folders = pure_import('datasets.converters.mask_folders')
pseudo_motion = pure_import('datasets.converters.pseudo_motion')
write_vis = pure_import('datasets.converters.vis_writer').write_vis
write_cocovid = pure_import('datasets.converters.cocovid_writer').write_cocovid


def add_command(commands: Any, name: str, text: str) -> Any:
    """A sub-command with what all of them take."""
    parser = commands.add_parser(name, help=text, description=text)
    parser.add_argument('--out', required=True, help='JSON file to write')
    parser.add_argument(
        '--target',
        help='classes to convert to: 2019, 2021, 2022, ovis, or a text file '
        'with a name a line; those of the source if left out',
    )
    parser.add_argument(
        '--class-map',
        nargs='+',
        default=[],
        metavar='OLD=NEW',
        help='renames classes (OLD= leaves one out); also a JSON file '
        '{"old": "new"}, or "coco" for the usual renames of COCO\'s classes',
    )
    parser.add_argument(
        '--drop-unmatched',
        action='store_true',
        help='leave out classes that the target does not have',
    )
    return parser


def add_folder_arguments(parser: Any) -> None:
    """What conversions from folders take."""
    parser.add_argument('--videos', help='text file with a video a line, as of ImageSets/')
    parser.add_argument(
        '--keep-unlabelled',
        action='store_true',
        help='frames without annotation file show no object; they are left out otherwise',
    )


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Arguments of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest='command', required=True)
    masks = add_command(commands, 'masks', 'mask PNGs in the manner of DAVIS -> YouTube-VIS')
    masks.add_argument('images', help='folder of folders of frames')
    masks.add_argument('masks', help='folder of folders of PNGs')
    add_folder_arguments(masks)
    masks.add_argument('--class-name', default='object', help='class of all objects')
    masks.add_argument('--object-classes', help='JSON {"video": {"1": "dog"}} or {"video": "dog"}')
    masks.add_argument(
        '--binary', action='store_true', help='all values but 0 are one object (DAVIS 2016)'
    )
    masks.add_argument('--step', type=int, default=1, help='take every n-th frame')
    each = add_command(commands, 'labelme', 'a labelme JSON a frame -> YouTube-VIS')
    each.add_argument('root', help='folder of a folder for each video')
    add_folder_arguments(each)
    each.add_argument(
        '--ungrouped',
        action='store_true',
        help='a shape without group_id is the only object of its label',
    )
    each.add_argument(
        '--ids-per-class', action='store_true', help='each label has its own run of group ids'
    )
    coco = add_command(commands, 'coco', 'COCO images -> short videos')
    coco.add_argument('annotations', help='instances JSON of COCO')
    coco.add_argument('--frames', type=int, default=1, help='of each video')
    coco.add_argument(
        '--motion',
        action='store_true',
        help='frames turn, grow and shift a little; needs --images and --out-images',
    )
    coco.add_argument('--seed', type=int, default=0, help='of the motion')
    coco.add_argument('--images', help='folder of the images')
    coco.add_argument('--out-images', help='folder to write frames to')
    coco.add_argument(
        '--drop-empty', action='store_true', help='leave out images without an object'
    )
    for name, text in (
        ('cocovid', 'CocoVID -> YouTube-VIS; also takes YouTube-VIS, to change classes'),
        ('to-cocovid', 'YouTube-VIS or OVIS -> CocoVID'),
    ):
        add_command(commands, name, text).add_argument('annotations', help='annotation JSON')
    args = parser.parse_args(argv)
    wrong = usage_error(args)
    if wrong:
        parser.error(wrong)
    return args


def usage_error(args: argparse.Namespace) -> str | None:
    """What is wrong with the numbers and options of a command."""
    if args.command == 'masks' and args.step < 1:
        return f'--step {args.step}: choose 1 or more'
    if args.command != 'coco':
        return None
    if args.frames < 1 or args.seed < 0:
        return (
            f'--frames {args.frames} --seed {args.seed}: choose 1 frame '
            'or more, and a seed from 0 up'
        )
    if args.motion and not (args.images and args.out_images):
        return (
            '--motion needs --images, the folder of the images, and '
            '--out-images, a folder for frames'
        )
    return None


def video_list(args: argparse.Namespace) -> list[str] | None:
    """Names in the file ``--videos``."""
    if args.videos is None:
        return None
    lines = Path(args.videos).read_text(encoding='utf-8').splitlines()
    return [line.strip() for line in lines if line.strip()]


def from_masks(args: argparse.Namespace, table: Any) -> Any:
    """Source of ``masks``."""
    classes: dict[str, Any] = {}
    if args.object_classes:
        classes = load_json(args.object_classes)
        if not isinstance(classes, dict):
            raise ValueError(
                f'{args.object_classes}: expected an object {{"video": {{"1": "dog"}}}}'
            )
    source = mask_folders.MaskFolders(
        Path(args.images),
        Path(args.masks),
        video_list(args),
        args.class_name,
        classes,
        args.binary,
        args.keep_unlabelled,
        args.step,
    )
    return source, mask_folders.mask_videos(source, table)


def from_labelme(args: argparse.Namespace, table: Any) -> Any:
    """Source of ``labelme``."""
    source = labelme.LabelmeFolders(
        Path(args.root), video_list(args), args.ungrouped, args.ids_per_class, args.keep_unlabelled
    )
    return source, labelme.labelme_videos(source, table)


def from_coco(args: argparse.Namespace, table: Any) -> Any:
    """Source of ``coco``."""
    unfold = coco_images.StillVideo(args.frames)
    if args.motion:
        unfold = coco_images.MovingVideo(
            pseudo_motion.Motion(args.frames), args.seed, Path(args.images), Path(args.out_images)
        )
    return None, coco_images.coco_videos(
        load_annotations(args.annotations), args.annotations, table, unfold, not args.drop_empty
    )


def from_json(args: argparse.Namespace, table: Any) -> Any:
    """Source of ``cocovid`` and ``to-cocovid``."""
    return None, json_source.json_videos(
        load_annotations(args.annotations), args.annotations, table
    )


SOURCES: dict[str, Callable] = {
    'masks': from_masks,
    'labelme': from_labelme,
    'coco': from_coco,
    'cocovid': from_json,
    'to-cocovid': from_json,
}


def with_progress(videos: Any) -> Any:
    """The same videos, counted on the error stream."""
    done = 0
    for done, video in enumerate(videos, start=1):
        yield video
        if done % 25 == 0:
            sys.stderr.write(f'\r{done} videos')
    sys.stderr.write(f'\r{done} videos\n')


def report(written: Any, table: Any, source: Any) -> list[str]:
    """What the user should know of a conversion."""
    lines = [
        f'{written.videos} videos, {written.frames} frames, '
        f'{written.objects} objects, {len(table.categories)} classes'
    ]
    if written.unseen:
        lines.append(f'left out: {written.unseen} objects without any mask')
    for name, count in sorted(table.left_out.items()):
        lines.append(f'left out: {count} objects of the class {name!r}')
    if getattr(source, 'left_out_frames', 0):
        lines.append(
            f'left out: {source.left_out_frames} frames without '
            'annotation file (--keep-unlabelled keeps them)'
        )
    unused = table.unused_renames()
    if unused and written.videos:
        lines.append(f'warning: the source has no class {unused} of the class map')
    return lines


@patient_output()
def main(argv: Sequence[str] | None = None) -> None:
    """Convert and say what was written."""
    args = parse_args(argv)
    table = class_maps.ClassTable(
        class_maps.target_names(args.target),
        class_maps.read_renames(args.class_map, args.target),
        args.drop_unmatched,
    )
    source, videos = SOURCES[args.command](args, table)
    write = write_cocovid if args.command == 'to-cocovid' else write_vis
    written = write(
        args.out,
        with_progress(videos),
        lambda: table.categories,
        dict(description=f'converted by {args.command}'),
    )
    sys.stderr.write('\n'.join(report(written, table, source)) + '\n')
    print(args.out)


if __name__ == '__main__':
    try:
        main()
    except (OSError, ValueError) as error:
        sys.exit(f'convert: {error}')
