"""Fuzz the readers of annotation and results files, guided by coverage.

   pip install atheris
   python tools/benchmarks/fuzz_formats.py --minutes 60 --folder fuzz

Inputs begin as small sound files (YouTube-VIS, CocoVID, exports of CVAT, TAO, results, parts and
zips of results) and are changed as JSON trees or as bytes. A reader may return a value or raise a
ValueError of one line. It must take less than five seconds and one GiB, strict and collecting use
must agree, and what was read is written and read again. Inputs that break a rule are kept in
FOLDER/found, one for each place in the code; FOLDER/corpus has those that reached new code, and
the next run goes on from there. ``tests/test_formats/corpus`` holds inputs that found a mistake.
"""

import argparse
import contextlib
import hashlib
import io
import json
import random
import sys
import tempfile
import traceback
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from mmcico.utils.tool import run_tool, tool_parser

KINDS = ('annotations', 'results', 'zip', 'part')
SECONDS, MEGABYTES = 5, 1024
JUNK = (
    *(None, True, False, 0, 1, -1, 0.5, 1.0, -0.0, 2**31, 2**32, 2**53 + 2, 2**63, 2**64, -(2**63)),
    *(10**400, 1e308, float('nan'), float('inf'), 32768, 32769, 2**20 + 1, '', ' ', '0', '-1', 'a'),
    *('1.0', '\ud800', 'a\nb', '\0', '¹', '../a.jpg', [], {}, [[]], [None], {'id': 1}, 'partial'),
    *('0' * 40, 'o' * 20, '`', 'PPPPPPPPPPPPPPPP1', [0, 48], [-1, 49], [2**62, 2**62, 48]),
    *([[0, 0, 9, 0, 9, 9]], [[1e9, 0, 0, 1e9, 5, 5]], [[0, 0, 1e308, 1e308, 0, 1]], [[0] * 7]),
)
KEYS = (
    *('id', 'name', 'video_id', 'image_id', 'category_id', 'instance_id', 'track_id', 'iscrowd'),
    *('height', 'width', 'length', 'file_name', 'file_names', 'frame_id', 'frame_index', 'area'),
    *('areas', 'bbox', 'bboxes', 'segmentation', 'segmentations', 'size', 'counts', 'occlusion'),
    *('attributes', 'videos', 'images', 'annotations', 'categories', 'score', 'results', 'tracks'),
)


def sound_files() -> Iterator[tuple[str, Any]]:
    """Yield sound content, with its kind."""
    size = [6, 8]
    masks = [dict(size=size, counts='62X1'), dict(size=size, counts=[7, 4, 37]), None]
    drawn = [[1, 1, 5, 1, 5, 4, 1, 4]]
    categories = [dict(id=3, name='cat'), dict(id=40, name='dog')]
    names = ['a/0.jpg', 'a/1.jpg', 'a/2.jpg']
    common = dict(video_id=1, category_id=3, iscrowd=0)
    track = dict(common, id=5, segmentations=[*masks[:2], drawn], bboxes=[[1, 0, 2, 1]] * 3)
    track.update(areas=[2, 4, 12], occlusion=['no_occlusion'] * 3, height=6, width=8, length=3)
    video = dict(id=1, height=6, width=8, length=3, file_names=names)
    yield (
        'annotations',
        dict(videos=[video], categories=categories, annotations=[track, dict(track, id=6)]),
    )
    images = [
        dict(id=n, video_id=1, frame_id=n, file_name=name, height=6, width=8)
        for n, name in enumerate(names)
    ]
    boxes = [
        dict(id=n, image_id=n, instance_id=5, category_id=3, iscrowd=0, bbox=[1, 0, 2, 1], area=2)
        for n in range(3)
    ]
    for each, mask in zip(boxes, track['segmentations']):
        each['segmentation'] = mask
    coco = dict(
        videos=[dict(id=1, name='a')], images=images, categories=categories, annotations=boxes
    )
    yield 'annotations', coco
    tao = [dict(each, track_id=each['instance_id'], video_id=1, instance_id=None) for each in boxes]
    yield (
        'annotations',
        dict(
            coco,
            annotations=tao,
            tracks=[dict(id=5, category_id=3, video_id=1)],
            images=[dict(each, frame_index=each['id'], frame_id=None) for each in images],
        ),
    )
    cvat = [dict(each, attributes=dict(track_id=5)) for each in boxes]
    yield 'annotations', dict(images=images, categories=categories, annotations=cvat)
    found = [dict(common, score=0.5, segmentations=masks), dict(common, score=1, segmentations=[])]
    found[1]['segmentations'] = [None, *track['segmentations'][:2]]
    yield 'results', found
    yield 'zip', found
    yield 'part', [dict(video_id=1, results=found[:1]), dict(video_id=2, results=[])]


