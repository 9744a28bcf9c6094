"""Draw the prototypes of a clip and the mask parameters of an instance.

    python tools/analysis_tools/show_prototypes.py CONFIG CHECKPOINT \
        video.mp4 --frame 12 --track 0 --out prototypes.png

The picture shows the frame with the instance, the probability of its mask, its mask parameters as
bars, and the prototypes of the frame.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, NamedTuple

import cv2
import numpy as np
from mmengine.structures import InstanceData
from torch import Tensor

from mmcico.apis import CiCoInferencer, ClipStream, FrameResult, StreamState, open_source
from mmcico.apis.outputs import drawn_objects
from mmcico.apis.stream_values import LinkedClip
from mmcico.models.vis.clip_network import ClipNetwork, NetworkResult
from mmcico.utils.tool import natural_int, run_tool, tool_parser
from mmcico.visualization.draw import contact_sheet, draw_text_
from mmcico.visualization.picture_files import write_picture
from mmcico.visualization.style import DrawStyle, draw_frame

BACKGROUND = 245
POSITIVE, NEGATIVE = (60, 140, 30), (50, 50, 200)


@dataclass(frozen=True)
class PrototypeView:
    """Content of a sheet: an instance in a frame.

    Attributes:
        frame: (H, W, 3) uint8 BGR with the instance drawn on it.
        prob: (h, w) probability of the mask, 0 to 1.
        protos: (k, h, w) prototypes.
        params: (k',) mask parameters; linear masks have one for each prototype.
    """

    frame: np.ndarray
    prob: np.ndarray
    protos: np.ndarray
    params: np.ndarray


def heat(values: np.ndarray, size: tuple[int, int], low: float, high: float) -> np.ndarray:
    """Return a map (h, w) in colours, of a height and width; ``low`` is the darkest."""
    share = (values - low) / max(high - low, 1e-6)
    grey = np.rint(np.clip(share, 0, 1) * 255).astype(np.uint8)
    large = cv2.resize(grey, size[::-1], interpolation=cv2.INTER_NEAREST)
    return cv2.applyColorMap(large, cv2.COLORMAP_VIRIDIS)


def bars(values: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Draw values as bars up and down from the middle of a picture of a height and width.

    The largest magnitude fills half the height.
    """
    height, width = size
    chart = np.full((height, width, 3), BACKGROUND, np.uint8)
    zero = height // 2
    reach = (zero - 1) / max(float(np.abs(values).max()), 1e-6)
    edges = np.linspace(0, width, len(values) + 1).round().astype(int)
    for value, left, right in zip(values, edges, edges[1:]):
        gap = 1 if right - left > 2 else 0
        end = zero - round(float(value) * reach)
        colour = POSITIVE if value > 0 else NEGATIVE
        chart[min(zero, end) : max(zero, end) + 1, left : right - gap] = colour
    chart[zero] = 0
    return chart


def prototype_tiles(view: PrototypeView, size: tuple[int, int]) -> list[np.ndarray]:
    """Draw a picture for each prototype on one scale, titled with the weight of linear masks."""
    low, high = float(view.protos.min()), float(view.protos.max())
    linear = len(view.params) == len(view.protos)
    tiles = []
    for index, proto in enumerate(view.protos):
        tile = heat(proto, size, low, high)
        weight = f': {view.params[index]:+.2f}' if linear else ''
        draw_text_(tile, f'{index}{weight}', (0, 0))
        tiles.append(tile)
    return tiles


def prototype_sheet(view: PrototypeView, columns: int = 8, width: int = 200) -> np.ndarray:
    """Draw frame, mask, parameters and prototypes as one picture, (H, W, 3) uint8 BGR.

    Prototypes are ``width`` wide, with at least four ``columns`` in a row.
    """
    height = round(width * view.frame.shape[0] / view.frame.shape[1])
    large = (2 * height, 2 * width)
    frame = cv2.resize(view.frame, large[::-1], interpolation=cv2.INTER_AREA)
    mask = heat(view.prob, large, 0.0, 1.0)
    chart = bars(view.params, (2 * height, (columns - 4) * width))
    low, high = view.params.min(), view.params.max()
    for picture, text in (
        (frame, 'frame'),
        (mask, 'mask, 0 to 1'),
        (chart, f'{len(view.params)} mask parameters, {low:+.2f} to {high:+.2f}'),
    ):
        draw_text_(picture, text, (0, 0))
    top = np.hstack([frame, mask, chart])
    tiles = contact_sheet(prototype_tiles(view, (height, width)), columns)
    sheet = np.full(
        (len(top) + len(tiles), max(top.shape[1], tiles.shape[1]), 3), BACKGROUND, np.uint8
    )
    sheet[: len(top), : top.shape[1]] = top
    sheet[len(top) :, : tiles.shape[1]] = tiles
    return sheet


class KeepPrototypes(ClipNetwork):
    """Runs another network and keeps its last prototypes.

    Args:
        network (ClipNetwork): The other network.
    """

    def __init__(self, network: ClipNetwork) -> None:
        self.network = network
        self.protos: Tensor | None = None

    def __call__(self, *args: Any) -> NetworkResult:
        """Run the other network."""
        result = self.network(*args)
        self.protos = result.protos
        return result


class Moment(NamedTuple):
    """A frame and its clip.

    Attributes:
        result (FrameResult): Result of the frame.
        linked (LinkedClip): Last clip that has the frame.
        protos (Tensor): (k, T, h, w) prototypes of this clip.
    """

    result: FrameResult
    linked: LinkedClip
    protos: Tensor


def parse_args(argv: Sequence[str]) -> argparse.Namespace:
    """Parse the command line."""
    parser = tool_parser(__doc__ and __doc__.splitlines()[0])
    parser.add_argument('config', help='config file')
    parser.add_argument('checkpoint', help='checkpoint file or URL')
    parser.add_argument('source', help='video file, folder or glob of images')
    parser.add_argument(
        '--frame', type=natural_int, default=0, help='position of the frame in the video, from 0'
    )
    parser.add_argument(
        '--track', type=int, help='id of the instance (default: that with the best score)'
    )
    parser.add_argument('--out', default='prototypes.png', help='PNG file')
    parser.add_argument('--columns', type=int, default=8, help='number of prototypes in a row')
    parser.add_argument('--device', help='device, such as cpu or cuda:0')
    args = parser.parse_args(argv)
    if args.columns < 5:
        parser.error('--columns must be 5 or more')
    return args


def find_moment(clips: ClipStream, source: Any, frame: int) -> Moment:
    """Run the video up to the results of a frame.

    Raises:
        ValueError: If the video does not have the frame.
    """
    keeper = clips.model.network = KeepPrototypes(clips.model.network)
    state = StreamState(source.name)

    for image in chain(source, [None]):
        state, results = clips.conclude(state) if image is None else clips.push(state, image)
        for result in results:
            if result.frame_id == frame:
                return Moment(result, state.last, keeper.protos)
    raise ValueError(f'--frame {frame}: {source.name} has the frames 0 to {state.num_frames - 1}')


def row_of(rows: InstanceData, track: int | None, where: str) -> int:
    """Return the index of a track among the instances of a frame, or of the best one.

    Raises:
        ValueError: If the frame does not show the track.
    """
    ids = rows.instances_id.tolist()
    if track is None and ids:
        return int(rows.scores.argmax())
    if track not in ids:
        raise ValueError(f'{where} has no track {track}; it has {ids or "none"}')
    return ids.index(track)


def view_of(moment: Moment, track: int, classes: Sequence[str]) -> PrototypeView:
    """Return the content of the picture, without the padding of the input."""
    clip, loaded = moment.linked
    sample, input_shape = loaded.sample, loaded.inputs.shape[-2:]
    t = list(sample.frame_ids).index(moment.result.frame_id)
    row = clip.instances_id.tolist().index(track)
    height, width = sample[t].img_shape[:2]
    rows = round(height * moment.protos.shape[-2] / input_shape[0])
    cols = round(width * moment.protos.shape[-1] / input_shape[1])
    objects = [
        each for each in drawn_objects(moment.result, classes, 0.0) if each.track_id == track
    ]
    return PrototypeView(
        draw_frame(moment.result.image, objects, DrawStyle(boxes=True)),
        _array(clip.masks[row, t, :rows, :cols]),
        _array(moment.protos[:, t, :rows, :cols]),
        _array(clip.mask_params[row]),
    )


def _array(values: Tensor) -> np.ndarray:
    return values.detach().float().cpu().numpy()


def main(argv: Sequence[str]) -> None:
    """Run the model up to the frame and draw the picture."""
    args = parse_args(argv)
    source = open_source(args.source)
    inferencer = CiCoInferencer(args.config, args.checkpoint, args.device)
    moment = find_moment(inferencer.clips, source, args.frame)
    rows = moment.result.sample.pred_track_instances
    row = row_of(rows, args.track, f'frame {args.frame} of {source.name}')
    track = int(rows.instances_id[row])
    view = view_of(moment, track, inferencer.classes)
    write_picture(args.out, prototype_sheet(view, args.columns))
    name = inferencer.classes[int(rows.labels[row])]
    print(f'track {track}, {name} {float(rows.scores[row]):.2f}, frame {args.frame}: {args.out}')


if __name__ == '__main__':
    sys.exit(run_tool(main))
