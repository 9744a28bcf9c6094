"""Model and data set must agree on the classes."""

from types import SimpleNamespace as Box

import pytest

from mmcico.engine import ClassCheckHook


def runner(num_classes, classes):
    loader = Box(dataset=Box(metainfo=dict(classes=classes)))
    return Box(
        model=Box(bbox_head=Box(num_classes=num_classes)),
        train_dataloader=loader,
        val_dataloader=loader,
        test_dataloader=loader,
    )


@pytest.mark.parametrize('stage', ['train', 'val', 'test'])
def test_a_wrong_number_is_named_with_the_way_out(stage):
    check = getattr(ClassCheckHook(), f'before_{stage}')
    with pytest.raises(ValueError) as error:
        check(runner(40, ('cat', 'dog')))
    assert "('cat', 'dog')" in str(error.value)
    assert 'model.bbox_head.num_classes=2' in str(error.value)


def test_the_right_number_and_other_models_pass():
    hook = ClassCheckHook()
    hook.before_train(runner(2, ('cat', 'dog')))
    other = runner(2, None)
    other.model = Box()
    hook.before_test(other)
