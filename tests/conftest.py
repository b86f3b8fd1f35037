"""The order of the suite, where a long file that comes last would keep the others waiting, and what real faces need."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from chat_server import ChatServer, Script

ROOT = Path(__file__).parents[1]
# Child processes find the package and the makers of test files, too.
SEEN = [str(ROOT), str(ROOT / "tests" / "makers"), *filter(None, [os.environ.get("PYTHONPATH")])]
os.environ["PYTHONPATH"] = os.pathsep.join(SEEN)

LONG = (
    "test_chains.py",
    "test_distributed.py",
    "test_end_to_end.py",
    "test_round_trip.py",
    "test_study.py",
    "test_run.py",
    "test_batch_shell.py",
    "test_ray_engine.py",
    "test_families.py",
    "test_mass_term.py",
    "test_merge.py",
    "test_train.py",
)
"""Files that take the better part of a minute or more, the longest first. `make test-fast` leaves them out."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.name in LONG:
            item.add_marker("slow")
    items.sort(key=lambda item: LONG.index(item.path.name) if item.path.name in LONG else len(LONG))


@pytest.hookimpl(optionalhook=True, tryfirst=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """With --dist loadfile, tests/cluster goes to one worker: each would start a cluster and all of its jobs."""
    if config.getvalue("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling

    class OneCluster(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return "tests/cluster" if nodeid.startswith("tests/cluster/") else str(super()._split_scope(nodeid))

    return OneCluster(config, log)


SHARED = ROOT.parent / "shared"


def pytest_configure(config: pytest.Config) -> None:
    """Weights beside the checkout are found by every test and its child processes, in whatever order tests run."""
    from emotrain.faces.weights import FOLDER, WEIGHTS

    if (SHARED / "models" / WEIGHTS["yunet"].name).exists():
        os.environ.setdefault(FOLDER, str(SHARED / "models"))


def _weights(kind: str) -> Path:
    from emotrain.faces.weights import WeightsMissing, weights_file

    try:
        return weights_file(kind).parent
    except WeightsMissing as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def face_weights() -> Path:
    """The folder with the face detector's weights: $EMOTRAIN_MODELS, ../shared/models, else fetched from the Hub. The
    test is skipped where there is none of them."""
    return _weights("yunet")


@pytest.fixture(scope="session")
def landmarker_weights() -> Path:
    """The same for the weights of blendshapes."""
    return _weights("landmarker")


@pytest.fixture
def serve() -> Iterator[Callable[[Script], ChatServer]]:
    """Starts servers of the chat interface that answer by a script; all are closed when the test ends."""
    servers: list[ChatServer] = []

    def start(script: Script) -> ChatServer:
        servers.append(ChatServer(script))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture(scope="session")
def real_faces() -> Path:
    """The folder ../shared/realfaces; the test is skipped where it is not."""
    if not (SHARED / "realfaces").is_dir():
        pytest.skip(f"{SHARED / 'realfaces'} is not here: no real faces to look at")
    return SHARED / "realfaces"
