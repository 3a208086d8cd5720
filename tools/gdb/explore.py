"""GDB's commands for a schedule of the explorer: make explore REPLAY=... GDB=1.

A run has no state but the schedule, so to go back is to run again from the start and to stop earlier.
"""

from __future__ import annotations

import gdb


def _show_the_kernel() -> None:
    """Selects the innermost frame that is not the explorer's."""
    frame = gdb.newest_frame()
    while (caller := frame.older()) and "tools/explore/" in str(frame.find_sal().symtab):
        frame = caller
    frame.select()
    gdb.execute("frame")


class _Switches:
    """Stops where the schedule takes a CPU's turn away; counts them."""

    def __init__(self) -> None:
        self.at = 0

    def go_to(self, number: int) -> None:
        """Runs from the start to switch @number, from 1."""
        gdb.execute("delete", to_string=True)
        gdb.execute("break explore_choice", to_string=True)
        if number > 1:
            gdb.execute(f"ignore {gdb.breakpoints()[0].number} {number - 1}", to_string=True)
        gdb.execute("run", to_string=True)
        self.at = number
        if gdb.selected_inferior().pid:
            _show_the_kernel()
            print(f"switch {number}: next-switch and previous-switch go on and back")
        else:
            print(f"the schedule has {number - 1} switches")


_switches = _Switches()


class _Next(gdb.Command):
    """Goes on to the next switch of the schedule."""

    def invoke(self, _argument: str, _from_tty: bool) -> None:
        _switches.go_to(_switches.at + 1)


class _Previous(gdb.Command):
    """Goes back to the switch before, by running the schedule again."""

    def invoke(self, _argument: str, _from_tty: bool) -> None:
        _switches.go_to(max(1, _switches.at - 1))


_Next("next-switch", gdb.COMMAND_RUNNING)
_Previous("previous-switch", gdb.COMMAND_RUNNING)
for setting in ("pagination off", "confirm off", "disable-randomization on"):
    gdb.execute(f"set {setting}")
_switches.go_to(1)
