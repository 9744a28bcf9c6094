"""Whatever a file holds: a value, or a ValueError of one line."""

import copy
import json
import os
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_sets import as_results, small_cocovid, small_set, spoilt

from mmcico.formats import read
from mmcico.formats.problems import Problems
from mmcico.formats.read import load_json, parse_json, read_annotations
from mmcico.formats.results import read_results
from mmcico.formats.write import cocovid_data, write_json, write_results, youtube_vis_data

JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 60),
    st.sampled_from([2**31, 2**63, 2**64, 10**400, -(2**63), 1e308, 2.0**60]),
    st.floats(),
    st.text(max_size=4),
    st.sampled_from([..., [], {}, [[]], [None], {'a': []}, '\ud800', 'a\nb', '0', '-1', '¹']),
    st.lists(st.integers(-2, 9), max_size=5),
    st.lists(st.lists(st.floats(-9, 9), max_size=7), max_size=2),
    st.builds(
        lambda size, counts: dict(size=size, counts=counts),
        st.sampled_from([[6, 8], [6.0, 8], [8, 6], [6], None, 'x', [-1, 2]]),
        st.one_of(
            st.text(st.characters(max_codepoint=127), max_size=9),
            st.text('0123abNOPo`_', max_size=9),
            st.lists(st.integers(-1, 48) | st.sampled_from([2**63, 2**64, 1.0]), max_size=4),
            st.none(),
        ),
    ),
)


def paths(value, path=()):
    if path:
        yield path
    inner = ()
    if isinstance(value, (dict, list)):
        inner = value.items() if isinstance(value, dict) else enumerate(value)
    for key, each in inner:
        yield from paths(each, (*path, key))


def spoil(data, changes):
    data = copy.deepcopy(data)
    for number, junk in changes:
        places = list(paths(data))
        if places:
            data = spoilt(data, places[number % len(places)], junk)
    return data


CHANGES = st.lists(st.tuples(st.integers(0, 10**6), JUNK), min_size=1, max_size=3)


def verdict(read):
    """Strict and collecting use agree; messages have one line."""
    problems = Problems('f.json', collect=True)
    read(problems)
    assert all('\n' not in each.line() for each in problems.found)
    json.dumps(problems.as_dict(), allow_nan=False)
    assert problems.summary_text()
    try:
        value = read(None)
    except ValueError as error:
        assert str(error).startswith('f.json') and str(error).isprintable()
        assert problems.is_refused
        return None
    assert not problems.is_refused
    return value


@settings(deadline=None, max_examples=300, derandomize=True)
@given(st.sampled_from([small_set(), small_cocovid()]), CHANGES)
def test_annotations(data, changes):
    data = spoil(data, changes)
    file = verdict(lambda problems: read_annotations(data, 'f.json', problems=problems))
    if file is not None:
        assert file.summary()
        for convert in (youtube_vis_data, cocovid_data):
            again = read_annotations(convert(file), 'g.json')
            assert len(again.videos) == len(file.videos)


@settings(deadline=None, max_examples=200, derandomize=True)
@given(CHANGES)
def test_results(changes):
    truth = read_annotations(small_set(), 'f.json')
    results = spoil(as_results(small_set()['annotations'], 0.5), changes)
    verdict(lambda problems: read_results(results, truth, 'f.json', problems=problems))


@settings(deadline=None, max_examples=100, derandomize=True)
@given(
    st.binary(max_size=30)
    | JUNK.filter(lambda each: each is not ...).map(lambda j: repr(j).encode())
)
def test_any_bytes(data):
    try:
        parse_json(data, 'f.json')
    except ValueError as error:
        assert 'f.json' in str(error) and '\n' not in str(error)


@pytest.mark.parametrize(
    'text, message',
    [
        (b'[' * 100_000, 'nested too deeply'),
        (b'[' * 100_000 + b']' * 100_000, 'nested too deeply'),
        (b'{"videos": ' * 5000, 'nested too deeply'),
        (b'[' + b'9' * 5000 + b']', 'thousands of digits'),
        (b'', 'not complete JSON'),
        (b'\xff\xfe', 'byte 0 is no UTF-8 text; it is UTF-16 text; save it as UTF-8'),
        ('[]'.encode('utf-16-be').join([b'\xfe\xff', b'']), 'it is UTF-16 text'),
        (b'\x1f\x8b\x08', 'byte 1 is no UTF-8 text; it is packed by gzip; unpack it'),
        (b'\xc3\x28', 'byte 0 is no UTF-8 text$'),
        (b'{"videos": [', 'not complete JSON'),
    ],
)
def test_hostile_json(tmp_path, text, message):
    path = tmp_path / 'bad.json'
    path.write_bytes(text)
    for use in (load_json, read_annotations):
        with pytest.raises(ValueError, match=message) as error:
            use(path)
        assert 'bad.json' in str(error.value)


