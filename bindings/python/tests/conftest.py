# SPDX-License-Identifier: Apache-2.0
"""The fixtures; and with --every-call whether the tests called all of the library."""
import pathlib
import sys
from typing import Any, Iterator, List, Optional, Set

import hypothesis
import pytest
import raffle
from raffle import Raffle, Unit
from support import Clock, People, exported, make_rules

# The same examples each time, and nothing kept beside the sources.
hypothesis.settings.register_profile("raffle", database=None, derandomize=True)
hypothesis.settings.load_profile("raffle")


@pytest.fixture
def people() -> People:
    return People()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def gala(tmp_path: pathlib.Path, people: People) -> Iterator[Raffle]:
    """A raffle with one unit."""
    with Raffle.create(tmp_path / "gala.raffle", make_rules(), people.boss) as made:
        yield made


@pytest.fixture(scope="module")
def idle(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Unit]:
    """The unit of a raffle that several tests share, because they write nothing."""
    with Raffle.create(tmp_path_factory.mktemp("idle") / "idle.raffle", make_rules(), People.boss) as made, made.unit_open(1) as unit:
        unit.raffle = made  # type: ignore[attr-defined]
        yield unit


@pytest.fixture
def till(gala: Raffle) -> Iterator[Unit]:
    with gala.unit_open(1) as unit:
        yield unit


# --- that every exported call is made by some test ---

class Recorder:
    """In place of `lib` in the package's modules: notes which functions are asked for."""

    def __init__(self, lib: Any) -> None:
        self.lib = lib
        self.called: Set[str] = set()

    def __getattr__(self, name: str) -> Any:
        self.called.add(name)
        return getattr(self.lib, name)

    def __dir__(self) -> List[str]:
        return dir(self.lib)


recorder = Recorder(raffle.rng.lib)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--every-call", action="store_true", help="fail when the tests have not made every call that the library exports")
    parser.addoption("--servers", action="store_true", help="with the tests that need a database server, a token and a key management service")


def pytest_ignore_collect(collection_path: pathlib.Path, config: pytest.Config) -> Optional[bool]:
    return True if collection_path.name == "test_servers.py" and not config.getoption("--servers") else None


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--every-call"):
        for name, module in list(sys.modules.items()):
            if name.startswith("raffle.") and hasattr(module, "lib"):
                module.lib = recorder  # type: ignore[attr-defined]


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    if session.config.getoption("--every-call") and exitstatus == 0:
        missing = sorted(exported() - recorder.called)
        print(f"\ncalls that no test makes: {', '.join(missing) or 'none'}")
        if missing:
            session.exitstatus = 1
