"""Every patch in the code is in the list, and everything in the list is in the code."""

import ast
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from gamf import workflows
from gamf.workflows.patches import PATCHES

LONGEST_LIFE = timedelta(days=3 * 366 + 90 + 30)


def used() -> Iterator[str]:
    """Yield what each call of `patched` or `deprecate_patch` names."""
    for path in Path(workflows.__path__[0]).glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(
                    func=ast.Attribute(attr="patched" | "deprecate_patch"),
                    args=[ast.Constant(value=str(name))],
                ):
                    yield name
                case ast.Call(func=ast.Attribute(attr="patched" | "deprecate_patch")):
                    raise AssertionError(f"{path.name}:{node.lineno}: a patch is named by a literal")
                case _:
                    pass


def test_each_patch_is_listed_once_with_its_reason() -> None:
    names = [patch.name for patch in PATCHES]
    assert sorted(names) == sorted(set(used()))
    assert all(patch.reason for patch in PATCHES)


def test_no_patch_goes_before_what_began_without_it_has_ended() -> None:
    assert all(patch.may_go_from >= patch.since + LONGEST_LIFE for patch in PATCHES)
