"""Hyperscan's extension module, without the package around it.

``import hyperscan`` also imports ``typing`` for one class that nobody here uses, which takes
several times as long as everything else that a clean commit waits for.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.abc import Loader
    from importlib.machinery import ModuleSpec
    from types import ModuleType

_PACKAGE = "hyperscan"
_NAME = f"{_PACKAGE}._hs_ext"


def extension() -> ModuleType:
    """The extension under its usual name; it has all that the package offers."""
    return sys.modules.get(_NAME) or _alone() or _within()


def _alone() -> ModuleType | None:
    """The extension by itself, None where it is not a file of its own on the search path."""
    package = _spec(_PACKAGE)
    if package is None:
        return None
    spec = _spec(_NAME, package.submodule_search_locations)
    if spec is None or spec.loader is None:
        return None
    module = _loaded(spec.loader, spec)
    if module is not None:
        module.__spec__ = spec
        sys.modules[_NAME] = module
        spec.loader.exec_module(module)
    return module


def _spec(name: str, path: Sequence[str] | None = None) -> ModuleSpec | None:
    """Where a module is; ``importlib`` has a function for it that takes longer to load than to run.

    The protocol: <https://docs.python.org/3/reference/import.html#the-meta-path>.
    """
    for finder in sys.meta_path:
        if spec := finder.find_spec(name, path):
            return spec
    return None


def _loaded(loader: Loader, spec: ModuleSpec) -> ModuleType | None:
    """The module, of whose thousands of symbols most are never asked for and need no look-up."""
    usual = sys.getdlopenflags()
    sys.setdlopenflags(os.RTLD_LAZY)
    try:
        return loader.create_module(spec)
    finally:
        sys.setdlopenflags(usual)


def _within() -> ModuleType:
    """The extension as its package loads it."""
    __import__(_NAME)
    return sys.modules[_NAME]
