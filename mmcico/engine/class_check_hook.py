"""A check that model and data set agree on the classes."""

from typing import Any

from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner

from mmcico.registry import HOOKS


@HOOKS.register_module()
class ClassCheckHook(Hook):
    """Stops before the first step if the head has another number of classes.

    MMDetection's ``NumClassCheckHook`` does so by an assertion that does
    not say how to mend it.
    """

    def before_train(self, runner: Runner) -> None:
        """Compare with the training set."""
        self._check(runner, runner.train_dataloader.dataset)

    def before_val(self, runner: Runner) -> None:
        """Compare with the validation set."""
        self._check(runner, runner.val_dataloader.dataset)

    def before_test(self, runner: Runner) -> None:
        """Compare with the test set."""
        self._check(runner, runner.test_dataloader.dataset)

    @staticmethod
    def _check(runner: Runner, dataset: Any) -> None:
        """Compare the head with one data set.

        Raises:
            ValueError: If the numbers differ, naming both.
        """
        model = runner.model
        model = model.module if is_model_wrapper(model) else model
        classes = dataset.metainfo.get('classes')
        head = getattr(model, 'bbox_head', None)
        expected = getattr(head, 'num_classes', None)
        if classes is None or expected in (None, len(classes)):
            return
        raise ValueError(
            f'the model has {expected} classes, the data set {len(classes)}: '
            f'{tuple(classes)}; set model.bbox_head.num_classes='
            f'{len(classes)}, or choose classes by metainfo=dict(classes=...) '
            'of the data sets'
        )
