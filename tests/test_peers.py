"""MMDetection's own models of video instance segmentation, on our data and metric."""

import json
from pathlib import Path

import mmcico.compat  # noqa: F401

import mmdet
import pytest
import torch
from mmcv.ops import multi_scale_deform_attn
from mmengine.config import Config
from tool_runs import options, run_here

ROOT = Path(__file__).parents[1]
PEERS = ROOT / 'configs' / 'peers'
THEIRS = {
    'masktrack-rcnn_r50_fpn_8xb1-12e_youtubevis2019.py': 'masktrack_rcnn/'
    'masktrack-rcnn_mask-rcnn_r50_fpn_8xb1-12e_youtubevis2019.py',
    'mask2former-vis_r50_8xb2-6k_youtubevis2019.py': 'mask2former_vis/'
    'mask2former_r50_8xb2-8e_youtubevis2019.py',
}
SMALL = {
    'masktrack-rcnn': dict(
        detector=dict(
            init_cfg=None,
            backbone=dict(depth=18, init_cfg=None),
            neck=dict(in_channels=[64, 128, 256, 512]),
            roi_head=dict(bbox_head=dict(fc_out_channels=16)),
            # RoIAlign without a compiled operator takes one region after the other
            train_cfg=dict(rpn_proposal=dict(max_per_img=32), rcnn=dict(sampler=dict(num=16))),
            test_cfg=dict(rpn=dict(max_per_img=32)),
        ),
        track_head=dict(embed_head=dict(fc_out_channels=16)),
    ),
    'mask2former-vis': dict(
        init_cfg=None,
        backbone=dict(depth=18, init_cfg=None),
        track_head=dict(
            in_channels=[64, 128, 256, 512],
            num_queries=4,
            pixel_decoder=dict(encoder=dict(num_layers=1)),
            transformer_decoder=dict(num_layers=1),
            train_cfg=dict(num_points=64),
        ),
    ),
}


@pytest.fixture(scope='module')
def shapes(tmp_path_factory):
    """One video of moving shapes, with the classes of the generator."""
    folder = tmp_path_factory.mktemp('shapes')
    for part in ('train', 'test'):
        assert (
            run_here(
                'dataset_tools/make_moving_shapes.py',
                *('--out', folder / part, '--num-videos', 1, '--num-frames', 4),
                *('--size', 64, 96, '--seed', 0),
            )
            == 0
        )
    return folder


def set_data(cfg, folder):
    """Use the tiny videos with any config, in this process."""
    for part in ('train', 'val', 'test'):
        loader = cfg[f'{part}_dataloader']
        loader.update(num_workers=0, persistent_workers=False, batch_size=1)
        name = 'train' if part == 'train' else 'test'
        loader.dataset.update(
            data_root=str(folder),
            ann_file=f'{name}/instances.json',
            data_prefix=dict(img=f'{name}/JPEGImages'),
            dataset_version=None,
        )
        for step in loader.dataset.pipeline[1].transforms:
            if step.type == 'Resize':
                step.scale = (96, 64)
    for part in ('val', 'test'):
        cfg[f'{part}_evaluator'].ann_file = f'{folder}/test/instances.json'


def set_classes(cfg, number):
    """Change the number of classes of a peer."""
    model = cfg.model
    if 'detector' in model:
        for head in ('bbox_head', 'mask_head'):
            model.detector.roi_head[head].num_classes = number
    else:
        model.track_head.num_classes = number
        model.track_head.loss_cls.class_weight = [1.0] * number + [0.1]


