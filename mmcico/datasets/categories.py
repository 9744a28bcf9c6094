"""Classes of the official data sets, and how files and configs meet."""

from collections.abc import Sequence

from .fields import id_key
from .video_annotations import AnnotationFile, Id

YOUTUBE_VIS_2019 = (
    'person',
    'giant_panda',
    'lizard',
    'parrot',
    'skateboard',
    'sedan',
    'ape',
    'dog',
    'snake',
    'monkey',
    'hand',
    'rabbit',
    'duck',
    'cat',
    'cow',
    'fish',
    'train',
    'horse',
    'turtle',
    'bear',
    'motorbike',
    'giraffe',
    'leopard',
    'fox',
    'deer',
    'owl',
    'surfboard',
    'airplane',
    'truck',
    'zebra',
    'tiger',
    'elephant',
    'snowboard',
    'boat',
    'shark',
    'mouse',
    'frog',
    'eagle',
    'earless_seal',
    'tennis_racket',
)

YOUTUBE_VIS_2021 = (
    'airplane',
    'bear',
    'bird',
    'boat',
    'car',
    'cat',
    'cow',
    'deer',
    'dog',
    'duck',
    'earless_seal',
    'elephant',
    'fish',
    'flying_disc',
    'fox',
    'frog',
    'giant_panda',
    'giraffe',
    'horse',
    'leopard',
    'lizard',
    'monkey',
    'motorbike',
    'mouse',
    'parrot',
    'person',
    'rabbit',
    'shark',
    'skateboard',
    'snake',
    'snowboard',
    'squirrel',
    'surfboard',
    'tennis_racket',
    'tiger',
    'train',
    'truck',
    'turtle',
    'whale',
    'zebra',
)

OVIS = (
    'Person',
    'Bird',
    'Cat',
    'Dog',
    'Horse',
    'Sheep',
    'Cow',
    'Elephant',
    'Bear',
    'Zebra',
    'Giraffe',
    'Poultry',
    'Giant_panda',
    'Lizard',
    'Parrot',
    'Monkey',
    'Rabbit',
    'Tiger',
    'Fish',
    'Turtle',
    'Bicycle',
    'Motorcycle',
    'Airplane',
    'Boat',
    'Vehical',
)

VERSIONS = {
    '2019': YOUTUBE_VIS_2019,
    '2021': YOUTUBE_VIS_2021,
    '2022': YOUTUBE_VIS_2021,
    'ovis': OVIS,
}

#: other spellings in use; OVIS' own file writes "Vehical"
ALIASES = {'vehical': 'vehicle'}


def normalised(name: str) -> str:
    """Name by which classes are compared.

    >>> normalised('Giant panda'), normalised('Vehical')
    ('giant_panda', 'vehicle')
    """
    name = '_'.join(name.lower().replace('-', ' ').replace('_', ' ').split())
    return ALIASES.get(name, name)


def expected_names(version: str | None) -> tuple[str, ...] | None:
    """Classes of an official data set, None for any other.

    Raises:
        ValueError: If the version is not known.
    """
    if version is None:
        return None
    if str(version) not in VERSIONS:
        raise ValueError(
            f'dataset_version {version!r} is none of '
            f'{sorted(VERSIONS)}; leave it out for other data'
        )
    return VERSIONS[str(version)]


def category_labels(
    file: AnnotationFile, classes: Sequence[str] | None, expected: Sequence[str] | None
) -> tuple[dict[Id, int], tuple[str, ...], tuple[Id, ...]]:
    """Labels of a file's categories.

    Args:
        file (AnnotationFile): The file.
        classes (Sequence[str], optional): Names in use, in the order of the
            labels; all, in the order of the file's ids, when left out.
        expected (Sequence[str], optional): Names that the file must have.

    Returns:
        tuple[dict, tuple[str], tuple[Id]]: Category id -> label, and names
        and category ids by label.

    Raises:
        ValueError: If a class is not in the file, naming what is.
    """
    ordered = sorted(file.categories, key=lambda c: id_order(c[0]))
    by_name = {normalised(name): key for key, name in ordered}
    missing = [name for name in (expected or ()) if normalised(name) not in by_name]
    if missing:
        raise ValueError(
            f'{file.name} has no class {missing}; it has '
            f'{[name for _, name in ordered]}. Set dataset_version to the '
            'version of the file, or leave it out'
        )
    if classes is None:
        ids, names = zip(*ordered)
    else:
        ids, names = chosen_ids(file, classes, by_name), tuple(classes)
    return {key: label for label, key in enumerate(ids)}, names, tuple(ids)


def id_order(key: Id) -> tuple[bool, float, str]:
    """Ids sort as numbers where they are such, also as strings."""
    text = id_key(key)
    number = text.lstrip('-').isdigit()
    return not number, float(text) if number else 0.0, text


def chosen_ids(file: AnnotationFile, classes: Sequence[str], by_name: dict[str, Id]) -> list[Id]:
    """Ids of the classes in use.

    Raises:
        ValueError: If a name is not in the file, or there twice.
    """
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
