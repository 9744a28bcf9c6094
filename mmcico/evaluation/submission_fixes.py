"""What can be mended in results without a change of what they say."""

from typing import Any

from .rle import measure, read_mask
from .submission_checks import MAX_TRACKS, mask_fault
from .tracks import is_number
from .vis_json import GroundTruth


def fix_tracks(tracks: list[Any], truth: GroundTruth) -> tuple[list[Any], list[str]]:
    """Mend what is harmless; everything else stays for the check to find.

    - uncompressed ``counts`` become text;
    - tracks without a pixel, which can only count as false, are left out;
    - of more than 100 tracks of a video and class, which servers cut
      themselves, the 100 of the best scores stay, in their order.

    Args:
        tracks (list): Entries of ``results.json``; not changed.
        truth (GroundTruth): Videos and categories of the server.

    Returns:
        tuple[list, list[str]]: New entries, and a line for each kind of
        change.
    """
    said = []
    compressed = 0
    fixed = []
    for track in tracks:
        track, count = _with_text(track)
        compressed += count
        fixed.append(track)
    if compressed:
        said.append(f'{compressed} masks: counts written as text')
    seen = [track for track in fixed if not _is_unseen(track)]
    if len(seen) < len(fixed):
        said.append(f'{len(fixed) - len(seen)} tracks without any mask left out')
    best = _best(seen, truth)
    if len(best) < len(seen):
        said.append(
            f'{len(seen) - len(best)} tracks beyond the {MAX_TRACKS} '
            'of the best scores of a video and class left out'
        )
    return best, said


def _with_text(track: Any) -> tuple[Any, int]:
    """A track whose sound uncompressed masks are compressed, and how many."""
    if not isinstance(track, dict) or not isinstance(track.get('segmentations'), list):
        return track, 0
    masks = list(track['segmentations'])
    count = 0
    for frame, mask in enumerate(masks):
        fault = None if mask is None else mask_fault(mask, None)
        if fault is not None and fault[2]:
            text = read_mask(mask, tuple(mask['size']))
            masks[frame] = dict(mask, counts=text)
            count += 1
    return (dict(track, segmentations=masks) if count else track), count


def _is_unseen(track: Any) -> bool:
    """Whether a sound track has no pixel in any frame."""
    if not isinstance(track, dict) or not isinstance(track.get('segmentations'), list):
        return False
    masks = [each for each in track['segmentations'] if each is not None]
    if any(mask_fault(mask, None) is not None for mask in masks):
        return False
    areas, totals = measure([mask['counts'] for mask in masks])
    return bool((totals >= 0).all() and areas.sum() == 0)


def _best(tracks: list[Any], truth: GroundTruth) -> list[Any]:
    """Tracks in their order, less those that servers cut."""
    groups: dict[tuple[Any, Any], list[int]] = {}
    for index, track in enumerate(tracks):
        if isinstance(track, dict) and is_number(track.get('score')):
            place = (
                truth.video_index.get(str(track.get('video_id'))),
                truth.category_index.get(str(track.get('category_id'))),
            )
            if None not in place:
                groups.setdefault(place, []).append(index)
    cut = set()
    for members in groups.values():
        # sorting is stable, as that of the official tools
        members.sort(key=lambda index: -tracks[index]['score'])
        cut.update(members[MAX_TRACKS:])
    return [track for i, track in enumerate(tracks) if i not in cut]
