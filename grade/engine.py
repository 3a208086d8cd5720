"""Many runs at once: builds what is to be graded, boots every run, scores the labs."""

import os
import secrets
import shutil
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from functools import cache
from itertools import chain
from pathlib import Path
from typing import TypeVar

from grade import recipe
from grade.build import BuildFailed, Product, Reference
from grade.errors import GraderError
from grade.explored import explored
from grade.home import Home
from grade.intake import take
from grade.lab import EXPLORER, Lab, Test
from grade.machine import Boot, Evidence, Runner
from tools.progress import Progress
from grade.score import LabScore, Outcome, Run, score
from grade.submission import Rejected, Submission
from grade.trace import Layout
from grade.verdict import Verdict, build_error, judge, passed_together
from tools import qemu


_T = TypeVar("_T")


def runs_of(lab: Lab, arches: Sequence[str], seeds: int | None) -> list[Run]:
    """Every run of @lab on @arches, in the order of lab.toml."""
    return [
        Run(arch, test.name, cpus, seed)
        for test in lab.tests
        for arch in arches
        if arch in test.arches
        for cpus in test.cpus
        for seed in test.seed_list(seeds)
    ]


def boot_of(test: Test, run: Run, product: Product) -> Boot:
    return Boot(
        arch=run.arch,
        kernel=product.kernel,
        initrd=product.initrd if test.program else None,
        cpus=run.cpus,
        seed=run.seed,
        limit=test.limit * 1_000_000,
        shift=test.shift[run.arch],
        slices=test.slices,
        memory=test.memory,
        test=None if test.program else test.name,
        program=test.program,
        bootargs=test.bootargs,
    )


@dataclass(frozen=True)
class Bench:
    """The common part of all gradings: the tree, the built reference of each port, a way to boot."""

    root: Path
    layout: Layout
    runner: Runner
    references: Mapping[str, Reference]
    jobs: int
    works: bool  # whether the reference is complete; at a student's home it has stubs
    unfenced: str  # why compiler and QEMU do not run in namespaces of their own; "": they do

    def close(self) -> None:
        self.runner.stop_all()
        for reference in self.references.values():
            reference.close()


def jobs_of(wanted: int | None) -> int:
    """How many machines run at once: as many as this process has cores, if nothing else is wanted."""
    return wanted or len(os.sched_getaffinity(0))


def set_up(
    root: Path,
    build_root: Path,
    arches: Sequence[str],
    jobs: int | None,
    home: Home | None = None,
    trusted: bool = False,
) -> Bench:
    """Prepares to grade on @arches with @jobs machines at once (None: as many as cores); at @home the
    reference is what the course has published. @trusted: all that is graded is ours, and needs no fence."""
    unfenced = "trusted" if trusted else qemu.why_no_bubblewrap()
    count = jobs_of(jobs)
    layout = Layout.read(root)
    return Bench(
        root=root,
        layout=layout,
        runner=Runner(layout, secrets.token_bytes(16), not unfenced),
        references={a: Reference(root, build_root, a, not unfenced, count, home) for a in arches},
        jobs=count,
        works=home is None,
        unfenced=unfenced,
    )


Built = Product | BuildFailed


def _goals(bench: Bench, arch: str, labs: Sequence[Lab]) -> list[str]:
    """The goals that runs of @labs need. The explorer is the same for all ports: the first one's has it."""
    first = arch == next(iter(bench.references))
    explores = first and any(lab.has_scenarios() for lab in labs)
    return ["kernel", "explorer"] if explores else ["kernel"]


def build_reference(
    bench: Bench,
    labs: Sequence[Lab],
    forgive: bool,
    progress: Progress,
    explores: bool = True,
    boots_whole: bool = False,
) -> dict[str, Built]:
    """The tree itself, by port, ready for the tests of @labs, on a QEMU that can be trusted.

    With @forgive the tree is what is graded: a compiler error in an editable file is a verdict. Without
    @explores the runs at hand are no scenarios, whatever the labs have. @boots_whole: user programs are
    needed, even if no test is one.
    """
    editable = [file for lab in labs for file in lab.files] if forgive else []
    # Most tests run in the kernel, and need no user programs.
    programs = ["user"] if boots_whole or any(t.program for lab in labs for t in lab.tests) else []
    out: dict[str, Built] = {}
    for arch, reference in bench.references.items():
        goals = _goals(bench, arch, labs if explores else ())
        try:
            out[arch] = reference.build(editable, [*goals, *programs], progress)
        except BuildFailed as e:
            out[arch] = e
    recipe.check(bench.runner, honest(out), bench.works and not forgive)
    return out


def places(bench: Bench) -> list[str]:
    """Where tests run: the ports, and the explorer."""
    return [*bench.references, EXPLORER]


def _for_run(built: Mapping[str, Built], run: Run) -> Built:
    """The product that @run needs: the first port's has the explorer."""
    if run.arch != EXPLORER:
        return built[run.arch]
    return next(iter(built.values()))


def build_submission(
    bench: Bench, lab: Lab, honest: Mapping[str, Product], files: Submission, debuggable: bool = False
) -> dict[str, Built]:
    """The reference with @files of @lab copied over it, by port."""
    out: dict[str, Built] = {}
    for arch, reference in bench.references.items():
        try:
            goals = _goals(bench, arch, [lab] if honest[arch].explorer else [])
            out[arch] = reference.build_with(files.files, honest[arch], goals, debuggable)
        except BuildFailed as e:
            out[arch] = e
    return out


def forget(built: Mapping[str, Built]) -> None:
    """Removes what build_submission() made: tens of megabytes, which else stay until the bench is closed."""
    for product in built.values():
        if isinstance(product, Product):
            shutil.rmtree(product.kernel.parent)


