"""The steps of a run: make the mutants, compile them, drop those that are nothing new, judge the rest."""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from grade.lab import Lab
from tools.mutate import equivalent, scope
from tools.mutate.exploring import Explorer
from tools.mutate.killers import BUILT, QEMU, Killer, judged
from tools.mutate.mutants import Mutant, assembly_lines, code_lines, of_target, readable
from tools.mutate.objects import EXPLORER, Compiler
from tools.mutate.operators import OPERATORS, Entry
from tools.mutate.report import KILLED, LEFT, Fate, Outcome, Result, killed_by
from tools.mutate.scope import Target
from tools.mutate.store import Store, hash_of
from tools.mutate.tree import parse
from tools.progress import Progress

_T = TypeVar("_T")


def targets_of(root: Path, lab: Lab | None, file: str, functions: Sequence[str]) -> list[Target]:
    return scope.of_lab(root, lab) if lab is not None else scope.of_files(root, file, functions)


def make(
    compiler: Compiler,
    targets: Sequence[Target],
    functions: Sequence[str],
    operators: Sequence[Entry] = OPERATORS,
) -> list[Mutant]:
    return [
        m
        for t in targets
        for m in of_target(compiler.root, t, compiler.flags(t.arches[0]), functions, operators)
    ]


def in_parallel(jobs: int, do: Callable[[_T], None], items: Iterable[_T]) -> None:
    """Does all @items, some at once; the first error ends it at once."""
    with ThreadPoolExecutor(jobs) as pool:
        try:
            for _ in pool.map(do, items):
                pass
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def compiled(
    compiler: Compiler, mutants: Sequence[Mutant], store: Store, jobs: int, progress: Progress
) -> list[Result]:
    """Every mutant: WAITING if its code is new, else why it is not worth a run."""
    context = hash_of(compiler.root, BUILT, tests=False)
    progress.expect(len(mutants))
    codes: dict[str, str] = {}

    def compiled_for(m: Mutant) -> tuple[str, ...]:
        """All ports of the file. A compiler may make the same instructions for two memory orders, and only
        the explorer can tell them apart."""
        told = m.operator == "order" and compiler.is_explored(m.path)
        return (*m.arches, EXPLORER) if told else m.arches

    def code_of(m: Mutant, text: str) -> str:
        """The machine code of each of these, or "" if one of them refuses it."""
        made = [compiler.digest(m.path, arch, m.original, text) or "" for arch in compiled_for(m)]
        return " ".join(made) if all(made) else ""

    def one(m: Mutant) -> None:
        key = f"code {' '.join(compiled_for(m))} {context} {m.key}"
        known = store.get(key)
        if known is None:
            known = {"code": code_of(m, m.text)}
            store.put(key, **known)
        codes[m.id] = str(known["code"])
        progress.step(f"compiling {m.id}")

    in_parallel(jobs, one, mutants)
    plain: dict[str, list[str]] = {}
    for m in mutants:
        if len(plain.get(m.path, ())) < len(codes[m.id].split()):
            plain[m.path] = code_of(m, m.original).split()
    first: dict[tuple[str, str], str] = {}
    out = []
    for m in mutants:
        code = codes[m.id]
        if not code:
            out.append(Result(m, Fate.BROKEN))
        elif code.split() == plain[m.path][: len(code.split())]:
            out.append(Result(m, Fate.SAME))
        elif (like := first.setdefault((m.path, code), m.id)) != m.id:
            out.append(Result(m, Fate.TWIN, like=like))
        else:
            on_ports = slice(len(m.arches))
            same = code.split()[on_ports] == plain[m.path][on_ports]
            out.append(Result(m, Fate.WAITING, explorer_only=same))
    return out


def has(m: Mutant, text: str) -> bool:
    return text in f"{m.id} {m.what}"


def asked(mutants: Sequence[Mutant], only: str, killers: str) -> list[Mutant]:
    """Those with @only in id or description about which @killers could be asked."""
    return [m for m in mutants if has(m, only) and (killers != "explorer" or not m.path.startswith("arch/"))]


