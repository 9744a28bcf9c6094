"""A small model, for the tests of this folder."""

import pytest

from mmcico.apis import CiCoInferencer
from mmcico.testing import write_small_model


@pytest.fixture(scope='module')
def small(tmp_path_factory):
    """Paths of its config and of its weights."""
    return write_small_model(tmp_path_factory.mktemp('small'))


@pytest.fixture(scope='module')
def inferencer(small):
    """An inferencer with it, on the CPU."""
    return CiCoInferencer(*small, device='cpu', show_progress=False)
