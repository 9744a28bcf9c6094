import pytest
from vis_files import SIZE, annotation, ground_truth, result, segmentations

from mmcico.evaluation import read_ground_truth, read_results
from mmcico.evaluation.ground_truth import occlusion_score
from mmcico.formats.problems import Problems

BOX = (1, 1, 4, 3)


def edited(entry, **changes):
    return {**entry, **changes}


@pytest.mark.parametrize('annotations', [None, []])
def test_without_annotations(annotations):
    truth = read_ground_truth(ground_truth(annotations))
    assert not truth.has_annotations and truth.tracks == {}
    source = ground_truth()
    del source['annotations']
    assert not read_ground_truth(source).has_annotations


def test_videos_and_categories_in_order_of_ids():
    source = ground_truth([], [2, 3])
    source['videos'].reverse()
    source['videos'].append(dict(source['videos'][0], id='extra'))
    source['categories'] = [
        dict(id=i, name=name) for i, name in ((12, 'cat'), (3, 'cat'), (4, 'x'))
    ]
    source['annotations'] = [annotation([BOX, None], 12), annotation([BOX, BOX, None], 4, 'extra')]
    truth = read_ground_truth(source)
    assert [(v.id, v.length) for v in truth.videos] == [(0, 2), (1, 3), ('extra', 3)]
    assert truth.categories == [(3, 'cat (3)'), (4, 'x'), (12, 'cat (12)')]
    assert set(truth.tracks) == {(0, 2), (2, 1)}
    found = read_results([result([BOX] * 3, 0.5, 3, 'extra'), result([BOX] * 3, 0.5, 4, 1)], truth)
    assert set(found) == {(2, 0), (1, 1)}


def test_length_comes_from_file_names_when_not_stated():
    source = ground_truth([])
    del source['videos'][0]['length']
    source['videos'][0]['file_names'] = [f'{i}.jpg' for i in range(5)]
    assert read_ground_truth(source).videos[0].length == 5


def test_all_forms_of_masks_give_the_same_track():
    x1, y1, x2, y2 = BOX
    runs = [8 + 1, 2, 6, 2, 6, 2, 8 * 6 + 5]
    forms = [
        segmentations([BOX])[0],
        dict(size=[*SIZE], counts=runs),
        [[x1, y1, x2, y1, x2, y2, x1, y2]],
        None,
    ]
    source = ground_truth([edited(annotation([]), segmentations=forms, iscrowd=1)], [4])
    (track,) = read_ground_truth(source).tracks[0, 0]
    assert track.masks[0] == track.masks[1] == track.masks[2]
    assert track.masks[3] is None
    assert track.areas.tolist() == [6, 6, 6, 0]
    assert track.mean_area == 6 and track.crowd


def test_track_without_any_mask():
    truth = read_ground_truth(ground_truth([annotation([None, None])]))
    assert truth.tracks[0, 0][0].mean_area == 0
    (track,) = read_results([result([None, None])], truth)[0, 0]
    assert track.areas.tolist() == [0, 0]


def test_stated_areas_count_only_where_they_are_positive():
    truth = read_ground_truth(ground_truth([annotation([BOX, BOX, BOX], areas=[4, 0, 8.0])], [3]))
    assert truth.tracks[0, 0][0].mean_area == 6


@pytest.mark.parametrize(
    'levels, expected',
    [
        ([], 0),
        ([None, None], 0),
        (['slight_occlusion'], 0.25),
        (['no_occlusion', 'severe_occlusion'], 0.75),
        (['no_occlusion', None, 'severe_occlusion', 'slight_occlusion'], 0.5),
    ],
)
def test_occlusion_score_by_hand(levels, expected):
    assert occlusion_score(levels) == expected


def test_annotations_without_occlusion_are_counted():
    truth = read_ground_truth(
        ground_truth(
            [annotation([BOX, BOX]), annotation([BOX, BOX], occlusion=['no_occlusion', None])]
        )
    )
    assert truth.without_occlusion == 1


def test_crowds_are_counted_and_can_be_taken_as_objects():
    source = ground_truth([annotation([BOX, BOX], iscrowd=1), annotation([BOX, BOX])])
    truth = read_ground_truth(source, 'gt.json')
    assert [each.crowd for each in truth.tracks[0, 0]] == [True, False]
    (said,) = truth.warnings('ytvis')
    assert said.startswith('1 of 2 objects of gt.json are crowds (iscrowd = 1)')
    assert 'over all others' in said
    source['annotations'].pop()
    (said,) = read_ground_truth(source, 'gt.json').warnings('ytvis')
    assert 'all figures are "-"' in said
    truth = read_ground_truth(source, 'gt.json', crowds_as_objects=True)
    assert not truth.tracks[0, 0][0].crowd and truth.warnings('ytvis') == []


def test_results_may_name_videos_by_the_folders_of_their_frames():
    source = ground_truth([annotation([BOX])], [1, 1, 1])
    for video, name in zip(source['videos'], ('a/cat/0.jpg', 'a/dog/0.jpg', 'b/dog/0.jpg')):
        video['file_names'] = [name]
    truth = read_ground_truth(source)
    found = read_results([result([BOX], video_id=name) for name in ('cat', 'b/dog', 1)], truth)
    assert [*found] == [(0, 0), (2, 0), (1, 0)]
    with pytest.raises(ValueError, match="'dog': is no id in 'videos' of"):  # of two videos
        read_results([result([BOX], video_id='dog')], truth)


def test_folders_named_by_numbers_are_not_the_numbers_of_other_videos():
    """Folders 0 and 1 have the ids 1 and 2; results that name them by texts mean the folders."""
    source = ground_truth([annotation([BOX])], [1, 1])
    for number, video in enumerate(source['videos']):
        video.update(id=number + 1, file_names=[f'{number}/a.jpg'])
    source['annotations'][0]['video_id'] = 1
    truth = read_ground_truth(source)
    for key, place in [('0', 0), ('1', 1), (1, 0), ('2', 1), (2, 1)]:
        assert [*read_results([result([BOX], video_id=key)], truth)] == [(place, 0)]
    for key, number in [('0', 0), ('1', 1), (1, 0), ('2', 0)]:
        problems = Problems('f.json')
        read_results([result([BOX], video_id=key)], truth, problems=problems)
        assert len(problems.found) == number
        assert all("= '1': is taken as the folder of" in each.text() for each in problems.found)
    source['videos'][1]['id'] = '1'  # an id is before a folder
    source['videos'][0]['id'] = 7
    source['videos'][0]['file_names'] = ['1/a.jpg']
    source['annotations'][0]['video_id'] = 7
    truth = read_ground_truth(source)
    assert [*read_results([result([BOX], video_id='1')], truth)] == [(truth.video_index['1'], 0)]
