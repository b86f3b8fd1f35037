"""Uploads to a stand-in Hub that misbehaves, one scenario after the other; prints what came of each as JSON.

Its own process, because huggingface_hub reads HF_ENDPOINT and its companions when it is imported.

    python tests/hub/fault_driver.py EMPTY_FOLDER
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
from stand_in import StandIn

from emotrain.hub import patience

WRITE, READ = "hf_" + "w" * 24, "hf_" + "r" * 24


def main(scratch: Path) -> None:
    os.environ |= {"HF_HOME": str(scratch / "home"), "HF_HUB_DISABLE_XET": "1", "HF_TOKEN": WRITE}
    patience.WAITS_S = (0.05, 0.05, 0.05)
    with StandIn({WRITE: "write", READ: "read"}) as hub:
        os.environ["HF_ENDPOINT"] = hub.url
        results = {name: _attempt(hub, scratch, name, scenario) for name, scenario in SCENARIOS.items()}
    from huggingface_hub import close_session

    close_session()  # an open connection would outlive the server
    results["no network"] = _attempt(hub, scratch, "no network", lambda hub, send: send())
    print(json.dumps(results))


def _attempt(hub: StandIn, scratch: Path, name: str, scenario: Callable[..., Any]) -> dict[str, Any]:
    """Run a scenario on a repository of its own; `send` uploads a folder with one large file in it."""
    from emotrain.hub.upload import upload
    from emotrain.hub_errors import HubError

    repo_id = f"org/{name.replace(' ', '-')}"
    folder = scratch / name
    folder.mkdir()
    # A large file of each scenario's own: the stand-in keeps large files by content, as the Hub does.
    (folder / "adapter_model.safetensors").write_bytes(name.encode() * (40_000 // len(name)))
    (folder / "adapter_config.json").write_text('{"r": 4}')
    (folder / "README.md").write_text("---\nlicense: other\n---\n\n# card\n")
    hub.requests.clear()
    hub.faults.clear()
    hub.parents.clear()
    hub.part = None
    os.environ["HF_TOKEN"] = WRITE
    result: dict[str, Any] = {"error": None, "status": None}

    def send(**more: Any) -> Any:
        return upload(folder, repo_id, message="test", **more)

    try:
        result["uploaded"] = scenario(hub, send)
    except (ValueError, RuntimeError, OSError) as error:
        result |= {"error": str(error), "status": error.status if isinstance(error, HubError) else None}
        result |= {"kind": type(error).__name__}
    repository = hub.repositories.get(repo_id)
    return result | {
        "puts": hub.count("PUT", "^/lfs/"),
        "commits": hub.count("POST", f"^/api/models/{repo_id}/commit/"),
        "parents": list(hub.parents),
        "private": None if repository is None else repository.private,
        "branches": [] if repository is None else sorted(repository.heads),
        "files": [] if repository is None else sorted(hub.files(repo_id)),
    }


def _shown(uploaded: Any) -> dict[str, Any]:
    names = ("revision", "commit", "changed", "private", "pull_request")
    return {name: getattr(uploaded, name) for name in names}


def _with_fault(method: str, path: str, status: int, times: int = 1, **more: Any) -> Callable[..., Any]:
    def scenario(hub: StandIn, send: Callable[..., Any]) -> Any:
        hub.fail(method, path, status, times, **more)
        return _shown(send())

    return scenario


def _store(status: int, times: int = 99, **more: Any) -> Callable[..., Any]:
    """The question for the store's token alone, as it comes before an upload by Xet."""

    def scenario(hub: StandIn, send: Callable[..., Any]) -> Any:
        from huggingface_hub import constants

        from emotrain.hub.upload import _ask_store, open_repository

        open_repository("org/store")
        hub.fail("GET", "/xet-write-token/main", status, times, **more)
        constants.HF_HUB_DISABLE_XET = False
        try:
            _ask_store("org/store", "main", False)
        finally:
            constants.HF_HUB_DISABLE_XET = True
        return hub.count("GET", "/xet-write-token/main")

    return scenario


def _twice(hub: StandIn, send: Callable[..., Any]) -> Any:
    return [_shown(send()), _shown(send())]


