"""The verbs: each task is a decorator with its retry policy, a docstring, and one call into `lake` or `expectations`.

What does not belong here: arithmetic, SQL, paths. If a test must start Prefect to check it, it is in the wrong file.

Importing this package keeps Prefect from reading ``.env``, ``prefect.toml`` and ``pyproject.toml`` of the folder one
stands in. With them, a folder of data could name Prefect's server, or a file that sets up logging, which names code.
What the environment and the user's own profile say is read. Prefect has no switch for it, and makes its settings while
it is imported, so what reads these files is replaced as soon as the module that has it is there.
"""

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType, SimpleNamespace

_MODULE = "prefect.settings.sources"


def _reading_no_files(module: ModuleType) -> None:
    """Let the module find nothing in the files of the current folder; where a profile is, it reads there too."""
    module.FilteredDotEnvSettingsSource._read_env_files = lambda _: {}
    module.TomlConfigSettingsSourceBase._read_files = lambda *_, **__: {}
    module.dotenv = SimpleNamespace(dotenv_values=lambda *_: {})  # type: ignore[attr-defined]
    module._get_profiles_path_from_toml = lambda *_: None  # type: ignore[attr-defined]


class _Watch(MetaPathFinder):
    """Changes the module when it is imported."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:  # fmt: skip
        if fullname != _MODULE:
            return None
        sys.meta_path.remove(self)
        spec = find_spec(fullname)
        if spec and spec.loader:
            run = spec.loader.exec_module

            def exec_module(module: ModuleType) -> None:
                run(module)
                _reading_no_files(module)

            spec.loader.exec_module = exec_module  # type: ignore[method-assign]  # of this one module's loader
        return spec


if _MODULE in sys.modules:
    _reading_no_files(sys.modules[_MODULE])
else:
    sys.meta_path.insert(0, _Watch())
