"""This machine's own dynamic programs, unmodified, on x86_64: bash and what it calls print and return on
Trellis what they do here; stress-ng's stressors succeed. Programs that the machine does not have are
skipped."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

from tools.test.programs import difference
from tools.tests.support import run

# Each line is run by bash in an empty folder; ! is the program that it is about, which must be there.
_LINES = """
!timeout 1 sleep 5; echo $?; [ $SECONDS -lt 4 ] && echo in time
!timeout --preserve-status 0.1 sleep 5; timeout -s INT 0.1 sleep 5; echo $?; timeout 9 false
seq 100000 >n; !cksum n; head -c 100 n | cksum; cksum -a crc </dev/null
seq 1000 | !sort --parallel=4 -S 64K -R | sort -n | cksum
!stat -c '%n %s %a %F %h %U %u' /proc/self/exe | cut -d' ' -f3-; readlink /proc/self/exe
!touch -d '2001-02-03 04:05:06.789' f; stat -c '%y %s %a' f; ls --full-time f | cut -d' ' -f6-
mkdir d; echo x >d/x; ln -s x d/l; !cp -a d e; diff -r d e && readlink e/l; mv -v e g
seq 9 >t; (sleep 0.3; echo more >>t) & !tail ---disable-inotify -s .1 --pid=$! -f t
seq 900 | !split -l 400 - s.; wc -l s.*; cat s.* | cksum
seq 9 | !dd bs=5 skip=1 count=2 status=none; dd if=/dev/zero of=/dev/full count=1 2>&1 | head -1
!nice -n 3 nice; env -i A=1 env; realpath -m a/../b | grep -c /b
seq 50 | !xargs -n 5 -P 4 echo | sort | cksum; find . -type f -empty; seq 20 | grep -c 1 | sed s/1/one/
!tar cf a.tar .; mkdir u; tar xpf a.tar -C u; tar tf a.tar | sort; seq 9 | gzip | gzip -dc
seq 99 | !xz | xz -dc | cksum
!perl -e 'if ($p = fork) { wait; print $? >> 8, "\\n" } else { exit 7 }'
(trap 'echo caught' TERM; kill -TERM $BASHPID; !true); for i in {1..50}; do (exit $i) || true; done; echo $i
ulimit -Sc 0; ulimit -c; exec 9>&1; echo nine >&9; cat <(echo a) <(echo b); !wc -c <<<hello
"""

_STRESSORS = """affinity alarm brk bsearch chmod clock clone close context cpu dentry dir dup eventfd
exit-group fault fcntl flock fork futex get getrandom hrtimers itimer kill lockf longjmp malloc matrix memfd
mincore mlock mmapaddr mprotect munmap nanosleep nice null open pipe poll prctl procfs pthread qsort readahead
rename seek sem session sigpending sigq sigsegv sigsuspend sleep switch symlink sysinfo tmpfs vfork wait yield
zombie""".split()
_WORK = {"hrtimers": 64}  # its 32 processes share it, and never end if there is less than one for each
_ALONE = ("chmod",)  # a second one waits for a file, which the first has removed again if it was quick
_ENDS_BY_TIME = ("sem", "yield")  # of stress-ng 0.17 and 0.19, on Linux too: their work done, they wait


def _lines() -> list[tuple[str, str]]:
    """The program that a line is about, and the line."""
    found = []
    for line in _LINES.strip().splitlines():
        match = re.search(r"!(\w+)", line)
        assert match, line
        found.append((match[1], line.replace("!" + match[1], match[1])))
    return found


def _copy(program: str, root: Path) -> None:
    """The program, and the libraries and the loader that it asks for, where Debian has them."""
    path = shutil.which(program)
    assert path, program
    asked = subprocess.run(["ldd", path], capture_output=True, text=True, check=False)
    (root / "usr/bin").mkdir(parents=True, exist_ok=True)
    shutil.copy(path, root / "usr/bin")
    for library in re.findall(r"(/\S+) \(0x", asked.stdout):
        to = root / library.removeprefix("/usr").lstrip("/")
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(library, to)


class Debian(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory(prefix="trellis-test-")
        self.addCleanup(folder.cleanup)
        self.root, self.here = Path(folder.name, "root"), Path(folder.name, "here")
        self.root.mkdir()
        self.here.mkdir()

    def test_programs_do_what_they_do_on_linux(self) -> None:
        lines = [line for name, line in _lines() if shutil.which(name)]
        without = {name for name, _line in _lines() if not shutil.which(name)}
        words = set(re.findall(r"[a-z]+", " ".join(lines)))
        for word in sorted(words | {"bash"}):
            if any(Path(folder, word).exists() for folder in ("/usr/bin", "/bin")):
                _copy(word, self.root)
        script = "".join(f"cd $(mktemp -d $W/XXXXXX); SECONDS=0\n{line}\necho =$?\n" for line in lines)
        (self.root / "script").write_text(script)
        environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC0"}
        here = subprocess.run(
            ["bash", str(self.root / "script")], env=environment | {"W": str(self.here)},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=True,
        )  # fmt: skip
        words_there = " ".join(f"{k}={v}" for k, v in environment.items())
        cmd = f"/usr/bin/env -i {words_there} W=/tmp /usr/bin/bash /script </dev/null 2>&1 | cat"
        for cpus in ("1", "4"):
            with self.subTest(cpus=cpus):
                done = run("x86_64", "--cpus", cpus, "--extra", str(self.root), cmd=cmd)
                said = f"{difference(here.stdout, done.stdout)}\n{done.stderr.decode()[-1000:]}"
                self.assertEqual(done.stdout, here.stdout, said)
        if without:
            self.skipTest(f"not on this machine: {' '.join(sorted(without))}")

    @unittest.skipUnless(shutil.which("stress-ng"), "stress-ng is not on this machine")
    def test_stressors_succeed(self) -> None:
        _copy("stress-ng", self.root)
        each = "\n".join(
            f"/usr/bin/stress-ng --{name} {1 if name in _ALONE else 2} --{name}-ops {_WORK.get(name, 8)} "
            f"--timeout {30 if name in _ENDS_BY_TIME else 1200} --no-rand-seed >/tmp/said 2>&1 "
            f"|| {{ echo {name}; cat /tmp/said; }}"
            for name in _STRESSORS
        )
        (self.root / "script").write_text(f"cd /tmp\n{each}\nls -A /tmp\n")
        # Memory enough that no stressor ends by it, and time that only a dead machine needs.
        options = ("--cpus", "2", "--memory", "1024", "--timeout", "3600", "--extra", str(self.root))
        done = run("x86_64", *options, cmd="sh /script")
        self.assertEqual(done.stdout.decode("utf-8", "replace"), "said\n", done.stderr.decode()[-1000:])


if __name__ == "__main__":
    unittest.main()
