"""Root file systems: built once, unpacked afresh for each trial; commands run inside as on their own machine.

A command gets the root as its own /, with its own /proc, /dev and processes: whatever it starts ends
with it, and nothing outside is written to.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.portability.distributions import Archives, Distribution
from tools.programs import ROOT, clean_environment, run_quietly

Say = Callable[[str], None]

_INCLUDED = "apt,git,make,ca-certificates"  # a fresh machine with only git and make
_KEYRING = "usr/share/keyrings/ubuntu-archive-keyring.gpg"
_STUDENT = 1000
_EVERY_S = 10.0  # how often a long command's last line is shown

# $1 is the root; the rest is the command.
_ENTER = """
set -e
root=$1
shift
mount --bind "$root" "$root"
cd "$root"
mount -t proc proc proc
mount -t sysfs sysfs sys
mount -t tmpfs -o mode=755 tmpfs dev
mkdir dev/shm dev/pts
mount -t tmpfs tmpfs dev/shm
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts dev/pts
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
ln -s fd/0 dev/stdin
ln -s fd/1 dev/stdout
ln -s fd/2 dev/stderr
mknod -m 666 dev/null c 1 3
mknod -m 666 dev/zero c 1 5
mknod -m 666 dev/full c 1 7
mknod -m 666 dev/random c 1 8
mknod -m 666 dev/urandom c 1 9
mknod -m 666 dev/tty c 5 0
mount -t tmpfs tmpfs tmp
cat /etc/resolv.conf >etc/resolv.conf 2>/dev/null || true
pivot_root . mnt
umount -l /mnt
exec env -i LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@"
"""


class CannotBuild(Exception):
    """In one line: why there is no root file system."""


def _keyring(folder: Path, archives: Archives) -> Path:
    """Ubuntu's keys: this machine's, or out of Debian's package of them."""
    if (own := Path("/", _KEYRING)).exists():
        return own
    kept = folder / "keys" / Path(_KEYRING).name
    if not kept.exists():
        tar = folder / "keys.tar"
        _mmdebstrap("trixie", tar, archives, archives.addresses["debian"], "main",
                    ["--variant=extract", "--include=ubuntu-archive-keyring"])  # fmt: skip
        kept.parent.mkdir(exist_ok=True)
        kept.write_bytes(subprocess.check_output(["tar", "-xOf", tar, f"./{_KEYRING}"]))
        tar.unlink()
    return kept


def _mmdebstrap(
    suite: str, out: Path, archives: Archives, address: str, components: str, more: Sequence[str]
) -> None:
    options = [f"--aptopt={option}" for option in archives.options]
    options.append("--dpkgopt=force-unsafe-io")  # unpacked afresh each time, so no power cut matters
    argv = ["mmdebstrap", f"--components={components}", *more, *options, suite, str(out), address]
    done = run_quietly(argv, ROOT)
    if done.returncode:
        out.unlink(missing_ok=True)
        errors = [line for line in done.stdout.splitlines() if line.startswith("E: ")]
        raise CannotBuild((errors or done.stdout.splitlines() or ["mmdebstrap failed"])[0])


def base(folder: Path, which: Distribution, archives: Archives, say: Say) -> Path:
    """The distribution's root file system as an archive, built if it is not there yet."""
    tar = folder / f"{which.name}.tar"
    if tar.exists():
        return tar
    address = archives.addresses.get(which.family)
    if address is None:
        raise CannotBuild(f"this machine's apt knows no archive of {which.family}'s: name it with "
                          f"--archive {which.family}=ADDRESS")  # fmt: skip
    say("building its root file system (a minute)")
    more = ["--variant=minbase", f"--include={_INCLUDED}"]
    if which.family == "ubuntu":
        more.append(f"--keyring={_keyring(folder, archives)}")
    unfinished = folder / f"{which.name}.new.tar"
    _mmdebstrap(which.suite, unfinished, archives, address, which.components, more)
    return unfinished.rename(tar)


@dataclass(frozen=True)
class Done:
    status: int
    output: str
    seconds: float


@dataclass(frozen=True)
class Machine:
    """An unpacked root file system with the tree in a user's home."""

    root: Path
    user: str  # root or student
    say: Say

    @property
    def tree(self) -> Path:
        """Seen from outside."""
        return self.root / self._home().lstrip("/") / "trellis"

    def _home(self) -> str:
        return "/root" if self.user == "root" else "/home/student"

    def unpack(self, tar: Path) -> None:
        """Makes a fresh machine, with what git has of the tree; nothing of an older one is left."""
        self.say("unpacking a fresh machine")
        shutil.rmtree(self.root, ignore_errors=True)
        self.root.mkdir(parents=True)
        subprocess.run(["tar", "-C", self.root, "-xf", tar], check=True)
        listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        names = subprocess.check_output(listed, cwd=ROOT).decode().split("\0")
        for name in filter(None, names):
            if (ROOT / name).exists():
                (self.tree / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, self.tree / name, follow_symlinks=False)
        if self.user != "root":
            for path in (self.tree.parent, *self.tree.parent.rglob("*")):
                os.chown(path, _STUDENT, _STUDENT, follow_symlinks=False)

    def run(self, command: str, log: Path, root: bool = False) -> Done:
        """Runs a shell's @command in the tree, as the user or as @root; what it says is kept in @log."""
        argv = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--propagation", "private"]
        argv += ["sh", "-c", _ENTER, "enter", str(self.root), f"HOME={self._home()}"]
        if self.user != "root" and not root:
            ids = [f"--reuid={_STUDENT}", f"--regid={_STUDENT}", "--clear-groups"]
            argv += ["setpriv", *ids]
        argv += ["sh", "-c", f"cd {self._home()}/trellis && {command}"]
        began = shown = time.monotonic()
        with log.open("wb") as out:
            popen = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
                env=clean_environment(), start_new_session=True,
            )  # fmt: skip
            try:
                while popen.poll() is None:
                    time.sleep(0.1)
                    if time.monotonic() - shown > _EVERY_S:
                        shown = time.monotonic()
                        self.say(f"{command[:40]}: {_last_line(log)}")
            finally:
                popen.kill()  # and with it, by --kill-child, all that it started
                popen.wait()
        text = log.read_text(encoding="utf-8", errors="replace")
        return Done(popen.returncode, text, time.monotonic() - began)


def _last_line(log: Path) -> str:
    lines = log.read_bytes()[-400:].decode(errors="replace").splitlines()
    return lines[-1][:70].strip() if lines else ""