def _requested_again(hub: StandIn, send: Callable[..., Any]) -> Any:
    """A stranger's request of the same title, one's own merged one, then the same call three times, once with news."""
    send()
    requests = hub.repositories["org/requested-again"].requests
    requests += [{"title": "test", "author": "stranger", "status": "open"}]
    requests += [{"title": "test", "author": "write", "status": "merged"}]
    requests += [{"title": "another", "author": "write", "status": "open"}]
    folder = Path(sys.argv[1]) / "requested again"
    sent = []
    for r in (4, 4, 8):
        (folder / "adapter_config.json").write_text(f'{{"r": {r}, "requested": true}}')
        sent.append(_shown(send(create_pr=True)))
    held = hub.files("org/requested-again", "refs/pr/4")["adapter_config.json"].decode()
    requests[3]["status"] = "closed"
    return {"sent": sent, "requests": len(requests), "held": held, "after": _shown(send(create_pr=True))}


def _resumed(hub: StandIn, send: Callable[..., Any]) -> Any:
    """The commit fails after the large file went through; the same call is then made again."""
    hub.fail("POST", "/commit/", 500)
    try:
        send()
    except ValueError as error:
        first, puts = str(error), hub.count("PUT", "^/lfs/")
        return {"first": first, "puts": puts, "second": _shown(send())}
    raise AssertionError("the injected fault did nothing")


def _raced(hub: StandIn, send: Callable[..., Any]) -> Any:
    """Somebody else commits between our look at the branch and our commit."""

    def theirs() -> None:
        hub.repositories["org/race"].add("main", {**hub.files("org/race"), "theirs.txt": b"theirs"})

    hub.before_commit = theirs
    try:
        return _shown(send())
    finally:
        hub.before_commit = None


def _multipart(hub: StandIn, send: Callable[..., Any]) -> Any:
    hub.part = 15_000
    return _shown(send())


def _token(token: str | None) -> Callable[..., Any]:
    def scenario(hub: StandIn, send: Callable[..., Any]) -> Any:
        os.environ.pop("HF_TOKEN")
        if token is not None:
            os.environ["HF_TOKEN"] = token
        return _shown(send())

    return scenario


def _lost_revision(hub: StandIn, send: Callable[..., Any]) -> Any:
    from emotrain.modeling.adapters import adapter_folder

    send()
    assert (adapter_folder("org/lost-revision") / "adapter_config.json").read_text() == '{"r": 4}'
    return str(adapter_folder("org/lost-revision@v9"))


def _lost_base(hub: StandIn, send: Callable[..., Any]) -> Any:
    from emotrain.hub.base import Base, unresolved

    send()
    assert unresolved(Base("org/lost-base", "org/lost-base")) == []
    return unresolved(Base("org/nowhere", "org/nowhere"))


def _public_already(hub: StandIn, send: Callable[..., Any]) -> Any:
    send(public=True)
    return _shown(send())


SCENARIOS: dict[str, Callable[..., Any]] = {
    "plain": _twice,
    "branch": lambda hub, send: [_shown(send(revision="step-10")), _shown(send(revision="step-10"))],
    "pull request": lambda hub, send: _shown(send(create_pr=True)),
    "requested again": _requested_again,
    "request against a branch": lambda hub, send: send(create_pr=True, revision="step-10"),
    "public": lambda hub, send: _shown(send(public=True)),
    "public already": _public_already,
    "parts": _multipart,
    "resumed": _resumed,
    "busy store": _with_fault("PUT", "^/lfs/", 503),
    "cut connection": _with_fault("PUT", "^/lfs/", 0),
    "no token": _token(None),
    "wrong token": _token("hf_" + "x" * 24),
    "reading token": _token(READ),
    "not found": _with_fault("POST", "/preupload/", 404),
    "conflict": _with_fault("POST", "/commit/", 409),
    "race": _raced,
    "lost revision": _lost_revision,
    "lost base": _lost_base,
    "refusing store": _with_fault("PUT", "^/lfs/", 403, times=99),
    "too large": _with_fault("POST", "/preupload/", 413),
    "too many": _with_fault("POST", "/api/repos/create", 429, times=99),
    "hub down": _with_fault("POST", "/api/repos/create", 503, times=99),
    "busy once": _with_fault("POST", "/api/repos/create", 503),
    "asked to wait": _with_fault("POST", "/commit/", 429, Retry_After="1"),
    "asked to wait long": _with_fault("POST", "/commit/", 429, Retry_After="3600"),
    "busy commit": _with_fault("POST", "/commit/", 503),
    "no leave to store": _store(401),
    "no right to store": _store(403),
    "store is busy": _store(429, Retry_After="3600"),
    "store is busy once": _store(503, times=1),
}

if __name__ == "__main__":
    main(Path(sys.argv[1]))