def sampled(
    compiler: Compiler,
    mutants: Sequence[Mutant],
    size: int,
    seed: int,
    store: Store,
    jobs: int,
    progress: Progress,
) -> list[Result]:
    """Mutants in random order, until @size of them are worth a run. Most files have too many to compile them
    all first."""
    order = random.Random(seed).sample(mutants, len(mutants))
    taken = 0
    new: list[int] = []
    while len(new) < size and taken < len(order):
        taken = min(len(order), taken + 3 * (size - len(new)) // 2 + 1)
        results = compiled(compiler, order[:taken], store, jobs, progress)
        new = [i for i, r in enumerate(results) if r.fate is Fate.WAITING]
    return results[: new[size - 1] + 1] if len(new) >= size else results


def judge(
    results: Sequence[Result],
    killers: Sequence[Killer],
    store: Store,
    jobs: int,
    progress: Progress,
    each: bool = False,
    spared: Collection[str] = (),
) -> None:
    """Asks the killers about each of @results, and notes its fate there. @each: all of them. The explorer
    alone is asked about those whose ids are @spared, and about those that no port could show."""
    progress.expect(len(results))
    quick = [killer for killer in killers if killer.name == Explorer.name]
    last = QEMU if any(killer.name == QEMU for killer in killers) else killers[-1].name

    def one(r: Result) -> None:
        progress.doing(r.mutant.id)
        is_spared = r.mutant.id in spared
        verdicts = judged(quick if is_spared or r.explorer_only else killers, store, r.mutant, each)
        killing = [verdict for verdict in verdicts.values() if verdict.killed]
        if any(verdict.killed is None for verdict in verdicts.values()):
            r.fate = Fate.BROKEN
        elif killing:
            r.fate = killed_by(killing)
        elif is_spared:
            r.fate = Fate.UNASKED
        elif r.explorer_only:
            r.fate = Fate.SURVIVED if verdicts else Fate.SAME
        elif verdicts:
            r.fate = Fate.SURVIVED if last in verdicts else Fate.UNASKED
        r.verdict = next(iter([*killing, *verdicts.values()]), None)
        progress.step(r.mutant.id)

    in_parallel(jobs, one, results)


def compare(
    outcome: Outcome,
    entries: Sequence[equivalent.Entry],
    mutants: Sequence[Mutant],
    functions: Sequence[str] = (),
    of_labs: Sequence[equivalent.Entry] = (),
) -> None:
    """Makes survivors with an entry EQUAL, and finds those of @entries that are stale. Mutants with the same
    code may have an entry each, as any of them may be the one that was judged. @mutants: all of these files,
    or of their @functions. @of_labs: entries that are checked with their labs, and not here.
    """
    judged = {r.mutant.id: r for r in outcome.results}
    paths = {m.path for m in mutants}
    mine = [e for e in entries if e.file in paths and (not functions or e.function in functions)]
    named, unknown = equivalent.match(mine, mutants)
    named = {**equivalent.match(of_labs, mutants)[0], **named}
    outcome.stale = [(entry, "there is no such mutant") for entry in unknown]
    for result in outcome.results:
        entry = named.get(result.mutant.id)
        r = judged.get(result.like, result)
        if entry is None or r.fate is Fate.WAITING:
            continue
        if r.fate in (*LEFT, Fate.EQUAL):
            r.fate, r.entry = Fate.EQUAL, entry
        elif entry not in of_labs:
            killer = f" ({r.verdict.killer})" if r.verdict and r.verdict.killed else ""
            outcome.stale.append((entry, f"the mutant {_WORDS.get(r.fate, r.fate.value)}{killer}"))


_WORDS = {**dict.fromkeys(KILLED, "is killed"), Fate.SAME: "has the same code"}


def missed(
    compiler: Compiler, targets: Sequence[Target], results: Sequence[Result]
) -> list[tuple[str, int, str]]:
    """The lines of @targets that no mutant changes which is worth a run."""
    found = []
    for t in targets:
        changed = {
            line
            for r in results
            if r.mutant.path == t.path and r.fate not in (Fate.BROKEN, Fate.SAME)
            for line in r.mutant.lines
        }
        if t.is_assembly:
            wanted = assembly_lines(t)
        else:
            flags = compiler.flags(t.arches[0])
            wanted = code_lines(parse(compiler.root, t.path, flags, t.text), t)
        lines = t.text.splitlines()
        found += [(t.path, n, readable(lines[n - 1]).strip()) for n in sorted(wanted - changed)]
    return found
