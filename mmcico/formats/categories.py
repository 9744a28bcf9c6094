"""Classes of files and of the official data sets, and how they are compared."""

from collections.abc import Sequence

from .annotations import AnnotationFile
from .fields import Id, as_id, id_key, id_order, index_ids, missing
from .problems import Problems


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


YOUTUBE_VIS_2019 = _words("""
    person giant_panda lizard parrot skateboard sedan ape dog snake monkey hand rabbit duck cat
    cow fish train horse turtle bear motorbike giraffe leopard fox deer owl surfboard airplane
    truck zebra tiger elephant snowboard boat shark mouse frog eagle earless_seal tennis_racket
""")

YOUTUBE_VIS_2021 = _words("""
    airplane bear bird boat car cat cow deer dog duck earless_seal elephant fish flying_disc fox
    frog giant_panda giraffe horse leopard lizard monkey motorbike mouse parrot person rabbit
    shark skateboard snake snowboard squirrel surfboard tennis_racket tiger train truck turtle
    whale zebra
""")

OVIS = _words("""
    Person Bird Cat Dog Horse Sheep Cow Elephant Bear Zebra Giraffe Poultry Giant_panda Lizard
    Parrot Monkey Rabbit Tiger Fish Turtle Bicycle Motorcycle Airplane Boat Vehical
""")

VERSIONS = {
    '2019': YOUTUBE_VIS_2019,
    '2021': YOUTUBE_VIS_2021,
    '2022': YOUTUBE_VIS_2021,
    'ovis': OVIS,
}

#: other spellings in use; OVIS' own file writes "Vehical"
ALIASES = {'vehical': 'vehicle'}


def normalised(name: str) -> str:
    """Return the name by which classes are compared.

    >>> normalised('Giant panda'), normalised('Vehical')
    ('giant_panda', 'vehicle')
    """
    name = '_'.join(name.lower().replace('-', ' ').replace('_', ' ').split())
    return ALIASES.get(name, name)


def expected_names(version: str | None) -> tuple[str, ...] | None:
    """Return the classes of an official data set, None for any other.

    Raises:
        ValueError: If the version is not known.
    """
    if version is None:
        return None
    if str(version) not in VERSIONS:
        raise ValueError(
            f'dataset_version {version!r} is none of {sorted(VERSIONS)}; leave it out for other '
            'data'
        )
    return VERSIONS[str(version)]


def read_categories(
    records: Sequence[dict], problems: Problems
) -> tuple[list[tuple[Id, str]], dict[str, Id]]:
    """Read the list ``categories`` of a file.

    Args:
        records (Sequence[dict]): The list.
        problems (Problems): Gets what is wrong.

    Returns:
        tuple[list, dict]: (id, name) in the order of the file, and ``id_key`` of an id -> id.
    """
    index = index_ids(records, 'categories', problems)
    first: dict[str, int] = {}
    for number, record in enumerate(records):
        name = record.get('name')
        text = str(as_id(name)).strip()
        place = problems.at(field=f'categories[{number}].name')
        if as_id(name) is None or not text:
            what = missing(record, 'name') if name is None else 'is no name'
            problems.error('category', f'{what}; a text is needed', place, name)
        elif first.setdefault(normalised(text), number) != number:
            message = f'is already the name of categories[{first[normalised(text)]}]'
            problems.defect('category', message, place, name)
    pairs = []
    for number in index.values():
        key = as_id(records[number].get('id'))
        pairs.append(('' if key is None else key, str(as_id(records[number].get('name')))))
    return pairs, {id_key(key): key for key, _ in pairs}


def category_labels(
    file: AnnotationFile, classes: Sequence[str] | None, expected: Sequence[str] | None
) -> tuple[dict[Id, int], tuple[str, ...], tuple[Id, ...]]:
    """Return the labels of a file's categories.

    Args:
        file (AnnotationFile): The file.
        classes (Sequence[str], optional): Names in use, in the order of the labels; all, in the
            order of the file's ids, when left out.
        expected (Sequence[str], optional): Names that the file must have.

    Returns:
        tuple[dict, tuple[str], tuple[Id]]: Category id -> label, and names and category ids by
        label.

    Raises:
        ValueError: If a class is not in the file, or ``classes`` has one twice.
    """
    ordered = sorted(file.categories, key=lambda c: id_order(c[0]))
    by_name = {normalised(name): key for key, name in ordered}
    absent = [name for name in (expected or ()) if normalised(name) not in by_name]
    if absent:
        raise ValueError(
            f'{file.name} has no class {absent}; it has {[name for _, name in ordered]}. Set '
            'dataset_version to the version of the file, or leave it out'
        )
    if classes is None:
        ids = [key for key, _ in ordered]
        names = tuple(name for _, name in ordered)
    else:
        ids, names = _chosen_ids(file, classes, by_name), tuple(classes)
    return {key: label for label, key in enumerate(ids)}, names, tuple(ids)


def _chosen_ids(file: AnnotationFile, classes: Sequence[str], by_name: dict[str, Id]) -> list[Id]:
    """Return the ids of the classes in use."""
    if isinstance(classes, str):
        raise ValueError(f'metainfo.classes is {classes!r}, not a list of class names')
    unknown = [name for name in classes if normalised(name) not in by_name]
    if unknown or not classes:
        raise ValueError(
            f'{file.name} has no class {unknown} of metainfo.classes; it has '
            f'{[name for _, name in file.categories]}'
        )
    ids = [by_name[normalised(name)] for name in classes]
    twice = [name for name, key in zip(classes, ids) if ids.count(key) > 1]
    if twice:
        raise ValueError(f'metainfo.classes names a class twice: {twice}')
    return ids