def to_bytes(kind: str, content: Any) -> bytes:
    """Return an input: the number of its kind and the bytes of the file."""
    if kind == 'part':
        body = b''.join(json.dumps(line).encode() + b'\n' for line in content)
    else:
        body = json.dumps(content).encode()
    if kind == 'zip':
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, 'w', zipfile.ZIP_DEFLATED) as archive:
            archive.writestr('results.json', body)
        body = packed.getvalue()
    return bytes([KINDS.index(kind)]) + body


def check(data: bytes, folder: Path) -> None:
    """Read an input in every way and raise what breaks a rule.

    Args:
        data (bytes): The number of the kind and the bytes of the file.
        folder (Path): For the file.
    """
    from mmcico.formats.read import read_annotations
    from mmcico.formats.results import read_results
    from mmcico.formats.write import cocovid_data, youtube_vis_data

    kind = KINDS[data[0] % len(KINDS)] if data else KINDS[0]
    path = folder / dict(zip='f.zip', part='results.rank0.jsonl').get(kind, 'f.json')
    path.write_bytes(data[1:])
    if kind != 'annotations':
        truth = read_annotations(next(sound_files())[1], 'truth')
        _verdict(lambda problems: read_results(path, truth, problems=problems), path)
        return
    file = _verdict(lambda problems: read_annotations(path, problems=problems), path)
    _verdict(lambda problems: read_annotations(path, problems=problems, needs_files=False), path)
    if file is not None:
        for convert in (youtube_vis_data, cocovid_data):
            again = read_annotations(json.loads(json.dumps(convert(file))), 'again')
            if len(again.videos) != len(file.videos):
                raise AssertionError(f'{convert.__name__} has lost a video')


def _verdict(read: Callable[[Any], Any], path: Path) -> Any:
    """Return the value of a reader, None if it refuses; strict and collecting use must agree."""
    from mmcico.formats.problems import Problems

    problems = Problems(str(path), collect=True)
    read(problems)
    for each in problems.found:
        if not each.line().isprintable():
            raise AssertionError(f'a problem is no line of text: {each.line()!r}')
    json.dumps(problems.as_dict(), allow_nan=False).encode()
    problems.summary_text()
    try:
        value = read(None)
    except ValueError as error:
        if not str(error).isprintable():
            raise AssertionError(f'a message is no line of text: {error}') from error
        if isinstance(error, UnicodeError) or not problems.is_refused:
            raise AssertionError(f'strict use alone refuses: {error!r}') from error
        return None
    if problems.is_refused:
        raise AssertionError('collecting use alone refuses')
    return value


def places(value: Any, path: tuple = ()) -> Iterator[tuple]:
    """Yield the paths of all values in a tree, the tree itself left out."""
    if path:
        yield path
    if isinstance(value, (dict, list)):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield from places(value[key], (*path, key))


def mutate_tree(content: Any, draw: random.Random, change: Callable[[bytes, int], bytes]) -> None:
    """Change one value of a tree in place.

    Args:
        content (Any): Parsed JSON.
        draw (Random): Source of decisions.
        change (Callable): Changes bytes.
    """
    found = list(places(content))
    if not found:
        return
    *parents, key = draw.choice(found)
    inner = _at(content, parents)
    action = draw.randrange(6)
    if action == 0:
        del inner[key]
    elif action == 1:
        inner[key] = _copy(_at(content, draw.choice(found)))
    elif action == 2 and isinstance(inner, list):
        inner.insert(draw.randrange(len(inner) + 1), _copy(inner[key]))
    elif action == 2:
        inner[draw.choice(KEYS)] = inner.pop(key)
    else:
        inner[key] = _changed(inner[key], draw, change)


