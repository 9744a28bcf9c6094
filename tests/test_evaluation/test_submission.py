"""Checks, fixes and zips of submissions."""

import copy
import json
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools import mask as mask_api

from mmcico.evaluation import evaluate, read_ground_truth, read_results
from mmcico.evaluation.submission import (
    check_submission,
    check_tracks,
    fix_tracks,
    problem_lines,
    ranges,
    read_server_side,
    read_submission,
    write_submission,
)

H, W = 4, 6


def text_rle(columns):
    """The first columns of a 4 x 6 frame."""
    mask = np.zeros((H, W), np.uint8, order='F')
    mask[:, :columns] = 1
    code = mask_api.encode(mask)
    return dict(size=[H, W], counts=code['counts'].decode())


def list_rle(columns):
    return dict(size=[H, W], counts=[0, H * columns, H * (W - columns)])


def annotations(**more):
    """Videos 3 (two frames) and 8 (three), classes 1 and 25."""
    return dict(
        videos=[
            dict(id=3, height=H, width=W, length=2, file_names=['a', 'b']),
            dict(id=8, height=H, width=W, length=3, file_names=['a', 'b', 'c']),
        ],
        categories=[dict(id=1, name='cat'), dict(id=25, name='dog')],
        **more,
    )


def track(**changes):
    return dict(
        dict(video_id=3, category_id=25, score=0.5, segmentations=[text_rle(2), None]), **changes
    )


OTHER = dict(video_id=8, category_id=1, score=1, segmentations=[None, text_rle(1)] * 1)
OTHER['segmentations'].append(None)


@pytest.fixture
def truth():
    return read_ground_truth(annotations())


def said(tracks, truth):
    return problem_lines(check_tracks(tracks, truth, 'r.json').found)


def test_nothing_to_say(truth):
    assert said([track(), OTHER], truth) == []


MASKS = "track 0, video 3, field 'segmentations': "
OWN = "track 0, field 'segmentations': "  # found by the rules of servers
UNKNOWN = "is no id in '{}' of ground truth (ids {}); do the files belong together?"


@pytest.mark.parametrize(
    'changes, message',
    [
        (dict(video_id=4), "track 0, field 'video_id' = 4: " + UNKNOWN.format('videos', '3, 8')),
        (
            dict(video_id='3'),
            "track 0, field 'video_id' = '3': ground truth has 3; write it in the same form",
        ),
        (
            dict(video_id=None),
            "track 0, field 'video_id': is null; it must be an id in 'videos' of ground truth (ids "
            '3, 8); do the files belong together?',
        ),
        (
            dict(category_id=0),
            "track 0, video 3, field 'category_id' = 0: " + UNKNOWN.format('categories', '1, 25'),
        ),
        (dict(score=float('nan')), "field 'score' = nan: is not a finite number"),
        (dict(score='0.5'), "field 'score' = '0.5': is not a finite number"),
        (dict(score=True), "field 'score' = True: is not a finite number"),
        (dict(segmentations=None), MASKS + 'is null; a list with one mask a frame is needed'),
        (dict(segmentations=[text_rle(1)]), MASKS + 'has 1 entries, the video has 2 frames'),
        (
            dict(segmentations=[dict(text_rle(1), size=[W, H])] * 2),
            MASKS + 'the mask has size [6, 4], the video [4, 6] (height, width); the two numbers '
            'are swapped (frames 0-1)',
        ),
        (
            dict(segmentations=[None, dict(text_rle(1), size=[2, 3])]),
            MASKS + 'the mask has size [2, 3], the video [4, 6] (height, width); masks are needed '
            'at the original size (frames 1)',
        ),
        (
            dict(segmentations=[dict(text_rle(1), size=[4.0, 6.0]), None]),
            OWN + 'size is [4.0, 6.0], not two whole numbers [height, width] (frames 0)',
        ),
        (
            dict(segmentations=[list_rle(2), None]),
            OWN + 'counts are a list (uncompressed RLE); servers need a text (frames 0)',
        ),
        (
            dict(segmentations=[dict(list_rle(2), counts=[3]), None]),
            MASKS + 'the mask is broken: the runs have 3 pixels, height x width is 24 (frames 0)',
        ),
        (
            dict(segmentations=[dict(list_rle(2), counts=None), None]),
            MASKS + 'counts are None, neither a text nor a list of whole numbers (frames 0)',
        ),
        (
            dict(segmentations=[dict(text_rle(2), counts='08'), None]),
            MASKS + 'the mask is broken: the runs have 8 pixels, height x width is 24 (frames 0)',
        ),
        (
            dict(segmentations=[dict(text_rle(2), counts='0O`0O'), None]),  # 0, -1, 16, ...
            MASKS + 'the mask is broken: run no. 1 is negative (frames 0)',
        ),
        (
            dict(segmentations=[[[0, 0, 3, 0, 3, 3]], None]),
            OWN + 'the mask is polygons; servers need RLE or null (frames 0)',
        ),
    ],
)
def test_one_error(truth, changes, message):
    (line,) = said([track(**changes), track(), OTHER], truth)
    assert line.startswith('error [') and f'r.json: {message}' in line or message in line


