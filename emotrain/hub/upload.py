"""The upload: one private repository, one commit, nothing sent twice.

huggingface_hub does the work: it hashes files, asks the Hub which of them it has, sends the rest (large ones in parts,
with retries) and commits once. A run that broke off is repeated with the same call; what arrived is not sent again, and
an unchanged folder makes no commit.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import quote

from emotrain.hub.patience import patiently
from emotrain.hub_errors import REMEDIES, HubError, explained

MAIN = "main"


@dataclass(frozen=True, slots=True)
class Uploaded:
    """Where an adapter now is. `pull_request` is the address of the request, `changed` whether a commit was made."""

    repo_id: str
    revision: str
    commit: str
    url: str
    changed: bool
    private: bool
    pull_request: str | None = None


def open_repository(
    repo_id: str, *, revision: str | None = None, public: bool = False, create_pr: bool = False
) -> tuple[bool, str]:
    """Create the repository and the branch unless they are there; returns whether it is private, and the branch's head.

    Raises HubError when the token may not, and when the repository is public already and `public` was not asked for.
    """
    from huggingface_hub import HfApi

    check_repo_id(repo_id)
    api = HfApi()
    patiently(f"create repository {repo_id}", lambda: api.create_repo(repo_id, private=not public, exist_ok=True))
    private = bool(patiently(f"look at repository {repo_id}", lambda: api.model_info(repo_id)).private)
    if not private and not public:
        raise HubError(f"{repo_id} is a public repository; pass --public to publish there, or choose another --repo-id")
    if revision not in (None, MAIN) and not create_pr:
        branch = str(revision)
        patiently(
            f"create branch {branch} of {repo_id}", lambda: api.create_branch(repo_id, branch=branch, exist_ok=True)
        )
    return private, _head(repo_id, revision or MAIN)


def upload(
    folder: Path,
    repo_id: str,
    *,
    message: str,
    revision: str | None = None,
    public: bool = False,
    create_pr: bool = False,
) -> Uploaded:
    """Upload a folder to `revision` (a branch, made when missing; main by default) or as a pull request against main.

    A request of the same title (`message`) that this user has open is continued; no second one is opened. Figures of an
    earlier version go, every other file of the repository stays. Raises HubError with the status, what was tried and a
    remedy; a commit that somebody else made meanwhile is status 412 and nothing is overwritten.
    """
    from huggingface_hub import HfApi

    if create_pr and revision not in (None, MAIN):
        raise ValueError(f"--create-pr opens a request against {MAIN}; leave --revision {revision} out")
    private, head = open_repository(repo_id, revision=revision, public=public, create_pr=create_pr)
    _ask_store(repo_id, revision or MAIN, create_pr)
    doing = f"upload to {repo_id}@{revision or MAIN}"
    target = _Target(repo_id, revision, head, message if create_pr else None)

    def send() -> Any:
        target.look_again()
        return HfApi().upload_folder(
            repo_id=repo_id,
            folder_path=folder,
            revision=target.revision,
            commit_message=message,
            create_pr=target.opens_request,
            parent_commit=None if target.opens_request else target.head,
            delete_patterns=["figures/*"],
        )

    commit: Any = patiently(doing, send)
    request, head, revision = target.request, target.head, target.revision
    return Uploaded(
        repo_id=repo_id,
        revision=commit.pr_revision or revision or MAIN,
        commit=commit.oid,
        url=str(commit.commit_url),
        changed=commit.oid != head,
        private=private,
        pull_request=commit.pr_url if request is None else request.url,
    )


@dataclass(slots=True)
class _Target:
    """Where an upload goes: a revision and its head, or a pull request of this `title`."""

    repo_id: str
    revision: str | None
    head: str
    title: str | None
    request: Any = None
    tried: bool = False

    @property
    def opens_request(self) -> bool:
        return self.title is not None and self.request is None

    def look_again(self) -> None:
        """Before each try: a try that broke off may have opened its request, or made its commit, all the same."""
        doing = f"upload to {self.repo_id}@{self.revision or MAIN}"
        if self.opens_request:
            self.request = _open_request(self.repo_id, str(self.title))
            if self.request is not None:
                self.revision = self.request.git_reference
                self.head = _head(self.repo_id, self.request.git_reference)
        elif self.tried:
            now = _head(self.repo_id, self.revision or MAIN)
            if now != self.head:
                said = f"it is at {now[:8]} since the try before, which may have arrived"
                raise HubError(f"{doing}: HTTP 412 ({said}); {REMEDIES[412]}", 412)
        self.tried = True


def _head(repo_id: str, revision: str) -> str:
    from huggingface_hub import HfApi

    return str(patiently(f"look at {repo_id}@{revision}", lambda: HfApi().model_info(repo_id, revision=revision)).sha)


def _ask_store(repo_id: str, revision: str, create_pr: bool) -> None:
    """Ask for the token with which the store of large files (Xet) is written to, before anything is sent.

    Its own client asks for the same, tries a refusal for minutes, and then says no more than that there was no
    connection. Nothing is asked where that client is not used, or by a Hub that has no such store (404).
    """
    from huggingface_hub import constants, get_session
    from huggingface_hub.utils import build_hf_headers, hf_raise_for_status

    if constants.HF_HUB_DISABLE_XET or find_spec("hf_xet") is None:
        return
    address = f"{constants.ENDPOINT}/api/models/{repo_id}/xet-write-token/{quote(revision, safe='')}"

    def ask() -> None:
        query = {"create_pr": "1"} if create_pr else {}
        answer = get_session().get(address, headers=build_hf_headers(), params=query)
        if answer.status_code != 404:
            hf_raise_for_status(answer)

    patiently(f"ask for leave to write to the store of {repo_id}", ask)


def _open_request(repo_id: str, title: str) -> Any:
    """The newest open pull request of this title by the token's user, None when there is none."""
    from huggingface_hub import HfApi

    api = HfApi()
    with explained(f"look for an open pull request of {repo_id}"):
        me = api.whoami()["name"]
        found = api.get_repo_discussions(repo_id, author=me, discussion_type="pull_request", discussion_status="open")
        return max((one for one in found if one.title == title), key=lambda one: one.num, default=None)


def check_repo_id(repo_id: str) -> None:
    """Raise HubError unless this is `org/name`, in the characters that the Hub allows."""
    if re.fullmatch(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*", repo_id) is None or len(repo_id) > 96:
        raise HubError(f"repository {repo_id!r}: expected org/name in letters, digits, '-', '_' and '.'")
