"""Hyperscan's extension module, without the package around it.

``import hyperscan`` also imports ``typing`` for one class that nobody here uses, which takes
several times as long as everything else that a clean commit waits for.
"""

from __future__ import annotations

import sys
from importlib.machinery import PathFinder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType

_PACKAGE = "hyperscan"
_NAME = f"{_PACKAGE}._hs_ext"


def extension() -> ModuleType:
    """The extension under its usual name; it has all that the package offers."""
    return sys.modules.get(_NAME) or _alone() or _within()


def _alone() -> ModuleType | None:
    """The extension by itself, None where it is not a file of its own on the search path."""
    package = PathFinder.find_spec(_PACKAGE)
    if package is None:
        return None
    spec = PathFinder.find_spec(_NAME, package.submodule_search_locations)
    if spec is None or spec.loader is None:
        return None
    module = spec.loader.create_module(spec)
    if module is not None:
        module.__spec__ = spec
        sys.modules[_NAME] = module
        spec.loader.exec_module(module)
    return module


def _within() -> ModuleType:
    """The extension as its package loads it."""
    __import__(_NAME)
    return sys.modules[_NAME]