def test_every_error_is_listed(truth):
    bad = track(score=None, category_id=7, segmentations=[list_rle(1), 5])
    found = check_tracks([bad, 'x', bad], truth, 'r.json').found
    one = ['reference', 'score']
    assert [each.kind for each in found] == one + ['layout'] + one + ['mask', 'mask', 'empty']


@pytest.mark.parametrize('masks', [[None, None], [None, text_rle(0)]])
def test_tracks_without_a_pixel_are_a_warning(truth, masks):
    lines = said([track(segmentations=masks), OTHER], truth)
    assert lines == [
        'warning [empty] r.json: track 0: no frame has a mask, so it counts as a false detection'
    ]


def test_videos_without_a_track_are_a_warning(truth):
    assert said([OTHER], truth) == ['warning [empty] r.json: 1 of 2 videos have no track: ids 3']


@pytest.mark.parametrize(
    'content, message', [({}, 'holds a dict, not a list of tracks'), ([], 'holds no track at all')]
)
def test_other_layouts(truth, content, message):
    assert message in said(content, truth)[0]


def test_at_most_100_of_a_video_and_class(truth):
    tracks = [track() for _ in range(100)] + [OTHER, track(category_id=1)]
    assert said(tracks, truth) == []
    assert said(tracks + [track()], truth) == [
        'error [number] r.json: video 3: 101 tracks of class dog, servers keep the 100 with the '
        'best scores'
    ]


def test_folders_are_no_ids_for_servers():
    source = annotations()
    source['videos'][0]['file_names'] = ['cat/a', 'cat/b']
    truth = read_ground_truth(source)
    (line,) = said([track(video_id='cat'), OTHER], truth)
    assert "field 'video_id' = 'cat': is a folder, but servers need one of the ids" in line


def test_ranges():
    assert ranges([0, 1, 2, 5, 7, 8]) == '0-2, 5, 7-8'
    assert ranges([4]) == '4'


def test_fixes_are_few_and_said(truth):
    tracks = [track(segmentations=[list_rle(2), text_rle(1)])]
    tracks += [track(segmentations=[None, None])]
    tracks += [track(score=s / 200) for s in range(101)]
    tracks += [OTHER]
    before = copy.deepcopy(tracks)
    fixed, lines = fix_tracks(tracks, truth)
    assert tracks == before
    assert lines == [
        '1 masks: counts written as text',
        '1 tracks without any mask left out',
        '2 tracks beyond the 100 with the best scores of a video and class left out',
    ]
    assert fixed[0]['segmentations'] == [text_rle(2), text_rle(1)]
    assert [t['score'] for t in fixed] == [0.5] + [s / 200 for s in range(2, 101)] + [1]
    assert said(fixed, truth) == []
    assert fix_tracks(fixed, truth) == (fixed, [])


def test_ties_of_scores_keep_the_first(truth):
    tracks = [track(segmentations=[text_rle(1 + i % 5), None]) for i in range(103)]
    fixed, _ = fix_tracks(tracks, truth)
    assert fixed == tracks[:100]


def test_what_is_wrong_stays_wrong(truth):
    bad = [
        5,
        track(score=None),
        track(video_id=4),
        track(segmentations=[dict(list_rle(2), counts=[3]), None]),
        track(segmentations=None),
        track(segmentations=[dict(text_rle(0), counts=''), None]),
    ]
    assert fix_tracks(bad, truth) == (bad, [])


def test_fixes_do_not_change_the_figures():
    random = np.random.default_rng(0)
    objects = [
        dict(
            id=i + 1,
            video_id=3,
            category_id=25,
            iscrowd=0,
            segmentations=[text_rle(i + 1), text_rle(2)],
        )
        for i in range(3)
    ]
    truth = read_ground_truth(annotations(annotations=objects))
    tracks = [
        track(
            score=float(random.random()), segmentations=[list_rle(int(random.integers(1, 6))), None]
        )
        for _ in range(130)
    ]
    fixed, _ = fix_tracks(tracks, truth)
    assert len(fixed) == 100
    old = evaluate(truth, read_results(tracks, truth))
    new = evaluate(truth, read_results(fixed, truth))
    assert old == new and old['AP'] > 0


def files(tmp_path, content):
    """``results.json`` and the annotation file in a folder."""
    results, ann = tmp_path / 'results.json', tmp_path / 'ann.json'
    results.write_text(json.dumps(content))
    ann.write_text(json.dumps(annotations(annotations=None)))
    return results, read_server_side(ann)


