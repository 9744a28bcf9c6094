"""From a config and weights to files."""

import json
import time

import cv2
import numpy as np
import pytest
import torch
from mmdet.structures import DetDataSample
from mmengine.config import Config
from mmengine.registry import init_default_scope
from PIL import Image
from pycocotools import mask as mask_utils

from mmcico.apis import CiCoInferencer, open_source
from mmcico.apis.model_loading import find_model
from mmcico.apis.outputs import TrackSink
from mmcico.registry import MODELS
from mmcico.testing import small_model_cfg
from mmcico.utils.package_files import known_models
from mmcico.utils.weights import load_weights

CLASSES = ('disc', 'box', 'star', 'ring')


def make_config():
    model = small_model_cfg('yolact')
    model['test_cfg'] = dict(nms=dict(type='mmcico.ClipNMS', score_thr=0.3, max_per_clip=20))
    pipeline = [
        dict(type='mmcico.ClipFrameSample'),
        dict(
            type='TransformBroadcaster',
            transforms=[
                dict(type='mmcico.LoadClipFrame'),
                dict(type='Resize', scale=(128, 64), keep_ratio=True),
            ],
        ),
        dict(type='mmcico.PackClipInputs'),
    ]
    return Config(
        dict(
            default_scope='mmdet',
            model=model,
            test_dataloader=dict(
                dataset=dict(
                    type='mmcico.VISDataset',
                    overlap=1,
                    metainfo=dict(classes=CLASSES),
                    pipeline=pipeline,
                )
            ),
        )
    )


@pytest.fixture(scope='module')
def weights(tmp_path_factory):
    """Random weights that find something everywhere."""
    init_default_scope('mmdet')
    torch.manual_seed(0)
    model = MODELS.build(make_config().model)
    torch.nn.init.normal_(model.bbox_head.cls_layer.weight, std=0.3)
    torch.nn.init.constant_(model.bbox_head.mask_layer.bias, 1.0)
    path = tmp_path_factory.mktemp('weights') / 'model.pth'
    torch.save(
        dict(
            state_dict=model.state_dict(),
            meta=dict(dataset_meta=dict(classes=CLASSES, category_ids=(11, 12, 13, 14))),
        ),
        path,
    )
    return str(path)


@pytest.fixture(scope='module')
def inferencer(weights):
    return CiCoInferencer(make_config(), weights, device='cpu', show_progress=False)


def video(length=5, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.integers(0, 256, (40, 72, 3), dtype=np.uint8) for _ in range(length)]


def decode(rle):
    return mask_utils.decode(rle).astype(bool)


def test_records_say_what_the_frames_say(inferencer):
    frames = video()
    (prediction,) = inferencer(frames)['predictions']
    results = list(inferencer.stream(frames))
    tracks = {track['id']: track for track in prediction['tracks']}
    assert prediction['name'] == 'frames' and tracks
    seen = set()
    for result in results:
        rows = result.sample.pred_track_instances
        for i, key in enumerate(rows.instances_id.tolist()):
            seen.add(key)
            track = tracks[key]
            mask = decode(track['segmentations'][result.frame_id])
            assert (mask == rows.masks[i].numpy()).all()
            assert track['bboxes'][result.frame_id] == pytest.approx(rows.bboxes[i].tolist())
    assert seen == set(tracks)
    scores = [track['score'] for track in prediction['tracks']]
    assert scores == sorted(scores, reverse=True)
    assert all(track['class'] == CLASSES[track['label']] for track in tracks.values())


def test_files(inferencer, tmp_path):
    out = inferencer([video(5), video(4, 1)], out_dir=str(tmp_path))
    names = [each['name'] for each in out['predictions']]
    assert names == ['frames', 'frames_2']
    entries = json.loads((tmp_path / 'results.json').read_text())
    assert {entry['video_id'] for entry in entries} == set(names)
    assert {entry['category_id'] for entry in entries} <= {11, 12, 13, 14}
    for prediction, length in zip(out['predictions'], (5, 4)):
        name = prediction['name']
        tracks = json.loads((tmp_path / f'tracks/{name}.json').read_text())
        assert len(tracks) == len(prediction['tracks']) > 0
        shown = cv2.VideoCapture(str(tmp_path / f'videos/{name}.mp4'))
        assert shown.get(cv2.CAP_PROP_FRAME_COUNT) == length
        assert len(list((tmp_path / 'masks' / name).iterdir())) == length
    assert out['visualization'] == [str(tmp_path / f'videos/{name}.mp4') for name in names]
    # the best instance of the first frame is on top
    plane = np.array(Image.open(tmp_path / 'masks/frames/00000.png'))
    best = max(
        (track for track in out['predictions'][0]['tracks'] if track['segmentations'][0]),
        key=lambda track: track['score'],
    )
    mask = decode(best['segmentations'][0])
    assert (plane[mask] > 0).all() and (plane == 1 + best['id']).any()


