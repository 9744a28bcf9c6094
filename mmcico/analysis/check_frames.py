"""Checks of an object's masks, boxes, areas and words frame by frame."""

from typing import Any

from mmcico.datasets.run_lengths import MaskInfo

from .defects import Place, Report
from .mask_info import area_matches, read_mask_info, thin_polygons
from .raw_records import RawTrack
from .values import is_number

#: OVIS' words
OCCLUSION_WORDS = ('no_occlusion', 'slight_occlusion', 'severe_occlusion')

#: pixels that a box may leave the frame by, which rounding explains
FRAME_SLACK = 0.5


def check_track(track: RawTrack, box_slack: float, report: Report) -> int:
    """Look at every frame of an object.

    Args:
        track (RawTrack): The object.
        box_slack (float): Pixels that a side of a box may differ from that
            of its mask.
        report (Report): Gets what is wrong.

    Returns:
        int: Number of masks with a pixel.
    """
    num_seen, is_unclear = 0, False
    for frame in range(len(track.video.names)):
        place = track.frame(frame)
        mask = track.entry('segmentations', frame)
        try:
            info = read_mask_info(mask, track.video.size)
        except ValueError as error:
            message, kind = error.args
            report.error(kind, message, place, track.fields['segmentations'])
            is_unclear = True
            check_box(track, frame, None, box_slack, report)
            check_area(track, frame, None, report)
            continue
        check_corners(track, frame, report)
        is_unclear |= bool(mask) and info is None
        is_seen = info is not None and info.area > 0
        num_seen += is_seen
        if not is_seen:
            info = None
        check_presence(track, frame, bool(mask), is_seen, report)
        check_box(track, frame, info, box_slack, report)
        check_area(track, frame, info, report)
    if not num_seen and not is_unclear and track.video.names:
        report.error(
            'empty',
            'is seen in no frame; remove the annotation',
            track.place,
            track.fields['segmentations'],
        )
    check_occlusion(track, report)
    return num_seen


def check_corners(track: RawTrack, frame: int, report: Report) -> None:
    """Polygons need three corners to cover anything."""
    mask = track.entry('segmentations', frame)
    for number, corners in thin_polygons(mask).items():
        report.warn(
            'mask',
            f'polygon no. {number} has {corners} corners; fewer than '
            'three cover nothing, so it is left out. Other tools may take '
            'two corners for a box: remove the polygon',
            track.frame(frame),
            track.fields['segmentations'],
        )


def check_presence(
    track: RawTrack, frame: int, is_given: bool, is_seen: bool, report: Report
) -> None:
    """Masks, boxes and areas must be there in the same frames."""
    place = track.frame(frame)
    if is_given and not is_seen and track.video.size:
        report.warn(
            'presence',
            'has no pixel; null says so more plainly',
            place,
            track.fields['segmentations'],
        )
    for key in ('bboxes', 'areas'):
        value = track.entry(key, frame)
        is_there = value is not None and value != [] and value != 0
        if key not in track.lists or is_there == is_seen:
            continue
        if is_given and not is_seen:  # said of the mask already
            continue
        report.error(
            'presence',
            'is missing, though a mask is there' if is_seen else 'is there, though no mask is',
            place,
            track.fields[key],
            value,
        )


def check_box(
    track: RawTrack, frame: int, info: MaskInfo | None, slack: float, report: Report
) -> None:
    """A box is four numbers, lies in the frame and fits its mask."""
    box, place = track.entry('bboxes', frame), track.frame(frame)
    if box is None or box == []:
        return
    field = track.fields['bboxes']
    if not isinstance(box, list) or len(box) != 4 or not all(map(is_number, box)):
        report.error('box', 'is not [x, y, width, height]', place, field, box)
        return
    x, y, width, height = box
    if width <= 0 or height <= 0:
        if info is not None or width < 0 or height < 0:
            report.error('box', 'has no area', place, field, box)
        return
    sides = (x, y, x + width, y + height)
    if track.video.size and is_outside(sides, track.video.size):
        report.error(
            'box',
            f'leaves the frame of width x height {track.video.size[1]} x {track.video.size[0]}',
            place,
            field,
            box,
        )
    if info is not None:
        compare_box(track, frame, sides, info, slack, report)


def is_outside(sides: Any, size: Any) -> bool:
    """Whether ``(x1, y1, x2, y2)`` leaves a frame of (height, width)."""
    return (
        min(sides[0], sides[1]) < -FRAME_SLACK
        or sides[2] > size[1] + FRAME_SLACK
        or sides[3] > size[0] + FRAME_SLACK
    )


def compare_box(
    track: RawTrack, frame: int, sides: Any, info: MaskInfo, slack: float, report: Report
) -> None:
    """Each side must be that of the mask."""
    is_drawn = isinstance(track.entry('segmentations', frame), list)
    worst = max(abs(a - b) for a, b in zip(sides, info.box))
    if worst <= slack + is_drawn:
        return
    box = track.entry('bboxes', frame)
    x1, y1, x2, y2 = info.box
    hint = ''
    if max(abs(a - b) for a, b in zip(box, info.box)) <= slack + is_drawn:
        hint = '; it looks like [x1, y1, x2, y2]'
    report.error(
        'box',
        f'is up to {worst:g} pixels away from its mask, whose box is '
        f'[{x1:g}, {y1:g}, {x2 - x1:g}, {y2 - y1:g}]{hint}',
        track.frame(frame),
        track.fields['bboxes'],
        box,
    )


def check_area(track: RawTrack, frame: int, info: MaskInfo | None, report: Report) -> None:
    """An area is the number of pixels of its mask."""
    area, place = track.entry('areas', frame), track.frame(frame)
    if area is None:
        return
    field = track.fields['areas']
    if not is_number(area) or area < 0:
        report.error('area', 'is not a number from 0 on', place, field, area)
        return
    drawn = isinstance(track.entry('segmentations', frame), list)
    if info is None or area_matches(area, info.area, drawn):
        return
    box, hint = track.entry('bboxes', frame), ''
    if (
        isinstance(box, list)
        and len(box) == 4
        and all(map(is_number, box))
        and abs(box[2] * box[3] - area) <= 0.5
    ):
        hint = '; it is the area of the box'
    report.error('area', f'the mask has {info.area} pixels{hint}', place, field, area)


def check_occlusion(track: RawTrack, report: Report) -> None:
    """Words of OVIS: known, and there where the object is seen."""
    field = track.fields['occlusion']
    wrong: dict[str, list[Place]] = {}
    for frame, word in enumerate(track.lists.get('occlusion', [])):
        is_given = bool(track.entry('segmentations', frame))
        place = track.frame(frame)
        if word is None and is_given:
            report.error('occlusion', 'is missing, though a mask is there', place, field)
        elif word is not None and word not in OCCLUSION_WORDS:
            report.error(
                'occlusion', f'is none of {", ".join(OCCLUSION_WORDS)}', place, field, word
            )
        elif word is not None and not is_given:
            wrong.setdefault(word, []).append(place)
    for word, places in wrong.items():
        report.warn(
            'occlusion',
            f'is given in {len(places)} frames where no mask is',
            places[0],
            field,
            word,
        )
