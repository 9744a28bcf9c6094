"""Every config loads and builds; one of each kind learns and predicts."""

import copy
from pathlib import Path

import pytest
import tiny_video as tiny
import torch
from mmdet.utils import register_all_modules
from mmengine.config import Config
from mmengine.dataset import pseudo_collate

from mmcico.formats.categories import VERSIONS
from mmcico.registry import DATASETS, METRICS, MODELS

ROOT = Path(__file__).parents[1]
CONFIGS = sorted(
    str(path.relative_to(ROOT))
    for path in (ROOT / 'configs').rglob('*.py')
    if not {'_base_', 'peers'} & {*path.parts}  # tests/test_peers.py has the peers
)
PAPER = [name for name in CONFIGS if name.startswith('configs/cico/')]
# ablations change those few settings that tests/test_ablations.py checks
MODEL_CONFIGS = [name for name in CONFIGS if not name.startswith('configs/ablations/')]
PUBLISHED = [name for name in CONFIGS if name.startswith('configs/published/')]
CLASSES = dict(youtubevis2019=40, youtubevis2021=40, ovis=25)

register_all_modules(init_default_scope=True)


def load(name):
    """A config that needs no download."""
    cfg = Config.fromfile(ROOT / name)
    cfg.model.backbone.init_cfg = None
    return cfg


def test_the_eighteen_models_of_the_paper_are_there():
    expected = {
        f'configs/cico/cico-{kind}_{net}_fpn_clip3_4xb6-12e_{data}.py'
        for kind in ('yolact', 'condinst')
        for net in ('r50', 'r101', 'swin-t')
        for data in CLASSES
    }
    assert expected <= set(PAPER)
    assert {
        name.replace('cico/', 'published/').replace('4xb6-12e', 'published') for name in expected
    } == set(PUBLISHED)


@pytest.mark.parametrize('name', CONFIGS)
def test_config_is_complete(name):
    cfg = load(name)
    # "pretty_text" of MMEngine says the same, but takes a third of a second to format it
    text = '\n'.join(f'{key} = {value!r}' for key, value in cfg.to_dict().items())
    assert Config.fromstring(text, '.py').to_dict() == cfg.to_dict()
    for part in ('train', 'val', 'test'):
        loader = cfg[f'{part}_dataloader']
        assert loader.dataset.type == 'mmcico.VISDataset'
        assert loader.dataset.ann_file and loader.dataset.data_prefix.img
        assert loader.dataset.num_frames == cfg.model.bbox_head.num_frames
        assert loader.dataset.get('test_mode', False) == (part != 'train')
    assert cfg.val_dataloader == cfg.test_dataloader
    assert cfg.val_evaluator == cfg.test_evaluator
    assert cfg.train_dataloader.dataset.pipeline[1].share_random_params


@pytest.mark.parametrize('name', MODEL_CONFIGS)
def test_model_builds(name):
    cfg = load(name)
    # sizes alone, but Swin Transformers compute with values
    with torch.device('cpu' if 'swin' in name else 'meta'):
        model = MODELS.build(cfg.model)
    head = model.bbox_head
    assert head.num_classes == cfg.model.bbox_head.num_classes
    sizes = [p.numel() for p in model.backbone.parameters()]
    if 'swin-t' in name:
        assert 27.4e6 < sum(sizes) < 27.6e6
    elif '_r101_' in name:
        assert 42.4e6 < sum(sizes) < 42.6e6
    elif '_r50_' in name:
        assert 23.4e6 < sum(sizes) < 23.6e6
    params = dict(yolact=32, condinst=169)
    kind = 'yolact' if 'yolact' in name else 'condinst'
    if name in PUBLISHED:
        params = dict(yolact=32, condinst=161)
    if name in PAPER + PUBLISHED:
        assert model.mask_head.num_params == params[kind]


@pytest.mark.parametrize('name', PAPER + PUBLISHED)
def test_data_and_classes_agree(name):
    cfg = load(name)
    data = name[: -len('.py')].rsplit('_', 1)[-1]
    version = cfg.train_dataloader.dataset.dataset_version
    assert version == data.replace('youtubevis', '')
    assert cfg.model.bbox_head.num_classes == CLASSES[data]
    assert len(VERSIONS[version]) == CLASSES[data]
    dataset = cfg.val_dataloader.dataset
    assert METRICS.get(cfg.val_evaluator.type).__name__ == 'VISMetric'
    assert cfg.val_evaluator.ann_file == dataset.data_root + dataset.ann_file