def test_what_was_done_before_an_error_is_written(inferencer, tmp_path):
    frames = video(6) + [np.zeros((8, 8, 3), dtype=np.uint8)]
    with pytest.raises(ValueError, match='frame 6'):
        inferencer([video(3, 2), frames], out_dir=str(tmp_path))
    entries = json.loads((tmp_path / 'results.json').read_text())
    lengths = {entry['video_id']: len(entry['segmentations']) for entry in entries}
    # with a last clip of frames 3-5
    assert lengths == {'frames': 3, 'frames_2': 6}
    shown = cv2.VideoCapture(str(tmp_path / 'videos/frames_2.mp4'))
    assert shown.get(cv2.CAP_PROP_FRAME_COUNT) == 6


def test_tracks_are_written_after_all_frames_when_samples_do_not_fit(
    inferencer, tmp_path, monkeypatch
):
    write, copied = TrackSink.write, []

    def slow(self, result):
        time.sleep(0.02)
        write(self, result)

    def cpu(self):
        copied.append(self)
        if len(copied) == 10:
            raise MemoryError
        return self

    monkeypatch.setattr(TrackSink, 'write', slow)
    monkeypatch.setattr(DetDataSample, 'cpu', cpu)
    with pytest.raises(MemoryError) as error:
        inferencer(video(14), out_dir=str(tmp_path), return_datasamples=True)
    assert error.tb  # still there, as in a notebook
    entries = json.loads((tmp_path / 'results.json').read_text())
    lengths = {len(entry['segmentations']) for entry in entries}
    shown = cv2.VideoCapture(str(tmp_path / 'videos/frames.mp4'))
    assert lengths == {int(shown.get(cv2.CAP_PROP_FRAME_COUNT))} and min(lengths) >= 10


def test_only_what_is_wanted_is_written(inferencer, tmp_path):
    out = inferencer(video(), out_dir=str(tmp_path), save=['json'], return_datasamples=True)
    assert sorted(p.name for p in tmp_path.iterdir()) == ['results.json', 'tracks']
    assert len(out['predictions'][0]['datasamples']) == 5
    with pytest.raises(ValueError, match="'movie'"):
        inferencer(video(), out_dir=str(tmp_path), save=['movie'])
    with pytest.raises(ValueError, match='no video in the list'):
        inferencer([])


def test_a_folder_that_cannot_be_written(inferencer, tmp_path):
    (tmp_path / 'file').write_text('')
    with pytest.raises(ValueError, match='cannot write to the folder'):
        inferencer(video(), out_dir=str(tmp_path / 'file' / 'below'))


def test_streams_take_turns(inferencer):
    one, two = video(5, 3), video(5, 4)
    expected = [list(inferencer.stream(each)) for each in (one, two)]
    turns = list(zip(inferencer.stream(one), inferencer.stream(two)))
    for index in (0, 1):
        for got, wanted in zip((turn[index] for turn in turns), expected[index]):
            a, b = (x.sample.pred_track_instances for x in (got, wanted))
            assert a.instances_id.tolist() == b.instances_id.tolist()
            assert torch.equal(a.masks, b.masks)
    assert len(turns) == 5


def test_pictures_have_the_objects(inferencer):
    result = next(inferencer.stream(video()))
    (picture,) = inferencer.visualize(None, [result], score_thr=0.0)
    (plain,) = inferencer.visualize(None, [result], score_thr=1.1)
    assert picture.shape == plain.shape and (picture != plain).any()


def test_a_model_by_its_name():
    models = known_models()
    assert len(models) >= 18
    name = 'cico-yolact_r50_fpn_clip3_4xb6-12e_youtubevis2019'
    cfg, found = find_model(name)
    assert cfg.model.bbox_head.num_classes == 40 and found is None
    with pytest.raises(FileNotFoundError, match='"cico-unknown" does not exist: it is neither'):
        find_model('cico-unknown')


def test_weights_are_needed_and_have_to_fit(weights):
    with pytest.raises(ValueError, match='there are no weights'):
        CiCoInferencer(make_config())
    cfg = make_config()
    cfg.model.bbox_head.num_classes = 7
    with pytest.raises(ValueError, match='bbox_head.cls_layer.weight is'):
        CiCoInferencer(cfg, weights, device='cpu')
    partly = CiCoInferencer(cfg, weights, device='cpu', allow_partial=True)
    assert partly.model.bbox_head.num_classes == 7


def test_what_does_not_fit_is_listed():
    init_default_scope('mmdet')
    model = MODELS.build(small_model_cfg())
    params = model.state_dict()
    params.pop('neck.lateral_convs.0.bias')
    params['other.weight'] = torch.zeros(1)
    with pytest.raises(ValueError, match='neck.lateral_convs.0.bias is miss'):
        load_weights(model, params, 'w.pth')
    lines = load_weights(model, params, 'w.pth', allow_partial=True)
    assert lines == ['neck.lateral_convs.0.bias is missing', 'other.weight is not used']
    wrapped = {f'module.{k}': v for k, v in model.state_dict().items()}
    assert load_weights(model, wrapped, 'w.pth') == []


def test_a_source_is_opened_once(inferencer):
    source = open_source(video(4), 'mine')
    (prediction,) = inferencer(source)['predictions']
    assert prediction['name'] == 'mine'