def _at(content: Any, path: Sequence) -> Any:
    """Return the value at a path."""
    for key in path:
        content = content[key]
    return content


def _copy(value: Any) -> Any:
    return json.loads(json.dumps(value))


def _changed(value: Any, draw: random.Random, change: Callable[[bytes, int], bytes]) -> Any:
    """Return a value that is near another one, or junk."""
    action = draw.randrange(4)
    if action == 0:
        return draw.choice([[value], [value, value], {draw.choice(KEYS): value}])
    if action < 3 and isinstance(value, str):
        return change(value.encode('utf-8', 'replace'), len(value) + 8).decode('latin-1')
    if action < 3 and isinstance(value, (int, float)) and abs(value) < 2**63:
        return draw.choice([value + 1, value - 1, -value, value * 2, float(value), str(value)])
    return draw.choice(JUNK)


def mutate(data: bytes, limit: int, seed: int, change: Callable[[bytes, int], bytes]) -> bytes:
    """Change an input, mostly as a tree, sometimes as bytes."""
    draw = random.Random(seed)
    kind, body = KINDS[data[0] % len(KINDS)] if data else KINDS[0], data[1:]
    if draw.randrange(8):
        with contextlib.suppress(Exception):  # not JSON any more, or too deep
            if kind == 'zip':
                with zipfile.ZipFile(io.BytesIO(body)) as archive:
                    body = archive.read('results.json')
            is_part = kind == 'part'
            content = [*map(json.loads, body.splitlines())] if is_part else json.loads(body)
            for _ in range(draw.randint(1, 3)):
                mutate_tree(content, draw, change)
            return to_bytes(kind, content)[:limit]
    return bytes([KINDS.index(kind)]) + change(body, max(limit - 1, 1))


def run(seconds: int, folder: Path) -> None:
    """Fuzz for some time; ends the process, as libFuzzer does."""
    try:
        import atheris
    except ImportError as error:
        raise ImportError('fuzzing needs atheris: pip install atheris') from error
    with atheris.instrument_imports(include=['mmcico.formats']):
        import mmcico.formats.read
        import mmcico.formats.results
        import mmcico.formats.write  # noqa: F401
    corpus, found = folder / 'corpus', folder / 'found'
    for each in (corpus, found):
        each.mkdir(parents=True, exist_ok=True)
    for number, (kind, content) in enumerate(sound_files()):
        (corpus / f'sound{number}').write_bytes(to_bytes(kind, content))
    work = Path(tempfile.mkdtemp())

    def test(data: bytes) -> None:
        try:
            check(data, work)
        except BaseException as error:
            frames = traceback.extract_tb(error.__traceback__)
            place = f'{type(error).__name__} {frames[-1].filename} {frames[-1].lineno}'
            if isinstance(error, AssertionError):
                place = str(error)[:40]
            name = found / hashlib.sha256(place.encode()).hexdigest()[:10]
            if not name.exists():
                name.write_bytes(data)
                sys.stderr.write(f'{name}: {traceback.format_exc()}\n')

    arguments = [sys.argv[0], str(corpus), f'-max_total_time={seconds}', f'-timeout={SECONDS}']
    arguments += [f'-rss_limit_mb={MEGABYTES}', f'-artifact_prefix={found}/', '-max_len=6000']
    atheris.Setup(
        [*arguments, '-print_final_stats=1'],
        test,
        custom_mutator=lambda data, limit, seed: mutate(data, limit, seed, atheris.Mutate),
    )
    atheris.Fuzz()


def parse_args(argv: Sequence[str]) -> argparse.Namespace:
    """The command line."""
    parser = tool_parser(__doc__)
    parser.add_argument('--minutes', type=float, default=60, help='time to fuzz for')
    parser.add_argument(
        '--folder', default='fuzz', help='folder of the corpus and of what is found'
    )
    return parser.parse_args(argv)


def main(argv: Sequence[str]) -> None:
    """Read the command line and fuzz."""
    args = parse_args(argv)
    run(round(args.minutes * 60), Path(args.folder))


if __name__ == '__main__':
    sys.exit(run_tool(main))
