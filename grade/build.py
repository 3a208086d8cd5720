"""Builds the reference once per port, and submissions by compiling only what differs from it.

    <build root>/grade/<arch>/      a snapshot of the tree and its objects, kept from run to run
    a temporary copy of that        where one submission's files replace the tree's and are compiled

Copies keep modification times and the Makefile's paths are relative, so make compiles only the
replaced files. A new snapshot starts with the objects that were built in the tree itself. A
submission must not add tests of its own, so the ELF file's list of tests is checked.
"""

import fcntl
import hashlib
import json
import os
import re
import shutil
import struct
import subprocess
import tempfile
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from grade.complaints import complaints, last_line
from grade.elf import Elf
from grade.errors import GraderError
from grade.home import TREE, Home
from grade.making import make, no_room
from tools.progress import Progress
from tools.scratch import Held
from tools.visible import visible

# No verdict depends on a student's own scenarios, labs/NN-name/scenarios/mine.
_UNWANTED = frozenset({"__pycache__", "challenges", "mutants", "variants", "mistakes", "mine"})
_LEFT_BY_TOOLS = re.compile(r"\..*|.*(?:~|\.orig|\.rej)")  # of editors and patch, beside a file
_HELPERS = re.compile(r"labs/[^/]+/scenarios/(?!hidden_)[^/]+\.h")
_ASKED = re.compile(rb"\b(?:TEST_BUILD|lab_todo|LAB_TODO)\b")  # in sources, by make/kernel.mk and given.mk
_GOALS = ("kernel", "explorer")  # of a submission
_KTEST = struct.Struct("<4Q")
_RECORD = "sources.json"  # in a snapshot: size, time and mode of each source
_LONG_AGO = 86400  # seconds since 1970
_IMAGE_MIB = 64  # of memory that a kernel may take for itself: the smallest machine of a test has 128


class BuildFailed(Exception):
    """The submission does not compile or must not be run; holds the lines that say why."""

    def __init__(self, lines: Sequence[str]) -> None:
        super().__init__("\n".join(lines))
        self.lines = tuple(lines)


@dataclass(frozen=True)
class Product:
    """A bootable test kernel, and the explorer with the same files, as far as they were asked for. Its
    folder lasts as long as the grading."""

    kernel: Path
    initrd: Path | None
    explorer: Path | None = None
    sources: Path | None = None  # the submission's files

    @cached_property
    def tests(self) -> tuple[str, ...]:
        """Every in-kernel test that is linked in: name, step, property and function."""
        elf = Elf(self.kernel)
        start, end = elf.address("ktests_start"), elf.address("ktests_end")
        size = next((s.size for n, s in elf.symbols.items() if n.startswith("ktest_entry_")), 1)
        functions = {s.address: n for n, s in elf.symbols.items()}
        found = []
        for at in range(start, end, size):
            name, step, prop, fn = _KTEST.unpack(elf.read(at, _KTEST.size))
            function = functions.get(fn, "?")
            found.append(f"{elf.text(name)} {elf.text(step)} {elf.text(prop)} {function}")
        return tuple(sorted(found))


def sources(root: Path) -> Iterator[str]:
    """Every file that a build may need, relative to @root."""
    for top in TREE:
        path = root / top
        if path.is_file():
            yield top
            continue
        for folder, folders, files in os.walk(path):
            folders[:] = sorted(d for d in folders if d not in _UNWANTED and d[0] != ".")
            wanted = sorted(f for f in files if not _LEFT_BY_TOOLS.fullmatch(f))
            yield from (os.path.relpath(os.path.join(folder, f), root) for f in wanted)


