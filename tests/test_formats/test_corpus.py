"""Inputs that broke a rule of the readers once, and the fuzzer that finds them."""

import random
import time
from pathlib import Path

import fuzz_formats as fuzz
import pytest

CORPUS = Path(__file__).parent / 'corpus'


@pytest.mark.parametrize('path', sorted(CORPUS.glob('*.bin')), ids=lambda path: path.stem)
def test_what_was_found_stays_mended(path, tmp_path):
    began = time.process_time()
    fuzz.check(path.read_bytes(), tmp_path)
    assert time.process_time() - began < fuzz.SECONDS


def test_changes_keep_the_rules(tmp_path):
    """The fuzzer's own changes, without its guide."""
    change = lambda data, limit: data[::-1][:limit]  # noqa: E731
    kinds = set()
    for kind, content in fuzz.sound_files():
        data = fuzz.to_bytes(kind, content)
        fuzz.check(data, tmp_path)
        changed = {fuzz.mutate(data, 6000, seed, change) for seed in range(40)}
        assert len(changed) > 30 and all(each[0] == data[0] for each in changed)
        for each in sorted(changed, key=len):
            fuzz.check(each, tmp_path)
        kinds.add(kind)
    assert kinds == set(fuzz.KINDS)


def test_a_broken_rule_is_found(tmp_path, monkeypatch):
    data = fuzz.to_bytes(*next(fuzz.sound_files()))

    def careless(*args, problems=None, **kwargs):
        if problems is not None:
            return None
        raise ValueError('two\nlines')

    monkeypatch.setattr('mmcico.formats.read.read_annotations', careless)
    with pytest.raises(AssertionError, match='a message is no line of text'):
        fuzz.check(data, tmp_path)


def test_trees_are_changed_in_one_place():
    content = dict(a=[1, 'x'], b={})
    seen = set()
    for seed in range(200):
        copy = dict(a=[1, 'x'], b={})
        fuzz.mutate_tree(copy, random.Random(seed), lambda data, limit: data)
        seen.add(repr(copy))
    assert len(seen) > 20
    assert [*fuzz.places(content)] == [('a',), ('a', 0), ('a', 1), ('b',)]
