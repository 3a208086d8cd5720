"""The killer for files that belong to no lab: all tests that run the mutated line (cases.py), under QEMU.

All tests first run on the kernel itself, which says what is right, how long it takes, and which lines run
(coverage.py). A mutant is shown to tests that run a line of it, those of its own folder first, and then the
cheap ones; if none notices it, to those of pure logic on this machine (host_tests.py). Shared C is the same
on both ports, so its mutants run on the first port only.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from grade import engine
from grade.build import BuildFailed, Product
from grade.machine import Ended, Runner
from tools.mutate import cases, coverage
from tools.mutate.booting import Booting
from tools.mutate.cases import Case, Measured
from tools.mutate.coverage import Lines, Watch
from tools.mutate.host_tests import HostTests
from tools.mutate.killers import BUILT, JUDGED, Verdict
from tools.mutate.mutants import Mutant
from tools.mutate.objects import made_by
from tools.mutate.store import Store, hash_of, hash_of_text
from tools.mutate.work import in_parallel
from tools.options import interrupted
from tools.progress import Progress

UNSEEN = "no test runs this line"

_SECRET = b"mutants"
_GROUP, _GROUP_S = 12, 5.0  # at most so many tests on one machine, and so much time
_FIRST = 3  # of the first group, as most mutants are dead after it
_AROUND = 20  # lines
_BEFORE = 5  # lines
_MOST, _MOST_S = 150, 90.0  # tests asked about one mutant, and the time that the kernel needs for them
_DEAR_S = 5.0  # a test that needs more is asked on one CPU first


class OwnTests(Booting):
    """Asks the tests that run a mutant's line, some on one machine, until one fails."""

    def __init__(
        self, bench: engine.Bench, store: Store, build_root: Path, progress: Progress
    ) -> None:
        super().__init__(bench, progress)
        self._store = store
        self._host = HostTests(bench.root, build_root, store)
        self._kernel = hash_of(bench.root, (*BUILT, *JUDGED), tests=False)
        self._watching = hash_of_text(self._kernel + hash_of(bench.root, coverage.WATCHING))
        self._seen = _seen_on_the_kernel(build_root / "mutate", self._watching)
        plugin = build_root.resolve() / "host" / "ran.so"
        made_by(bench.root, build_root, "ran-plugin")
        for arch, product in self._honest.items():
            self._honest[arch] = _with_suite(bench.root, build_root, arch, product)
        self._watches = {a: Watch(plugin, a, product.kernel) for a, product in self._honest.items()}
        self._code = {arch: self._all_code(arch) for arch in self._honest}
        wanted = [case for arch in self._honest for case in cases.of_arch(bench.root, arch)]
        self._cases: dict[Case, Measured] = {}
        self._measure(wanted, progress)
        files = [f"tools/mutate/{name}.py" for name in ("own_tests", "cases", "host_tests")]
        asking = hash_of(bench.root, files)
        keys = sorted(self._key(case) for case in self._cases)
        self.context = hash_of_text(" ".join([self._kernel, self._host.context, asking, *keys]))

    def _all_code(self, arch: str) -> Lines:
        key = f"code {self._watching} {arch}"
        known = self._seen.get(key)
        if known is None:
            known = {"lines": coverage.packed(self._watches[arch].code)}
            self._seen.put(key, **known)
        return coverage.unpacked(known["lines"])

    # --- On the kernel itself ---------------------------------------------------------------------

    def _measure(self, wanted: Sequence[Case], progress: Progress) -> None:
        """Notes what each of @wanted does; those that the kernel itself does not pass are left out. (A test
        may need a policy or a machine of its own.)"""
        progress.expect(len(wanted))
        found: dict[Case, Measured] = {}

        def one(case: Case) -> None:
            key = f"ran {self._watching} {self._key(case)}"
            known = self._seen.get(key)
            if known is None:
                measured = self._measured(case)
                known = {"passes": measured is not None}
                if measured is not None:
                    known |= {**vars(measured), "ran": coverage.packed(measured.ran)}
                self._seen.put(key, **known)
            if known["passes"]:
                about = {name: known[name] for name in ("seconds", "instructions", "said")}
                found[case] = Measured(**about, ran=coverage.unpacked(known["ran"]))
            progress.step(f"the kernel itself: {case}")

        in_parallel(self._bench.jobs, one, wanted)
        self._cases = {case: found[case] for case in wanted if case in found}

    def _measured(self, case: Case) -> Measured | None:
        watch = self._watches[case.arch]
        runner = Runner(self._bench.layout, _SECRET, False)  # the plugin is outside any namespace
        with tempfile.TemporaryDirectory(prefix="trellis-mutate-") as name:
            out = Path(name, "ran")
            boot = case.boot([case.name], self._honest[case.arch], case.longest, Path(name))
            seen = runner.boot(watch.watched(boot, out))
            if interrupted():
                raise KeyboardInterrupt
            if seen.ended is not Ended.EXITED or case.fault([case.name], [], seen) is not None:
                return None
            last = seen.trace.records[-1].time if seen.trace.records else boot.limit_ns
            return Measured(seen.spent, last >> boot.shift, case.said(seen), watch.ran(out))

    def _key(self, case: Case) -> str:
        return f"{case} {case.home} {case.key}"

    # --- On a mutant ------------------------------------------------------------------------------

    def judge(self, mutant: Mutant) -> Verdict | None:
        began = time.monotonic()
        asked = self.asked(mutant)
        known = {case: self._store.get(self._key_of(mutant, case)) for case in self._running(mutant)}
        for case, record in known.items():
            if record is not None and record["fault"] is not None:
                return Verdict(True, str(case), record["fault"], 0.0)
        left = [case for case in asked if known[case] is None]
        for arch in self._ports(mutant):
            mine = [case for case in left if case.arch == arch]
            if not mine:
                continue
            try:
                product = self.build(mutant, arch)
            except BuildFailed as error:
                return Verdict(None, arch, error.lines[0], time.monotonic() - began)
            try:
                killer = self._killer(mutant, mine, product)
            finally:
                shutil.rmtree(product.kernel.parent)
            if killer is not None:
                return Verdict(True, *killer, time.monotonic() - began)
        if (killer := self._host.fault(mutant)) is not None:
            return Verdict(True, *killer, time.monotonic() - began)
        said = f"{len(asked)} runs of tests pass" if asked else UNSEEN
        return Verdict(False, self.name, said, time.monotonic() - began)

    def _ports(self, mutant: Mutant) -> list[str]:
        return super()._ports(mutant)[:1]

    def asked(self, mutant: Mutant) -> list[Case]:
        """The tests that are shown @mutant, in their order."""
        order = self._in_order(mutant, self._running(mutant))
        asked: list[Case] = []
        left = _MOST_S
        for case in order:
            cost = self._cases[case].cost
            if len(asked) < _MOST and cost <= left:
                asked.append(case)
                left -= cost
        return asked or order[:1]

    def _running(self, mutant: Mutant) -> list[Case]:
        """The tests that run a line of @mutant."""
        arch = self._ports(mutant)[0]
        found: list[Case] = []
        for lines in self._lines(mutant, arch):
            run = (case for case, measured in self._cases.items()
                   if case.arch == arch and lines & measured.ran.get(mutant.path, frozenset()))  # fmt: skip
            found = found or list(run)
        return found

    def _lines(self, mutant: Mutant, arch: str) -> Iterator[frozenset[int]]:
        """Those of @mutant; then each before, as the compiler may put a line's code into another one."""
        yield coverage.lines_of(mutant, self._code[arch])
        yield from (frozenset({mutant.line - back}) for back in range(1, _BEFORE + 1))

    def _in_order(self, mutant: Mutant, found: Sequence[Case]) -> list[Case]:
        """Cheap tests first, for mutants that hardly boot; then the near ones, which run most of the lines
        around the mutated one. A line counts the more, the fewer tests run it: all may pass a check, and
        only the test that is about it is refused. Before a test comes again, under another policy or with
        another number of CPUs, all the others have come."""
        home = str(Path(mutant.path).parent)
        around = range(mutant.line - _AROUND, mutant.line + _AROUND + 1)
        near = {case: self._cases[case].ran[mutant.path].intersection(around) for case in found}
        tests = Counter(line for lines in near.values() for line in lines)
        weight = {case: sum(1 / tests[line] for line in lines) for case, lines in near.items()}

        cheap = sorted(found, key=lambda c: (c.home != home, self._cases[c].cost))
        turns: Counter[str] = Counter()
        turn: dict[Case, int] = {}
        for case in sorted(cheap[_FIRST:], key=lambda c: (self._cases[c].cost > _DEAR_S, -c.cpus)):
            turn[case] = turns[case.name]
            turns[case.name] += 1
        return cheap[:_FIRST] + sorted(cheap[_FIRST:], key=lambda c: (turn[c], -weight[c]))

    def _killer(self, mutant: Mutant, asked: Sequence[Case], product: Product) -> tuple[str, str] | None:
        """The first of @asked that @mutant fails, and how. Each that it passes is noted."""
        for group in self._groups(mutant, asked):
            failed = self._failed(group, product)
            alone = [group]
            if failed is not None and len(group) > 1 and self._failed(group, self._honest[group[0].arch]):
                alone = [[case] for case in group]  # these cannot share a machine
            for some in alone:
                failed = failed if some is group else self._failed(some, product)
                if interrupted():
                    raise KeyboardInterrupt
                if failed is not None:
                    case, fault = failed
                    self._order.killed(mutant, str(case))
                    self._store.put(self._key_of(mutant, case), id=mutant.id, fault=fault)
                    return str(case), fault
                for case in some:
                    self._store.put(self._key_of(mutant, case), id=mutant.id, fault=None)
        return None

    def _key_of(self, mutant: Mutant, case: Case) -> str:
        return hash_of_text(f"case {self._kernel} {self._key(case)} {mutant.key}")

    def _groups(self, mutant: Mutant, asked: Sequence[Case]) -> Iterator[list[Case]]:
        """@asked, first those that have killed mutants of the same function; some share a machine."""
        left = sorted(asked, key=lambda c: self._order.key(mutant, str(c), asked.index(c)))
        most = _FIRST
        while left:
            group, spent = [left[0]], self._cases[left[0]].cost
            for case in left[1:]:
                seconds = self._cases[case].cost
                if case.mates == left[0].mates and len(group) < most and spent + seconds < _GROUP_S:
                    group.append(case)
                    spent += seconds
            left = [case for case in left if case not in group]
            most = _GROUP
            yield group

    def _failed(self, group: Sequence[Case], product: Product) -> tuple[Case, str] | None:
        """The first of @group that a kernel fails, and how, or None."""
        measured = [self._cases[case] for case in group]
        names, said = [case.name for case in group], [m.said for m in measured]
        limit = cases.limit_of(sum(m.instructions for m in measured))
        with tempfile.TemporaryDirectory(prefix="trellis-mutate-") as folder:
            boot = group[0].boot(names, product, limit, Path(folder))
            seen, late = self._boot(boot, sum(m.seconds for m in measured))
        fault = late or group[0].fault(names, said, seen)
        return (group[group[0].blamed(names, said, seen)], fault) if fault else None


def _with_suite(root: Path, build_root: Path, arch: str, product: Product) -> Product:
    """@product whose initrd has the programs of the differential suite, too."""
    assert product.initrd is not None
    programs = build_root.resolve() / arch / "debug-test" / "soak.cpio"
    made_by(root, build_root, "soak-programs", f"ARCH={arch}", "TESTS=1")
    initrd = product.initrd.with_name("with-suite.cpio")
    initrd.write_bytes(product.initrd.read_bytes() + programs.read_bytes())
    return replace(product, initrd=initrd)


def _seen_on_the_kernel(folder: Path, key: str) -> Store:
    """The store of what tests do on the kernel itself: large, so those of other kernels go."""
    path = folder / f"ran-{key}.jsonl"
    for old in folder.glob("ran-*.jsonl"):
        if old != path:
            old.unlink()
    return Store(path)