def _sync(root: Path, copy: Path, instead: Mapping[str, bytes | None]) -> None:
    """Makes @copy's sources those of @root, but for the files @instead. A file that did not change keeps its
    time. A new copy has the times of @root, so that make can compare them with those of the objects that
    _adopt() finds. None is from the future."""
    record = copy / _RECORD
    known: dict[str, list[int | str]] = json.loads(record.read_text()) if record.exists() else {}
    now: dict[str, list[int | str]] = {}
    for name, content in instead.items():
        if content is not None:
            now[name] = [hashlib.sha256(content).hexdigest()]
            if known.get(name) != now[name]:
                _put(copy / name, content)
    for name in sources(root):
        if name in instead:
            continue
        status = (root / name).stat()
        now[name] = [status.st_size, status.st_mtime_ns, status.st_mode]
        if known.get(name) != now[name]:
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            (copy / name).unlink(missing_ok=True)  # a build may have a link to it
            shutil.copyfile(root / name, copy / name)
            shutil.copymode(root / name, copy / name)
            if not known:
                os.utime(copy / name, ns=(status.st_mtime_ns, status.st_mtime_ns))
    for name in known.keys() - now.keys():
        (copy / name).unlink(missing_ok=True)
    record.write_text(json.dumps(now))
    if _bring_to_present(copy / name for name in now) or known and known != now:
        _age(copy / "build")


def _from_future(at: int) -> bool:
    """Whether the clock was put back after @at, nanoseconds since 1970."""
    return at > time.time_ns()


def _bring_to_present(paths: Iterable[Path]) -> bool:
    """Dates sources from the future now; whether there were any. No object would be newer than these, so each
    submission would compile them again, of which _blank() has left nothing."""
    found = [path for path in paths if _from_future(path.stat().st_mtime_ns)]
    for path in found:
        os.utime(path, (time.time(), time.time()))
    return bool(found)


def _age(built: Path) -> None:
    """Makes all in @built old, if some of it is from the future: make would take that for newer than the
    sources that have just been written, and keep it."""
    if any(map(_from_future, _times(built).values())):
        for path in _times(built):
            os.utime(path, (_LONG_AGO, _LONG_AGO))


@contextmanager
def _changing(cache: Path) -> Iterator[None]:
    """Marks @cache while it changes. A change that was ended by force, or by a power cut, may leave half an
    object, which make would take for a whole one: the next change then begins with an empty folder."""
    mark = cache / "unfinished"
    if mark.exists():
        shutil.rmtree(cache)
    cache.mkdir(parents=True, exist_ok=True)
    mark.touch()
    yield
    subprocess.run(["sync", "--file-system", str(cache)], check=False)
    mark.unlink()


def _synced(copy: Path) -> dict[str, list[int | str]]:
    """The sources of the snapshot @copy that a build reads, as _sync() has recorded them."""
    known: dict[str, list[int | str]] = json.loads((copy / _RECORD).read_text())
    return {name: status for name, status in known.items() if not name.endswith(".md")}


def _times(folder: Path) -> dict[Path, int]:
    """When each file below @folder was changed."""
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


def _begun(folder: Path) -> bool:
    """Whether a file below @folder is still empty, as an assembler or a linker first makes it."""
    made = (*folder.rglob("*.o"), *folder.glob("kernel.*"))
    return any(path.stat().st_size == 0 for path in made)


def _adopt(built: Path, snapshot: Path) -> None:
    """Starts @snapshot with the objects made in @built, unless another make is building there."""
    if snapshot.exists() or not built.is_dir():
        return
    snapshot.parent.mkdir(parents=True, exist_ok=True)
    argv = ["cp", "-a", "--", str(built), str(snapshot)]
    try:
        before = _times(built)
        copied = subprocess.run(argv, stderr=subprocess.DEVNULL, check=False)
        whole = copied.returncode == 0 and _times(built) == before and not _begun(built)
        whole = whole and not any(map(_from_future, before.values()))
    except FileNotFoundError:  # a linker that starts removes its old output file first
        whole = False
    if not whole:
        shutil.rmtree(snapshot, ignore_errors=True)


