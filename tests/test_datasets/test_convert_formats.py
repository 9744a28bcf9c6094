"""Every format that is written is read again without a loss."""

import json

import pytest
from PIL import Image
from tiny_video import content

from mmcico.datasets.converters.class_maps import ClassTable
from mmcico.datasets.converters.collect import collect, converted_data
from mmcico.datasets.converters.cvat_xml import cvat_videos, write_cvat
from mmcico.datasets.converters.frame_folders import files_of_videos
from mmcico.datasets.converters.json_files import (
    burst_data,
    cvat_coco_data,
    from_burst,
    json_videos,
    tao_data,
)
from mmcico.datasets.converters.labelme import LabelmeFolders
from mmcico.datasets.converters.labelme_shapes import write_labelme
from mmcico.datasets.converters.mask_folders import MaskFolders, read_object_classes
from mmcico.datasets.converters.mask_writer import (
    davis_palette,
    mots_classes,
    mots_numbers,
    write_masks,
)
from mmcico.datasets.converters.mots_text import text_videos, write_texts
from mmcico.formats.annotations import AnnotationFile
from mmcico.formats.problems import Problems

CLASSES = {1: 'Giant panda', 2: 'Vehical', 3: 'cat'}


def numbered():
    """The two tiny videos without crowds; frames have numbers, no object covers another."""
    data = content()
    data['annotations'][2]['iscrowd'] = 0
    data['annotations'][2]['segmentations'][0] = dict(size=[8, 12], counts=[0, 1, 95])
    data['annotations'][2]['segmentations'][4] = dict(size=[8, 12], counts=[88, 8])
    for each in data['annotations']:
        del each['areas'], each['bboxes']
    data['videos'][1]['file_names'] = ['v0/1.jpg', 'v0/2.jpg']
    return data


def file_of(data):
    table = ClassTable()
    problems = Problems('in.json')
    return collect(json_videos(data, 'in.json', table, problems), table, problems)


def comparable(videos, table):
    """What formats can hold: frames, and class and masks of each object."""
    videos = list(videos)  # fills the table
    names = {entry['id']: entry['name'] for entry in table.categories}
    return {
        tuple(video.file_names): (
            video.size,
            sorted((names[t.category_id], [c or b'' for c in t.counts]) for t in video.tracks),
        )
        for video in videos
    }


@pytest.fixture
def folder(tmp_path):
    for video in numbered()['videos']:
        for name in video['file_names']:
            path = tmp_path / 'images' / name
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.new('RGB', (12, 8)).save(path)
    return tmp_path


def expected():
    table = ClassTable()
    return comparable(json_videos(numbered(), 'in.json', table), table)


def read_masks(folder, problems):
    write_masks(file_of(numbered()), folder / 'out', problems)
    classes = json.loads((folder / 'out/object_classes.json').read_text())
    classes = read_object_classes(classes, 'x')
    (folder / 'out/object_classes.json').unlink()
    folders = folder / 'images', folder / 'out'
    return lambda table: MaskFolders(*folders, table, object_classes=classes)


def read_mots(folder, problems):
    write_masks(file_of(numbered()), folder / 'out', problems, mots=True)
    folders = folder / 'images', folder / 'out'
    return lambda table: MaskFolders(*folders, table, mots_classes=CLASSES)


def read_texts(folder, problems):
    write_texts(file_of(numbered()), folder / 'out', problems)
    return lambda table: text_videos(
        folder / 'images', folder / 'out', table, Problems('mots'), CLASSES
    )


def read_labelme(folder, problems):
    write_labelme(file_of(numbered()), folder / 'images', problems)
    return lambda table: LabelmeFolders(folder / 'images', table)


def read_cvat(folder, problems):
    write_cvat(file_of(numbered()), folder / 'out', problems)
    return lambda table: cvat_videos(folder / 'out', folder / 'images', table, Problems('cvat'))


def through_json(make, back=lambda data: data):
    def read(folder, problems):
        data = json.loads(json.dumps(make(file_of(numbered()))))
        return lambda table: json_videos(back(data), 'new.json', table)

    return read


READERS = dict(
    davis=read_masks,
    mots_png=read_mots,
    mots_txt=read_texts,
    labelme=read_labelme,
    cvat_xml=read_cvat,
    tao=through_json(tao_data),
    cvat_coco=through_json(cvat_coco_data),
    burst=through_json(burst_data, lambda data: from_burst(data, 'new.json')),
)


@pytest.mark.parametrize('name', READERS)
def test_there_and_back(folder, name):
    problems = Problems('out')
    table = ClassTable()
    videos = READERS[name](folder, problems)(table)
    assert comparable(videos, table) == expected()
    assert not problems.found and not problems.left_out


@pytest.mark.parametrize('name', ['mots_txt', 'cvat_xml'])
def test_videos_in_folders_of_folders_come_back(folder, monkeypatch, name):
    data = numbered()
    data['videos'][1]['file_names'] = ['v7/b/1.jpg', 'v7/b/2.jpg']
    (folder / 'images/v0').rename(folder / 'images/v7/b')
    monkeypatch.setitem(globals(), 'numbered', lambda: data)
    test_there_and_back(folder, name)


