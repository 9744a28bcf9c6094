"""Annotated videos: the value that the readers of all layouts return."""

from collections import Counter
from collections.abc import Set
from dataclasses import dataclass, field
from functools import cached_property

from .fields import Id
from .problems import Place, counted
from .rle import mask_info

Box = tuple[float, float, float, float]

#: OVIS' words and the share of an object that is hidden
OCCLUSION = dict(no_occlusion=0.0, slight_occlusion=0.25, severe_occlusion=0.75)


@dataclass
class AnnotatedTrack:
    """One object of a video; lists have one entry per frame.

    Attributes:
        id (int | str): Id in the file.
        category_id (int | str): Id of its class in the file.
        counts (list[bytes | None]): Compressed RLE counts of its masks, all of them checked; None
            for frames in which the object is not seen.
        bboxes (list[tuple | None]): ``(x, y, w, h)`` in pixels as stated in the file, also without
            an area; None for frames without a box, which are all when left out.
        iscrowd (bool): Whether it is a region of uncounted objects.
        occlusion (list[str | None], optional): OVIS' words, if the file has them.
        areas (list[float | None], optional): Areas as stated in the file.
        pixels (list[int]): Areas of the masks, 0 for frames without a mask.
        drawn (Set[int]): Frames whose mask is given by polygons.
        blank (Set[int]): Frames whose mask is given, but has no pixel.
        broken (Set[int]): Frames whose mask cannot be read; empty in strict use.
        position (int): Position in the list of annotations; in CocoVID, that of its first entry.
    """

    id: Id
    category_id: Id
    counts: list[bytes | None]
    bboxes: list[Box | None] = field(default_factory=list)
    iscrowd: bool = False
    occlusion: list[str | None] | None = None
    areas: list[float | None] | None = None
    pixels: list[int] = field(default_factory=list)
    drawn: Set[int] = frozenset()
    blank: Set[int] = frozenset()
    broken: Set[int] = frozenset()
    position: int = -1

    def __post_init__(self) -> None:
        self.bboxes = self.bboxes or [None] * len(self.counts)

    def seen(self, frame: int) -> bool:
        """Return whether a pixel of it is annotated in a frame."""
        return self.counts[frame] is not None

    def given(self, frame: int) -> bool:
        """Return whether the file has a mask for a frame, of any kind."""
        return self.seen(frame) or frame in self.blank or frame in self.broken

    def box(self, frame: int, size: tuple[int, int]) -> Box:
        """Return ``(x1, y1, x2, y2)`` of the object in a frame of a size in which it is seen.

        It is the box of the file, or that of the mask if the file has none or one without an area.
        """
        box = self.bboxes[frame]
        if box is not None and box[2] > 0 and box[3] > 0:
            return box[0], box[1], box[0] + box[2], box[1] + box[3]
        counts = self.counts[frame]
        return mask_info(counts, size).box if counts is not None else (0.0, 0.0, 0.0, 0.0)


@dataclass
class AnnotatedVideo:
    """One video.

    Attributes:
        id (int | str): Id in the file.
        height (int): Height in pixels; 0 if not known, which strict readers refuse.
        width (int): Width in pixels, likewise.
        file_names (list[str]): Files of the frames in order, relative to the image folder; empty if
            the file states a length alone.
        source (str): Name of the annotation file, for messages.
        tracks (list[AnnotatedTrack]): Its objects.
        num_frames (int): Stated length, for a file without names.
        position (int): Position in the list of videos.
    """

    id: Id
    height: int
    width: int
    file_names: list[str]
    source: str
    tracks: list[AnnotatedTrack] = field(default_factory=list)
    num_frames: int = 0
    position: int = -1

    @property
    def length(self) -> int:
        """Number of frames."""
        return len(self.file_names) or self.num_frames

    @property
    def size(self) -> tuple[int, int]:
        """Height and width."""
        return self.height, self.width

    def place(self, frame: int | None = None) -> Place:
        """Return the place of the video, or of a frame, for problems."""
        has_name = frame is not None and frame < len(self.file_names)
        return Place(self.source, self.id, frame, self.file_names[frame or 0] if has_name else None)


@dataclass
class AnnotationFile:
    """A whole file; it is not changed after it was read.

    Attributes:
        name (str): Name of the file, for messages.
        videos (list[AnnotatedVideo]): Videos in the order of the file.
        categories (list[tuple[Id, str]]): Ids and names in the order of the file.
        layout (str): ``'youtube_vis'`` or ``'cocovid'``.
        num_annotations (int): Entries of the list of annotations; 0 for official valid and test
            files.
        left_out (Counter): Number of things that the reader left out, by the words that messages
            use for them.
        warnings (list[str]): What is allowed, but may be a mistake.
    """

    name: str
    videos: list[AnnotatedVideo]
    categories: list[tuple[Id, str]]
    layout: str = 'youtube_vis'
    num_annotations: int = 0
    left_out: Counter = field(default_factory=Counter)
    warnings: list[str] = field(default_factory=list)

    def __deepcopy__(self, memo: dict) -> 'AnnotationFile':
        """Return the file itself, so that subsets of a data set share it."""
        return self

    @cached_property
    def num_crowds(self) -> int:
        """Number of tracks that are crowds."""
        return sum(track.iscrowd for video in self.videos for track in video.tracks)

    @property
    def num_objects(self) -> int:
        """Number of tracks, crowds included."""
        return sum(len(video.tracks) for video in self.videos)

    @property
    def num_masks(self) -> int:
        """Number of masks that have a pixel."""
        tracks = [track for video in self.videos for track in video.tracks]
        return sum(counts is not None for track in tracks for counts in track.counts)

    def summary(self) -> str:
        """Return what was kept and left out, in one line."""
        objects = self.num_objects - self.num_crowds
        kept = counted(dict(videos=len(self.videos), objects=objects, masks=self.num_masks))
        text = f'{self.name}: kept {kept}'
        if self.num_crowds:
            text += f', {self.num_crowds} crowds (iscrowd = 1), which training and metrics ignore'
        return text + (f'; left out {counted(self.left_out)}' if self.left_out else '')
