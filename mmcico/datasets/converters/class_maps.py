"""Classes of a source -> category ids of the file that is written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mmcico.utils.json_file import load_json

from ..categories import VERSIONS, normalised
from ..fields import id_key
from ..video_annotations import Id

Renames = dict[str, str | None]

#: classes of COCO that a data set has under another name; from what is
#: commonly done to pre-train on COCO
COCO_RENAMES: dict[str, Renames] = {
    '2019': dict(bicycle='motorbike', motorcycle='motorbike', car='sedan', skis='snowboard'),
    '2021': dict(
        bicycle='motorbike', motorcycle='motorbike', frisbee='flying_disc', skis='snowboard'
    ),
    'ovis': dict(car='vehicle', bus='vehicle', truck='vehicle'),
}
COCO_RENAMES['2022'] = COCO_RENAMES['2021']


def target_names(target: str | None) -> tuple[str, ...] | None:
    """Classes to convert to, in the order of their ids from 1.

    Args:
        target (str, optional): ``'2019'``, ``'2021'``, ``'2022'``,
            ``'ovis'``, or a text file with a name a line; None to keep the
            source's classes.

    Raises:
        ValueError: If it is neither, or the file names nothing or a class
            twice.
    """
    if target is None:
        return None
    if target.lower() in VERSIONS:
        return VERSIONS[target.lower()]
    path = Path(target)
    if not path.is_file():
        raise ValueError(
            f'target {target!r} is none of {sorted(VERSIONS)} and no file with a class name a line'
        )
    lines = path.read_text(encoding='utf-8').splitlines()
    names = tuple(line.strip() for line in lines if line.strip())
    plain = [normalised(name) for name in names]
    twice = sorted({name for name in plain if plain.count(name) > 1})
    if twice or not names:
        raise ValueError(
            f'{path}: classes that are there twice: {twice}' if twice else f'{path} names no class'
        )
    return names


def read_renames(texts: Sequence[str], target: str | None = None) -> Renames:
    """Class maps of the command line as one.

    Args:
        texts (Sequence[str]): Each ``old=new``, ``old=`` to leave a class
            out, ``coco`` for the usual renames of COCO's classes, or a JSON
            file ``{"old": "new", "old": null}``. Later ones win.
        target (str, optional): As in :func:`target_names`.

    Returns:
        dict: Normalised old name -> new name, None to leave it out.

    Raises:
        ValueError: If one is none of these.
    """
    renames: Renames = {}
    for text in texts:
        if text == 'coco':
            known = COCO_RENAMES.get(str(target).lower())
            if known is None:
                raise ValueError(
                    f"class map 'coco' is for the targets {sorted(COCO_RENAMES)}, not {target!r}"
                )
            entries: Mapping[str, Any] = known
        elif '=' in text:
            old, new = text.split('=', 1)
            entries = {old: new.strip() or None}
        elif Path(text).is_file():
            entries = load_json(text)
        else:
            raise ValueError(
                f'class map {text!r} is not old=new, \'coco\' or a JSON file {{"old": "new"}}'
            )
        if not isinstance(entries, dict) or not all(
            new is None or isinstance(new, str) for new in entries.values()
        ):
            raise ValueError(
                f'class map {text}: expected an object of names {{"old": "new", "left out": null}}'
            )
        renames.update({normalised(k): new or None for k, new in entries.items()})
    return renames


def _arrow(old: str, new: str) -> str:
    """A name in messages, with what it was renamed to."""
    return old if new == old else f'{old} -> {new}'


@dataclass
class ClassTable:
    """Category ids by the names of a source, which may turn up late.

    Attributes:
        target (Sequence[str], optional): Classes of the file to write, ids
            from 1; None for the classes of the source.
        renames (dict): Normalised name -> new name, None to leave it out.
        drop_unmatched (bool): Leave out what the target does not have.
        left_out (dict): Name -> objects left out, counted by the caller.
        categories (list[dict]): Entries of ``categories`` so far.
    """

    target: Sequence[str] | None = None
    renames: Renames = field(default_factory=dict)
    drop_unmatched: bool = False
    left_out: dict[str, int] = field(default_factory=dict)
    categories: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._ids: dict[str, Id] = {}
        self._used: set = set()
        for number, name in enumerate(self.target or (), start=1):
            self._add(name, number)

    def _add(self, name: str, key: Id, supercategory: str = 'object') -> Id:
        self._ids.setdefault(normalised(name), key)
        self.categories.append(dict(id=key, name=name, supercategory=supercategory))
        return key

    def new_name(self, name: str) -> str | None:
        """Name after renaming, None if the class is left out."""
        self._used.add(normalised(name))
        return self.renames.get(normalised(name), name)

    def unused_renames(self) -> list[str]:
        """Names of the class map that the source did not have."""
        return sorted(set(self.renames) - self._used)

    def id_of(self, name: str, where: str) -> Id | None:
        """Id of a class that is known by its name alone.

        Without a target, classes are numbered from 1 as they turn up.

        Args:
            name (str): As the source has it.
            where (str): File, frame and object, for messages.

        Returns:
            int | None: None if objects of it are left out.

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

    def match(self, categories: Sequence[dict], where: str) -> dict[str, Id | None]:
        """Ids for all categories of a file.

        Without a target, categories keep their ids; those that are renamed
        take the id of the class they become, if the file has it.

        Args:
            categories (Sequence[dict]): Entries of ``categories``.
            where (str): The file, for messages.

        Returns:
            dict: ``id_key`` of the source's id -> new id, None to leave out.

        Raises:
            ValueError: If the target lacks classes, naming them all.
        """
        if self.target is None:
            self._keep(categories)
        found: dict[str, Id | None] = {}
        missing = []
        for entry in categories:
            name, key = str(entry['name']), entry['id']
            new = self.new_name(name)
            if self.target is None and new == name:
                found[id_key(key)] = key
                continue
            found[id_key(key)] = new and self._ids.get(normalised(new))
            if new and found[id_key(key)] is None:
                missing.append(_arrow(name, new))
        if missing and not self.drop_unmatched:
            raise self._unmatched(missing, where)
        return found

    def _keep(self, categories: Sequence[dict]) -> None:
        """List a file's own categories after renaming, each class once."""
        renamed = []
        for entry in categories:
            new = self.new_name(str(entry['name']))
            above = str(entry.get('supercategory') or 'object')
            if new == str(entry['name']):
                self._add(new, entry['id'], above)
            elif new is not None:
                renamed.append((new, entry['id'], above))
        for new, key, above in renamed:
            if normalised(new) not in self._ids:
                self._add(new, key, above)

    def _unmatched(self, names: Sequence[str], where: str) -> ValueError:
        known = [entry['name'] for entry in self.categories]
        return ValueError(
            f'{where}: the target has no class {list(names)}; it has {known}. '
            'Give --class-map old=new (old= leaves a class out), or '
            '--drop-unmatched'
        )

    def count_left_out(self, name: str) -> None:
        """Note an object of a class that is left out."""
        self.left_out[name] = self.left_out.get(name, 0) + 1
