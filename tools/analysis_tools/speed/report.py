"""Tables of measurements."""

from typing import Any

from mmcico.utils.tool import markdown_table

from .stages import STAGES


def speed(value: dict[str, float]) -> str:
    """Return a median with its lowest and highest value."""
    return f'{value["median"]:.2f} ({value["low"]:.2f} to {value["high"]:.2f})'


def latency_text(value: dict[str, float]) -> str:
    """Return the quantiles of a latency in words, or a dash if no clip was complete."""
    if not value:
        return '-, the video is shorter than a clip'
    return ', '.join(f'{name} {1000 * seconds:.0f} ms' for name, seconds in value.items())


def stage_table(found: dict[str, Any]) -> str:
    """Return the stages of a measurement as a table."""
    seconds, flops = found['stages'], found.get('flops', {})
    total = sum(each['median'] for each in seconds.values()) or 1.0
    shares = found.get('share_of_peak', {})
    rows = [
        [
            name,
            f'{1000 * seconds[name]["median"]:.1f}',
            f'{1000 * seconds[name]["low"]:.1f} to {1000 * seconds[name]["high"]:.1f}',
            f'{seconds[name]["median"] / total:.1%}',
            f'{flops[name] / 1e9:.1f}' if flops.get(name) else '',
            f'{shares[name]:.0%}' if name in shares else '',
        ]
        for name in STAGES
    ]
    head = ['stage', 'ms a frame', 'lowest to highest', 'share', 'GFLOP', 'of the peak']
    return markdown_table([head, *rows])


def summary(result: dict[str, Any]) -> str:
    """Return everything that ``benchmark.py`` measured as text."""
    found, video = result['model'], result['video']
    where = ', '.join(f'{name} {value}' for name, value in result['machine'].items())
    clip = found['clip']
    lines = [
        where,
        f'{result["config"]}, {result["precision"]}, {video["frames"]} frames of '
        f'{video["height"]} x {video["width"]}, clips of {result["num_frames"]} with '
        f'{result["overlap"]} shared, {result["batch_size"]} at once',
        f'candidates {clip["candidates"]:.1f} and instances {clip["instances"]:.1f} a clip '
        f'({result["candidates_from"]})',
        '',
        stage_table(found),
        '',
        f'frames a second with loading: {speed(found["end_to_end"])}, '
        f'{found["end_to_end_share"]:.2f} of the network alone',
        f'frames a second of backbone to prototypes: {found["network"]["median"]:.2f}',
        f'frames a second of the model, linking included: {speed(found["steps"])}',
        f'masks, NMS, linking, enlarging and encoding: {found["after_network"]:.1%} of the time',
        f'latency of a stream: {latency_text(found["latency"])}',
        f'peak memory: {found["memory"]:.0f} MiB',
    ]
    if 'peak' in found:
        lines.append(f'peak of the device in a matrix product: {found["peak"] / 1e9:.0f} GFLOPS')
    if result.get('peers'):
        lines += ['', peer_table(found, result['peers'])]
    return '\n'.join(lines)


def peer_table(found: dict[str, Any], peers: dict[str, dict[str, Any]]) -> str:
    """Return a table of the model and its peers."""
    own = dict(
        network=found['steps'],
        end_to_end=found['end_to_end'],
        memory=found['memory'],
        instances=found['instances'],
    )
    head = 'model|frames a second, model|with loading|peak memory, MiB|instances a frame'
    rows = [head.split('|')]
    for name, each in {'this model': own, **peers}.items():
        if 'error' in each:
            rows.append([name, each['error'], '', '', ''])
        else:
            speeds = [speed(each[key]) for key in ('network', 'end_to_end')]
            rows.append([name, *speeds, f'{each["memory"]:.0f}', f'{each["instances"]:.1f}'])
    return markdown_table(rows)
