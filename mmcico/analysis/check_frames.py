"""Checks of an object's boxes, areas and words against its masks, frame by frame."""

from typing import Any

from mmcico.formats.annotations import AnnotatedTrack, AnnotatedVideo, AnnotationFile, Box
from mmcico.formats.problems import Place, Problems
from mmcico.formats.rle import mask_info
from mmcico.formats.youtube_vis import COCOVID_FIELDS

#: pixels by which rounding may put a box outside the frame
FRAME_SLACK = 0.5
MISSING = 'is missing, though a mask is there'


def area_matches(stated: float, found: int, drawn: bool) -> bool:
    """Return whether a stated area is that of the pixels of a mask.

    The area of a polygon in numbers is not that in pixels, so that more is allowed for masks that
    were ``drawn`` from polygons: a tenth, or four pixels.

    >>> area_matches(100.4, 100, False), area_matches(102, 100, False)
    (True, False)
    """
    return abs(stated - found) <= (max(4.0, 0.1 * found) if drawn else 0.5)


class TrackChecker:
    """Checks of the tracks of a file that was read with its problems collected.

    Args:
        file (AnnotationFile): The file.
        box_slack (float): Pixels by which a side of a box may differ from that of its mask.
        problems (Problems): Problems of the reader; gets further ones.
    """

    def __init__(self, file: AnnotationFile, box_slack: float, problems: Problems) -> None:
        self.problems, self.box_slack = problems, box_slack
        self.is_cocovid = file.layout == 'cocovid'
        self.has_words = any(t.occlusion is not None for v in file.videos for t in v.tracks)
        # A field that cannot be read was reported, so that it is not missing.
        self.unreadable = {
            (str(each.place.video), each.place.frame, each.place.field) for each in problems.found
        }

    def check(self, video: AnnotatedVideo, track: AnnotatedTrack) -> None:
        """Check all frames of a track."""
        for frame in range(len(track.counts) if video.height else 0):
            self._check_presence(video, track, frame)
            self._check_box(video, track, frame)
            self._check_area(video, track, frame)
        if not any(track.pixels) and not track.broken and track.counts:
            self.problems.defect(
                'empty',
                'the object is seen in no frame; remove the annotation',
                self._place(video, track, None, 'segmentations'),
            )
        self._check_words(video, track)

    def _place(
        self, video: AnnotatedVideo, track: AnnotatedTrack, frame: int | None, field: str
    ) -> Place:
        """Return the place of a field, with the names that the layout has for it."""
        name: Any = track.id
        if self.is_cocovid:
            name, field = f'of instance {track.id}', COCOVID_FIELDS[field]
        return video.place(frame).at(annotation=name, field=field)

    def _check_presence(self, video: AnnotatedVideo, track: AnnotatedTrack, frame: int) -> None:
        """Check that masks, boxes and areas exist in the same frames."""
        if frame in track.blank:
            place = self._place(video, track, frame, 'segmentations')
            self.problems.warn('presence', 'has no pixel; write null instead', place)
        if frame in track.blank or frame in track.broken:
            return
        given: dict[str, Any] = {}
        if any(each is not None for each in track.bboxes):
            box = track.bboxes[frame]
            given['bboxes'] = box and [*box]
        if track.areas is not None:
            given['areas'] = track.areas[frame]
        for field, value in given.items():
            place = self._place(video, track, frame, field)
            if bool(value) != track.seen(frame) and not self._is_unreadable(place):
                message = 'is there, though no mask is' if value else MISSING
                self.problems.defect('presence', message, place, value)

    def _is_unreadable(self, place: Place) -> bool:
        return (str(place.video), place.frame, place.field) in self.unreadable

    def _check_box(self, video: AnnotatedVideo, track: AnnotatedTrack, frame: int) -> None:
        """A box has an area, lies in the frame and fits its mask."""
        box = track.bboxes[frame]
        if box is None:
            return
        place = self._place(video, track, frame, 'bboxes')
        x, y, width, height = box
        if width <= 0 or height <= 0:
            if track.seen(frame) or width < 0 or height < 0:
                self.problems.defect('box', 'has no area', place, [*box])
            return
        outside = max(-x, -y, x + width - video.width, y + height - video.height)
        if outside > FRAME_SLACK:
            message = f'leaves the frame of width x height {video.width} x {video.height}'
            self.problems.defect('box', message, place, [*box])
        counts = track.counts[frame]
        if counts is not None:
            slack = self.box_slack + (frame in track.drawn)
            self._compare_box(box, mask_info(counts, video.size).box, slack, place)

    def _compare_box(self, box: Box, wanted: Box, slack: float, place: Place) -> None:
        """Check that each side of a box is that of the mask."""
        sides = (box[0], box[1], box[0] + box[2], box[1] + box[3])
        worst = max(abs(a - b) for a, b in zip(sides, wanted))
        if worst <= slack:
            return
        x1, y1, x2, y2 = wanted
        is_corners = max(abs(a - b) for a, b in zip(box, wanted)) <= slack
        message = (
            f'is up to {worst:g} pixels away from its mask, whose box is '
            f'[{x1:g}, {y1:g}, {x2 - x1:g}, {y2 - y1:g}]'
        )
        message += '; it looks like [x1, y1, x2, y2]' if is_corners else ''
        self.problems.defect('box', message, place, [*box])

    def _check_area(self, video: AnnotatedVideo, track: AnnotatedTrack, frame: int) -> None:
        """Check that an area is the number of pixels of its mask."""
        area = None if track.areas is None else track.areas[frame]
        found = track.pixels[frame]
        if not area or not found or area_matches(area, found, frame in track.drawn):
            return
        box = track.bboxes[frame]
        is_of_box = box is not None and abs(box[2] * box[3] - area) <= 0.5
        hint = '; it is the area of the box' if is_of_box else ''
        place = self._place(video, track, frame, 'areas')
        self.problems.defect('area', f'the mask has {found} pixels{hint}', place, area)

    def _check_words(self, video: AnnotatedVideo, track: AnnotatedTrack) -> None:
        """Check that words of OVIS exist in the frames that show the object."""
        if track.occlusion is None:
            if self.has_words:
                message = 'is missing, other annotations have it'
                place = self._place(video, track, None, 'occlusion')
                self.problems.defect('occlusion', message, place)
            return
        extra: dict[str, list[Place]] = {}
        for frame, word in enumerate(track.occlusion):
            place = self._place(video, track, frame, 'occlusion')
            if word is not None and not track.given(frame):
                extra.setdefault(word, []).append(place)
            elif word is None and track.given(frame) and not self._is_unreadable(place):
                self.problems.defect('occlusion', MISSING, place)
        for word, places in extra.items():
            message = f'is given in {len(places)} frames where no mask is'
            self.problems.warn('occlusion', message, places[0], word)
