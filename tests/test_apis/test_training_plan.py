"""Choices for a training on data of one's own, against numbers computed by hand."""

import numpy as np
import pytest

from mmcico.apis import training_plan as plan
from mmcico.apis.config_writer import used_classes
from mmcico.formats.annotations import AnnotatedTrack, AnnotatedVideo, AnnotationFile


def track(*boxes, category=1, crowd=False):
    """A track whose boxes are ``(x, y, w, h)`` or None."""
    counts = [box and b'seen' for box in boxes]
    return AnnotatedTrack(1, category, counts, list(boxes), iscrowd=crowd)


def video(height, width, *tracks):
    names = [f'{t}.jpg' for t in range(len(tracks[0].counts))]
    return AnnotatedVideo(1, height, width, names, 'file', list(tracks))


def file_of(*videos, categories=((1, 'cat'),)):
    return AnnotationFile('file', list(videos), list(categories))


def squares(height, width, side):
    """A file of one video with a square that stands still."""
    return file_of(video(height, width, track((0, 0, side, side), (0, 0, side, side))))


@pytest.mark.parametrize('text, seconds', [('90s', 90), ('20m', 1200), ('1.5h', 5400)])
def test_durations(text, seconds):
    assert plan.seconds_of(text) == seconds


@pytest.mark.parametrize('text', ['20', '0m', '-3m', 'm', '1d', '1m30s'])
def test_what_is_no_duration(text):
    with pytest.raises(ValueError, match='is no duration; write 90s'):
        plan.seconds_of(text)


def test_circumscribed_boxes_of_neighbours():
    moving = track((0, 0, 10, 10), (10, 0, 10, 10), None, (30, 5, 10, 10))
    assert plan.clip_boxes(moving, video(64, 64, moving)) == [(20, 10), (20, 10), (10, 10)]


def test_sides_are_those_in_the_input_and_without_crowds():
    shown = video(200, 400, track((0, 0, 20, 5)), track((0, 0, 90, 90), crowd=True))
    # 400 -> 160 is the smaller factor, 0.4; the side of 20 x 5 is 10
    assert plan.object_sides(file_of(shown), (160, 96)) == pytest.approx([4.0])


@pytest.mark.parametrize(
    'size, side, device, expected',
    [
        ((96, 160), 30, 'cpu', (160, 96)),  # as it is
        ((720, 1280), 200, 'cpu', (320, 192)),  # 180 -> 192
        ((720, 1280), 200, 'cuda', (640, 352)),  # 360 -> 352
        ((1280, 720), 200, 'cpu', (320, 192)),  # upright
        ((720, 1280), 40, 'cpu', (512, 288)),  # 10 pixels -> 16
        ((720, 1280), 8, 'cpu', (640, 352)),  # not more than twice the limit
        ((90, 160), 4, 'cpu', (160, 96)),  # not more than the video has
    ],
)
def test_input_size(size, side, device, expected):
    assert plan.choose_scale(squares(*size, side), device) == expected


@pytest.mark.parametrize(
    'side, known_side, expected',
    [
        (200, 256, (256, 160)),  # 144 -> 160
        (200, 640, (320, 192)),  # not more than the limit
        (40, 256, (512, 288)),  # 8 pixels -> 16
    ],
)
def test_input_size_is_that_of_the_weights(side, known_side, expected):
    assert plan.choose_scale(squares(720, 1280, side), 'cpu', known_side) == expected
    assert plan.make_choices(squares(720, 1280, side), 'cpu', None, 1, known_side).scale == expected


@pytest.mark.parametrize(
    'side, least, scale, strides',
    [
        (48, 3, 3, [8, 16, 32]),  # anchors of 24 and 48 would be enough
        (200, 3, 3, [8, 16, 32, 64]),  # 24 * 1.41 * 8 = 271 is the first to reach it
        (12, 3, 2, [8, 16, 32]),  # 12 * 1.41 / 8 = 2.12, in quarters
        (4, 3, 1.5, [8, 16, 32]),
        (2000, 3, 3, [8, 16, 32, 64, 128]),
        (48, 5, 3, [8, 16, 32, 64, 128]),
    ],
)
def test_anchors(side, least, scale, strides):
    assert plan.choose_anchors([side], least) == (scale, strides)
    assert plan.choose_anchors([], 3) == (3, [8, 16, 32])


