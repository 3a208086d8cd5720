"""The last tests that files outside the labs are shown to: those of pure logic, which run on this machine
under sanitizers (tools/test/host.py).

Only the mutated file is compiled again. The units run in seconds, but slower than most tests under QEMU that
kill a mutant, so they are asked about those that have passed all others.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
import threading
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

from tools.mutate.errors import MutateError
from tools.mutate.mutants import Mutant
from tools.mutate.store import Store, hash_of, hash_of_text
from tools.programs import last_lines
from tools.test import host

_SOURCES = ("kernel", "tools/host", "tools/simulate", "tools/hostcc.py", "tools/test/host.py")
_PATIENCE_S = 120.0
_WRONG = re.compile(r"^(?:FAIL \S+|.*runtime error: .*|.*ERROR: AddressSanitizer: .*)$", re.M)


class HostTests:
    """May be called from several threads."""

    def __init__(self, root: Path, build_root: Path, store: Store) -> None:
        self._root = root
        self._units = build_root.resolve() / "host" / "units"
        self._store = store
        self._lock = threading.Lock()
        self._built: set[str] = set()

    @cached_property
    def context(self) -> str:
        return hash_of(self._root, _SOURCES, frozenset({"__pycache__"}))

    def fault(self, mutant: Mutant) -> tuple[str, str] | None:
        """The first unit that @mutant fails, and how."""
        key = hash_of_text(f"host {self.context} {mutant.key}")
        known = self._store.get(key)
        if known is None:
            asked = ((unit, self._ask(unit, mutant)) for unit in host.units_with(mutant.path))
            known = {"fault": next(((unit, text) for unit, text in asked if text), None)}
            self._store.put(key, id=mutant.id, **known)
        fault = known["fault"]
        return None if fault is None else (f"the host's unit {fault[0]}", fault[1])

    def _build(self, unit: str) -> Path:
        """The unit's program of the kernel itself, whose objects are beside it."""
        program = self._units / unit
        with self._lock:
            if unit not in self._built:
                program.parent.mkdir(parents=True, exist_ok=True)
                if error := host.compile_unit(unit, program):
                    raise MutateError(f"the host's unit {unit} does not build: {error}")
                self._built.add(unit)
        return program

    def _ask(self, unit: str, mutant: Mutant) -> str:
        """How @mutant fails, or ""."""
        honest = self._build(unit)
        with tempfile.TemporaryDirectory(prefix="trellis-mutate-") as name:
            mine, program = Path(name, "mutant.o"), Path(name, unit)
            where = ("-iquote", str(Path(mutant.path).parent), "-x", "c", "-")
            error = host.compile_source(where, mine, mutant.text, ("-w",))
            objects = [str(mine) if source == mutant.path else str(host.object_of(honest, source))
                       for source in host.sources_of(unit)]  # fmt: skip
            error = error or host.link(objects, program)
            return "" if error else self._run([str(program)])  # what does not compile here is no answer

    def _run(self, argv: Sequence[str]) -> str:
        try:
            done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, check=False,
                                  timeout=_PATIENCE_S)  # fmt: skip
        except subprocess.TimeoutExpired:
            return f"no end in {_PATIENCE_S:.0f} s"
        said = (done.stdout + done.stderr).decode("utf-8", "replace")
        if found := _WRONG.search(said):
            return found[0]
        return last_lines(said, 1) or f"exit status {done.returncode}" if done.returncode else ""

