"""The packages of this environment against what emotrain needs (its metadata) and what its tests ran with."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import emotrain
from emotrain.doctor.finding import Finding, said_by

_PACKAGE = Path(emotrain.__file__).parent


def constraints_file() -> Path | None:
    """constraints.txt of the checkout, or the copy inside an installed wheel; None where neither is."""
    places = (_PACKAGE.parent / "constraints.txt", _PACKAGE / "constraints.txt")
    return next((place for place in places if place.is_file()), None)


def pinned(text: str) -> dict[str, str]:
    """Name and version of each `name==version` line of a constraints file whose marker holds here."""
    pins: dict[str, str] = {}
    for line in text.splitlines():
        words = line.partition("#")[0].strip()
        if not words:
            continue
        requirement = Requirement(words)
        if requirement.marker is None or requirement.marker.evaluate():
            pins[canonicalize_name(requirement.name)] = str(requirement.specifier).removeprefix("==")
    return pins


def look() -> Iterator[Finding]:
    """Python, emotrain itself, every requirement, and how far the environment is from the tested versions."""
    yield Finding("system", f"{platform.system()} {platform.release()} {platform.machine()}")
    yield Finding("python", f"{platform.python_version()} at {sys.executable}")
    yield _emotrain()
    try:
        needed = requires("emotrain") or []
    except PackageNotFoundError:
        return
    needs = [need for need in map(Requirement, needed) if need.marker is None or need.marker.evaluate({"extra": ""})]
    installed = {need.name: _version(need.name) for need in needs}
    for need in needs:
        found = installed[need.name]
        if found is None:
            yield Finding(need.name, "not installed", "fault", f"pip install '{need.name}{need.specifier}'")
        elif not need.specifier.contains(found, prereleases=True):
            words = f"pip install --constraint constraints.txt '{need.name}{need.specifier}'"
            yield Finding(need.name, f"{found}, outside {need.specifier}", "fault", words)
    yield _against_constraints([need.name for need in needs if installed[need.name] is not None])


def _emotrain() -> Finding:
    status, commit = said_by("git", "-C", str(_PACKAGE.parent), "describe", "--always", "--dirty", "--exclude=*")
    checkout = (_PACKAGE.parent / ".git").exists() and status == 0
    where = f"{emotrain.__version__} in {_PACKAGE}" + (f", commit {commit}" if checkout else "")
    if _version("emotrain") is None:
        remedy = (
            "pip install --constraint constraints.txt --editable . (from the checkout), so that child processes see it"
        )
        return Finding("emotrain", f"{where}, imported but not installed", "note", remedy)
    return Finding("emotrain", where)


def _against_constraints(names: list[str]) -> Finding:
    file = constraints_file()
    if file is None:
        return Finding(
            "versions", "constraints.txt is not here", "note", "install from a checkout or a release's wheel"
        )
    pins = pinned(file.read_text(encoding="utf-8"))
    other = [
        f"{name} {version(name)} (tested: {pins[key]})"
        for name in names
        if (key := canonicalize_name(name)) in pins and version(name).partition("+")[0] != pins[key]
    ]
    if other:
        said = f"{len(other)} of {len(names)} are not those of constraints.txt: {', '.join(other)}"
        return Finding("versions", said, "note", f"pip install --constraint {os.path.relpath(file)} emotrain")
    return Finding("versions", f"all {len(names)} direct requirements as in constraints.txt")


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
