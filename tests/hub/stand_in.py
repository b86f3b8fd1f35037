"""A Hub on the loopback interface that the real clients accept: repositories, branches, LFS, pull requests, faults.

    with StandIn(tokens={"secret": "write"}) as hub:
        hub.fail("PUT", "/lfs/", 503)           # the next upload of a large file fails once
        run(..., env={"HF_ENDPOINT": hub.url})

Standard library only. It keeps what it is sent in memory and a line of every request, so a test can say what was sent
twice.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import yaml


@dataclass
class Repository:
    """Branch heads, and the files of every commit by path."""

    private: bool
    heads: dict[str, str] = field(default_factory=dict)
    commits: dict[str, dict[str, bytes]] = field(default_factory=dict)
    requests: list[dict[str, str]] = field(default_factory=list)

    def commit_of(self, revision: str) -> str | None:
        return self.heads.get(revision) or (revision if revision in self.commits else None)

    def add(self, branch: str, files: dict[str, bytes]) -> str:
        text = repr(sorted((name, hashlib.sha1(data).hexdigest()) for name, data in files.items()))
        oid = hashlib.sha1(f"{text}{len(self.commits)}".encode()).hexdigest()
        self.commits[oid] = files
        self.heads[branch] = oid
        return oid


@dataclass
class Fault:
    """Answer the next `times` requests that match with `status`; status 0 hangs up without an answer."""

    method: str
    path: str
    status: int
    times: int
    message: str
    headers: dict[str, str]


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    status: int
    received: int


class StandIn:
    """The server; a context manager. From `lfs_from` bytes on a file takes the LFS path, in parts of `part` bytes."""

    def __init__(self, tokens: dict[str, str], lfs_from: int = 10_000, part: int | None = None) -> None:
        self.tokens = tokens
        self.lfs_from = lfs_from
        self.part = part
        self.repositories: dict[str, Repository] = {}
        self.large: dict[str, bytes] = {}
        self.parts: dict[str, dict[int, bytes]] = {}
        self.faults: list[Fault] = []
        self.requests: list[Request] = []
        self.parents: list[str | None] = []
        self.before_commit: Callable[[], None] | None = None
        self.lock = threading.RLock()
        handler = type("Handler", (_Handler,), {"hub": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> StandIn:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def fail(
        self, method: str, path: str, status: int, times: int = 1, message: str = "injected", **headers: str
    ) -> None:
        shown = {name.replace("_", "-"): value for name, value in headers.items()}
        self.faults.append(Fault(method, path, status, times, message, shown))

    def add_folder(self, repo_id: str, folder: Path, private: bool = False) -> None:
        """A repository with the files of a folder, as if somebody had uploaded them."""
        repository = self.repositories[repo_id] = Repository(private)
        repository.add("main", {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()})

    def files(self, repo_id: str, revision: str = "main") -> dict[str, bytes]:
        repository = self.repositories[repo_id]
        return repository.commits[repository.heads[revision]]

    def count(self, method: str, path: str) -> int:
        return sum(1 for request in self.requests if request.method == method and re.search(path, request.path))


class _Handler(BaseHTTPRequestHandler):
    hub: StandIn
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # headers and content in one segment: two would wait 40 ms for each other
    disable_nagle_algorithm = True

    def log_message(self, *args: Any) -> None:
        """Silent: requests are kept in `StandIn.requests`."""

    def do_GET(self) -> None:
        self._serve()

    do_HEAD = do_POST = do_PUT = do_GET

    def _serve(self) -> None:
        body = self._body()
        parts = urlsplit(self.path)
        path, query = unquote(parts.path), parse_qs(parts.query)
        with self.hub.lock:
            fault = next((f for f in self.hub.faults if f.method == self.command and re.search(f.path, path)), None)
            if fault is not None:
                fault.times -= 1
                if fault.times == 0:
                    self.hub.faults.remove(fault)
            if fault is not None and fault.status == 0:
                self.hub.requests.append(Request(self.command, path, 0, len(body)))
                self.close_connection = True
                return
            if fault is not None:
                answer = (fault.status, {"error": fault.message}, fault.headers)
            else:
                answer = self._answer(path, query, body)
            self.hub.requests.append(Request(self.command, path, answer[0], len(body)))
        self._send(*answer)

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") == "chunked":
            data = b""
            while size := int(self.rfile.readline().strip(), 16):
                data += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return data
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def _send(self, status: int, content: Any, headers: dict[str, str]) -> None:
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        self.send_header("X-Request-Id", f"request-{len(self.hub.requests)}")
        if "Content-Length" not in headers:
            self.send_header("Content-Length", str(len(data)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def _role(self) -> str | None:
        scheme, _, token = self.headers.get("Authorization", "").partition(" ")
        return self.hub.tokens.get(token) if scheme == "Bearer" else None

    def _answer(self, path: str, query: dict[str, list[str]], body: bytes) -> tuple[int, Any, dict[str, str]]:
        hub, method = self.hub, self.command
        if path == "/api/repos/create":
            return self._create(json.loads(body))
        if path == "/api/whoami-v2":
            return (200, {"name": self._role()}, {}) if self._role() else _refusal(401, "Invalid user token.")
        if path == "/api/validate-yaml":
            return _validated(json.loads(body)["content"])
        if match := re.fullmatch(r"/lfs/([0-9a-f]{64})(?:/(\d+|done|verify))?", path):
            return self._large(match[1], match[2], body)
        if match := re.fullmatch(r"/(.+/.+)\.git/info/lfs/objects/batch", path):
            return self._batch(match[1], json.loads(body))
        match = re.fullmatch(r"/(?:api/models/)?([^/]+/[^/]+)(?:/([\w-]+)(?:/(.+))?)?", path)
        if match is None:
            return _refusal(404, "no such address", "EntryNotFound")
        repo_id, what, rest = match[1], match[2], match[3]
        repository = hub.repositories.get(repo_id)
        if repository is None or (repository.private and self._role() is None):
            return _refusal(404 if self._role() else 401, "Repository not found", "RepoNotFound")
        if method == "POST":
            if self._role() is None:
                return _refusal(401, "Invalid username or password.")
            if self._role() != "write" and "create_pr" not in query:
                return _refusal(403, "this token may only read")
            posted = {"preupload": self._preupload, "commit": self._commit, "branch": self._branch}[what]
            return posted(repository, repo_id, rest, query, body)
        if what == "xet-write-token":
            return self._store_token()
        if what == "discussions":
            return 200, _discussions(repository, repo_id, query), {}
        return self._read(repository, repo_id, what, rest)

    def _store_token(self) -> tuple[int, Any, dict[str, str]]:
        """The token of Xet, the store of large files. The store itself is not here: its address answers nothing."""
        if self._role() is None:
            return _refusal(401, "Invalid username or password.")
        if self._role() != "write":
            return _refusal(403, "this token may only read")
        headers = {"X-Xet-Access-Token": "store", "X-Xet-Token-Expiration": "4102444800"}
        return 200, {}, {**headers, "X-Xet-Cas-Url": f"{self.hub.url}/store"}

    def _create(self, asked: dict[str, Any]) -> tuple[int, Any, dict[str, str]]:
        repo_id = f"{asked['organization']}/{asked['name']}"
        if self._role() is None:
            return _refusal(401, "Invalid username or password.")
        if self._role() != "write":
            return _refusal(
                403, f"You don't have the rights to create a model under the namespace {asked['organization']}"
            )
        address = {"url": f"{self.hub.url}/{repo_id}", "name": repo_id, "id": repo_id}
        if repo_id in self.hub.repositories:
            return 409, {**address, "error": "You already created this model repo"}, {}
        repository = self.hub.repositories[repo_id] = Repository(asked.get("visibility") == "private")
        repository.add("main", {".gitattributes": b"*.safetensors filter=lfs diff=lfs merge=lfs -text\n"})
        return 200, address, {}

    def _preupload(
        self, repository: Repository, repo_id: str, revision: str, query: dict[str, list[str]], body: bytes
    ) -> tuple[int, Any, dict[str, str]]:
        commit = repository.commit_of(revision)
        if commit is None:
            return _refusal(404, f"Invalid rev id: {revision}", "RevisionNotFound")
        held = repository.commits[commit]
        files = []
        for file in json.loads(body)["files"]:
            large = file["size"] >= self.hub.lfs_from
            mine = held.get(file["path"])
            oid = None if mine is None else hashlib.sha256(mine).hexdigest() if large else _git_oid(mine)
            mode = "lfs" if large else "regular"
            files.append({"path": file["path"], "uploadMode": mode, "shouldIgnore": False, "oid": oid})
        return 200, {"files": files}, {}

    def _batch(self, repo_id: str, asked: dict[str, Any]) -> tuple[int, Any, dict[str, str]]:
        objects = []
        for wanted in asked["objects"]:
            oid, size = wanted["oid"], wanted["size"]
            entry: dict[str, Any] = {"oid": oid, "size": size}
            if oid not in self.hub.large:
                address = f"{self.hub.url}/lfs/{oid}"
                upload: dict[str, Any] = {"href": address}
                if self.hub.part is not None and size > self.hub.part:
                    count = -(-size // self.hub.part)
                    upload = {"href": f"{address}/done", "header": {"chunk_size": str(self.hub.part)}}
                    upload["header"].update({f"{i + 1:05d}": f"{address}/{i + 1}" for i in range(count)})
                entry["actions"] = {"upload": upload, "verify": {"href": f"{address}/verify"}}
            objects.append(entry)
        return 200, {"transfer": "basic", "objects": objects}, {}

    def _large(self, oid: str, what: str | None, body: bytes) -> tuple[int, Any, dict[str, str]]:
        if what == "verify":
            return (200, {}, {}) if oid in self.hub.large else _refusal(404, "not uploaded")
        if what == "done":
            pieces = self.hub.parts.pop(oid)
            body = b"".join(pieces[number] for number in sorted(pieces))
        elif what is not None:
            self.hub.parts.setdefault(oid, {})[int(what)] = body
            return 200, b"", {"ETag": f'"{hashlib.md5(body).hexdigest()}"'}
        if hashlib.sha256(body).hexdigest() != oid:
            return _refusal(400, "the content is not what its name says")
        self.hub.large[oid] = body
        return 200, {}, {}

    def _commit(
        self, repository: Repository, repo_id: str, revision: str, query: dict[str, list[str]], body: bytes
    ) -> tuple[int, Any, dict[str, str]]:
        if self.hub.before_commit is not None:
            self.hub.before_commit()
        lines = [json.loads(line) for line in body.splitlines() if line.strip()]
        parent = repository.commit_of(revision)
        if parent is None:
            return _refusal(404, f"Invalid rev id: {revision}", "RevisionNotFound")
        wanted = lines[0]["value"].get("parentCommit")
        self.hub.parents.append(wanted)
        if wanted is not None and wanted != parent:
            return _refusal(412, "A commit has happened since. Please refresh and try again.")
        files = dict(repository.commits[parent])
        for line in lines[1:]:
            value = line["value"]
            if line["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "lfsFile":
                if value["oid"] not in self.hub.large:
                    return _refusal(400, "LFS pointer pointed to a file that does not exist")
                files[value["path"]] = self.hub.large[value["oid"]]
            elif line["key"] == "deletedFile":
                del files[value["path"]]
        request: dict[str, str] = {}
        if "create_pr" in query:
            repository.requests.append(
                {"title": lines[0]["value"]["summary"], "author": str(self._role()), "status": "open"}
            )
            revision = f"refs/pr/{len(repository.requests)}"
            request = {"pullRequestUrl": f"{self.hub.url}/{repo_id}/discussions/{len(repository.requests)}"}
        oid = repository.add(revision, files)
        return 200, {"commitUrl": f"{self.hub.url}/{repo_id}/commit/{oid}", "commitOid": oid, **request}, {}

    def _branch(
        self, repository: Repository, repo_id: str, branch: str, query: dict[str, list[str]], body: bytes
    ) -> tuple[int, Any, dict[str, str]]:
        if branch in repository.heads:
            return _refusal(409, "Reference already exists")
        repository.heads[branch] = repository.heads["main"]
        return 200, {}, {}

    def _read(
        self, repository: Repository, repo_id: str, what: str | None, rest: str | None
    ) -> tuple[int, Any, dict[str, str]]:
        revision, name = _split(repository, rest if rest is not None else "main")
        commit = repository.commit_of(revision)
        if commit is None:
            return _refusal(404, f"Invalid rev id: {revision}", "RevisionNotFound")
        files = repository.commits[commit]
        if what == "resolve":
            return self._file(files, name, commit)
        if what == "tree":
            inside = {path: data for path, data in files.items() if not name or path.startswith(f"{name}/")}
            if not inside:
                return _refusal(404, f"{name} not found", "EntryNotFound")
            return 200, [_entry(path, data, self.hub.lfs_from) for path, data in sorted(inside.items())], {}
        listed = [{"rfilename": path} for path in sorted(files)]
        return 200, {"id": repo_id, "sha": commit, "private": repository.private, "siblings": listed, "tags": []}, {}

    def _file(self, files: dict[str, bytes], name: str, commit: str) -> tuple[int, Any, dict[str, str]]:
        if name not in files:
            return _refusal(404, f"{name} not found", "EntryNotFound", {"X-Repo-Commit": commit})
        data = files[name]
        headers = {"X-Repo-Commit": commit, "Content-Length": str(len(data)), "ETag": f'"{_git_oid(data)}"'}
        if len(data) >= self.hub.lfs_from:
            oid = hashlib.sha256(data).hexdigest()
            headers |= {"ETag": f'"{oid}"', "X-Linked-Etag": f'"{oid}"', "X-Linked-Size": str(len(data))}
        return 200, data, headers


def _discussions(repository: Repository, repo_id: str, query: dict[str, list[str]]) -> dict[str, Any]:
    """One page of one request, so that a client has to turn pages; a user is called what the token's role is."""
    wanted = {key: query[key][0] for key in ("author", "status") if key in query}
    found = [
        {
            "title": request["title"],
            "num": number,
            "author": {"name": request["author"]},
            "createdAt": "2026-01-01T00:00:00.000Z",
            "status": request["status"],
            "repo": {"name": repo_id, "type": "model"},
            "isPullRequest": True,
        }
        for number, request in enumerate(repository.requests, start=1)
        if all(request[key] == value for key, value in wanted.items())
    ]
    start = int(query.get("p", ["0"])[0])
    return {"discussions": found[start : start + 1], "count": len(found), "start": start}


