"""Tests a toolchain: compiles tools/probe.c as a kernel is compiled, and boots it.

    probe.py ARCH gcc|clang

Prints the compiler's name and exits with 0, or prints one line with the error and exits with 1. A compiler
that prints its version may still lack its assembler or headers, so `make doctor` and set-up call this.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # run as a program, on a machine where nothing is set up yet

from tools import qemu  # noqa: E402
from tools.programs import clean_environment, run_quietly  # noqa: E402

_LIMIT_S = 60.0  # of wall time, for a dead machine; a boot takes a fifth of a second


def build(arch: str, compiler: str, out: Path) -> str | None:
    """Builds the program as @out. Returns the first line of the error, if there is one."""
    argv = ["make", "-s", "-C", str(ROOT), "-f", "make/probe.mk", f"ARCH={arch}", f"O={out}"]
    argv.append(f"LLVM={int(compiler == 'clang')}")
    done = subprocess.run(
        argv,
        env=clean_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode == 0:
        return None
    lines = [line for line in done.stdout.splitlines() if not line.startswith("make")]
    telling = [line for line in lines if "error" in line or "not found" in line]
    return f"does not compile a program: {(telling or lines or ['make failed'])[0].strip()}"


def boot(machine: qemu.Machine) -> str | None:
    """Boots @machine. Returns what is wrong with it, if anything."""
    argv = machine.argv()
    try:
        qemu.need(argv)
        done = run_quietly(argv, ROOT, _LIMIT_S)
    except OSError as error:
        return str(error)
    except subprocess.TimeoutExpired:
        return f"compiles a program that does not end: {argv[0]} ran for {_LIMIT_S:.0f} s"
    if done.returncode == qemu.STATUS_OFF:
        return None
    said = done.stdout.strip().splitlines()
    detail = f": {said[0]}" if said else ""
    return f"compiles a program that does not boot: {argv[0]} ended with {done.returncode}{detail}"


def main(arguments: list[str]) -> int:
    if len(arguments) != 2 or arguments[0] not in qemu.ARCHES or arguments[1] not in ("gcc", "clang"):
        print("usage: probe.py ARCH gcc|clang", file=sys.stderr)
        return 2
    arch, compiler = arguments
    with tempfile.TemporaryDirectory(prefix="trellis-probe-") as name:
        out = Path(name)
        wrong = build(arch, compiler, out) or boot(
            qemu.Machine(arch, out / "probe.elf", serial="null", memory_mib=128)
        )
    print(wrong or f"a program for {arch} of {compiler}'s boots")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
