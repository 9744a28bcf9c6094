"""Rates and pages of animated pictures."""

import pytest
from PIL import Image

from mmcico.utils.image_reading import num_pages, page_rate, read_pages


def write_pages(path, durations, levels=(50, 100, 150), **options):
    first, *rest = [Image.new('RGB', (8, 8), (level,) * 3) for level in levels]
    first.save(path, save_all=True, append_images=rest, duration=durations, **options)
    return path


@pytest.mark.parametrize(
    'name, durations, fps',
    [
        ('a.png', 0.5, None),  # 2000 a second
        ('a.png', 1, 1000),
        ('a.webp', 3_600_000, None),  # an hour each
        ('a.gif', [100, 0, 0], 10),
    ],
)
def test_rates_are_those_that_videos_can_have(tmp_path, name, durations, fps):
    assert page_rate(write_pages(tmp_path / name, durations)) == fps


def test_the_picture_in_place_of_an_animation_is_no_frame(tmp_path):
    path = write_pages(tmp_path / 'a.png', 40, (7, 50, 100), default_image=True)
    assert (num_pages(path), page_rate(path)) == (2, 25)
    assert [page[0, 0, 0] for page in read_pages(path)] == [50, 100]
