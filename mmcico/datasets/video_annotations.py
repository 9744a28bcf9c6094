"""Annotated videos, whatever file they come from."""

from dataclasses import dataclass, field

Id = int | str


@dataclass
class AnnotatedTrack:
    """One object of a video; lists have one entry a frame.

    Attributes:
        id (int | str): Its id in the file.
        category_id (int | str): Its class, the data set's own id.
        counts (list[bytes | None]): Compressed RLE counts of its mask; None
            where nothing of it is seen.
        bboxes (list[tuple | None]): ``(x, y, w, h)`` in pixels; None where
            the file has no box of its own.
        iscrowd (bool): A region of uncounted objects.
        occlusion (list[str | None], optional): OVIS' words, where the file
            has them.
    """

    id: Id
    category_id: Id
    counts: list[bytes | None]
    bboxes: list[tuple[float, ...] | None]
    iscrowd: bool = False
    occlusion: list[str | None] | None = None

    def seen(self, frame: int) -> bool:
        """Whether a pixel of it is annotated in a frame."""
        return self.counts[frame] is not None


@dataclass
class AnnotatedVideo:
    """One video.

    Attributes:
        id (int | str): Its id in the file.
        height (int): Pixels.
        width (int): Pixels.
        file_names (list[str]): Frames in order, below the image folder.
        source (str): The annotation file, for messages.
        tracks (list[AnnotatedTrack]): Its objects.
    """

    id: Id
    height: int
    width: int
    file_names: list[str]
    source: str
    tracks: list[AnnotatedTrack] = field(default_factory=list)

    def where(self, frame: int) -> str:
        """Name of a frame in messages."""
        return f'{self.source}: video {self.id!r}, frame {frame} ({self.file_names[frame]})'


@dataclass
class AnnotationFile:
    """A whole file; not changed after it was read.

    Attributes:
        name (str): Of the file, for messages.
        videos (list[AnnotatedVideo]): In the order of the file.
        categories (list[tuple[Id, str]]): Ids and names in the order of the
            file.
    """

    name: str
    videos: list[AnnotatedVideo]
    categories: list[tuple[Id, str]]

    def __deepcopy__(self, memo: dict) -> 'AnnotationFile':
        """Subsets of a data set share what was read."""
        return self
