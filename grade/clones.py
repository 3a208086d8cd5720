"""Reads the few files that count out of a git bundle or a clone, without checking anything out.

Nothing of a submission's configuration is read: git works in an empty repository of our own, which borrows
the clone's objects. So there are no hooks, filters, includes or remotes that could run a command. Objects
of other repositories (alternates) are refused. git itself runs in bubblewrap if it is there, and with
limits, as a pack is a compressed file with all that this can mean.
"""

import os
import re
import stat
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path

from grade.submission import MAX_SIZE, Rejected, Wanted
from tools import limits, qemu
from tools.scratch import Held

_MAX_BUNDLE = 128 << 20  # bytes
_MAX_REFS = 4 << 20
_MAX_OUTPUT = 16 << 20
_MAX_FOLDERS = 100  # below refs/heads that are looked at
_SECONDS = 60
_LIMITS = limits.Limits(memory_mib=1024, file_mib=256, processes=64, files=256, cpu_seconds=30)
_BUNDLE = (b"# v2 git bundle\n", b"# v3 git bundle\n")
_AGAIN = "make it with git bundle create FILE HEAD"
_COMMIT = re.compile(r"[0-9a-f]{40}")
_ENTRY = re.compile(r"(\d+) (blob|tree|commit) ([0-9a-f]{40})\t(.*)", re.S)
_PLAIN = ("100644", "100755")


def is_bundle(head: bytes) -> bool:
    return head.startswith(_BUNDLE)


def objects_of(root: Path) -> Path | None:
    """The git folder of the clone @root, which has the objects; None: it is none, or only linked to one."""
    for folder in (root / ".git", root):
        if all(_is_folder(path) for path in (folder, folder / "objects", folder / "refs")):
            return folder if _text(folder / "HEAD") is not None else None
    return None


def from_clone(root: Path, wanted: Wanted, branch: str | None) -> dict[str, bytes]:
    """The files @wanted of @branch, or of HEAD. Raises Rejected."""
    folder = objects_of(root)
    if folder is None:
        raise Rejected("not taken: it is no git clone, so it has no branches")
    if os.path.lexists(folder / "objects" / "info" / "alternates"):
        raise Rejected("not taken: it has its objects elsewhere (alternates); clone without --shared")
    if (commit := _chosen(folder, branch)) is None:
        has = _listed_names(_branches(folder))
        what = f"branch {branch}" if branch else "commit at HEAD"
        raise Rejected(f"not taken: the clone has no {what}; it has {has}")
    with Held("git") as name:
        git = _Git(Path(name) / "git", folder / "objects")
        return _files(git, commit, wanted)


def from_bundle(bundle: Path, wanted: Wanted, branch: str | None) -> dict[str, bytes]:
    """The files @wanted of @branch, or of HEAD, or of the only branch. Raises Rejected."""
    if (size := bundle.stat().st_size) > _MAX_BUNDLE:
        raise Rejected(f"not taken: {size >> 20} MiB; at most {_MAX_BUNDLE >> 20} are")
    with Held("git") as name:
        git = _Git(Path(name) / "git", None)
        listed = git.run(["bundle", "unbundle", str(bundle.resolve())], [bundle.resolve()], writes=True)
        if listed is None:
            raise Rejected(f"not taken: the bundle is damaged, or needs commits that it has not; {_AGAIN}")
        lines = [line.split(" ", 1) for line in listed.decode("utf-8", "replace").splitlines()]
        refs = {ref: commit for commit, ref in (line for line in lines if len(line) == 2)}
        branches = [ref for ref in refs if ref.startswith("refs/heads/")]
        chosen = f"refs/heads/{branch}" if branch else "HEAD"
        if branch is None and "HEAD" not in refs and len(branches) == 1:
            chosen = branches[0]
        if chosen not in refs or not _COMMIT.fullmatch(refs[chosen]):
            has = _listed_names([ref.removeprefix("refs/heads/") for ref in branches])
            what = f"branch {branch}" if branch else "HEAD"
            raise Rejected(f"not taken: the bundle has no {what}; it has {has}")
        return _files(git, refs[chosen], wanted)