@pytest.mark.parametrize('suffix', ['.txt', '.xml'])
def test_other_files_in_folders_are_left_out(folder, suffix):
    problems, out, images = Problems('in'), folder / 'out', folder / 'images'
    (out / 'old').mkdir(parents=True)
    for name in ('v0', 'v1', 'old/v0'):
        (out / f'{name}{suffix}').touch()
    assert [*files_of_videos(out, suffix, images, problems)] == ['v0', 'v1']
    what = f'{suffix} files in folders that are not named as a folder of frames'
    assert problems.left_out == {what: 1}


def test_files_of_labelme_are_not_replaced(tmp_path):
    mine = tmp_path / 'v0' / '2.json'
    mine.parent.mkdir()
    mine.write_text('mine')
    with pytest.raises(ValueError, match='2.json exists with other shapes, perhaps drawn by hand;'):
        write_labelme(file_of(numbered()), tmp_path, Problems('out'))
    assert [path.read_text() for path in tmp_path.rglob('*.json')] == ['mine']
    mine.unlink()
    write_labelme(file_of(numbered()), tmp_path, Problems('out'))
    mine.unlink()  # as an interrupted conversion leaves its folder
    write_labelme(file_of(numbered()), tmp_path, Problems('out'))
    assert mine.is_file()


def test_covered_pixels_and_crowds_are_told(folder):
    data = content()
    for record in data['annotations'][:2]:
        record['segmentations'] = [dict(size=[8, 12], counts=[0, 8, 88])] * 5
    problems = Problems('out')
    write_masks(file_of(data), folder / 'out', problems)
    assert problems.left_out['pixels of objects under other objects'] >= 40
    assert '1 crowds became objects' in problems.found[0].text()


def test_palette_of_davis():
    assert davis_palette()[:12] == [0, 0, 0, 128, 0, 0, 0, 128, 0, 128, 128, 0]
    assert len(davis_palette()) == 768


def unlike(names):
    """The tiny videos, the second with other names of its frames."""
    data = numbered()
    data['videos'][1]['file_names'] = names
    return file_of(data)


WRITERS = dict(masks=write_masks, labelme=write_labelme, cvat=write_cvat, mots_txt=write_texts)


@pytest.mark.parametrize('name', WRITERS)
def test_frames_of_a_video_lie_in_one_folder(tmp_path, name):
    file = unlike(['cam0/1.jpg', 'cam1/1.jpg'])
    with pytest.raises(ValueError, match="video 0: the frames lie in .* 'cam0' and 'cam1'"):
        WRITERS[name](file, tmp_path, Problems('out'))


@pytest.mark.parametrize('write', [write_masks, write_labelme])
def test_frames_of_one_name(tmp_path, write):
    with pytest.raises(ValueError, match="video 0: two frames are named '1' but for the suffix"):
        write(unlike(['v0/1.jpg', 'v0/1.png']), tmp_path, Problems('out'))


def test_videos_in_one_folder_are_no_videos_for_cvat():
    with pytest.raises(ValueError, match="videos 7 and 0 have their frames in one folder, 'v7'"):
        cvat_coco_data(unlike(['v7/8.jpg', 'v7/9.jpg']))
    with pytest.raises(ValueError, match="in the folders 'a' and 'b'"):
        cvat_coco_data(unlike(['a/1.jpg', 'b/1.jpg']))


def test_burst_keeps_frames_without_a_folder():
    data = from_burst(burst_data(unlike(['1.jpg', '2.jpg'])), 'new.json')
    assert data['videos'][1]['file_names'] == ['1.jpg', '2.jpg']


CVAT = """<?xml version="1.0" encoding="utf-8"?>
<annotations><version>1.1</version><meta/>
<track id="0" label="cat" source="manual">
  <mask frame="0" keyframe="1" outside="0" occluded="0" rle="1, 2, 1" left="3" top="2" width="2"
    height="2" z_order="0"></mask>
  <mask frame="1" keyframe="1" outside="1" occluded="0" rle="1, 2, 1" left="3" top="2" width="2"
    height="2" z_order="0"></mask>
</track>
<track id="1" label="dog" source="manual">
  <polygon frame="1" keyframe="0" outside="0" occluded="0" points="1.0,1.0;5.0,1.0;5.0,3.0;1.0,3.0">
    <attribute name="colour">red</attribute></polygon>
  <box frame="0" keyframe="1" outside="0" occluded="0" xtl="1" ytl="1" xbr="4" ybr="4"></box>
</track></annotations>
"""