def test_every_square_between_the_percentiles_overlaps_an_anchor_by_half():
    sides = np.linspace(13, 300, 100)
    anchors = plan.choose_anchors(sides)
    low, high = np.percentile(sides, [5, 95])
    for side in sides[(sides >= low) & (sides <= high)]:
        areas = [(anchors.scale * stride) ** 2 for stride in anchors.strides]
        assert max(min(side**2, area) / max(side**2, area) for area in areas) >= 0.5


def test_schedules():
    assert plan.schedule_of(1000, 60, 4) == (1000, 60, pytest.approx(4000 / 60))
    assert plan.schedule_of(20000, 60, 4).warm_up == 500
    assert plan.schedule_of(3, 60, 4).warm_up == 1
    assert plan.steps_of_epochs(40, 60, 4) == 600
    assert plan.steps_of_epochs(0.001, 60, 4) == 2


def test_steps_that_fit_into_a_time():
    # 600 s - 30 s for the start - two tests of 10 clips at 0.0625 s = 568.75 s
    assert plan.steps_of_time(600, 0.25, 60, 20, 4) == 2275
    assert plan.steps_of_time(36000, 0.25, 60, 20, 4) == 400 * 60 / 4
    assert plan.steps_of_time(10, 0.25, 60, 20, 4) == 2


def test_small_sets_are_flipped_in_all_directions():
    assert plan.choose_flips(499) == ([0.25] * 3, ['horizontal', 'vertical', 'diagonal'])
    assert plan.choose_flips(500) == ([0.5], ['horizontal'])
    assert [plan.choose_batch_size(number) for number in (1, 3, 60)] == [1, 3, 4]


def test_classes_with_objects_in_the_order_of_the_checkpoint():
    tracks = (track((0, 0, 9, 9)), track((0, 0, 9, 9), category=3))
    crowd = track((0, 0, 9, 9), category=2, crowd=True)
    categories = ((3, 'Cat'), (1, 'dog'), (2, 'cow'), (4, 'pig'))
    data = file_of(video(64, 64, *tracks, crowd), categories=categories)
    assert used_classes(data) == ['Cat', 'dog']
    assert used_classes(data, ('dog', 'cat')) == ['dog', 'Cat']
    assert used_classes(data, ('dog', 'cow')) == ['Cat', 'dog']


def test_frames_that_show_objects_are_counted():
    shown = track((0, 0, 9, 9), None, None)
    crowd = track(None, (0, 0, 9, 9), None, crowd=True)
    assert plan.count_query_frames(file_of(video(64, 64, shown, crowd))) == 1


def test_masks_of_small_objects_are_tested_in_larger_frames():
    assert plan.choose_test_scale((160, 96), 31.9) == (200, 120)
    assert plan.choose_test_scale((160, 96), 32) == (160, 96)
    assert plan.make_choices(squares(96, 160, 30), 'cpu', None, 1).test_scale == (200, 120)


def test_choices_of_a_set():
    made = plan.make_choices(squares(96, 160, 48), 'cpu', [8, 16, 32], 1)
    assert made.scale == made.test_scale == (160, 96)
    assert made.sides == (48, 48)
    assert made.anchors == (3, [8, 16, 32])
    assert made.batch_size == 2
    assert made.schedule == (2, 1, 2)
    assert plan.make_choices(squares(96, 160, 48), 'cpu', None, 1).anchors is None


@pytest.mark.parametrize(
    'size, device, cores, expected',
    [
        ((96, 160), 'cpu', 2, 0),
        ((96, 160), 'cpu', 4, 1),
        ((360, 641), 'cpu', 2, 1),
        ((96, 160), 'cuda', 2, 2),
        ((96, 160), 'cuda', 16, 4),
    ],
)
def test_processes_that_load_clips(size, device, cores, expected):
    assert plan.choose_workers(squares(*size, 48), device, cores) == expected