@pytest.mark.skipif(mmdet.__version__ != '3.3.0', reason='the configs are those of MMDetection 3.3')
@pytest.mark.parametrize('name, theirs', THEIRS.items())
def test_model_and_training_are_those_of_mmdetection(name, theirs):
    ours = Config.fromfile(PEERS / name)
    theirs = Config.fromfile(Path(mmdet.__file__).parent / '.mim' / 'configs' / theirs)
    assert ours.model.to_dict() == theirs.model.to_dict()
    assert ours.optim_wrapper.to_dict() == theirs.optim_wrapper.to_dict()
    assert ours.param_scheduler == theirs.param_scheduler
    sample = theirs.train_pipeline[0]
    assert ours.train_pipeline[0].reach == sample.frame_range == 100
    assert ours.train_dataloader.dataset.num_frames == 1 + sample.num_ref_imgs
    assert ours.train_dataloader.batch_size == theirs.train_dataloader.batch_size


@pytest.mark.slow
@pytest.mark.parametrize('path', sorted(PEERS.glob('*.py')), ids=lambda path: path.stem)
def test_peer_trains_one_step_and_is_measured(path, shapes, tmp_path):
    cfg = Config.fromfile(path)
    set_data(cfg, shapes)
    if 'demo' not in path.stem:
        cfg.merge_from_dict(dict(model=SMALL[path.stem.split('_')[0]]))
        set_classes(cfg, 4)
    cfg.train_cfg = dict(type='IterBasedTrainLoop', max_iters=1, val_interval=2)
    cfg.param_scheduler = []
    cfg.default_hooks.checkpoint.by_epoch = False
    cfg.dump(tmp_path / 'config.py')
    assert run_here('train.py', tmp_path / 'config.py', '--work-dir', tmp_path, *options()) == 0
    weights = torch.load(tmp_path / 'iter_1.pth', weights_only=True)['state_dict']
    assert all(value.isfinite().all() for value in weights.values())
    test = ('test.py', tmp_path / 'config.py', tmp_path / 'iter_1.pth', '--work-dir', tmp_path)
    assert run_here(*test, *options()) == 0
    figures = json.loads((tmp_path / 'metrics.json').read_text())
    assert 0 <= figures['AP'] <= 1
    results = json.loads((tmp_path / 'results.json').read_text())
    assert all(len(track['segmentations']) == 4 for track in results)
    # ten tracks are kept, some without a mask
    assert 'mask2former' not in path.stem or len(results) <= 10


def test_a_wrong_number_of_classes_is_refused(shapes, tmp_path, capfd):
    cfg = Config.fromfile(PEERS / 'mask2former-vis_demo_moving-shapes.py')
    set_data(cfg, shapes)
    set_classes(cfg, 3)
    cfg.dump(tmp_path / 'config.py')
    assert run_here('train.py', tmp_path / 'config.py', '--work-dir', tmp_path, *options()) != 0
    assert 'set model.track_head.num_classes=4' in capfd.readouterr().err


def test_deformable_attention_by_hand_and_by_gradients():
    # one level of 1 x 2 cells with the values 2 and 6; x = 0.5 is half-way between their centres
    value = torch.tensor([2.0, 6.0], dtype=torch.float64).reshape(1, 2, 1, 1).requires_grad_()
    place = torch.tensor([0.5, 0.5], dtype=torch.float64).reshape(1, 1, 1, 1, 1, 2)
    place.requires_grad_()
    weight = torch.full((1, 1, 1, 1, 1), 0.5, dtype=torch.float64, requires_grad=True)
    shapes, starts = torch.tensor([[1, 2]]), torch.tensor([0])
    inputs = value, shapes, starts, place, weight
    output = multi_scale_deform_attn.MultiScaleDeformableAttnFunction.apply(*inputs, 64)
    assert output.item() == pytest.approx(0.5 * (2 + 6) / 2)
    grads = torch.autograd.grad(output.sum(), (value, place, weight))
    assert grads[0].flatten().tolist() == pytest.approx([0.25, 0.25])
    # a step of one cell is half of the width: 0.5 * (6 - 2) * 2
    assert grads[1].flatten().tolist()[0] == pytest.approx(4.0)
    assert grads[2].item() == pytest.approx(4.0)