def _split(repository: Repository, rest: str) -> tuple[str, str]:
    """Revision and path; a branch may have slashes in its name."""
    for head in sorted([*repository.heads, *repository.commits], key=len, reverse=True):
        if rest == head or rest.startswith(f"{head}/"):
            return head, rest[len(head) + 1 :]
    revision, _, name = rest.partition("/")
    return revision, name


def _entry(path: str, data: bytes, lfs_from: int) -> dict[str, Any]:
    entry: dict[str, Any] = {"type": "file", "path": path, "size": len(data), "oid": _git_oid(data)}
    if len(data) >= lfs_from:
        entry["lfs"] = {"oid": hashlib.sha256(data).hexdigest(), "size": len(data), "pointerSize": 130}
    return entry


def _git_oid(data: bytes) -> str:
    return hashlib.sha1(f"blob {len(data)}\0".encode() + data).hexdigest()


def _validated(content: str) -> tuple[int, Any, dict[str, str]]:
    match = re.match(r"---\n(.*?)\n---\n", content, re.DOTALL)
    try:
        metadata = yaml.safe_load(match[1]) if match else None
    except yaml.YAMLError as error:
        return 400, {"errors": [{"message": str(error)}], "warnings": []}, {}
    warnings = [] if metadata else [{"message": "empty or missing yaml metadata in repo card"}]
    return 200, {"errors": [], "warnings": warnings}, {}


def _refusal(
    status: int, message: str, code: str | None = None, more: dict[str, str] | None = None
) -> tuple[int, Any, dict[str, str]]:
    headers = {"X-Error-Message": message} | ({} if code is None else {"X-Error-Code": code})
    return status, {"error": message}, headers | (more if more is not None else {})
