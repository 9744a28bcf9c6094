"""Weights, configs and devices that cannot be used."""

import cv2
import numpy as np
import pytest
import torch

from mmcico.apis import CiCoInferencer
from mmcico.cli.main import main


@pytest.mark.parametrize(
    'content, message',
    [
        ([1, 2], 'holds a list, not the parameters'),
        ({}, 'do not fit the config: .* is missing'),
        (dict(state_dict={}), 'do not fit the config'),
    ],
)
def test_weights_that_are_none(content, message, small, tmp_path, capsys):
    path = tmp_path / 'weights.pth'
    torch.save(content, path)
    with pytest.raises(ValueError, match=f'(?s)weights.pth {message}'):
        CiCoInferencer(small[0], str(path), device='cpu')
    image = tmp_path / 'image.png'
    cv2.imwrite(str(image), np.zeros((40, 72, 3), np.uint8))
    assert (
        main(
            [
                'predict',
                str(image),
                '--model',
                small[0],
                '--weights',
                str(path),
                '--out',
                str(tmp_path / 'out'),
            ]
        )
        == 1
    )
    assert 'weights.pth' in capsys.readouterr().err


def test_weights_without_their_config(small):
    with pytest.raises(ValueError, match='do not hold their config'):
        CiCoInferencer(weights=small[1], device='cpu')


@pytest.mark.parametrize(
    'text, message',
    [
        ('a = 1', 'has no "model"'),
        ("model = dict(type='MaskRCNN')", 'has no "test_dataloader"'),
        (
            "model = dict(type='SOLO')\ntest_dataloader = dict(dataset=dict("
            "pipeline=[dict(type='Resize')]))",
            'the model is SOLO',
        ),
        (
            "model = dict(type='Typo')\ntest_dataloader = dict(dataset=dict("
            "pipeline=[dict(type='Resize')]))",
            'the model is Typo',
        ),
        (
            "model = dict(type='mmcico.CiCo')\ntest_dataloader = dict(dataset=dict("
            "pipeline=[dict(type='Resize')]))\nshown_score = '0.1'",
            "shown_score '0.1' is no number",
        ),
    ],
)
def test_configs_that_are_none(text, message, small, tmp_path):
    path = tmp_path / 'config.py'
    path.write_text(text)
    with pytest.raises(ValueError, match=f'config.py.* {message}'):
        CiCoInferencer(str(path), small[1], device='cpu')


def test_a_device_that_is_none(small):
    with pytest.raises(ValueError, match='the device "gpu" cannot be used'):
        CiCoInferencer(*small, device='gpu')
