"""Convert data sets to the layout of YouTube-VIS and OVIS, and back.

    python tools/dataset_tools/convert.py masks data/DAVIS/JPEGImages/480p \
        data/DAVIS/Annotations/480p --out data/DAVIS/instances.json
    python tools/dataset_tools/convert.py coco annotations/instances.json \
        --target 2021 --class-map coco --drop-unmatched --out coco_2021.json

The tool needs no OpenMMLab package.
"""

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from mmcico.datasets.converters import (
    class_maps,
    coco_images,
    cvat_xml,
    json_files,
    labelme,
    mask_folders,
    mots_text,
)
from mmcico.datasets.converters.collect import collect, converted_data
from mmcico.datasets.converters.labelme_shapes import write_labelme
from mmcico.datasets.converters.mask_writer import mots_classes, write_masks
from mmcico.formats.problems import Problems
from mmcico.formats.read import load_json
from mmcico.formats.write import write_json
from mmcico.utils.files import is_one_of, text_lines
from mmcico.utils.tool import add_crowds, natural_int, positive_int, run_tool, tool_parser

CLASSES = 'classes by their numbers (default: 1=car 2=pedestrian)'
TARGETS = {
    'to-cocovid': 'CocoVID, as MMTracking writes it',
    'to-tao': 'JSON of TAO',
    'to-burst': 'JSON of BURST',
    'to-cvat-coco': 'COCO with track ids, as CVAT writes it',
    'to-cvat': 'CVAT for video 1.1, an XML for each video',
    'to-labelme': 'labelme, a JSON for each frame',
    'to-masks': 'mask PNGs as in DAVIS, a picture for each frame',
    'to-mots-txt': 'text files of MOTS, one for each video',
}
#: commands that write one JSON file -> its content
MAKERS = {
    'to-tao': json_files.tao_data,
    'to-burst': json_files.burst_data,
    'to-cvat-coco': json_files.cvat_coco_data,
}
#: commands that write a folder
WRITERS = {
    'to-cvat': cvat_xml.write_cvat,
    'to-labelme': write_labelme,
    'to-masks': write_masks,
    'to-mots-txt': mots_text.write_texts,
}


def add_flag(parser: Any, name: str, text: str) -> None:
    """Add an option without a value."""
    parser.add_argument(name, action='store_true', help=text)


def add_command(commands: Any, name: str, text: str) -> Any:
    """Add a sub-command with the options that all of them have."""
    parser = commands.add_parser(name, help=text, description=text)
    parser.add_argument('--out', required=True, help='JSON file, or folder, to write')
    parser.add_argument(
        '--target',
        help='classes to convert to: 2019, 2021, 2022, ovis, a text file with a name on each '
        'line, or an annotation file (JSON) whose classes and ids are taken; by default the '
        'classes of the source, in alphabetical order if they have no ids',
    )
    parser.add_argument(
        '--class-map',
        nargs='+',
        default=[],
        metavar='OLD=NEW',
        help='rename classes (OLD= leaves one out); also a JSON file {"old": "new"}, or "coco" '
        "for the usual renames of COCO's classes",
    )
    add_flag(parser, '--drop-unmatched', 'leave out classes that the target does not have')
    return parser


def add_folder_arguments(parser: Any) -> None:
    """Add the options of the commands that read folders."""
    parser.add_argument(
        '--videos', help='text file with the name of a video on each line, as in ImageSets/'
    )
    add_flag(
        parser,
        '--keep-unlabelled',
        'keep frames without annotation file as frames that show no object (default: leave them '
        'out)',
    )


def add_json_arguments(parser: Any) -> None:
    """Add the arguments of the commands that read a JSON file."""
    parser.add_argument('annotations', help='annotation JSON')
    add_crowds(parser)


def numbered_classes(texts: Sequence[str]) -> dict[int, str]:
    """Return the classes of MOTS by number."""
    pairs = (text.split('=', 1) for text in texts)
    return {int(number): name for number, name in pairs} or mask_folders.MOTS_CLASSES