def test_zip_holds_that_file_alone(tmp_path):
    results, truth = files(tmp_path, [track(), OTHER])
    path = tmp_path / 'new' / 'a.zip'
    size = write_submission(path, [track(), OTHER])
    assert size == path.stat().st_size
    with zipfile.ZipFile(path) as file:
        assert file.namelist() == ['results.json']
        assert json.loads(file.read('results.json')) == [track(), OTHER]
    assert check_submission(path, truth).found == []
    assert check_submission(results, truth).found == []
    other = tmp_path / 'b.zip'
    write_submission(other, [track(), OTHER])
    assert other.read_bytes() == path.read_bytes()
    assert sorted(p.name for p in path.parent.iterdir()) == ['a.zip']


@pytest.mark.parametrize(
    'members, message',
    [
        (
            ['out/results.json'],
            'results.json is inside a folder (out/results.json); zip the file, not its folder',
        ),
        (['out\\results.json'], 'is inside a folder'),
        (
            ['results.json', '__MACOSX/._results.json', 'log.txt'],
            "holds 2 more than results.json: ['__MACOSX/._results.json', 'log.txt']",
        ),
        (['res.json'], "holds no results.json, but ['res.json']"),
        ([], 'holds no results.json'),
    ],
)
def test_members_of_zips(tmp_path, members, message):
    _, truth = files(tmp_path, [])
    path = tmp_path / 'a.zip'
    with zipfile.ZipFile(path, 'w') as file:
        for name in members:
            file.writestr(name, json.dumps([track(), OTHER]))
    problems = check_submission(path, truth)
    assert any(message in each.text() for each in problems.found)
    assert [each.kind for each in problems.found] == ['layout'] * problems.num_errors


def test_content_of_a_bad_zip_is_checked_too(tmp_path):
    _, truth = files(tmp_path, [])
    path = tmp_path / 'a.zip'
    with zipfile.ZipFile(path, 'w') as file:
        file.writestr('x/results.json', json.dumps([track(score=None), OTHER]))
    assert [each.kind for each in check_submission(path, truth).found] == ['layout', 'score']


@pytest.mark.parametrize('content', [b'', b'nothing', b'PK\x03\x04 cut'])
def test_broken_zips(tmp_path, content):
    _, truth = files(tmp_path, [])
    path = tmp_path / 'a.zip'
    path.write_bytes(content)
    (problem,) = check_submission(path, truth).found
    assert problem.refused and 'cannot be read' in problem.text()


def test_spoilt_bytes_in_a_zip(tmp_path):
    _, truth = files(tmp_path, [])
    path = tmp_path / 'a.zip'
    with zipfile.ZipFile(path, 'w', zipfile.ZIP_DEFLATED) as file:
        file.writestr('results.json', '[1, 2, 3]' * 99)
    spoilt = bytearray(path.read_bytes())
    spoilt[42] = 255  # the first byte of what is compressed
    path.write_bytes(spoilt)
    (problem,) = check_submission(path, truth).found
    assert problem.refused and 'cannot be read' in problem.text()


def test_broken_json_in_a_zip(tmp_path):
    path = tmp_path / 'a.zip'
    with zipfile.ZipFile(path, 'w') as file:
        file.writestr('results.json', '[{"video_id": ')
    tracks, problems = read_submission(path)
    assert tracks is None and 'is not complete JSON' in problems.found[0].text()


def test_files_that_are_swapped(tmp_path):
    results, _ = files(tmp_path, [track()])
    with pytest.raises(ValueError, match='are the two files swapped'):
        read_server_side(results)
    with pytest.raises(ValueError, match=r'ends in \.zip'):
        write_submission(tmp_path / 'a.json', [])


odd = (
    st.none()
    | st.booleans()
    | st.integers(-3, 30)
    | st.floats()
    | st.text(max_size=3)
    | st.lists(st.integers(-1, 9), max_size=3)
)
mask = (
    odd
    | st.fixed_dictionaries(dict(), optional=dict(size=odd | st.just([H, W]), counts=odd))
    | st.just(text_rle(1))
)
entry = odd | st.fixed_dictionaries(
    dict(),
    optional=dict(
        video_id=odd | st.sampled_from([3, 8]),
        category_id=odd | st.just(25),
        score=odd,
        segmentations=odd | st.lists(mask, max_size=3),
    ),
)


@settings(max_examples=100, deadline=None)
@given(odd | st.lists(entry, max_size=4))
def test_whatever_passes_the_check_can_be_evaluated(content):
    truth = read_ground_truth(annotations())
    errors = check_tracks(content, truth, 'r.json').num_errors
    if isinstance(content, list):
        fix_tracks(content, truth)
    if not errors:
        read_results(content, truth)