def test_a_file_of_cvat_by_hand(folder):
    (folder / 'v0.xml').write_text(CVAT)
    table, problems = ClassTable(), Problems('cvat')
    (video,) = cvat_videos(folder / 'v0.xml', folder / 'images', table, problems)
    data = converted_data(collect([video], table, problems), table, 'youtube_vis', 'x')
    cat, dog = data['annotations']
    assert (cat['areas'], cat['bboxes']) == ([2, None], [[3, 2, 2, 2], None])
    assert (dog['areas'], dog['bboxes']) == ([None, 8], [None, [1, 1, 4, 2]])
    assert problems.left_out == {"shapes of type 'box', which are no masks": 1}


def test_polygons_of_cvat_without_a_pixel(folder):
    (folder / 'v0.xml').write_text(
        CVAT.replace('1.0,1.0;5.0,1.0;5.0,3.0;1.0,3.0', '1,1;1.1,1;1,1.1')
    )
    problems = Problems('cvat')
    (video,) = cvat_videos(folder / 'v0.xml', folder / 'images', ClassTable(), problems)
    assert video.tracks[1].counts == [None, None]
    assert problems.left_out['polygons without a pixel'] == 1


def test_an_empty_folder_of_frames(folder):
    (folder / 'clip.xml').write_text(CVAT)
    (folder / 'images/clip').mkdir()
    with pytest.raises(ValueError, match=r"clip\.xml: folder 'clip' has no images; put"):
        list(cvat_videos(folder / 'clip.xml', folder / 'images', ClassTable(), Problems('cvat')))


@pytest.mark.parametrize(
    'old, new, message',
    [
        ('"1, 2, 1"', '"1, 2, 2"', 'have 5 pixels, its box 4'),
        ('"1, 2, 1"', '"9, -5"', 'does not lie in the frame'),
        ('left="3"', 'left="11"', 'does not lie in the frame'),
        ('frame="1"', 'frame="7"', "frame '7' is none of the 2 frames"),
        ('1.0,1.0;', '1.0,a;', "'a' is no number"),
        ('</annotations>', '', 'cannot be read'),
        ('<annotations>', '<!DOCTYPE a [<!ENTITY b "c">]><annotations>', 'defines entities'),
    ],
)
def test_broken_files_of_cvat(folder, old, new, message):
    (folder / 'v0.xml').write_text(CVAT.replace(old, new))
    with pytest.raises(ValueError, match=message):
        list(cvat_videos(folder / 'v0.xml', folder / 'images', ClassTable(), Problems('cvat')))


@pytest.mark.parametrize(
    'line, message',
    [
        ('1 2001', 'line 1 is not "frame id class height width counts"'),
        ('9 2001 2 8 12 00', 'the video has no frame 9'),
        ('1 7001 7 8 12 00', 'class 7 is none of'),
        ('1 2001 2 9 12 00', r'size \[9, 12\]'),
        ('1 2001 2 8 12 00', 'the mask is broken'),
        ('1 1 1 8 12 0P3\n2 1 2 8 12 0P3', 'line 2: object 1 is of class 2, before .* class 1'),
        ('1 1 1 8 12 0P3\n\n1 1 1 8 12 0P3', 'line 3: object 1 is in frame 1 twice'),
    ],
)
def test_broken_lines_of_mots(folder, line, message):
    (folder / 'texts').mkdir()
    (folder / 'texts/v0.txt').write_text(line)
    with pytest.raises(ValueError, match=message):
        list(text_videos(folder / 'images', folder / 'texts', ClassTable(), Problems('mots')))


def test_frames_of_mots_have_distinct_numbers(folder):
    (folder / 'images/v0/2.jpg').rename(folder / 'images/v0/01.jpg')
    (folder / 'texts').mkdir()
    (folder / 'texts/v0.txt').write_text('')
    with pytest.raises(ValueError, match='v0: frames must be named by distinct numbers'):
        list(text_videos(folder / 'images', folder / 'texts', ClassTable(), Problems('mots')))


def test_no_class_has_the_number_that_mots_ignores():
    categories = [(key, f'c{key}') for key in range(20, 31)]
    file = AnnotationFile('a.json', [], categories)
    assert [*mots_numbers(file).values()] == [1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12]
    assert mots_classes(file).endswith('9=c28 11=c29 12=c30')
    file.categories = [(9, 'Giant panda'), (2, 'cat')]
    assert mots_classes(file) == "'9=Giant panda' 2=cat"


def test_regions_to_ignore_are_counted(folder):
    (folder / 'texts').mkdir()
    (folder / 'texts/v0.txt').write_text('\ufeff1 10000 10 8 12 P3\n', encoding='utf-8')
    problems = Problems('mots')
    (video,) = text_videos(folder / 'images', folder / 'texts', ClassTable(), problems)
    assert video.tracks == [] and problems.left_out == {'regions to ignore (class 10)': 1}


def test_broken_burst_sequences_are_named():
    data = burst_data(file_of(numbered()))
    del data['sequences'][1]['height']
    with pytest.raises(ValueError, match="new.json: sequence no. 1 is not as BURST.*'height'"):
        from_burst(data, 'new.json')
