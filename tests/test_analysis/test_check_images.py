import pytest
from PIL import Image
from small_sets import small_set

from mmcico.analysis.check_file import check_data
from mmcico.utils.files import leads_outside
from mmcico.utils.image_reading import ORIENTATION, image_size, read_image


@pytest.fixture
def folder(tmp_path):
    for video in small_set()['videos']:
        for name in video['file_names']:
            path = tmp_path / name
            path.parent.mkdir(exist_ok=True)
            Image.new('RGB', (8, 6)).save(path)
    return tmp_path


def found(folder):
    report = check_data(small_set(), 'f.json', str(folder))
    assert report.checked['images'] == 5
    return [(d.kind, d.place.file_name, d.message) for d in report.found]


def test_sound(folder):
    assert found(folder) == []


def test_missing_wrong_and_broken_files(folder):
    (folder / 'a/5.jpg').unlink()
    Image.new('RGB', (6, 8)).save(folder / 'a/10.jpg')
    (folder / 'b/0.jpg').write_bytes(b'no image')
    (folder / 'b/1.jpg').write_bytes(b'')
    lines = found(folder)
    assert [(kind, name) for kind, name, _ in lines] == [
        ('image', name) for name in ('a/5.jpg', 'a/10.jpg', 'b/0.jpg', 'b/1.jpg')
    ]
    assert 'there is no file' in lines[0][2]
    assert '(8, 6) (height, width), the annotation file says (6, 8)' in lines[1][2]
    assert 'is no image' in lines[2][2]


def test_images_that_training_would_refuse(folder, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp('elsewhere')
    (folder / 'b').rename(elsewhere / 'b')
    (folder / 'b').symlink_to(elsewhere / 'b')
    lines = found(folder)
    assert [(kind, name) for kind, name, _ in lines] == [('image', 'b/0.jpg'), ('image', 'b/1.jpg')]
    assert f'lies outside of {folder} (by its name or a link)' in lines[0][2]
    link = elsewhere / 'link'
    link.symlink_to(elsewhere)  # the folder itself may be one
    Image.new('RGB', (8, 6)).save(elsewhere / 'a.jpg')
    assert not leads_outside(link, 'a.jpg')


def test_a_wrong_folder_is_one_problem(folder, tmp_path):
    (folder / 'frames').mkdir()
    for each in 'ab':
        (folder / each).rename(folder / 'frames' / each)
    ((kind, name, message),) = found(folder)
    assert (kind, name) == ('image', 'a/5.jpg')
    assert 'nor any other of the 5 frames' in message
    assert message.endswith(f'choose --images {folder / "frames"}')
    (tmp_path / 'empty').mkdir()
    ((_, _, message),) = found(tmp_path / 'empty')
    assert message.endswith('--images is the folder that "file_names" start from')


@pytest.mark.parametrize('ending', ['jpg', 'png', 'tif', 'webp'])
def test_turned_pictures_count_as_they_are_shown(tmp_path, ending):
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    path = tmp_path / f'turned.{ending}'
    Image.new('RGB', (6, 8)).save(path, exif=exif)
    assert image_size(path) == read_image(path).shape[:2]
    assert ending == 'webp' or image_size(path) == (6, 8)  # OpenCV turns WebP since version 5


def test_only_headers_are_read(folder):
    path = folder / 'a/5.jpg'
    data = path.read_bytes()
    start = data.index(b'\xff\xda')  # where the pixels begin
    path.write_bytes(data[: start + 14])
    assert found(folder) == []


def test_no_folder(tmp_path):
    with pytest.raises(ValueError, match='none is not a folder'):
        check_data(small_set(), 'f.json', str(tmp_path / 'none'))
