"""Masks, boxes, areas and words of tracks, which all layouts share."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .annotations import OCCLUSION, AnnotatedTrack, AnnotatedVideo, AnnotationFile
from .fields import as_id, read_area, read_box
from .masks import read_masks
from .problems import WARNING, Place, Problems

#: names of a field with one entry a frame in YouTube-VIS and in CocoVID
COCOVID_FIELDS = dict(
    segmentations='segmentation', bboxes='bbox', areas='area', occlusion='occlusion'
)


@dataclass
class RawTrack:
    """A track whose frames were not looked at yet.

    Attributes:
        track (AnnotatedTrack): Gets what is in ``lists``.
        lists (dict[str, list | None]): Fields by their names in YouTube-VIS,
            one entry a frame; None for a field that the track has not.
        records (list[dict | None], optional): CocoVID's entry of each frame.
    """

    track: AnnotatedTrack
    lists: dict[str, list | None]
    records: list[dict | None] | None = None

    def place(self, video: AnnotatedVideo, frame: int, name: str) -> Place:
        """Return the place of a field in a frame."""
        owner: Any = self.track.id
        if self.records is not None:
            name = COCOVID_FIELDS[name]
            record = self.records[frame] or {}
            own = as_id(record.get('id'))
            owner = owner if own is None else own
        return video.place(frame).at(annotation=owner, field=name)


def read_frames(video: AnnotatedVideo, raw: Sequence[RawTrack], problems: Problems) -> None:
    """Read all frames of a video's tracks and add the tracks to it.

    Args:
        video (AnnotatedVideo): The video.
        raw (Sequence[RawTrack]): Its tracks.
        problems (Problems): Gets what is wrong.
    """
    video.tracks.extend(each.track for each in raw)
    for each in raw:
        _read_lists(video, each, problems)
    masks = [each.lists['segmentations'] or [None] * video.length for each in raw]
    if not video.height:  # a size that cannot be used was reported
        for each, own in zip(raw, masks):
            each.track.pixels = [0] * len(own)
            each.track.broken = frozenset(t for t, mask in enumerate(own) if mask)
        return
    found = read_masks(
        masks, video.size, lambda i, t: raw[i].place(video, t, 'segmentations'), problems
    )
    for each, frames in zip(raw, found):
        track = each.track
        track.counts, track.pixels = frames.counts, frames.pixels
        track.drawn, track.blank = frozenset(frames.drawn), frozenset(frames.blank)
        track.broken = frozenset(frames.broken)
        if track.blank:
            problems.leave_out('masks without a pixel', len(track.blank))
        if not any(track.pixels):
            problems.leave_out('objects that are seen in no frame')


def _read_lists(video: AnnotatedVideo, raw: RawTrack, problems: Problems) -> None:
    """Read boxes, areas and OVIS' words of a track."""
    track, lists = raw.track, raw.lists
    for name, read in (('bboxes', read_box), ('areas', read_area), ('occlusion', read_word)):
        values = lists[name]
        if values is not None:
            places = (
                raw.place(video, t, name) if v is not None else None for t, v in enumerate(values)
            )
            setattr(
                track,
                name,
                [
                    None if value is None or place is None else read(value, place, problems)
                    for value, place in zip(values, places)
                ],
            )


def read_word(word: Any, place: Place, problems: Problems) -> str | None:
    """Return one of OVIS' words; None for null."""
    if word is None or (isinstance(word, str) and word in OCCLUSION):
        return word
    problems.error('occlusion', f'is none of {", ".join(OCCLUSION)}', place, word)
    return None


def finish_file(file: AnnotationFile, problems: Problems) -> AnnotationFile:
    """Report crowds and a file without annotations, and keep the counts.

    Args:
        file (AnnotationFile): A file with all its tracks.
        problems (Problems): Of the file.

    Returns:
        AnnotationFile: The same.
    """
    total = sum(len(video.tracks) for video in file.videos)
    if not file.num_annotations:
        problems.warn(
            'empty',
            'the file has no annotations, as official valid and test files; it cannot be '
            'learned from or measured against',
            problems.at(field='annotations'),
        )
    if total and 2 * file.num_crowds > total:
        problems.warn(
            'crowd',
            f'{file.num_crowds} of {total} objects are crowds, which training and metrics '
            'ignore. CVAT and brush tools set iscrowd = 1 for single objects, too: set it to 0, '
            'or read the file with crowds_as_objects=True',
            problems.at(field='iscrowd'),
        )
    problems.checked = dict(
        videos=len(file.videos),
        frames=sum(video.length for video in file.videos),
        objects=total,
        masks=sum(
            counts is not None for v in file.videos for track in v.tracks for counts in track.counts
        ),
    )
    file.left_out = problems.left_out
    file.warnings = [each.text() for each in problems.found if each.level == WARNING]
    return file
