"""Mapping of a source's classes to the categories of the file that is written."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from mmcico.formats.annotations import AnnotatedTrack, AnnotatedVideo
from mmcico.formats.categories import VERSIONS, normalised, read_categories
from mmcico.formats.fields import Id, id_key
from mmcico.formats.problems import Problems
from mmcico.formats.read import load_json
from mmcico.utils.files import text_lines

Renames = dict[str, str | None]

#: classes of COCO that a data set has under another name, as is usual for training on COCO first
COCO_RENAMES: dict[str, Renames] = {
    '2019': dict(bicycle='motorbike', motorcycle='motorbike', car='sedan', skis='snowboard'),
    '2021': dict(
        bicycle='motorbike', motorcycle='motorbike', frisbee='flying_disc', skis='snowboard'
    ),
    'ovis': dict(car='vehicle', bus='vehicle', truck='vehicle'),
}
COCO_RENAMES['2022'] = COCO_RENAMES['2021']


def target_classes(target: str | None) -> dict[str, Id] | None:
    """Return the names of the categories to convert to, in order, and their ids.

    The target is ``'2019'``, ``'2021'``, ``'2022'``, ``'ovis'``, a text file with a name on each
    line, or an annotation file (JSON) whose categories are taken. None keeps the classes of the
    source.

    Raises:
        ValueError: If the target is neither, or the file names no class or a class twice.
    """
    if target is None:
        return None
    if target.lower() in VERSIONS:
        return {name: key for key, name in enumerate(VERSIONS[target.lower()], start=1)}
    path = Path(target)
    if not path.is_file():
        raise ValueError(
            f'target {target!r} is none of {sorted(VERSIONS)}, no text file with a class name on '
            'each line, and no annotation file'
        )
    if path.suffix.lower() == '.json':
        data = load_json(path)
        records = data.get('categories') if isinstance(data, dict) else None
        if not isinstance(records, list) or not all(isinstance(each, dict) for each in records):
            raise ValueError(f"{path} has no list 'categories'; is it an annotation file?")
        classes = read_categories(records, Problems(str(path)))[0]
    else:
        classes = list(enumerate(filter(None, text_lines(path)), start=1))
    count = Counter(normalised(name) for _, name in classes)
    twice = sorted(name for name, number in count.items() if number > 1)
    if twice or not classes:
        raise ValueError(
            f'{path} names classes twice: {twice}' if twice else f'{path} names no class'
        )
    return {name: key for key, name in classes}


def read_renames(texts: Sequence[str], target: str | None = None) -> Renames:
    """Return the class maps of the command line as one.

    Args:
        texts (Sequence[str]): Each is ``old=new``, ``old=`` to leave a class out, ``coco`` for
            the usual renames of COCO's classes, or a JSON file ``{"old": "new", "old": null}``.
            Later ones override earlier ones.
        target (str, optional): As in :func:`target_classes`.

    Returns:
        dict: Normalised old name -> new name, None to leave the class out.

    Raises:
        ValueError: If a text is none of these.
    """
    renames: Renames = {}
    for text in texts:
        entries = _read_rename(text, target)
        if not isinstance(entries, dict) or not all(
            new is None or isinstance(new, str) for new in entries.values()
        ):
            raise ValueError(
                f'class map {text}: expected an object of names {{"old": "new", "left out": null}}'
            )
        renames.update({normalised(k): new or None for k, new in entries.items()})
    return renames


def _read_rename(text: str, target: str | None) -> Any:
    if text == 'coco':
        known = COCO_RENAMES.get(str(target).lower())
        if known is None:
            raise ValueError(
                f"class map 'coco' is for the targets {sorted(COCO_RENAMES)}, not {target!r}"
            )
        return known
    if '=' in text:
        old, new = text.split('=', 1)
        return {old: new.strip() or None}
    if Path(text).is_file():
        return load_json(text)
    raise ValueError(
        f'class map {text!r} is neither old=new, \'coco\' nor a JSON file {{"old": "new"}}'
    )


def _arrow(old: str, new: str) -> str:
    """Return a name for messages, with what it was renamed to."""
    return old if new == old else f'{old} -> {new}'


@dataclass
class ClassTable:
    """Category ids by the names of a source.

    Attributes:
        target (Mapping, optional): Names and ids of the file to write; None for the classes of
            the source.
        renames (Mapping): Normalised name -> new name, None to leave the class out.
        drop_unmatched (bool): Leave out classes that the target does not have.
        left_out (Counter): Name -> number of objects left out.
        categories (list[dict]): Entries of ``categories`` so far.
    """

    target: Mapping[str, Id] | None = None
    renames: Mapping[str, str | None] = field(default_factory=dict)
    drop_unmatched: bool = False
    left_out: Counter[str] = field(default_factory=Counter)
    categories: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._ids: dict[str, Id] = {}
        self._used: set[str] = set()
        #: name and new id of the categories of a file by ``id_key``
        self._matches: dict[str, tuple[str, Id | None]] = {}
        for name, key in (self.target or {}).items():
            self._add(name, key)

    def _add(self, name: str, key: Id, supercategory: str = 'object') -> Id:
        self._ids.setdefault(normalised(name), key)
        self.categories.append(dict(id=key, name=name, supercategory=supercategory))
        return key

    def new_name(self, name: str) -> str | None:
        """Return the name after renaming, None if the class is left out."""
        self._used.add(normalised(name))
        return self.renames.get(normalised(name), name)

    def unused_renames(self) -> list[str]:
        """Return the names of the class map that the source does not have."""
        return sorted(set(self.renames) - self._used)

    def number(self, names: Iterable[str]) -> None:
        """Number the classes of a source from 1 in alphabetical order; no effect with a target.

        The order does not depend on the objects that come first, so that two parts of a data set
        with the same classes get the same ids.
        """
        new = {self.new_name(name) for name in names} - {None}
        for name in sorted(new, key=lambda each: (normalised(str(each)), str(each))):
            if self.target is None and normalised(str(name)) not in self._ids:
                self._add(str(name), len(self.categories) + 1)

    def id_of(self, name: str, where: str) -> Id | None:
        """Return the id of a class of the source, None if its objects are left out.

        ``where`` names file, frame and object in messages.

        Raises:
            ValueError: If the target has no such class.
        """
        new = self.new_name(name)
        if new is None:
            return None
        if normalised(new) in self._ids:
            return self._ids[normalised(new)]
        if self.target is None:
            return self._add(new, len(self.categories) + 1)
        if self.drop_unmatched:
            return None
        raise self._unmatched([_arrow(name, new)], where)

    def add_object(
        self,
        video: AnnotatedVideo,
        name: str,
        category: Id | None,
        counts: list[bytes | None],
        number: int = 0,
    ) -> None:
        """Add an object of a class of the source to its video; count it if the class is left out.

        ``category`` is the result of :meth:`id_of`.
        """
        if category is None:
            self.left_out[name] += 1
        else:
            video.tracks.append(AnnotatedTrack(number, category, counts))

    def match(self, categories: Sequence[Mapping], where: str) -> None:
        """Learn the categories of a file, for :meth:`kept`.

        Without a target, categories keep their ids; those that are renamed take the id of the class
        they become, if the file has it.

        Raises:
            ValueError: If the target lacks classes, naming them all.
        """
        entries = [(each, name := str(each['name']), self.new_name(name)) for each in categories]
        if self.target is None:  # each class once; those that keep their names come first
            for entry, name, new in sorted(entries, key=lambda each: each[1] != each[2]):
                if new == name or (new is not None and normalised(new) not in self._ids):
                    self._add(new, entry['id'], str(entry.get('supercategory') or 'object'))
        missing = []
        for entry, name, new in entries:
            found = self._ids.get(normalised(new)) if new else None
            if self.target is None and new == name:
                found = entry['id']
            elif new and found is None:
                missing.append(_arrow(name, new))
            self._matches[id_key(entry['id'])] = name, found
        if missing and not self.drop_unmatched:
            raise self._unmatched(missing, where)

    def kept(self, video: AnnotatedVideo) -> Iterator[AnnotatedTrack]:
        """Yield the objects of a video with their new categories; count those left out."""
        for track in video.tracks:
            name, new = self._matches[id_key(track.category_id)]
            if new is None:
                self.left_out[name] += 1
            else:
                yield replace(track, category_id=new)

    def _unmatched(self, names: Sequence[str], where: str) -> ValueError:
        known = [entry['name'] for entry in self.categories]
        return ValueError(
            f'{where}: the target has no class {list(names)}; it has {known}. Give '
            '--class-map old=new (old= leaves a class out), or --drop-unmatched'
        )
