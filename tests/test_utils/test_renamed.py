import pytest

from mmcico.registry import MODELS


@pytest.mark.parametrize(
    'cfg, name, value',
    [
        (dict(type='mmcico.ClipTracker', drop_seconds=True), 'drop_runner_ups', True),
        # what a child config says wins over its base, which has the new name
        (
            dict(type='mmcico.ClipTracker', drop_runner_ups=True, drop_seconds=False),
            'drop_runner_ups',
            False,
        ),
    ],
)
def test_old_names_of_the_tracker_still_work(cfg, name, value):
    with pytest.warns(DeprecationWarning, match='"drop_seconds" is now called "drop_runner_ups"'):
        tracker = MODELS.build(cfg)
    assert getattr(tracker, name) is value


def test_old_name_of_the_mask_heads_convolution_still_works():
    with pytest.warns(DeprecationWarning, match='"kind" is now called "conv"'):
        head = MODELS.build(
            dict(type='mmcico.ClipMaskHead', in_channels=8, feat_channels=8, kind='2d')
        )
    assert head.tower.conv == '2d'