def add_masks(commands: Any) -> None:
    """Add the sub-command ``masks``."""
    parser = add_command(commands, 'masks', 'mask PNGs as in DAVIS and MOTS -> YouTube-VIS')
    parser.add_argument('images', help='folder with a folder of frames for each video')
    parser.add_argument('masks', help='folder with a folder of PNGs for each video')
    add_folder_arguments(parser)
    parser.add_argument(
        '--class-name', default='object', help='class of objects without a class of their own'
    )
    parser.add_argument(
        '--object-classes',
        help='JSON {"video": {"1": "dog"}} or {"video": "dog"}, or the meta.json of YouTube-VOS',
    )
    add_flag(parser, '--binary', 'all values except 0 are one object (DAVIS 2016)')
    parser.add_argument('--step', type=positive_int, default=1, help='take every n-th frame')
    parser.add_argument(
        '--mots',
        nargs='*',
        metavar='NUMBER=NAME',
        help='values are 1000 * class + instance, and 10000 is not annotated, as in MOTS (classes '
        'by default: 1=car 2=pedestrian)',
    )
    parser.add_argument(
        '--ignore-values',
        type=int,
        nargs='+',
        metavar='VALUE',
        help='values of pixels that are not annotated (default: 255 in pictures of 8 bits; '
        'also 10000 with --mots)',
    )


def parse_args(argv: Sequence[str]) -> argparse.Namespace:
    """Parse the command line."""
    parser = tool_parser(__doc__ and __doc__.splitlines()[0])
    commands = parser.add_subparsers(dest='command', required=True)
    add_masks(commands)
    each = add_command(commands, 'labelme', 'a labelme JSON for each frame -> YouTube-VIS')
    each.add_argument('root', help='folder with a folder for each video')
    add_folder_arguments(each)
    text = 'a shape without group_id is the only object of its label in the video'
    add_flag(each, '--ungrouped', text)
    add_flag(each, '--ids-per-class', 'each label has group ids of its own')
    coco = add_command(commands, 'coco', 'COCO images -> short videos')
    add_json_arguments(coco)
    coco.add_argument(
        '--frames', type=positive_int, default=1, help='number of frames of each video'
    )
    text = 'rotate, scale and shift the frames a little; needs --images and --out-images'
    add_flag(coco, '--motion', text)
    coco.add_argument('--seed', type=natural_int, default=0, help='seed of the motion')
    coco.add_argument('--images', help='folder of the images')
    coco.add_argument('--out-images', help='folder to write frames to')
    add_flag(coco, '--drop-empty', 'leave out images without an object')
    cvat = add_command(commands, 'cvat', 'CVAT for video 1.1 (XML) -> YouTube-VIS')
    cvat.add_argument('annotations', help='XML, or folder with an XML for each video')
    cvat.add_argument('images', help='folder with a folder of frames for each XML')
    text = add_command(commands, 'mots-txt', 'text files of MOTS -> YouTube-VIS')
    text.add_argument('images', help='folder with a folder of frames for each video')
    text.add_argument('annotations', help='folder with a <video>.txt for each video')
    text.add_argument('--classes', nargs='+', default=[], metavar='NUMBER=NAME', help=CLASSES)
    description = 'CocoVID, CVAT, TAO or BURST -> YouTube-VIS; or YouTube-VIS with other classes'
    add_json_arguments(add_command(commands, 'cocovid', description))
    for name, target in TARGETS.items():
        each = add_command(commands, name, f'YouTube-VIS, OVIS or CocoVID -> {target}')
        add_json_arguments(each)
        if name == 'to-masks':
            add_flag(each, '--mots', 'values are 1000 * class + instance, as in MOTS')
    args = parser.parse_args(argv)
    wrong = usage_error(args)
    if wrong:
        parser.error(wrong)
    return args


def usage_error(args: argparse.Namespace) -> str | None:
    """Return a message if the options of a command are wrong, else None."""
    read = [getattr(args, key, None) for key in ('annotations', 'target', 'object_classes')]
    if is_one_of(args.out, (*read, *args.class_map)):
        return f'--out {args.out} is a file to be read; give another name'
    option = dict(masks='mots').get(args.command, 'classes')
    for text in getattr(args, option, None) or ():
        number, _, name = text.partition('=')
        if not number.isdecimal() or not name:
            return f'--{option} {text}: write the number and the name of a class, such as 1=car'
    if args.command == 'coco' and args.motion and not (args.images and args.out_images):
        return (
            '--motion needs --images, the folder of the images, and --out-images, a folder for '
            'frames'
        )
    return None


def folder_options(args: argparse.Namespace, problems: Problems) -> dict[str, Any]:
    """Return the options of the commands that read folders."""
    videos = None if args.videos is None else [*filter(None, text_lines(args.videos))]
    return dict(videos=videos, keep_unlabelled=args.keep_unlabelled, problems=problems)


