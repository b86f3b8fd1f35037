"""The upload: one private repository, one commit, nothing sent twice.

huggingface_hub does the work: it hashes files, asks the Hub which of them it has, sends the rest (large ones in parts,
with retries) and commits once. A run that broke off is repeated with the same call; what arrived is not sent again, and
an unchanged folder makes no commit.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emotrain.hub_errors import HubError, explained

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
    with explained(f"create repository {repo_id}"):
        api.create_repo(repo_id, private=not public, exist_ok=True)
    with explained(f"look at repository {repo_id}"):
        private = bool(api.model_info(repo_id).private)
    if not private and not public:
        raise HubError(f"{repo_id} is a public repository; pass --public to publish there, or choose another --repo-id")
    if revision not in (None, MAIN) and not create_pr:
        with explained(f"create branch {revision} of {repo_id}"):
            api.create_branch(repo_id, branch=str(revision), exist_ok=True)
    with explained(f"look at {repo_id}@{revision or MAIN}"):
        return private, str(api.model_info(repo_id, revision=revision or MAIN).sha)


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
    request = _open_request(repo_id, message) if create_pr else None
    if request is not None:
        revision, create_pr = request.git_reference, False
        with explained(f"look at {repo_id}@{revision}"):
            head = str(HfApi().model_info(repo_id, revision=revision).sha)
    with explained(f"upload to {repo_id}@{revision or MAIN}"):
        commit: Any = HfApi().upload_folder(
            repo_id=repo_id,
            folder_path=folder,
            revision=None if create_pr else revision,
            commit_message=message,
            create_pr=create_pr,
            parent_commit=None if create_pr else head,
            delete_patterns=["figures/*"],
        )
    return Uploaded(
        repo_id=repo_id,
        revision=commit.pr_revision or revision or MAIN,
        commit=commit.oid,
        url=str(commit.commit_url),
        changed=commit.oid != head,
        private=private,
        pull_request=commit.pr_url if request is None else request.url,
    )


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
