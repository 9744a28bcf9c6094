"""Files of sources are never replaced by the output."""

import cv2
import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from mmcico.apis import open_source
from mmcico.apis.mask_pictures import SOFTWARE, palette
from mmcico.apis.outputs import MaskSink
from mmcico.cli.main import main
from mmcico.visualization.picture_files import write_video


@pytest.fixture
def sources(tmp_path, monkeypatch):
    """Sources that lie where the output for them goes, and one that does not."""
    monkeypatch.chdir(tmp_path)
    frames = [np.full((40, 72, 3), 50 * number, np.uint8) for number in range(3)]
    write_video('videos/a.mp4', frames, 10)
    write_video('other/a.mp4', frames, 10)
    (tmp_path / 'masks' / 'b').mkdir(parents=True)
    for number, frame in enumerate(frames):
        cv2.imwrite(f'masks/b/{number:05d}.png', frame)
    (tmp_path / 'link').symlink_to('masks')
    return tmp_path


def contents(folder):
    """Everything that the files of a folder hold, by their paths."""
    return {path: path.read_bytes() for path in sorted(folder.rglob('*')) if path.is_file()}


@pytest.mark.parametrize(
    'given, target',
    [
        (['videos/*.mp4'], 'videos/a.mp4'),
        (['other/a.mp4', 'videos/a.mp4'], 'videos/a.mp4'),  # the first one would replace the second
        (['masks/b'], 'masks/b'),
        (['link/b/*.png'], 'masks/b'),
    ],
)
def test_sources_are_not_replaced(sources, small, inferencer, capsys, given, target):
    before = contents(sources)
    with pytest.raises(ValueError, match=f'output {target} would replace files of a source; choo'):
        inferencer(given, out_dir='.')
    # before the model is built
    assert (
        main(['predict', *given, '--model', 'no model', '--weights', small[1], '--out', '.']) == 1
    )
    assert f'output {target} would replace files of a source' in capsys.readouterr().err
    assert contents(sources) == before


def test_open_sources_know_their_files(sources, inferencer):
    with pytest.raises(ValueError, match='videos/a.mp4 would replace'):
        inferencer(open_source((sources / 'videos' / 'a.mp4').as_uri()), out_dir='.')
    with pytest.raises(ValueError, match='masks/b would replace'):
        inferencer(open_source(sources / 'masks' / 'b'), out_dir='.')


def test_what_nothing_replaces_may_lie_in_the_output(sources, inferencer):
    inferencer('videos/a.mp4', out_dir='.', save=('masks', 'json'))
    inferencer(open_source('videos/a.mp4', 'c'), out_dir='.')
    inferencer('masks/b', out_dir='.', save='video')
    assert (sources / 'videos' / 'c.mp4').is_file() and (sources / 'videos' / 'b.mp4').is_file()
    inferencer('other/a.mp4', out_dir='.')  # replaces the output of an earlier run


def test_pictures_of_others_are_not_replaced(sources, small, inferencer, capsys):
    folder = sources / 'out' / 'masks' / 'a'
    folder.mkdir(parents=True)
    Image.new('I;16', (4, 3)).save(folder / '00007.png')
    before = contents(sources)
    with pytest.raises(ValueError, match='masks/a would replace 00007.png, which mmcico did not'):
        inferencer('videos/a.mp4', out_dir='out')
    arguments = ['videos/a.mp4', '--model', 'no model', '--weights', small[1], '--out', 'out']
    assert main(['predict', *arguments]) == 1  # before the model is built
    assert 'would replace 00007.png' in capsys.readouterr().err
    assert contents(sources) == before
    inferencer('videos/a.mp4', out_dir='out', save=('video', 'json'))
    (folder / '00007.png').rename(folder / '7.png')  # nothing replaces this one
    for _ in range(2):
        inferencer('videos/a.mp4', out_dir='out')
    assert len(list(folder.iterdir())) == 4


@pytest.mark.parametrize(
    'mode, is_removed',
    [('P', True), ('own', True), ('I;16', False), ('RGB', False), ('L', False), ('web', False)],
)
def test_only_mask_pictures_of_an_earlier_run_are_removed(tmp_path, mode, is_removed):
    later = tmp_path / '00001.png'
    image = Image.new(dict(web='P', own='I;16').get(mode, mode), (4, 3))
    if mode == 'P':  # of an earlier version
        image.putpalette(palette())
    text = PngInfo()
    if mode == 'own':
        text.add_text(*SOFTWARE)
    image.save(later, pnginfo=text)
    sink = MaskSink(tmp_path, 0.5)
    sink.num_frames = 1
    sink.close()
    assert later.exists() != is_removed
