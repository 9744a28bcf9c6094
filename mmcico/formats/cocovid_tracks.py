"""Objects of single frames of a CocoVID file, put together as tracks."""

from typing import Any

from .annotations import AnnotatedTrack, AnnotatedVideo, Id
from .fields import as_id, entry_name, id_key, look_up, read_crowd
from .frame_fields import COCOVID_FIELDS, RawTrack
from .problems import Place, Problems

#: image id -> its video and its position there
Frames = dict[str, tuple[AnnotatedVideo, int]]


def track_id(record: dict) -> Any:
    """Return the id of an annotation's object, None if it has none."""
    attributes = record.get('attributes')
    inner = attributes.get('track_id') if isinstance(attributes, dict) else None
    found = (record.get('instance_id'), record.get('track_id'), inner)
    return next((each for each in found if each is not None), None)


class TrackBuilder:
    """Tracks that grow entry by entry.

    Args:
        frames (Frames): Images of the file.
        categories (dict[str, Id]): Known classes.
        problems (Problems): Gets what is wrong.
        crowds_as_objects (bool): Take ``iscrowd`` as 0.
    """

    def __init__(
        self,
        frames: Frames,
        categories: dict[str, Id],
        problems: Problems,
        crowds_as_objects: bool = False,
    ) -> None:
        self.frames = frames
        self.categories = categories
        self.problems = problems
        self.crowds_as_objects = crowds_as_objects
        self.tracks: dict[int, dict[str, RawTrack]] = {}
        self.crowds: dict[int, set[int]] = {}

    def add(self, record: dict, number: int) -> None:
        """Put an object in a frame into its track, a new one if need be."""
        problems = self.problems
        place = problems.at(annotation=entry_name(record, number))
        home = look_up(record, 'image_id', self.frames, 'images', place, problems)
        if home is not None:
            place = home[0].place(home[1]).at(annotation=place.annotation)
        category = look_up(record, 'category_id', self.categories, 'categories', place, problems)
        crowd = read_crowd(record, place, problems) and not self.crowds_as_objects
        if 'segmentation' not in record:
            message = 'is missing; boxes alone, as for tracking, are no masks to learn'
            problems.error('mask', message, place.at(field='segmentation'))
        instance = as_id(track_id(record))
        if instance is None:
            message = (
                'is no id; a whole number or a text is needed that all frames of the object '
                'share (also as track_id, or attributes.track_id of CVAT)'
            )
            problems.error('id', message, place.at(field='instance_id'), track_id(record))
        elif home is not None:
            found = record.get('category_id', '') if category is None else category
            raw = self._track(home[0], instance, found, number)
            self._put(raw, record, home[1], crowd, found, place)

    def _track(self, video: AnnotatedVideo, instance: Id, category: Id, number: int) -> RawTrack:
        """Return the track of an object, a new one if there is none."""
        tracks = self.tracks.setdefault(video.position, {})
        if id_key(instance) not in tracks:
            empty: list[None] = [None] * video.length
            track = AnnotatedTrack(instance, category, [*empty], [*empty], position=number)
            lists: dict[str, list | None] = {key: [*empty] for key in COCOVID_FIELDS}
            tracks[id_key(instance)] = RawTrack(track, lists, [*empty])
        return tracks[id_key(instance)]

    def _put(
        self, raw: RawTrack, record: dict, frame: int, crowd: bool, category: Id, place: Place
    ) -> None:
        if category != raw.track.category_id:
            self.problems.error(
                'category',
                f'the instance {raw.track.id!r} was of category {raw.track.category_id!r} before',
                place.at(field='category_id'),
                category,
            )
        if raw.records is None or raw.records[frame] is not None:
            message = 'the instance is in this frame twice'
            self.problems.error('id', message, place.at(field='instance_id'), raw.track.id)
            return
        raw.records[frame] = record
        if crowd:
            self.crowds.setdefault(id(raw), set()).add(frame)
        for name, key in COCOVID_FIELDS.items():
            (raw.lists[name] or [])[frame] = record.get(key)

    def tracks_of(self, video: AnnotatedVideo) -> list[RawTrack]:
        """Return the tracks of a video once all entries were added."""
        tracks = list(self.tracks.get(video.position, {}).values())
        for raw in tracks:
            crowds = self.crowds.get(id(raw), set())
            frames = {t for t, record in enumerate(raw.records or []) if record is not None}
            raw.track.iscrowd = bool(crowds) and crowds == frames
            if crowds and not raw.track.iscrowd:
                self._leave_out(raw, crowds, video)
            for name, values in raw.lists.items():
                if name != 'segmentations' and all(each is None for each in values or []):
                    raw.lists[name] = None
        return tracks

    def _leave_out(self, raw: RawTrack, crowds: set[int], video: AnnotatedVideo) -> None:
        """Leave out the frames of a track that are crowds."""
        self.problems.leave_out('crowd frames of single objects', len(crowds))
        self.problems.warn(
            'crowd',
            f'{len(crowds)} frames of the object are crowds, the others not; they are left out',
            video.place(min(crowds)).at(annotation=raw.track.id, field='iscrowd'),
        )
        for values in raw.lists.values():
            for frame in crowds:
                (values or [])[frame] = None
