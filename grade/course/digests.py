"""Two digests that decide a verdict: of a submission, and of its judge."""

import ast
import base64
import hashlib
import json
import zlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from grade.build import sources
from grade.errors import GraderError
from grade.lab import Lab
from tools.imports import closure

# The programs that bring about a verdict and its report, and those that a build runs, with what they import.
_JUDGES = ("grade/engine.py", "grade/results.py", "tools/cpio.py", "tools/ksyms.py", "tools/syscalls.py")
# Other than these, a file below labs/ is for readers, or for another lab.
_OF_LAB = ("lab.toml", "tests/", "scenarios/")


def _digest(parts: Iterable[tuple[str, bytes]]) -> str:
    """SHA-256 of names and contents; each with its length, so that no two lists look alike."""
    whole = hashlib.sha256()
    for name, content in parts:
        word = name.encode("utf-8", "surrogateescape")
        whole.update(b"%d %d\n" % (len(word), len(content)) + word + content)
    return whole.hexdigest()


def of_files(files: Mapping[str, bytes]) -> str:
    return _digest(sorted(files.items()))


def _decides(path: str, lab: Lab) -> bool:
    """Whether the file @path of the tree has a say in verdicts on @lab. Its own files are the students'."""
    if path in lab.files or path.endswith(".md"):
        return False
    if path.startswith("labs/"):
        # Kernels link the tests of all labs, so those shift code and data of this one.
        own = path.startswith(f"labs/{lab.name}/")
        tested = "/tests/" in path or "/scenarios/" in path
        return tested or own and path.removeprefix(f"labs/{lab.name}/").startswith(_OF_LAB)
    if path.startswith("tools/"):
        return path.endswith((".c", ".h"))
    return not path.startswith("bench/") and not path.endswith(".py")  # programs are in a list of their own


def _only_says(path: Path) -> bool:
    """Whether a program has nothing but a docstring, as most packages' __init__.py."""
    body = ast.parse(path.read_bytes()).body if path.name == "__init__.py" else [ast.Pass()]
    return all(isinstance(part, ast.Expr) and isinstance(part.value, ast.Constant) for part in body)


def paths(root: Path, lab: Lab) -> list[Path]:
    """The files of the tree that have a say in verdicts on @lab."""
    found = {path for path in sources(root) if _decides(path, lab)} | closure(root, _JUDGES)
    return [root / path for path in sorted(found) if not _only_says(root / path)]


def of_judge(root: Path, lab: Lab, arches: Sequence[str], seeds: int | None) -> str:
    """The tests, the reference without the lab's files, the grader's programs, and how they are called.
    Not the versions of QEMU and of compilers: the grader checks that they do not matter (recipe.py)."""
    called = json.dumps([lab.name, list(arches), seeds]).encode()
    read = ((str(path.relative_to(root)), path.read_bytes()) for path in paths(root, lab))
    return _digest([("", called), *read])


def pack(files: Mapping[str, bytes]) -> bytes:
    """@files for the table `submissions`."""
    out: dict[str, str | dict[str, str]] = {}
    for path, content in sorted(files.items()):
        try:
            out[path] = content.decode("utf-8")
        except UnicodeDecodeError:
            out[path] = {"base64": base64.b64encode(content).decode("ascii")}
    return zlib.compress(json.dumps(out).encode())


def unpack(packed: bytes, digest: str) -> dict[str, bytes]:
    """The files that pack() packed; checks that they are those of @digest."""
    damaged = GraderError(f"the stored submission {digest[:12]} is damaged: take a copy from your backup")
    try:
        data = json.loads(zlib.decompress(packed))
    except (zlib.error, ValueError) as e:
        raise damaged from e
    files = {
        path: content.encode() if isinstance(content, str) else base64.b64decode(content["base64"])
        for path, content in data.items()
    }
    if of_files(files) != digest:
        raise damaged
    return files
