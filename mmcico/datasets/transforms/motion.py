"""What moves by itself in a clip, as channels of the input."""

import cv2
import numpy as np
from mmcv.transforms import BaseTransform

from mmcico.registry import TRANSFORMS

from .clips import check_sizes

#: distance of the pixels that the camera's motion is fitted to
GRID = 4
#: rounds of that fit
ROUNDS = 6
#: motion below it counts as noise, in pixels
NOISE = 0.1
#: of the tanh that limits motion, in multiples of the usual deviation from the camera's motion
SPAN = 4.0
#: the optical flow needs frames of at least this size; smaller ones repeat their last pixels
MIN_SIZE = 16


def terms(y: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Return the (..., 6) terms of a quadratic polynomial of positions between 0 and 1."""
    x, y = x - 0.5, y - 0.5
    return np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=-1)


def own_motion(flow: np.ndarray) -> np.ndarray:
    """Remove the motion of the camera from an optical flow.

    The camera's motion is the quadratic polynomial that fits most of the image, found by
    iteratively reweighted least squares. What is left is divided by the deviation from it that is
    usual in this frame, so that slow and fast video look alike.

    Args:
        flow (ndarray): (H, W, 2) float32 optical flow in pixels.

    Returns:
        ndarray: (H, W, 2) float32 rest, in multiples of the usual deviation.
    """
    height, width = flow.shape[:2]
    y, x = np.mgrid[:height, :width].astype(np.float32)
    everywhere = terms(y / height, x / width)
    known = everywhere[::GRID, ::GRID].reshape(-1, 6)
    seen = flow[::GRID, ::GRID].reshape(-1, 2)
    weight = np.ones((len(known), 1), np.float32)
    # keeps the solution finite where a frame has few pixels
    damping = 1e-4 * np.eye(6, dtype=np.float32)
    for _ in range(ROUNDS):
        weighted = known * weight
        camera = np.linalg.solve(weighted.T @ known + damping, weighted.T @ seen)
        rest = np.linalg.norm(seen - known @ camera, axis=1, keepdims=True)
        usual = max(1.5 * float(np.median(rest)), NOISE)
        weight = (1 + (rest / usual) ** 2) ** -2
    return (flow - everywhere @ camera) / usual


def optical_flow(grey: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return the (H, W, 2) way in pixels from a (H, W) uint8 frame to another one.

    The method is dense inverse search (Kroeger et al., ECCV 2016) as in OpenCV.
    """
    height, width = grey.shape
    border = (0, max(MIN_SIZE - height, 0), 0, max(MIN_SIZE - width, 0), cv2.BORDER_REPLICATE)
    solver = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    both = [cv2.copyMakeBorder(each, *border) for each in (grey, other)]
    flow = solver.calc(*both, None)  # type: ignore[call-overload]
    return flow[:height, :width]


def motion_frames(greys: list[np.ndarray]) -> list[np.ndarray]:
    """Turn frames into brightness and motion, see :class:`ClipMotion`.

    Args:
        greys (list[ndarray]): T frames (H, W) uint8.

    Returns:
        list[ndarray]: T frames (H, W, 3) uint8.
    """
    if len(greys) == 1:
        motions = [np.zeros((*greys[0].shape, 2), np.float32)]
    else:
        # the first frame has none before it: the reverse of the way to the second
        motions = [own_motion(optical_flow(greys[0], greys[1]))]
        motions += [own_motion(-optical_flow(b, a)) for a, b in zip(greys, greys[1:])]
    return [
        np.dstack([grey, np.rint(128 + 127 * np.tanh(motion / SPAN)).astype(np.uint8)])
        for grey, motion in zip(greys, motions)
    ]


@TRANSFORMS.register_module()
class ClipMotion(BaseTransform):
    """Transform that shows a model what moves by itself, instead of colours.

    The three channels of a frame become its brightness and the two components of its motion since
    the frame before, without the motion of the camera (:func:`own_motion`); 128 is no motion. The
    first frame of a clip has its motion until the next one. Motion looks alike in generated and in
    real video, colours and surfaces do not: a model that was trained on generated video finds
    objects of real video by it.

    It stands behind the transforms of single frames and before :class:`PackClipInputs`. It takes
    about 8 ms for a frame of 224 x 128 on one core.

    Required keys are those of :class:`PackClipInputs`; ``img``, T frames (H, W, 3) BGR, is
    replaced.
    """

    def transform(self, results: dict) -> dict:
        """Replace the frames.

        Raises:
            ValueError: If frames differ in size.
        """
        check_sizes(results)
        frames = [np.clip(frame, 0, 255).astype(np.uint8) for frame in results['img']]
        greys = [cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY) for frame in frames]
        results['img'] = motion_frames(greys)
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}()'
