"""Objects of single frames of a CocoVID file put together as tracks."""

from typing import Any

from mmcico.datasets.fields import id_key

from .defects import Place, Report
from .raw_records import RawTrack, RawVideo, check_reference, place_of
from .values import is_id

#: names of the fields of :data:`.raw_records.FRAME_FIELDS`
FIELDS = dict(segmentations='segmentation', bboxes='bbox', areas='area', occlusion='occlusion')

#: image id -> its video and position, None for an image without a video
Frames = dict[str, tuple[RawVideo, int] | None]
Key = tuple[int, str]


class TrackTable:
    """Tracks that grow entry by entry.

    Args:
        frames (Frames): Images of the file.
        report (Report): Gets what is wrong.
    """

    def __init__(self, frames: Frames, report: Report) -> None:
        self.frames = frames
        self.report = report
        self.tracks: dict[Key, RawTrack] = {}
        self.categories: dict[Key, Any] = {}
        self.taken: dict[tuple[Key, int], bool] = {}

    def place(self, record: dict, number: int) -> Place:
        """Where an annotation belongs, as far as it says."""
        place = Place(annotation=place_of(record, number))
        found = self._frame(record)
        return found[0].frame(found[1]).at(annotation=place.annotation) if found else place

    def _frame(self, record: dict) -> tuple[RawVideo, int] | None:
        key = record.get('image_id')
        return self.frames.get(id_key(key)) if is_id(key) else None

    def add(self, record: dict, place: Place) -> None:
        """Put an annotation into its track, a new one if need be."""
        found = self._frame(record)
        instance = record.get('instance_id')
        if found is None:
            known = {key: home for key, home in self.frames.items() if home}
            check_reference(record, 'image_id', known, 'images', place, self.report)
        if 'segmentation' not in record:
            self.report.error(
                'mask', 'is missing; boxes alone are no masks to learn', place, 'segmentation'
            )
        if not is_id(instance):
            self.report.error(
                'id', 'is no id: a whole number or a text is needed', place, 'instance_id', instance
            )
        elif found is not None:
            self._put(record, place, *found)

    def _put(self, record: dict, place: Place, video: RawVideo, frame: int) -> None:
        key = (id(video), id_key(record['instance_id']))
        category = record.get('category_id')
        if key not in self.tracks:
            empty: list[None] = [None] * len(video.names)
            self.tracks[key] = RawTrack(
                video.place.at(annotation=record['instance_id']),
                video,
                {name: list(empty) for name in FIELDS},
                FIELDS,
            )
            self.categories[key] = category
        if category != self.categories[key]:
            self.report.error(
                'category',
                f'the instance was of category {self.categories[key]!r} before',
                place,
                'category_id',
                category,
            )
        if (key, frame) in self.taken:
            self.report.error(
                'id',
                'the instance is in this frame twice',
                place,
                'instance_id',
                record['instance_id'],
            )
            return
        self.taken[key, frame] = True
        for name, key_in_file in FIELDS.items():
            self.tracks[key].lists[name][frame] = record.get(key_in_file)

    def finish(self) -> list[RawTrack]:
        """All tracks; fields that no entry of a track has are left out."""
        for track in self.tracks.values():
            for name in set(FIELDS) - {'segmentations'}:
                if all(value is None for value in track.lists[name]):
                    del track.lists[name]
        return list(self.tracks.values())
