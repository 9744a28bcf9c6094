"""Images are regular files in the image folder; unreadable ones may be skipped."""

import os

import cv2
import numpy as np
import pytest
import tiny_video as tiny
from mmdet.utils import register_all_modules
from PIL import Image

from mmcico.datasets import VISDataset

register_all_modules(init_default_scope=True)


def dataset(folder, name=None, **kwargs):
    data = tiny.content()
    if name is not None:
        data['videos'][1]['file_names'][1] = name
    tiny.write_json(folder, data)
    kwargs.setdefault('pipeline', tiny.pipeline())
    prefix = dict(img='img')
    return VISDataset(
        ann_file='instances.json', data_root=str(folder), data_prefix=prefix, **kwargs
    )


def last(data):
    return data.prepare_data(len(data) - 1)


@pytest.fixture
def folder(tmp_path):
    tiny.write_frames(tmp_path)
    outside = tmp_path / 'outside.jpg'
    cv2.imwrite(str(outside), np.zeros((8, 12, 3), np.uint8))
    return tmp_path


@pytest.mark.parametrize('kind', ['up', 'absolute', 'link', 'linked folder'])
def test_images_outside_of_the_folder(folder, kind):
    name = 'v0/b.jpg'
    if kind == 'up':
        name = '../outside.jpg'
    elif kind == 'absolute':
        name = str(folder / 'outside.jpg')
    elif kind == 'link':
        (folder / 'img' / name).unlink()
        (folder / 'img' / name).symlink_to(folder / 'outside.jpg')
    else:
        (folder / 'img' / 'linked').symlink_to(folder)
        name = 'linked/outside.jpg'
    with pytest.raises(ValueError, match='video 0, frame 1.*set allow_outside=True'):
        last(dataset(folder, name))
    assert last(dataset(folder, name, allow_outside=True)) is not None


@pytest.mark.parametrize('name', ['http://localhost:9/a.jpg', '/dev/zero', '/dev/stdin', 'v0/pipe'])
def test_no_address_device_or_pipe_is_opened(folder, name):
    os.mkfifo(folder / 'img' / 'v0' / 'pipe')
    message = 'is no regular file of' if name == 'v0/pipe' else 'lies outside of'
    with pytest.raises(ValueError, match=f'{message} the image folder'):
        last(dataset(folder, name))


def test_the_image_folder_itself_may_be_a_link(folder):
    (folder / 'img').rename(folder / 'elsewhere')
    (folder / 'img').symlink_to(folder / 'elsewhere')
    assert last(dataset(folder)) is not None


def test_an_image_of_gigabytes_is_not_decoded(folder, monkeypatch):
    Image.new('1', (35000, 35000)).save(folder / 'img' / 'v0' / 'b.png')
    assert (folder / 'img' / 'v0' / 'b.png').stat().st_size < 2**20
    with pytest.raises(ValueError, match=r'frame 1: image .*b\.png (is too large|has )'):
        last(dataset(folder, 'v0/b.png'))


def test_unreadable_images_end_the_training_or_are_skipped(folder, caplog):
    (folder / 'img' / 'v0' / 'b.jpg').write_bytes(b'no image')
    with pytest.raises(ValueError, match=r'b\.jpg is broken \(8 bytes\)'):
        last(dataset(folder))
    data = dataset(folder, skip_unreadable=True)
    assert last(data) is None and last(data) is None
    assert data.unreadable == {str(folder / 'img' / 'v0' / 'b.jpg')}
    # MMEngine draws another item instead
    assert data[len(data) - 1]['data_samples'].video_id in (0, 7)
    test = dataset(folder, skip_unreadable=True, test_mode=True)
    with pytest.raises(ValueError, match=r'b\.jpg is broken'):
        last(test)
