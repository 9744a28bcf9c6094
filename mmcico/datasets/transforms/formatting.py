"""Packing of clips."""
from mmdet.datasets.transforms import PackTrackInputs

from mmcico.registry import TRANSFORMS


@TRANSFORMS.register_module()
class PackClipInputs(PackTrackInputs):
    """Packs a clip for the model.

    As MMDetection's ``PackTrackInputs``; in addition, the
    ``TrackDataSample`` gets ``frame_ids``, ``key_index`` and, at test time,
    ``num_final`` as meta information.

    Args:
        **kwargs: As of ``PackTrackInputs``.
    """

    def transform(self, results: dict) -> dict:
        """Make ``inputs`` (T, 3, H, W) uint8 and ``data_samples``.

        Raises:
            ValueError: If the frames differ in size.
        """
        clip = results.pop('clip_info')[0]
        sizes = {image.shape for image in results['img']}
        if len(sizes) > 1:
            raise ValueError(
                f"{results['source'][0]}: frames {clip['frame_ids']} of "
                f"video {clip['video_id']!r} differ in size: {sorted(sizes)}")
        packed = super().transform(results)
        packed['data_samples'].set_metainfo(clip)
        return packed