def read_videos(args: argparse.Namespace, table: Any, problems: Problems) -> Iterable:
    """Return the videos of the source of a command."""
    if args.command == 'masks':
        classes = {}
        if args.object_classes:
            data = load_json(args.object_classes)
            classes = mask_folders.read_object_classes(data, args.object_classes)
        return mask_folders.MaskFolders(
            Path(args.images),
            Path(args.masks),
            table,
            class_name=args.class_name,
            object_classes=classes,
            binary=args.binary,
            step=args.step,
            mots_classes=None if args.mots is None else numbered_classes(args.mots),
            ignored=args.ignore_values,
            **folder_options(args, problems),
        )
    if args.command == 'labelme':
        return labelme.LabelmeFolders(
            Path(args.root),
            table,
            ungrouped=args.ungrouped,
            ids_per_class=args.ids_per_class,
            **folder_options(args, problems),
        )
    if args.command == 'cvat':
        return cvat_xml.cvat_videos(Path(args.annotations), Path(args.images), table, problems)
    if args.command == 'mots-txt':
        classes = numbered_classes(args.classes)
        images, texts = Path(args.images), Path(args.annotations)
        return mots_text.text_videos(images, texts, table, problems, classes)
    source = args.annotations, table
    if args.command == 'coco':
        unfold = partial(coco_images.still_video, num_frames=args.frames)
        if args.motion:
            unfold = coco_images.MovingVideo(
                args.frames, args.seed, Path(args.images), Path(args.out_images)
            )
        data = load_json(args.annotations)
        keep = not args.drop_empty
        return coco_images.coco_videos(
            data, *source, unfold, keep, problems, args.crowds_as_objects
        )
    data = load_json(args.annotations)
    if json_files.is_burst(data):
        data = json_files.from_burst(data, args.annotations)
    return json_files.json_videos(data, *source, problems, args.crowds_as_objects)


def write(args: argparse.Namespace, file: Any, table: Any, problems: Problems) -> None:
    """Write a file, or a folder, in the format of the command."""
    if args.command in WRITERS:
        options = dict(mots=args.mots) if args.command == 'to-masks' else {}
        WRITERS[args.command](file, Path(args.out), problems, **options)
    elif args.command in MAKERS:
        write_json(args.out, MAKERS[args.command](file))
    else:
        layout = 'cocovid' if args.command == 'to-cocovid' else 'youtube_vis'
        write_json(args.out, converted_data(file, table, layout, args.command))


def reading_option(args: argparse.Namespace, file: Any) -> list[str]:
    """Return a line with the option that reads the classes back, for files that have numbers."""
    option = {'to-mots-txt': '--classes', 'to-masks': '--mots'}.get(args.command)
    if option is None or not getattr(args, 'mots', True):
        return []
    return [f'classes are numbers, to be read with: {option} {mots_classes(file)}']


def with_progress(videos: Iterable) -> Iterator:
    """Yield videos and print their number to the error stream."""
    done = 0
    for done, video in enumerate(videos, start=1):
        yield video
        if done % 25 == 0:
            sys.stderr.write(f'\r{done} videos')
    sys.stderr.write(f'\r{done} videos\n')


def report(file: Any, table: Any, problems: Any) -> list[str]:
    """Return lines that report what was kept and what was left out."""
    frames = sum(video.length for video in file.videos)
    objects = sum(len(video.tracks) for video in file.videos) - file.num_crowds
    lines = [
        f'kept: {len(file.videos)} videos, {frames} frames, {objects} objects, '
        f'{len(table.categories)} classes'
    ]
    if file.num_crowds:
        lines.append(
            f'kept: {file.num_crowds} crowds (iscrowd = 1), which training and metrics ignore '
            '(--crowds-as-objects makes them objects)'
        )
    lines += [f'left out: {number} {what}' for what, number in problems.left_out.items()]
    for name, count in sorted(table.left_out.items()):
        lines.append(f'left out: {count} objects of the class {name!r}')
    warnings = [problem.text() for problem in problems.found]
    if table.unused_renames() and file.videos:
        warnings.append(f'the source has no class {table.unused_renames()} of the class map')
    return lines + [f'warning: {text}' for text in warnings]


def main(argv: Sequence[str]) -> None:
    """Convert, report, and print the path that was written."""
    args = parse_args(argv)
    table = class_maps.ClassTable(
        class_maps.target_classes(args.target),
        class_maps.read_renames(args.class_map, args.target),
        args.drop_unmatched,
    )
    problems = Problems(getattr(args, 'annotations', args.command))
    file = collect(with_progress(read_videos(args, table, problems)), table, problems)
    write(args, file, table, problems)
    lines = report(file, table, problems) + reading_option(args, file)
    sys.stderr.write('\n'.join(lines) + '\n')
    print(args.out)


if __name__ == '__main__':
    sys.exit(run_tool(main))
