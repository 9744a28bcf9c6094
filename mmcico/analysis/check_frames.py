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
        self.video, self.track = video, track
        for frame in range(len(track.counts) if video.height else 0):
            self._check_presence(frame)
            self._check_box(frame)
            self._check_area(frame)
        if not any(track.pixels) and not track.broken and track.counts:
            message = 'the object is seen in no frame; remove the annotation'
            self._defect('empty', message, None, 'segmentations')
        self._check_words()

    def _place(self, frame: int | None, field: str) -> Place:
        """Return the place of a field, with the names that the layout has for it."""
        name: Any = self.track.id
        if self.is_cocovid:
            name, field = f'of instance {name}', COCOVID_FIELDS[field]
        return self.video.place(frame).at(annotation=name, field=field)

    def _defect(
        self, kind: str, message: str, frame: int | None, field: str, value: Any = None
    ) -> None:
        self.problems.defect(kind, message, self._place(frame, field), value)

    def _is_unreadable(self, frame: int, field: str) -> bool:
        place = self._place(frame, field)
        return (str(place.video), frame, place.field) in self.unreadable

    def _check_presence(self, frame: int) -> None:
        """Check that masks, boxes and areas exist in the same frames."""
        track = self.track
        if frame in track.blank:
            place = self._place(frame, 'segmentations')
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
            if bool(value) != track.seen(frame) and not self._is_unreadable(frame, field):
                message = 'is there, though no mask is' if value else MISSING
                self._defect('presence', message, frame, field, value)

    def _check_box(self, frame: int) -> None:
        """A box has an area, lies in the frame and fits its mask."""
        box, counts, video = self.track.bboxes[frame], self.track.counts[frame], self.video
        if box is None:
            return
        messages = []
        x, y, width, height = box
        if width <= 0 or height <= 0:
            if counts is not None or width < 0 or height < 0:
                messages.append('has no area')
        else:
            if max(-x, -y, x + width - video.width, y + height - video.height) > FRAME_SLACK:
                messages.append(
                    f'leaves the frame of width x height {video.width} x {video.height}'
                )
            if counts is not None:
                wanted = mask_info(counts, video.size).box
                messages += self._away_from(box, wanted, frame in self.track.drawn)
        for message in messages:
            self._defect('box', message, frame, 'bboxes', [*box])

    def _away_from(self, box: Box, wanted: Box, drawn: bool) -> list[str]:
        """Return what is wrong with a box, given that of the mask."""

        def farthest(sides: Box) -> float:
            return max(abs(a - b) for a, b in zip(sides, wanted))

        slack = self.box_slack + drawn
        worst = farthest((box[0], box[1], box[0] + box[2], box[1] + box[3]))
        if worst <= slack:
            return []
        x1, y1, x2, y2 = wanted
        hint = '; it looks like [x1, y1, x2, y2]' if farthest(box) <= slack else ''
        return [
            f'is up to {worst:g} pixels away from its mask, whose box is '
            f'[{x1:g}, {y1:g}, {x2 - x1:g}, {y2 - y1:g}]{hint}'
        ]

    def _check_area(self, frame: int) -> None:
        """Check that an area is the number of pixels of its mask."""
        area = self.track.areas and self.track.areas[frame]
        found, box = self.track.pixels[frame], self.track.bboxes[frame]
        if area and found and not area_matches(area, found, frame in self.track.drawn):
            is_of_box = box is not None and abs(box[2] * box[3] - area) <= 0.5
            hint = '; it is the area of the box' if is_of_box else ''
            self._defect('area', f'the mask has {found} pixels{hint}', frame, 'areas', area)

    def _check_words(self) -> None:
        """Check that words of OVIS exist in the frames that show the object."""
        if self.track.occlusion is None:
            if self.has_words:
                message = 'is missing, other annotations have it'
                self._defect('occlusion', message, None, 'occlusion')
            return
        extra: dict[str, list[int]] = {}
        for frame, word in enumerate(self.track.occlusion):
            is_given = self.track.given(frame)
            if word is not None and not is_given:
                extra.setdefault(word, []).append(frame)
            elif word is None and is_given and not self._is_unreadable(frame, 'occlusion'):
                self._defect('occlusion', MISSING, frame, 'occlusion')
        for word, frames in extra.items():
            message = f'is given in {len(frames)} frames where no mask is'
            self.problems.warn('occlusion', message, self._place(frames[0], 'occlusion'), word)
