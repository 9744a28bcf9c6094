"""Configs that weights carry: read as plain values, never run.

A config file is code that its user chose; weights come from anywhere. The text of a config in a
checkpoint is therefore parsed, and only registered types of OpenMMLab packages are built from it.
"""

import ast
import importlib
import re
from collections.abc import Iterator
from types import ModuleType
from typing import Any

from mmengine.config import Config

SCOPES = ('mmcico', 'mmdet', 'mmcv', 'mmengine')
#: what is used of a config that weights carry
PARTS = ('default_scope', 'model', 'test_dataloader', 'visualizer', 'shown_score')
#: what the text of a config has beside literals
NAMES = dict(inf=float('inf'), nan=float('nan'))


def parse_config(text: str, source: str) -> Config:
    """Read the text of a config as MMEngine writes it.

    It has assignments of literals and of calls of ``dict`` with keywords, and registered types.

    Raises:
        ValueError: If the text has anything else, or a type that is not registered.
    """
    content = {}
    try:
        for statement in ast.parse(text).body:
            if not isinstance(statement, ast.Assign) or not isinstance(
                statement.targets[0], ast.Name
            ):
                raise ValueError(ast.unparse(statement))
            value = _Literals().visit(statement.value)
            content[statement.targets[0].id] = ast.literal_eval(value)
    except (ValueError, SyntaxError, RecursionError, TypeError) as error:
        line = str(error).split('\n')[0][:80]
        raise ValueError(
            f'the config in {source} is refused: it holds "{line}", which is not a plain value; '
            'give a config file by model=CONFIG (--model CONFIG)'
        ) from error
    return checked_config(content, source)


class _Literals(ast.NodeTransformer):
    """Turns calls of ``dict`` with keywords, and the names ``inf`` and ``nan``, into literals."""

    def visit_Call(self, node: ast.Call) -> ast.Dict:
        """Return the literal of ``dict(...)``; any other call is an error."""
        is_dict = isinstance(node.func, ast.Name) and node.func.id == 'dict' and not node.args
        if not is_dict or any(keyword.arg is None for keyword in node.keywords):
            raise ValueError(ast.unparse(node))
        values = [self.visit(keyword.value) for keyword in node.keywords]
        return ast.Dict([ast.Constant(keyword.arg) for keyword in node.keywords], values)

    def visit_Name(self, node: ast.Name) -> ast.expr:
        """Return the number that a name stands for; any other name stays."""
        return ast.Constant(NAMES[node.id]) if node.id in NAMES else node


def checked_config(content: dict[str, Any], source: str) -> Config:
    """Return the parts that prediction needs if all their types are registered in a known scope.

    Raises:
        ValueError: If a type or a scope is not known.
    """
    content = {key: content[key] for key in PARTS if key in content}
    for key, name in _types(content):
        known = _is_registered(name) if key == 'type' else name in SCOPES
        if not known:
            raise ValueError(
                f'the config in {source} is refused: its {key} {name!r} is not registered in '
                f'{", ".join(SCOPES)}; if you trust it, write it to a file and give that file by '
                'model=CONFIG (--model CONFIG)'
            )
    return Config(content)


def _types(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield every type and scope in nested values."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key in ('type', '_scope_', 'default_scope'):
                yield ('type' if key == 'type' else 'scope'), inner
            yield from _types(inner)
    elif isinstance(value, (list, tuple, set)):
        for each in value:
            yield from _types(each)


def _is_registered(name: Any) -> bool:
    """Return whether a registry of a known scope has a type of this name."""
    match = re.fullmatch(rf'(?:({"|".join(SCOPES)})[.])?(\w+)', str(name))
    if match is None:
        return False
    scopes = [match[1]] if match[1] else SCOPES
    if 'mmcv' in scopes:
        importlib.import_module('mmcv.transforms')
    return any(
        match[2] in registry.module_dict
        for scope in scopes
        for registry in _registries('mmengine' if scope == 'mmcv' else scope)
    )


def _registries(scope: str) -> Iterator[Any]:
    """Yield the registries of a scope, filled."""
    from mmengine.registry import Registry

    for registry in vars(importlib.import_module(f'{scope}.registry')).values():
        if isinstance(registry, Registry):
            registry.import_from_location()
            yield registry


class _AnyConfig(type):
    """Lets configs pass for instances of a subclass."""

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, Config)


class PlainConfig(Config, metaclass=_AnyConfig):
    """MMEngine's ``Config`` whose ``fromstring`` reads the text of a checkpoint, never runs it."""

    @staticmethod
    def fromstring(cfg_str: str, file_format: str) -> Config:
        """Read the text of a config, see :func:`parse_config`."""
        return parse_config(cfg_str, 'the checkpoint')


def guard_inferencers(module: ModuleType) -> None:
    """Let inferencers of OpenMMLab packages, which run this text, read it as plain values."""
    vars(module).update(Config=PlainConfig)
