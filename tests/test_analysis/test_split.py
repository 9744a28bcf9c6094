import copy
import json
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_sets import small_cocovid, small_set

from mmcico.analysis.check_file import check_data
from mmcico.analysis.split_file import (
    Members,
    choose_videos,
    describe,
    number_to_choose,
    part_of,
    read_members,
    shared_frames,
    shuffled,
    stratified_videos,
)
from mmcico.formats.read import read_annotations


@pytest.mark.parametrize(
    'total, fraction, number',
    [
        (10, 0.1, 1),
        (11, 0.1, 2),
        (2238, 0.1, 224),
        (2985, 0.1, 299),
        (2, 0.1, 1),
        (2, 0.9, 1),
        (10, 0.3, 3),
        (30, 0.1, 3),
    ],
)
def test_first_nine_tenths_rounded_down_stay(total, fraction, number):
    assert number_to_choose(total, fraction) == number
    assert 0 < number < total


def chosen_videos(keys, number, seed, method='random'):
    return choose_videos(Members(keys, [], [], [], []), method, number, seed, 'f.json')


def test_last():
    assert chosen_videos(list('abcde'), 2, 0, 'last') == {3, 4}


def test_random_is_by_id_and_seed_alone():
    keys = [str(n) for n in range(40)]
    chosen = {keys[n] for n in chosen_videos(keys, 10, 3)}
    backwards = {keys[::-1][n] for n in chosen_videos(keys[::-1], 10, 3)}
    assert chosen == backwards
    assert chosen != {keys[n] for n in chosen_videos(keys, 10, 4)}
    # SHA-256 of '0:a', '0:b', '0:c' begins with 9df3, e021, be08
    assert shuffled(list('abc'), 0) == [0, 2, 1]


def test_seed_reaches_all_videos():
    hits = Counter()
    for seed in range(200):
        hits.update(chosen_videos([str(n) for n in range(10)], 1, seed))
    assert set(hits) == set(range(10)) and max(hits.values()) < 45


def test_stratified_by_hand():
    # class a in four videos, class b in two others; half of each is wanted
    objects = [dict(a=1)] * 4 + [dict(b=1)] * 2
    for seed in range(20):
        chosen = stratified_videos(list('uvwxyz'), 3, seed, objects)
        assert len(chosen & {0, 1, 2, 3}) == 2 and len(chosen & {4, 5}) == 1


def test_rare_classes_stay_in_training():
    objects = [dict(common=3)] * 18 + [dict(rare=1, common=1), {}]
    for seed in range(20):
        chosen = stratified_videos([str(n) for n in range(20)], 2, seed, objects)
        assert len(chosen) == 2 and 18 not in chosen


def uneven_set(rng, videos=200, classes=12):
    """Few large and many small classes."""
    odds = 1 / np.arange(1, classes + 1)
    return [
        Counter(rng.choice(classes, rng.integers(0, 5), p=odds / odds.sum()).tolist())
        for _ in range(videos)
    ]


def worst_share(objects, chosen, share):
    total, part = Counter(), Counter()
    for n, each in enumerate(objects):
        total.update(each)
        if n in chosen:
            part.update(each)
    return np.mean([abs(part[key] / total[key] - share) for key in total])


def test_stratified_is_closer_than_chance():
    strata, chance = [], []
    for seed in range(10):
        objects = uneven_set(np.random.default_rng(seed))
        keys = [str(n) for n in range(len(objects))]
        chosen = stratified_videos(keys, 40, seed, objects)
        assert len(chosen) == 40
        strata.append(worst_share(objects, chosen, 0.2))
        chance.append(worst_share(objects, chosen_videos(keys, 40, seed), 0.2))
    assert np.mean(strata) < 0.03 < 0.05 < np.mean(chance)


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.dictionaries(st.integers(0, 4), st.integers(1, 3), max_size=3), min_size=2, max_size=20
    ),
    st.data(),
)
def test_any_number_is_met(objects, data):
    keys = [f'v{n}' for n in range(len(objects))]
    number = data.draw(st.integers(1, len(keys) - 1))
    seed = data.draw(st.integers(0, 99))
    chosen = stratified_videos(keys, number, seed, objects)
    assert len(chosen) == number and chosen <= set(range(len(keys)))
    assert chosen == stratified_videos(keys, number, seed, objects)


@pytest.mark.parametrize('make', [small_set, small_cocovid])
@pytest.mark.parametrize('method', ['last', 'random', 'stratified'])
def test_parts_are_sound_and_make_up_the_file(make, method):
    data = make()
    before = copy.deepcopy(data)
    members = read_members(data, 'f.json')
    valid = choose_videos(members, method, 1, 0, 'f.json')
    parts = [part_of(data, members, each) for each in ({0, 1} - valid, valid)]
    assert data == before
    for part in parts:
        assert list(part) == list(data)
        assert part['categories'] == data['categories']
        assert check_data(part, 'part').num_errors == 0
        assert len(read_annotations(part, 'part').videos) == 1
    for key in ('videos', 'annotations', 'images'):
        both = [each for part in parts for each in part.get(key, [])]
        assert sorted(map(json.dumps, both)) == sorted(map(json.dumps, data.get(key, [])))


def test_objects_are_counted_once_in_both_layouts():
    expected = [Counter({'3': 1}), Counter({'40': 1, '3': 1})]
    assert read_members(small_set(), 'f').objects == expected
    assert read_members(small_cocovid(), 'f').objects == expected


def test_description_names_what_is_missing():
    members = read_members(small_set(), 'f.json')
    assert describe(members, {0}) == (
        '1 videos, 1 objects, 1 of 2 classes; without category ids 40'
    )
    assert describe(members, {1}) == '1 videos, 2 objects, 2 of 2 classes'


@pytest.mark.parametrize('value', [..., None, []])
def test_files_without_annotations(value):
    data = small_set()
    data['annotations'] = value
    if value is ...:
        del data['annotations']
    members = read_members(data, 'f.json')
    part = part_of(data, members, choose_videos(members, 'last', 1, 0, 'f'))
    assert [video['id'] for video in part['videos']] == [7]
    assert not part.get('annotations')
    assert ('annotations' in part) == ('annotations' in data)
    with pytest.raises(ValueError, match='f.json has no annotations'):
        choose_videos(members, 'stratified', 1, 0, 'f.json')


@pytest.mark.parametrize('number', [0, 2, 5])
def test_each_part_needs_a_video(number):
    members = read_members(small_set(), 'f.json')
    with pytest.raises(ValueError, match='f.json has 2 videos'):
        choose_videos(members, 'last', number, 0, 'f.json')


def test_ids_that_lead_nowhere():
    data = small_set()
    data['annotations'][1]['video_id'] = 9
    with pytest.raises(
        ValueError, match="annotation 1, field 'video_id' = 9: is no id in 'videos'"
    ):
        read_members(data, 'f.json')
    with pytest.raises(ValueError, match="'best' is none of"):
        choose_videos(read_members(small_set(), 'f'), 'best', 1, 0, 'f')


@pytest.mark.parametrize('make', [small_set, small_cocovid])
def test_frames_in_both_parts_are_told(make):
    members = read_members(make(), 'f.json')
    assert shared_frames(members, {1}) == ''
    data = json.loads(json.dumps(make()).replace('b/1.jpg', 'a/10.jpg'))
    members = read_members(data, 'f.json')
    for chosen in ({0}, {1}):
        said = shared_frames(members, chosen)
        assert said.startswith('warning: 1 frames of the validation part are in the training part')
        assert 'a/10.jpg is of video ' in said
    assert shared_frames(members, {0, 1}) == ''
