"""The charts' libraries of the page, from npm: ``python docs/page_assets.py``.

Takes the pinned versions of ``report/assets/vendor/pinned.json`` by ``npm pack``. A file whose
SHA-256 is not the pinned one is refused. With ``--check`` nothing is written: a committed file that
differs from a fresh one ends with exit code 1.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

VENDOR = Path(__file__).resolve().parent.parent / "bayesbench" / "report" / "assets" / "vendor"


def fresh(pinned: Sequence[dict[str, str]]) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of every pinned file, from its package."""
    with tempfile.TemporaryDirectory() as folder:
        for name in dict.fromkeys(f"{one['package']}@{one['version']}" for one in pinned):
            done = subprocess.run(
                ["npm", "pack", "--silent", "--pack-destination", folder, name],
                capture_output=True, text=True, check=False, cwd=folder,
            )  # fmt: skip
            if done.returncode:
                raise SystemExit(f"{name} cannot be had from npm: {done.stderr.strip()[-200:]}")
            with tarfile.open(Path(folder) / done.stdout.strip().splitlines()[-1]) as archive:
                for one in pinned:
                    if name != f"{one['package']}@{one['version']}":
                        continue
                    held = archive.extractfile(f"package/{one['file']}")
                    assert held is not None
                    content = held.read()
                    found = hashlib.sha256(content).hexdigest()
                    if found != one["sha256"]:
                        raise SystemExit(
                            f"{name}: {one['file']} has the SHA-256 {found}, pinned is "
                            f"{one['sha256']}; do not use it"
                        )
                    yield one["to"], content


def main(arguments: Sequence[str] | None = None, vendor: Path = VENDOR) -> int:
    """Write the files, or with ``--check`` compare them; the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing, exit 1 if they differ")
    check = parser.parse_args(arguments).check
    pinned = json.loads((vendor / "pinned.json").read_text(encoding="utf-8"))["files"]
    differing = []
    for name, content in fresh(pinned):
        file = vendor / name
        if file.is_file() and file.read_bytes() == content:
            continue
        differing.append(name)
        if not check:
            file.write_bytes(content)
    if check and differing:
        print(f"{' and '.join(differing)}: not the pinned package's; run make page-assets")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