def test_json_whose_objects_would_fill_the_memory_is_refused(monkeypatch):
    monkeypatch.setenv('MMCICO_JSON_MEMORY', '100000')
    for text in (b'[' + b'[],' * 999 + b'[]]', b'[' + b'0,' * 2500 + b'0]', b'[' * 1100):
        with pytest.raises(ValueError, match='f.json needs up to 1[0-9]{2},[0-9]{3} bytes'):
            parse_json(text, 'f.json')
    # brackets in a text are characters
    assert parse_json(b'["' + b'[\\"' * 2000 + b'"]', 'f.json') == ['["' * 2000]
    monkeypatch.setenv('MMCICO_JSON_MEMORY', '200000')
    assert len(parse_json(b'[' + b'[],' * 999 + b'[]]', 'f.json')) == 1000


def test_large_files_are_refused_before_they_are_read(tmp_path, monkeypatch):
    monkeypatch.setattr(read, '_memory_limit', lambda: 2**30)
    path = tmp_path / 'large.json'
    with path.open('wb') as file:
        file.truncate(2**30 + 1)
    with pytest.raises(ValueError, match='large.json needs up to 1,073,741,825 bytes of memory'):
        load_json(path)


def test_published_files_are_not_too_large(monkeypatch):
    """YouTube-VIS 2019 has 131,000 masks with 90 run lengths, COCO 860,000 polygons."""
    mask = b'{"size": [720, 1280], "counts": [' + b'1,' * 90 + b'1]},'
    polygon = b'{"id":1,"bbox":[1,1,1,1],"area":1,"segmentation":[[' + b'1.25,' * 30 + b'1]]},'
    most = max(131_000 * read._memory(mask), 860_000 * read._memory(polygon))
    pages = dict(SC_PHYS_PAGES=2**20, SC_PAGE_SIZE=2**12)  # 4 GiB
    monkeypatch.setattr(os, 'sysconf', pages.get)
    assert most < read._memory_limit() == 2**33
    pages['SC_PHYS_PAGES'] = 2**24
    assert read._memory_limit() == 2**35


def test_devices_are_not_read():
    with pytest.raises(ValueError, match='/dev/zero is no regular file'):
        load_json('/dev/zero')


def test_a_zip_that_would_fill_the_memory_is_refused(tmp_path):
    path = tmp_path / 'submission.zip'
    with (
        zipfile.ZipFile(path, 'w', zipfile.ZIP_DEFLATED) as archive,
        archive.open('results.json', 'w') as member,
    ):
        for _ in range(70):
            member.write(bytes(2**20))
    truth = read_annotations(small_set(), 'f.json')
    with pytest.raises(ValueError, match='is no results file') as error:
        read_results(path, truth)
    assert 'submission.zip' in str(error.value)


def test_results_of_every_kind_of_file_are_the_same(tmp_path):
    truth = read_annotations(small_set(), 'f.json')
    tracks = as_results(small_set()['annotations'], 0.5)
    for each in tracks:
        each['segmentations'] = [
            each['segmentations'][0],
            *[None] * (len(each['segmentations']) - 1),
        ]
    write_results(tmp_path / 'results.json', tracks)
    write_results(tmp_path / 'submission.zip', tracks)
    parts = tmp_path / 'parts'
    for rank in (0, 1):
        lines = [
            json.dumps(dict(video_id=v, results=[t for t in tracks if t['video_id'] == v]))
            for v in (0, 7)
        ]
        parts.mkdir(exist_ok=True)
        (parts / f'results.rank{rank}.jsonl').write_text('\n'.join(lines[rank:]) + '\n{"video')
    expected = read_results(tracks, truth).tracks
    assert len(expected) == len(tracks) > 0
    for source in ('results.json', 'submission.zip', '', 'parts', 'parts/results.rank0.jsonl'):
        assert read_results(tmp_path / source, truth).tracks == expected


def test_a_file_is_written_whole_or_not_at_all(tmp_path):
    path = tmp_path / 'a.json'
    write_json(path, [1])
    with pytest.raises(ValueError, match='JSON'):
        write_json(path, [2, float('nan')])
    assert json.loads(path.read_text()) == [1]
    assert [each.name for each in tmp_path.iterdir()] == ['a.json']
