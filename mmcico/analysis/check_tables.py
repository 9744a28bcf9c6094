"""Checks of the lists of a file and of its classes."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from mmcico.datasets.categories import normalised
from mmcico.datasets.fields import id_key

from .defects import Report
from .raw_records import entries, index_ids
from .values import is_id, short


def check_tables(data: Any, needed: Sequence[str], report: Report) -> dict[str, list]:
    """The lists of a file; those that are missing come back empty.

    Args:
        data (Any): The parsed JSON.
        needed (Sequence[str]): Names of lists that must be there.
        report (Report): Gets what is wrong.

    Returns:
        dict[str, list]: ``needed`` and ``annotations``, objects only.
    """
    if not isinstance(data, dict):
        hint = '; is it a results file?' if isinstance(data, list) else ''
        report.error(
            'layout',
            f'the file is a {type(data).__name__}, not an object with {", ".join(needed)}{hint}',
        )
        return {key: [] for key in (*needed, 'annotations')}
    tables = {}
    for key in (*needed, 'annotations'):
        value = data.get(key)
        if key == 'annotations' and value is None:
            value = []
        if not isinstance(value, list):
            what = 'is not a list' if key in data else 'is missing'
            report.error('layout', what, field=key, value=value)
            value = []
        elif not value and key in needed:
            report.error('layout', 'is empty', field=key)
        tables[key] = entries({key: value}, key, report)
    if not tables['annotations']:
        report.warn(
            'empty',
            'the file has no annotations, as official valid and '
            'test files; it cannot be learned from or measured against',
            field='annotations',
        )
    return tables


def check_categories(records: list[dict], report: Report) -> dict[str, Any]:
    """Categories by id.

    Args:
        records (list[dict]): ``categories``.
        report (Report): Gets what is wrong.

    Returns:
        dict[str, Any]: ``id_key`` of the id -> id.
    """
    index = index_ids(records, 'categories', report, '')
    first: dict[str, int] = {}
    for number, record in enumerate(records):
        name, where = record.get('name'), f'categories[{number}].name'
        if not isinstance(name, str) or not name.strip():
            report.error('category', 'is no name', field=where, value=name)
        elif normalised(name) in first:
            report.error(
                'category',
                f'is already the name of categories[{first[normalised(name)]}]',
                field=where,
                value=name,
            )
        else:
            first[normalised(name)] = number
    return {key: records[number]['id'] for key, number in index.items()}


def check_category_use(known: dict[str, Any], annotations: list[dict], report: Report) -> None:
    """Warn of classes without an object."""
    used = Counter(
        id_key(record['category_id']) for record in annotations if is_id(record.get('category_id'))
    )
    unused = [known[key] for key in known if not used[key]]
    if unused and annotations:
        report.warn(
            'category',
            f'{len(unused)} of {len(known)} categories have no object',
            field='categories',
            value=f'ids {short(unused)}',
        )
