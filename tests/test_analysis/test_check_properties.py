"""The check never fails itself, and finds whatever the reader refuses."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st
from small_sets import small_cocovid, small_set, spoilt

from mmcico.analysis.check_file import check_data
from mmcico.formats.read import read_annotations

JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 60),
    st.just(10**400),
    st.floats(),
    st.text(max_size=3),
    st.just(...),
    st.just([]),
    st.just({}),
    st.lists(st.integers(-2, 9), max_size=5),
    st.lists(st.lists(st.floats(-9, 9), max_size=7), max_size=2),
    st.builds(
        lambda size, counts: dict(size=size, counts=counts),
        st.sampled_from([[6, 8], [8, 6], [6], None, 'x', [-1, 2]]),
        st.one_of(st.text(max_size=4), st.none(), st.lists(st.integers(-1, 48), max_size=4)),
    ),
)


def all_paths(value, path=()):
    """Every place in parsed JSON that a value can be put at."""
    if path:
        yield path
    inner = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for key, each in inner:
        yield from all_paths(each, (*path, key))


def spoil(data, number, junk):
    paths = list(all_paths(data))
    return spoilt(data, paths[number % len(paths)], junk)


def accepts(data):
    try:
        read_annotations(data, 'f.json')
    except ValueError:
        return False
    return True


@settings(deadline=None, max_examples=400, derandomize=True)
@given(
    st.sampled_from([small_set, small_cocovid]),
    st.lists(st.tuples(st.integers(0, 10**6), JUNK), min_size=1, max_size=3),
)
def test_any_junk_is_reported_and_none_raises(make, changes):
    data = make()
    for number, junk in changes:
        data = spoil(data, number, junk)
    report = check_data(data, 'f.json')
    json.dumps(report.as_dict(), allow_nan=False)
    assert all(d.line() for d in report.found)
    assert report.summary_text()
    if not report.num_errors:
        assert accepts(data)


@settings(deadline=None, max_examples=100)
@given(JUNK)
def test_any_document(data):
    report = check_data(None if data is ... else data, 'f.json')
    assert report.num_errors
