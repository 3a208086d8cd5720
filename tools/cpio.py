"""Writes cpio archives in the "newc" format, the way the kernel reads its initramfs.

The same tree gives the same bytes everywhere: entries are sorted, owned by root unless --owner says
otherwise, and dated 1970.
Several archives may follow one another in one initrd; a later entry replaces an earlier one.

    /usr/bin/python3 -m tools.cpio --output initramfs.cpio [--tree DIR]... [--file PATH=FILE]...
        [--owner PATH=UID:GID]...
"""

from __future__ import annotations

import argparse
import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

_ALIGNMENT = 4
_TRAILER = "TRAILER!!!"


@dataclass(frozen=True)
class Entry:
    """A file as the archive holds it: its path without a leading slash, its mode and its bytes."""

    path: str
    mode: int
    data: bytes = b""
    device: tuple[int, int] = (0, 0)
    owner: tuple[int, int] = (0, 0)  # user and group


def directory(path: str) -> Entry:
    return Entry(path, stat.S_IFDIR | 0o755)


def regular(path: str, data: bytes, mode: int = 0o644) -> Entry:
    return Entry(path, stat.S_IFREG | mode, data)


def tree(root: Path) -> list[Entry]:
    """Everything below @root, parents before their children. Sockets and devices are left out."""
    entries: list[Entry] = []
    for folder, folders, files in os.walk(root):
        folders.sort()
        for name in sorted(folders + files):
            host = Path(folder, name)
            entry = _entry_of(str(host.relative_to(root)), host)
            if entry is not None:
                entries.append(entry)
    return entries


def _entry_of(path: str, host: Path) -> Entry | None:
    mode = host.lstat().st_mode
    if stat.S_ISLNK(mode):
        return Entry(path, mode, os.fsencode(os.readlink(host)))
    if stat.S_ISREG(mode):
        return Entry(path, mode, host.read_bytes())
    if stat.S_ISDIR(mode) or stat.S_ISFIFO(mode):
        return Entry(path, mode)
    return None


def archive(entries: Iterable[Entry]) -> bytes:
    """One whole archive, padded so that another one may follow it."""
    parts: list[bytes] = []
    for number, entry in enumerate(entries, start=1):
        parts.append(_record(entry, number))
    parts.append(_record(Entry(_TRAILER, 0), 0))
    return b"".join(parts)


def _record(entry: Entry, inode: int) -> bytes:
    name = os.fsencode(entry.path) + b"\0"
    links = 2 if stat.S_ISDIR(entry.mode) else 1
    fields = (
        inode, entry.mode, *entry.owner, links, 0, len(entry.data),
        0, 0, entry.device[0], entry.device[1], len(name), 0,
    )  # fmt: skip
    header = b"070701" + b"".join(b"%08X" % field for field in fields)
    return _padded(header + name) + _padded(entry.data)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % _ALIGNMENT)


def parents(path: str) -> list[Entry]:
    """Entries for the directories above @path."""
    above = [str(p) for p in reversed(Path(path).parents) if str(p) != "."]
    return [directory(p) for p in above]


def _owner(text: str) -> tuple[str, tuple[int, int]]:
    path, _, ids = text.partition("=")
    user, _, group = ids.partition(":")
    return path.lstrip("/"), (int(user), int(group))


def main() -> None:
    parser = argparse.ArgumentParser(
        description="Writes a cpio archive (newc) that depends on names, modes and contents alone."
    )
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--tree", type=Path, action="append", default=[], help="all below a folder")
    parser.add_argument(
        "--file", action="append", default=[], metavar="PATH=FILE", help="one file, at PATH"
    )
    parser.add_argument(
        "--owner", action="append", default=[], metavar="PATH=UID:GID", help="whose it is"
    )
    options = parser.parse_args()

    entries: list[Entry] = []
    for root in options.tree:
        entries += tree(root)
    known = {entry.path for entry in entries}
    for pair in options.file:
        path, _, host = pair.partition("=")
        path = path.lstrip("/")
        entries += [entry for entry in parents(path) if entry.path not in known]
        known |= {entry.path for entry in parents(path)}
        executable = os.access(host, os.X_OK)
        entries.append(regular(path, Path(host).read_bytes(), 0o755 if executable else 0o644))
    owners = dict(_owner(text) for text in options.owner)
    options.output.write_bytes(
        archive(replace(entry, owner=owners.get(entry.path, entry.owner)) for entry in entries)
    )


if __name__ == "__main__":
    main()
