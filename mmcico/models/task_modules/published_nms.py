"""The published models' duplicate removal, with its defect."""

from torch import Tensor

from mmcico.registry import TASK_UTILS

from .clip_nms import ClipNMS


@TASK_UTILS.register_module()
class PublishedClipNMS(ClipNMS):
    """:class:`ClipNMS` with the mispaired term of the published models.

    In a class's order, the circumscribed box of the better row is compared
    with that of the row which stands at the other's place in the order of
    best scores. It matters where the two orders differ, and is needed to get
    the published results from published weights; use :class:`ClipNMS` for
    everything else.
    """

    def reorder(self, overlap: tuple[Tensor, ...], order: Tensor) -> Tensor:
        """Overlap of the rows in a class's own order, see above."""
        paired, circumscribed = overlap
        return paired[order][:, order] + circumscribed[order]