@pytest.mark.parametrize('name', [x for x in PAPER if 'rtmdet' not in x])
def test_settings_are_those_of_the_paper(name):
    cfg = load(name)
    model, head = cfg.model, cfg.model.bbox_head
    assert dict(head.towers, norm_cfg=None) == dict(
        cls='2d', box='3d', track='3d', num_convs=4, channels=model.neck.out_channels, norm_cfg=None
    )
    assert model.neck.type == 'mmcico.YolactFPN' and model.neck.num_outs == 5
    assert head.embed_channels == 64 and head.num_frames == 3
    assert head.bbox_coder.target_stds == (0.1, 0.1, 0.2, 0.2)
    assert (head.assigner.pos_iou_thr, head.assigner.neg_iou_thr, head.assigner.reach) == (
        0.5,
        0.4,
        1,
    )
    weights = [x.loss_weight for x in head.losses.values()]
    assert weights == [1, 1, 5]
    assert model.mask_head.loss_mask.loss_weight == 6.125
    assert model.mask_head.conv == '3d'
    assert model.test_cfg.nms.score_thr == 0.1
    assert cfg.optim_wrapper.optimizer == dict(
        type='SGD', lr=0.001, momentum=0.9, weight_decay=0.0001
    )
    warmup, steps = cfg.param_scheduler
    assert (warmup.end, warmup.by_epoch) == (500, False)
    assert (steps.milestones, steps.gamma) == ([8, 10], 0.1)
    assert cfg.train_cfg.max_epochs == 12
    assert cfg.train_dataloader.batch_size * 4 == 24
    assert cfg.test_dataloader.dataset.overlap == 1


def test_2022_is_2021_with_other_files():
    cfg = Config.fromfile(ROOT / 'configs/_base_/datasets/youtube_vis_2022.py')
    assert cfg.train_dataloader.dataset.dataset_version == '2022'
    assert VERSIONS['2022'] == VERSIONS['2021']


@pytest.fixture(scope='module')
def videos(tmp_path_factory):
    """Folder of tiny videos, and files with the classes of each version."""
    folder = tiny.write_frames(tmp_path_factory.mktemp('videos'))
    for version, names in VERSIONS.items():
        content = tiny.content()
        content['categories'] = [dict(id=i + 1, name=name) for i, name in enumerate(names)]
        for number, track in enumerate(content['annotations']):
            track['category_id'] = number + 1
        tiny.write_json(folder, content, f'{version}.json')
    return folder


def reduced(cfg, part, folder):
    """The config's own data set and pipeline, on tiny videos."""
    data = copy.deepcopy(cfg[f'{part}_dataloader'].dataset)
    data.update(
        data_root=str(folder), ann_file=f'{data.dataset_version}.json', data_prefix=dict(img='img')
    )
    for step in data.pipeline[1].transforms:
        if step.type == 'Resize':
            step.scale = (96, 64)
    return DATASETS.build(data)


@pytest.mark.parametrize(
    'net, data', [('r50', 'youtubevis2019'), ('r101', 'youtubevis2021'), ('swin-t', 'ovis')]
)
@pytest.mark.parametrize('kind', ['yolact', 'condinst'])
def test_each_kind_learns_and_predicts(kind, net, data, videos):
    cfg = load(f'configs/cico/cico-{kind}_{net}_fpn_clip3_4xb6-12e_{data}.py')
    cfg.model.test_cfg.nms.update(score_thr=0.0, max_per_frame=4)
    torch.manual_seed(0)
    model = MODELS.build(cfg.model)
    dataset = reduced(cfg, 'train', videos)
    batch = pseudo_collate([dataset[0], dataset[4]])
    inputs = model.data_preprocessor(batch, training=True)
    model.train()
    losses = model(**inputs, mode='loss')
    total, _ = model.parse_losses(losses)
    total.backward()
    assert torch.isfinite(total) and total > 0
    assert losses['loss_mask'] > 0 and losses['loss_bbox'] > 0
    for part in (model.bbox_head, model.mask_head):
        grads = [p.grad for p in part.parameters()]
        assert any(g is not None and g.abs().sum() > 0 for g in grads)

    model.eval()
    # masks of an untrained model may be empty: make them full
    torch.nn.init.constant_(model.bbox_head.mask_layer.bias, 1.0)
    dataset = reduced(cfg, 'test', videos)
    found = []
    for i in range(2):
        batch = model.data_preprocessor(pseudo_collate([dataset[i]]), training=False)
        found += model(**batch, mode='predict')
    frames = [f for clip in found for f in clip.video_data_samples]
    assert [f.frame_id for f in frames] == [0, 1, 2, 3, 4]
    assert all(len(clip.clip_instances) for clip in found)
    for frame in frames:
        tracks = frame.pred_track_instances
        assert tracks.masks.shape[1:] == (8, 12)
        assert tracks.masks.dtype == torch.bool
        assert tracks.masks.flatten(1).any(1).all()
        assert ((tracks.labels >= 0) & (tracks.labels < model.bbox_head.num_classes)).all()
        ids = tracks.instances_id.tolist()
        assert len(set(ids)) == len(ids)
