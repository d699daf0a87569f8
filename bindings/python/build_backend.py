# SPDX-License-Identifier: Apache-2.0
"""The build backend of the package: meson-python, in a folder of its own where the library's sources lie beside the binding's.

In a clone the library is two folders up, and meson takes subprojects from within a project alone; so both are copied into a temporary folder, and nothing is
written into the clone. A source distribution is that folder, packed: it builds by itself.
"""
import contextlib
import os
import pathlib
import shutil
import sys
import tarfile
import tempfile
from typing import Any, Dict, Iterator, Optional

import mesonpy
import pyproject_metadata

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
LIBRARY = ("include", "src", "docs", "tests/vectors", "tests/model", "meson.build", "meson_options.txt", "LICENSE", "README.md")
BINDING = ("native", "raffle", "tests", "bench", "build_backend.py", "meson.build", "meson_options.txt", "pyproject.toml", "README.md")
SKIPPED = shutil.ignore_patterns("__pycache__", "*.py[co]", ".*")

Settings = Optional[Dict[str, Any]]


def copy(names: tuple[str, ...], source: pathlib.Path, target: pathlib.Path) -> None:
    for name in names:
        if (source / name).is_dir():
            shutil.copytree(source / name, target / name, ignore=SKIPPED)
        else:
            target.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source / name, target / name)


def lay_out(target: pathlib.Path) -> None:
    """The tree that meson-python builds: the binding, and the library as its subproject."""
    copy(BINDING, HERE, target)
    packed = HERE / "subprojects" / "libraffle"
    copy(LIBRARY, packed if packed.exists() else ROOT, target / "subprojects" / "libraffle")
    shutil.copy2(target / "subprojects" / "libraffle" / "LICENSE", target / "LICENSE")


@contextlib.contextmanager
def tree() -> Iterator[pathlib.Path]:
    before = os.getcwd()
    with tempfile.TemporaryDirectory(prefix="libraffle-python-") as folder:
        target = pathlib.Path(folder) / "tree"
        lay_out(target)
        os.chdir(target)
        try:
            yield target
        finally:
            os.chdir(before)


def pyproject() -> Dict[str, Any]:
    with open(HERE / "pyproject.toml", "rb") as file:
        return tomllib.load(file)


def metadata(folder: pathlib.Path) -> bytes:
    return bytes(pyproject_metadata.StandardMetadata.from_pyproject(pyproject(), folder).as_rfc822())


def name_and_version() -> str:
    project = pyproject()["project"]
    return f"{project['name']}-{project['version']}"


def get_requires_for_build_wheel(config_settings: Settings = None) -> list[str]:
    return list(mesonpy.get_requires_for_build_wheel(config_settings))


def get_requires_for_build_sdist(config_settings: Settings = None) -> list[str]:
    return []


def prepare_metadata_for_build_wheel(metadata_directory: str, config_settings: Settings = None) -> str:
    # meson-python has none, so that pip would build everything twice.
    info = pathlib.Path(metadata_directory).resolve() / f"{name_and_version()}.dist-info"
    info.mkdir()
    with tree() as folder:
        (info / "METADATA").write_bytes(metadata(folder))
    return info.name


def build_wheel(wheel_directory: str, config_settings: Settings = None, metadata_directory: Optional[str] = None) -> str:
    target = os.path.abspath(wheel_directory)
    with tree():
        return str(mesonpy.build_wheel(target, config_settings))


def build_sdist(sdist_directory: str, config_settings: Settings = None) -> str:
    # Not meson-python's own, which packs what git keeps of one folder.
    target, name = pathlib.Path(sdist_directory).resolve(), name_and_version()
    with tree() as folder:
        (folder / "PKG-INFO").write_bytes(metadata(folder))
        with tarfile.open(target / f"{name}.tar.gz", "w:gz", format=tarfile.PAX_FORMAT) as sdist:
            for path in sorted(folder.rglob("*")):
                if path.is_file():
                    sdist.add(path, f"{name}/{path.relative_to(folder)}", filter=nobody)
        return f"{name}.tar.gz"


def nobody(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """Without the name of whoever packed it."""
    member.uid = member.gid = 0
    member.uname = member.gname = "root"
    return member
