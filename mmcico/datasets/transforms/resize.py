"""The published models' input size."""

from mmdet.datasets.transforms import Resize

from mmcico.registry import TRANSFORMS


def landscape_size(height: int, width: int, box: tuple[int, int]) -> tuple[int, int]:
    """Compute the size of a frame that fits into a wide box, truncated to whole pixels.

    The factor is computed first, in double precision, as in the published models: a frame of
    376 x 376 becomes 383 wide in a box 384 high.

    Args:
        height (int): Of the frame.
        width (int): Of the frame.
        box (tuple[int, int]): Width and height of the box.

    Returns:
        tuple[int, int]: Width and height: the box's width for frames that
        are wider than it, else its height.
    """
    if height / width < box[1] / box[0]:
        return box[0], max(int(height * (box[0] / width)), 1)
    return max(int(width * (box[1] / height)), 1), box[1]


@TRANSFORMS.register_module()
class LandscapeResize(Resize):
    """Fits frames into a wide box, as the published models do.

    MMDetection's ``Resize`` with ``keep_ratio`` rounds to the nearest pixel
    and turns the box for upright frames; this one does neither, so that
    every input has the same height or width.

    Args:
        scale (tuple[int, int]): Width and height of the box.
        **kwargs: As of ``Resize``, without ``keep_ratio``.
    """

    def __init__(self, scale: tuple[int, int], **kwargs) -> None:
        super().__init__(scale=scale, keep_ratio=False, **kwargs)

    def _resize_img(self, results: dict) -> None:
        """Resize the image to the size that fits."""
        height, width = results['img'].shape[:2]
        results['scale'] = landscape_size(height, width, self.scale)
        super()._resize_img(results)
