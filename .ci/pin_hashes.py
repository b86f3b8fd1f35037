"""constraints.txt with the SHA-256 of each file that pip would take here (`make hashes`).

Nothing is installed; the hashes are those that the index states for the files of this interpreter and platform.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

CONSTRAINTS = Path(__file__).parents[1] / "constraints.txt"


def main() -> None:
    command = [sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed", "--no-deps", "--quiet"]
    report = subprocess.run(
        [*command, "--report", "-", "--requirement", str(CONSTRAINTS)], stdout=subprocess.PIPE, text=True, check=True
    ).stdout
    print(f"# constraints.txt with hashes, for Python {sys.version_info[0]}.{sys.version_info[1]} on {sys.platform}")
    print("# pip install --require-hashes --no-deps -r constraints.hashes.txt")
    found = json.loads(report)["install"]
    for entry in sorted(found, key=lambda entry: entry["metadata"]["name"].lower()):
        digest = entry["download_info"]["archive_info"]["hashes"]["sha256"]
        print(f"{entry['metadata']['name'].lower()}=={entry['metadata']['version']} --hash=sha256:{digest}")


if __name__ == "__main__":
    main()