def _copy(cache: Path, tree: Path, parts: Sequence[Path]) -> None:
    """The sources of @cache, and the objects in @parts, folders in its build/, with their times.

    Not what is made of the objects, nor the user programs beside them: most of what a snapshot weighs.
    cp does it, as a thousand files take Python a second. Links will do for files that a build never
    changes in place, and cost a tenth, where the file system has them: for sources, and for objects, as an
    assembler first removes the old one.
    """
    made = {"kernel.elf", "kernel.elf.part", "initramfs.cpio", "explore", "explore.o", "core.o", "all.o"}
    build = cache / "build"

    def take(folder: Path, wanted: Callable[[Path], bool], links: bool) -> None:
        target = tree / folder.relative_to(cache)
        target.mkdir(parents=True)
        files = map(str, filter(wanted, folder.iterdir()))
        argv = ["cp", "-al" if links else "-a", "--", *files, str(target)]
        subprocess.run(argv, stderr=subprocess.PIPE, check=True)

    def take_all(links: bool) -> None:
        take(cache, lambda path: path != build, links)
        take(build, Path.is_file, False)
        for part in parts:
            take(part, lambda path: path.name not in made, links)

    try:
        take_all(True)
    except subprocess.CalledProcessError:
        shutil.rmtree(tree)
        try:
            take_all(False)
        except subprocess.CalledProcessError as e:
            said = visible(e.stderr).strip().splitlines()
            free = shutil.disk_usage(tree.parent).free
            full = any("No space" in line for line in said)
            why = f"cannot copy to {tree}: {said[0] if said else 'cp failed'}"
            raise GraderError(no_room(tree.parent, free) if full else why) from e
        return
    for part in parts:
        for path in (tree / part.relative_to(cache)).rglob("*"):
            if path.suffix != ".o" and path.is_file():
                _unlink_from_others(path)


