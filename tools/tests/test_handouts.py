"""The handouts' own figures: those that the finished kernel is said to print are what it prints."""

import re
import unittest

from tools.programs import ROOT
from tools.tests.support import make, run


def _told(lab: str) -> str:
    """The part of the handout before the goals."""
    return (ROOT / "labs" / lab / "README.md").read_text().split("\n## What you will", 1)[0]


def _prints(arch: str, cmd: str, *options: str) -> str:
    done = run(arch, *options, cmd=cmd)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


class Handouts(unittest.TestCase):
    def test_04_idle_time(self) -> None:
        """Of the 100 ms in which all threads sleep."""
        told = re.search(r"measures (\d+\.\d) ms idle and nine timer interrupts", _told("04-sleep"))
        assert told
        said = make("run", "ARCH=riscv", "TESTS=1", "ICOUNT=1", "CPUS=1", "BOOTARGS=test=sleep.idle").stderr
        self.assertIn(f"idle_permille {float(told[1]) * 10:.0f}\n", said)
        self.assertIn("timer_interrupts 9\n", said)

    def test_07_memory(self) -> None:
        """Of a program's memory, how much was promised and how much it has."""
        told = " ".join(_told("07-vm").split())
        cmd = re.search(r"make run CMD='(.*?)'", told)
        assert cmd
        kb = {arch: re.findall(r"(\d+) kB", _prints(arch, cmd[1])) for arch in ("riscv", "x86_64")}
        promised, has = kb["riscv"]
        self.assertIn(f"`{promised} kB` and `{has} kB` (`{'` and `'.join(kb['x86_64'])}` on x86_64)", told)
        self.assertIn(f"promised {promised} kB of memory", told)
        self.assertIn(f"each of these {int(has) // 4} pages", told)

    def test_08_busy_cpus(self) -> None:
        """How long each CPU of four computed, and was idle, with stealing and without: to a hundredth of a
        second, as the kernel's paths change.
        """
        table = re.findall(r"(cpu\d)((?: \d+){4})(?: +cpu\d((?: \d+){4}))", _told("08-smp"))
        cmd = "for i in 1 2 3 4; do seq 30000 > /dev/null & done; wait; grep ^cpu /proc/stat"
        for column, bootargs in ((1, "steal=off balance=off"), (2, "")):
            stat = _prints("riscv", cmd, "--icount", "--cpus", "4", "--bootargs", bootargs)
            measured = re.findall(r"(cpu\d)((?: \d+){4})", stat)
            self.assertEqual([name for name, _ in measured], [row[0] for row in table])
            for row, (_, figures) in zip(table, measured, strict=True):
                for said, is_now in zip(row[column].split(), figures.split(), strict=True):
                    self.assertAlmostEqual(int(said), int(is_now), delta=1, msg=f"{row[0]}: {stat}")

    def test_09_how_soon_a_sleeper_runs(self) -> None:
        """To a tenth of a millisecond."""
        told = _told("09-policy")
        cmd = re.search(r"SCHED=rr CMD='(.*?)'\nreal (\d\.\d+)", told)
        mlfq = re.search(r"`SCHED=mlfq` the reference needs (\d+\.\d) ms", told)
        assert cmd and mlfq
        for policy, seconds in (("rr", float(cmd[2])), ("mlfq", float(mlfq[1]) / 1000)):
            said = _prints("riscv", cmd[1], "--icount", "--cpus", "1", "--sched", policy)
            real = re.search(r"real (\d\.\d+)", said)
            assert real
            self.assertAlmostEqual(float(real[1]), seconds, delta=1e-4)


if __name__ == "__main__":
    unittest.main()