def _listed_names(branches: Sequence[str]) -> str:
    return ", ".join(branches[:5])[:200] or "no branch"


def committed(root: Path, branch: str | None = None) -> bytes | None:
    """The commit of @branch, or at HEAD, of the clone @root, as git keeps it; None: it is no clone, or cannot
    be read. Its times are those that the student's machine said."""
    folder = objects_of(root)
    if folder is None or os.path.lexists(folder / "objects" / "info" / "alternates"):
        return None
    commit = _chosen(folder, branch)
    with Held("git") as name:
        git = _Git(Path(name) / "git", folder / "objects")
        return git.run(["cat-file", "commit", commit], []) if commit else None


# --- Refs, which are files that a student may have written ---------------------------------------------


def _is_folder(path: Path) -> bool:
    try:
        return stat.S_ISDIR(path.lstat().st_mode)
    except OSError:
        return False


def _text(path: Path) -> str | None:
    """The contents of a plain file; None if it is none, or too large."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError):
        return None
    try:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode) or status.st_size > _MAX_REFS:
            return None
        with os.fdopen(fd, "rb", closefd=False) as file:
            return file.read(_MAX_REFS).decode("utf-8", "replace")
    finally:
        os.close(fd)


def _chosen(folder: Path, branch: str | None) -> str | None:
    """The commit of @branch, or at HEAD."""
    return _head(folder) if branch is None else _ref(folder, f"refs/heads/{branch}")


def _branches(folder: Path) -> list[str]:
    """Branches of a clone, for a message."""
    packed = (line.partition(" ")[2] for line in (_text(folder / "packed-refs") or "").splitlines())
    names = {ref.removeprefix("refs/heads/") for ref in packed if ref.startswith("refs/heads/")}
    heads = folder / "refs" / "heads"
    if _is_folder(folder / "refs") and _is_folder(heads):
        places = islice(os.walk(heads), _MAX_FOLDERS)
        names |= {os.path.relpath(Path(at, name), heads) for at, _, files in places for name in files}
    return sorted(names)


def _head(folder: Path) -> str | None:
    text = (_text(folder / "HEAD") or "").strip()
    return _ref(folder, text[5:].strip()) if text.startswith("ref: ") else _commit(text)


def _commit(text: str) -> str | None:
    return text if _COMMIT.fullmatch(text) else None


def _ref(folder: Path, ref: str) -> str | None:
    """The commit of @ref; no component of its name leads elsewhere."""
    parts = ref.split("/")
    if parts[0] != "refs" or any(part in ("", ".", "..") for part in parts):
        return None
    inner = folder
    for part in parts[:-1]:
        inner /= part
        if not _is_folder(inner):
            break
    else:
        if (text := _text(inner / parts[-1])) is not None:
            return _commit(text.strip())
    for line in (_text(folder / "packed-refs") or "").splitlines():
        commit, _, name = line.partition(" ")
        if name == ref:
            return _commit(commit)
    return None


# --- Objects ------------------------------------------------------------------------------------------


class _Git:
    """An empty bare repository in @home, a new folder, that borrows @objects."""

    def __init__(self, home: Path, objects: Path | None) -> None:
        self._home = home
        self._objects = None if objects is None else objects.resolve()
        self._fenced = not qemu.why_no_bubblewrap()
        home.mkdir()
        for folder in ("objects/pack", "objects/info", "refs/heads"):
            (home / folder).mkdir(parents=True)
        (home / "HEAD").write_text("ref: refs/heads/none\n")
        (home / "config").write_text("[core]\n\trepositoryformatversion = 0\n\tbare = true\n")

    def run(self, words: Sequence[str], readable: Sequence[Path], writes: bool = False) -> bytes | None:
        """The output of git; None if it failed. Raises Rejected if it takes too long or says too much."""
        argv = ["git", "-c", "pack.threads=1", "-c", "gc.auto=0", *words]
        borrowed = [] if self._objects is None else [self._objects]
        if self._fenced:
            ours = [self._home]
            seen = [*readable, *borrowed, *([] if writes else ours)]
            random = ["/dev/urandom"]  # for names of temporary files
            argv = qemu.bubblewrap(argv, seen, ours if writes else [], devices=random)
        environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "LC_ALL": "C",
            "HOME": "/nonexistent",
            "GIT_DIR": str(self._home),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_NO_REPLACE_OBJECTS": "1",
            "GIT_OPTIONAL_LOCKS": "0",
        }
        if self._objects is not None:
            environment["GIT_OBJECT_DIRECTORY"] = str(self._objects)
        try:
            done = limits.run(limits.limited(argv, _LIMITS), environment, _MAX_OUTPUT, _SECONDS)
        except limits.TooMuch as e:
            raise Rejected(f"not taken: git {words[0]} {e}") from e
        return done.output if done.status == 0 else None


def _listed(git: _Git, words: Sequence[str]) -> list[tuple[str, str, str, str]]:
    """Mode, type, object and path of each entry that ls-tree lists."""
    out = git.run(["ls-tree", "-z", "--full-tree", *words], [])
    if out is None:
        raise Rejected("not taken: objects of the commit are missing or damaged; clone it whole")
    found = (_ENTRY.fullmatch(e) for e in out.decode("utf-8", "surrogateescape").split("\0") if e)
    return [(m[1], m[2], m[3], m[4]) for m in found if m]


def _files(git: _Git, commit: str, wanted: Wanted) -> dict[str, bytes]:
    """The files @wanted in the tree of @commit, at its top or in one folder of it."""
    folders = [path for _, kind, _, path in _listed(git, [commit]) if kind == "tree"]
    prefixes = ["", *(f"{f}/" for f in folders[:200])]
    asked = [prefix + file for prefix in prefixes for file in wanted.files]
    asked += [f"{prefix}{wanted.folder}/" for prefix in prefixes if wanted.folder]
    entries = {path: (mode, oid) for mode, _, oid, path in _listed(git, [commit, "--", *asked])}
    found = {p: _below(entries, p, wanted) for p in prefixes}
    tops = [p for p in prefixes if found[p]]
    if len(tops) > 1 and tops[0]:
        names = " and ".join(repr(top[:-1]) for top in tops[:2])
        raise Rejected(f"not taken: the tree is there more than once, in {names}; hand in one of them")
    top = tops[0] if tops else ""
    wanted.check(found[top])
    listed = [*wanted.files, *(file for file in found[top] if file not in wanted.files)]
    return {file: _blob(git, file, entries.get(top + file)) for file in listed}


def _below(entries: Iterable[str], prefix: str, wanted: Wanted) -> list[str]:
    """The paths below @prefix that are @wanted."""
    paths = (path.removeprefix(prefix) for path in entries if path.startswith(prefix))
    return sorted(path for path in paths if wanted.has(path))


def _blob(git: _Git, file: str, entry: tuple[str, str] | None) -> bytes:
    if entry is None:
        raise Rejected(f"the submission has no {file}")
    mode, oid = entry
    if mode not in _PLAIN:
        raise Rejected(f"{file}: not taken: it must be a plain file, without links")
    size = git.run(["cat-file", "-s", oid], [])
    content = None
    if size is not None and int(size) > MAX_SIZE:
        raise Rejected(f"{file}: not taken: larger than {MAX_SIZE >> 20} MiB")
    if size is not None:
        content = git.run(["cat-file", "blob", oid], [])
    if content is None:
        raise Rejected(f"{file}: not taken: its object is missing or damaged; clone it whole")
    return content