def _blank(tree: Path) -> None:
    """Empties each source in @tree that a compiler could show to the author of a submission: the solutions of
    labs, tests, answers. All is compiled already, and keeps its time. The words stay that make looks for, and
    what students' own scenarios may include."""
    for name in sources(tree):
        path = tree / name
        if name.startswith("labs/") and not _HELPERS.fullmatch(name) or path.suffix in (".c", ".S"):
            status, kept = path.stat(), set(_ASKED.findall(path.read_bytes()))
            _put(path, b"\n".join(sorted(kept)))
            os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def _unlink_from_others(path: Path) -> None:
    """Makes @path, a link, a file of its own."""
    status, content = path.stat(), path.read_bytes()
    _put(path, content)
    path.chmod(status.st_mode)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def _put(path: Path, content: bytes) -> None:
    """Writes a new file, so that another one of which @path was a link stays as it is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    path.write_bytes(content)


@contextmanager
def _counted(progress: Progress, steps: int, title: str) -> Iterator[Callable[[str], None]]:
    """Counts the steps of a build; the expected number is an estimate, corrected at the end."""
    done = 0

    def step(what: str) -> None:
        nonlocal done
        done += 1
        if done > steps:
            progress.expect(1)
        progress.step(f"{title}: {what}")

    progress.expect(steps)
    progress.doing(title)
    yield step
    progress.expect(-max(0, steps - done))


def _has(tree: Path, path: str, content: bytes) -> bool:
    """Whether @tree has the file @path, with this @content."""
    own = tree / path
    return own.is_file() and own.read_bytes() == content


def check_size(kernel: Path) -> None:
    """Raises BuildFailed if the image in @kernel leaves the machine too little memory to run in."""
    elf = Elf(kernel)
    size = sum(s.mem_size for s in elf.segments)
    if size <= _IMAGE_MIB << 20:
        return
    name, largest = max(elf.symbols.items(), key=lambda item: item[1].size, default=("", None))
    culprit = f"; {name} alone has {largest.size >> 20}" if largest and largest.size > size // 2 else ""
    raise BuildFailed([f"the kernel would be {size >> 20} MiB; at most {_IMAGE_MIB} MiB fit{culprit}"])


class Reference:
    """The built reference of one port, and the place where submissions are built from it."""

    def __init__(
        self,
        root: Path,
        build_root: Path,
        arch: str,
        fenced: bool,
        jobs: int,
        home: Home | None = None,
    ) -> None:
        self._root = root
        self._instead = home.published if home else {}
        self._settings = [f"LAB={home.lab}"] if home else []
        self._arch = arch
        self._fenced = fenced
        self._jobs = jobs
        self._build_root = build_root
        self._cache = (build_root / "grade" / arch).resolve()
        self._products = Held("products")
        self._blanked: Held | None = None
        self._sources: dict[str, list[int | str]] = {}

    def close(self) -> None:
        self._products.cleanup()
        self._forget()

    def _forget(self) -> None:
        if self._blanked is not None:
            self._blanked.cleanup()
            self._blanked = None

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Keeps other graders from changing the snapshot."""
        try:
            self._cache.mkdir(parents=True, exist_ok=True)
            lock = (self._cache.parent / f"{self._arch}.lock").open("w")
        except OSError as e:
            words = f"{e.filename}: {e.strerror}: you must own the folder to build in; --build-root names one"
            raise GraderError(words) from e
        with lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def build(self, editable: Sequence[str], goals: Sequence[str], progress: Progress) -> Product:
        """Brings the snapshot up to date. Errors in @editable files raise BuildFailed.

        This is for a student who grades the tree itself; any other error is a GraderError.
        @goals: of "kernel", "explorer", which is the same for all ports, and "user", the programs.
        """
        with self._locked():
            self._forget()
            with _changing(self._cache):
                _sync(self._root, self._cache, self._instead)
                self._sources = _synced(self._cache)
                for folder in self._folders(self._cache, goals):
                    _adopt(self._build_root / folder.relative_to(self._cache / "build"), folder)
                building = "the explorer" if list(goals) == ["explorer"] else self._arch
                with _counted(progress, self._missing(goals), f"building {building}") as step:
                    output = self._make(self._cache, goals, False, step)
            if output is not None:
                lines = complaints(output, editable, [self._cache], {})
                if editable and lines:
                    raise BuildFailed(lines)
                said = last_line(output)
                raise GraderError(f"the tree itself does not build: {self._arch}: {said}")
            product = self._keep(self._cache, goals)
            if "user" not in goals:
                return product
            initrd = product.kernel.parent / "initramfs.cpio"
            shutil.copyfile(self._built(self._cache) / "initramfs.cpio", initrd)
            return replace(product, initrd=initrd)

    def _missing(self, goals: Sequence[str]) -> int:
        """About how many files make will compile: those that have no object."""
        homes = {goal: self._folders(self._cache, [goal]) for goal in goals}
        scenarios = "labs/[^/]+/scenarios/"
        compiled = {
            "kernel": f"kernel/|labs/(?!{scenarios[5:]})|arch/{self._arch}/",
            "user": "user/",
            # and some files of kernel/{base,lock,mm,process}
            "explorer": f"{scenarios}|tools/explore/|arch/host/|kernel/(sched|sync|thread)/(?!test_)",
        }
        return sum(
            re.match(compiled[goal], source) is not None
            and not any((home / "obj" / f"{source}.o").exists() for home in homes[goal])
            for source in sources(self._cache)
            if source.endswith((".c", ".S"))
            for goal in goals
        )

    def _make(
        self,
        tree: Path,
        goals: Sequence[str],
        fenced: bool,
        step: Callable[[str], None] | None = None,
        *settings: str,
    ) -> str | None:
        # make's goal of this name also writes what editors need to know of the kernel.
        kernel = os.path.relpath(self._built(tree) / "kernel.elf", tree)
        words = [kernel if goal == "kernel" else goal for goal in goals]
        return make(tree, self._arch, [*self._settings, *settings, *words], self._jobs, fenced, step)

    def _built(self, tree: Path) -> Path:
        return tree / "build" / self._arch / "debug-test"

    def _folders(self, tree: Path, goals: Sequence[str]) -> list[Path]:
        """The homes of the objects of @goals. A kernel shares some with the kernel without tests, see
        make/kernel.mk."""
        ports = tree / "build" / self._arch
        folders = {
            "kernel": [self._built(tree), ports / "debug-common"],
            "explorer": [tree / "build" / "explore"],
            "user": [ports / "user"],
        }
        return [folder for goal in goals for folder in folders[goal]]

    def build_with(
        self, files: Mapping[str, bytes], honest: Product, goals: Sequence[str], debuggable: bool = False
    ) -> Product:
        """Builds the reference with @files copied over it; @honest is the reference itself, for which
        build() has made the same @goals, "kernel", "explorer" or both. A kernel that is not @debuggable has
        no debug information, which takes as long to link as all the rest."""
        with Held("build") as name:
            tree = Path(name) / "tree"
            with self._locked():
                self._expect_own(files)
                changed = {path for path, content in files.items() if not _has(self._cache, path, content)}
                # A new header needs the sources that include it.
                whole = any(path.endswith(".h") for path in changed)
                known = self._cache if whole else self._hidden()
                _copy(known, tree, self._folders(known, goals))
            for path in changed:
                _put(tree / path, files[path])
                for folder in self._folders(tree, goals):
                    (folder / "obj" / f"{path}.o").unlink(missing_ok=True)
            settings = () if debuggable else ("STRIPPED=1",)
            output = self._make(tree, goals, self._fenced, None, *settings)
            if output is not None:
                copies = [tree, self._cache]
                lines = complaints(output, list(files), copies, self._homes(list(files), goals))
                raise BuildFailed(lines or [last_line(output)])
            if "kernel" in goals:
                check_size(self._built(tree) / "kernel.elf")
            product = replace(self._keep(tree, goals), initrd=honest.initrd)
        sources = product.kernel.parent / "sources"
        for path, content in files.items():
            _put(sources / path, content)
        product = replace(product, sources=sources)
        if "kernel" in goals and product.tests != honest.tests:
            raise BuildFailed(["the submission changes the list of tests (section .ktests)"])
        return product

    def _hidden(self) -> Path:
        """The snapshot as submissions see it: without the sources that they must not. Made once, as it takes
        as long as a compilation. The caller holds the lock."""
        if self._blanked is None:
            self._blanked = Held("sources")
            tree = Path(self._blanked.name) / "tree"
            _copy(self._cache, tree, [f for f in self._folders(self._cache, _GOALS) if f.is_dir()])
            _blank(tree)
        return Path(self._blanked.name) / "tree"

    def _expect_own(self, files: Collection[str]) -> None:
        """Raises GraderError if the snapshot, but for @files, is no longer what build() made: another call
        has met a changed tree. Its tests are not those to be run, and the submission would be blamed."""
        now, own = _synced(self._cache), self._sources
        if any(now.get(name) != own.get(name) for name in (now.keys() | own.keys()) - set(files)):
            raise GraderError(f"{self._root}: was changed meanwhile, and built by another call: call again")

    def _homes(self, files: Sequence[str], goals: Sequence[str]) -> dict[str, str]:
        """For each function of the reference, which of @files defines it."""
        folders = self._folders(self._cache, goals)
        return {
            name: file
            for file in files
            for folder in folders
            if (made := folder / "obj" / f"{file}.o").exists()
            for name in Elf(made).defined
        }

    def _keep(self, tree: Path, goals: Sequence[str]) -> Product:
        """Copies the files to boot to a place that no later build changes."""
        folder = Path(tempfile.mkdtemp(dir=self._products.name))
        made = {
            "kernel": self._built(tree) / "kernel.elf",
            "explorer": tree / "build" / "explore" / "explore",
        }
        for goal in made.keys() & set(goals):
            shutil.copy(made[goal], folder)
        explorer = folder / "explore" if "explorer" in goals else None
        return Product(folder / "kernel.elf", None, explorer)