Booted = Callable[[Boot], Evidence]


def judge_run(bench: Bench, lab: Lab, run: Run, product: Product, booted: Booted | None = None) -> Verdict:
    """Makes @run: boots a machine, by @booted if given, or explores."""
    test = lab.test(run.test)
    if run.arch == EXPLORER:
        return explored(bench.root, lab, test, product, not bench.unfenced)
    return judge(lab, test, (booted or bench.runner.boot)(boot_of(test, run, product)))


def each_program_once(boot: Booted) -> Booted:
    """Like @boot, but a program that several labs run on equal machines runs once."""
    kept = cache(boot)
    return lambda machine: kept(machine) if machine.program else boot(machine)


def sharing(lab: Lab, runs: Sequence[Run]) -> list[list[int]]:
    """The places of @runs, those that share a boot in one list: tests of one step on equal machines."""
    found: dict[object, list[int]] = {}
    for i, run in enumerate(runs):
        test = lab.test(run.test)
        step = max(lab.property(p).step for p in test.properties)
        machine = (run.arch, run.cpus, run.seed, test.bootargs, test.memory, test.slices, *test.shift.items())
        found.setdefault((step, machine) if lab.shares(test) else i, []).append(i)
    return list(found.values())


def together(bench: Bench, lab: Lab, runs: Sequence[Run], product: Product) -> list[Verdict | None]:
    """Boots once for all of @runs, with the limit of one. The verdicts on those that pass there."""
    if len(runs) == 1:
        return [None]
    tests = [lab.test(run.test) for run in runs]
    boot = boot_of(tests[0], runs[0], product)
    boot = replace(boot, test=",".join(t.name for t in tests), limit=max(t.limit for t in tests) * 1_000_000)
    evidence = bench.runner.boot(boot)
    return [passed_together(test, evidence) for test in tests]


def run_all(
    bench: Bench,
    lab: Lab,
    built: Mapping[str, Built],
    runs: Sequence[Run],
    progress: Progress,
    booted: Booted | None = None,
) -> list[Outcome]:
    """Boots @runs, as many at once as there are jobs, by @booted if given; outcomes in the order of @runs.
    Of tests that may share a boot each one that does not pass there is run again by itself: only that gives
    its verdict."""
    progress.expect(len(runs))

    def some(places: Sequence[int]) -> list[tuple[int, Outcome]]:
        mine = [runs[i] for i in places]
        product = _for_run(built, mine[0])
        passed: Sequence[Verdict | None] = [None] * len(mine)
        if not isinstance(product, BuildFailed):
            passed = together(bench, lab, mine, product)
        return [(i, Outcome(run, one(run, product, p))) for i, run, p in zip(places, mine, passed)]

    def one(run: Run, product: Built, passed: Verdict | None) -> Verdict:
        if isinstance(product, BuildFailed):
            verdict = build_error(lab.test(run.test), product.lines)
        else:
            verdict = passed or judge_run(bench, lab, run, product, booted)
        progress.step(f"{lab.name} {run.test}")
        return verdict

    with ThreadPoolExecutor(bench.jobs) as pool:
        futures = [pool.submit(some, places) for places in sharing(lab, runs)]
        try:
            found = _results(futures)
            outcomes = dict(chain.from_iterable(found))
            return [outcomes[i] for i in range(len(runs))]
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            bench.runner.stop_all()
            raise


def _results(futures: Sequence[Future[_T]]) -> list[_T]:
    """All results; the first error at once, without waiting for the rest."""
    done, _ = wait(futures, return_when=FIRST_EXCEPTION)
    for future in done:
        if (error := future.exception()) is not None:
            raise error
    return [future.result() for future in futures]


def build_for_boot(
    bench: Bench, lab: Lab, submission: Path | None, progress: Progress, branch: str | None = None
) -> dict[str, Built]:
    """Builds the kernels that are graded for @lab: the reference with the submission's files, or the
    tree itself. @branch: of a clone or a bundle; None: its HEAD."""
    reference = build_reference(bench, [lab], submission is None, progress, explores=False)
    return reference if submission is None else _laid_over(bench, lab, submission, branch, reference, True)


def grade(
    bench: Bench,
    labs: Sequence[Lab],
    submission: Path | None,
    seeds: int | None,
    progress: Progress,
    branch: str | None = None,
) -> list[LabScore]:
    """Grades @submission, or without one the tree itself. @branch: of a clone or a bundle; None: its HEAD."""
    reference = build_reference(bench, labs, submission is None, progress)
    booted = each_program_once(bench.runner.boot)
    scores = []
    for lab in labs:
        built = reference
        if submission is not None:
            built = _laid_over(bench, lab, submission, branch, reference)
        outcomes = run_all(bench, lab, built, runs_of(lab, places(bench), seeds), progress, booted)
        scores.append(score(lab, outcomes))
    return scores


def honest(reference: Mapping[str, Built]) -> dict[str, Product]:
    """The products that there are: one for each port, if the reference did not @forgive."""
    return {arch: p for arch, p in reference.items() if isinstance(p, Product)}


def _laid_over(
    bench: Bench,
    lab: Lab,
    submission: Path,
    branch: str | None,
    reference: Mapping[str, Built],
    debuggable: bool = False,
) -> dict[str, Built]:
    try:
        files = take(submission, lab, branch)
    except Rejected as e:
        return {arch: BuildFailed([str(e)]) for arch in bench.references}
    except OSError as e:
        raise GraderError(f"{submission}: {e.strerror}") from e
    return build_submission(bench, lab, honest(reference), files, debuggable)
