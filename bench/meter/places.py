"""Where in a kernel interrupts go off and on, traps come in and leave, and locks are taken.

Writes the file that bench/meter/meter.c reads, from the disassembly of the kernel and the symbols of the
kernel and of /bench/ops. So the kernel contains no code for the measurement.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from tools.options import Parser

# By a part of an instruction's text. A trap leaves by the first that turns interrupts on again.
_INSTRUCTIONS = {
    "riscv": {
        "irq_off": re.compile(r"\bcsrr?ci?\s+(\w+,)?sstatus,2$"),
        "irq_on": re.compile(r"\bcsrr?si?\s+(\w+,)?sstatus,2$"),
        "trap_out": re.compile(r"\bsret\b"),
    },
    "x86_64": {
        "irq_off": re.compile(r"\bcli\b"),
        "irq_on": re.compile(r"\bsti\b"),
        "trap_out": re.compile(r"\b(iretq|sysretq?)\b"),
    },
}
_SWAP = re.compile(r"\b(amoswap|xchg)\b")
_TAKERS = ("spin_lock", "spin_lock_nested", "spin_trylock")
_WAITER = "wait_and_grab"
_PRIMITIVES = ("irq_off", "spin_unlock")  # the first and last of spinlock.c that compilers keep so
_STUB = 16  # bytes of an entry of x86_64's trap_stubs
_FIRMWARE = {"riscv": (0x80000000, 0x80200000), "x86_64": (0, 0)}
_FUNCTION = re.compile(r"^([0-9a-f]+) <([^>]+)>:$")
_INSTRUCTION = re.compile(r"^\s*([0-9a-f]+):\s+(.*)$")


def symbols(nm: str, program: Path) -> dict[str, int]:
    found: dict[str, int] = {}
    for line in _run([nm, str(program)]).splitlines():
        fields = line.split()
        if len(fields) == 3:
            found[fields[2]] = int(fields[0], 16)
    return found


def _run(argv: Sequence[str]) -> str:
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout


def _disassembly(objdump: str, program: Path) -> Iterator[tuple[str, int, str]]:
    """Function, address and text of each instruction."""
    function = ""
    argv = [objdump, "-d", "--no-show-raw-insn", "-j", ".text", str(program)]
    for line in _run(argv).splitlines():
        if m := _FUNCTION.match(line):
            function = m[2]
        elif m := _INSTRUCTION.match(line):
            yield function, int(m[1], 16), m[2].split("#")[0].strip()


def _entries(arch: str, kernel: dict[str, int]) -> Iterator[int]:
    if arch == "riscv":
        yield kernel["trap_entry"]
        return
    yield kernel["syscall_entry_64"]
    first = kernel["trap_stubs"]
    end = min(address for address in kernel.values() if address > first)
    yield from range(first, end - _STUB + 1, _STUB)


def _functions(kernel: dict[str, int], text: Sequence[tuple[str, int, str]]) -> Iterator[str]:
    """The functions of spinlock.c; a place inside them is reported as the place of their caller."""
    own = {name.split(".")[0] for name in (*_TAKERS, _WAITER, *_PRIMITIVES)}
    own |= {"irq_on", "serve_resched", "preempt_off", "preempt_on"}
    inside = sorted(address for function, address, _ in text if function.split(".")[0] in own)
    yield f"primitives {inside[0]:x} {inside[-1] + 1:x}"
    yield f"kernel {kernel['__text_start']:x} {kernel['__text_end']:x}"


def places(arch: str, kernel: dict[str, int], text: Sequence[tuple[str, int, str]]) -> Iterator[str]:
    yield from _functions(kernel, text)
    low, high = _FIRMWARE[arch]
    yield f"firmware {low:x} {high:x}"
    for address in _entries(arch, kernel):
        yield f"trap_in {address:x}"
    for function, address, instruction in text:
        for kind, pattern in _INSTRUCTIONS[arch].items():
            if pattern.search(instruction):
                yield f"{kind} {address:x}"
        if function in _TAKERS and _SWAP.search(instruction):
            yield f"lock_take {address:x}"
    for name, address in kernel.items():
        if name.split(".")[0] == _WAITER:
            yield f"lock_wait {address:x}"
    for name in ("preempt_off", "preempt_on"):
        yield f"{name} {kernel[name]:x}"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = Parser(prog="python3 -m bench.meter.places", description=__doc__)
    parser.add_argument("arch", choices=tuple(_INSTRUCTIONS))
    parser.add_argument("--nm", required=True)
    parser.add_argument("--objdump", required=True)
    parser.add_argument("--kernel", type=Path, required=True)
    parser.add_argument("--ops", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    options = parser.parse_args(arguments)
    kernel = symbols(options.nm, options.kernel)
    lines = list(places(options.arch, kernel, list(_disassembly(options.objdump, options.kernel))))
    ops = symbols(options.nm, options.ops)
    lines += [f"{name} {ops[name]:x}" for name in ("mark_begin", "mark_end", "mark_section")]
    missing = {"irq_off", "irq_on", "trap_out", "lock_take", "lock_wait"} - {
        line.split()[0] for line in lines
    }
    if missing:
        print(f"{options.kernel}: nothing found for {', '.join(missing)}", file=sys.stderr)
        return 1
    options.output.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
