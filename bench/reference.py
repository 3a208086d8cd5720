"""The costs of the same operations elsewhere, and the targets for ours.

Instructions on the same QEMU, -icount shift=0,sleep=off, one CPU (docs/grader.md). The xv6 and Linux
figures were measured once; Linux is 6.12 on riscv64 and 6.1 on x86_64.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Operation:
    """A line of the table."""

    title: str
    target: float | None = None
    xv6: float | None = None
    linux: Mapping[str, float] | None = None


def _linux(riscv: float, x86_64: float) -> dict[str, float]:
    return {"riscv": riscv, "x86_64": x86_64}


OPERATIONS: dict[str, Operation] = {
    "null_syscall": Operation("null system call", 200, 1_130, _linux(442, 337)),
    "yield": Operation("yield, alone", 350, 14_536, _linux(1_264, 801)),
    "yield_pair": Operation("yield to another and back", 1_000, 16_131, _linux(6_003, 2_850)),
    "pipe_self": Operation("pipe: 1 byte, same process", None, 40_462, _linux(3_013, 2_341)),
    "pipe_rtt": Operation("pipe: 1-byte round trip", 5_000, 95_820, _linux(13_731, 12_365)),
    "pipe_byte": Operation("pipe: per byte, 4 KiB writes", 0.8, 651, _linux(2.2, 2.4)),
    "fork_exit_wait": Operation("fork + exit + wait", 30_000, 564_000, _linux(190_000, 162_000)),
    "fork_exec_wait": Operation(
        "fork + exec + exit + wait", 60_000, 1_633_000, _linux(331_000, 356_000)
    ),
    "thread_create_join": Operation("thread create + join"),
    "page_touch": Operation("fresh page, mmap and touch", 1_500, 24_950, _linux(5_000, 3_370)),
    "munmap_page": Operation("unmap, per page", None, 12_610, _linux(1_300, 1_300)),
    "map_many": Operation("mmap, each of 8,192", 6_000),
    "map_file_many": Operation("mmap, each of 16,384 of one file", 6_500),
    "open_close": Operation("open + close", None, 158_600, _linux(7_700, 6_100)),
    "create_unlink": Operation(
        "create, write 1 KiB, close, unlink", None, 7_500_000, _linux(36_000, 35_000)
    ),
    "write_mib": Operation("write 1 MiB by 4 KiB", None, 990e6, _linux(1_870_000, 1_260_000)),
    "read_mib": Operation("read 1 MiB by 4 KiB", None, 138e6, _linux(750_000, 480_000)),
    "signal_self": Operation("signal to self, handled", None, None, _linux(5_700, 4_100)),
    "futex_wake": Operation("futex: wake, switch, wait"),
    "futex_wake_timed": Operation("... with a timer armed and cancelled"),
    "sleep_wake": Operation("sleep: block, timer, wake"),
    "boot_to_shell": Operation("firmware's end to the shell", 10e6, 428e6, _linux(901e6, 6.1e9)),
}

# The same operation by four processes on four CPUs, as a multiple of its cost alone.
SCALED = ("null_syscall", "page_touch", "pipe_self", "fork_exit_wait")
