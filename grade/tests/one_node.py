"""A Slurm cluster of one node, this machine: munged, slurmctld and slurmd, in a folder of their own.

    python3 -m grade.tests.one_node COMMAND...      runs COMMAND with it, and removes it

Root alone can start one, without systemd. Nothing outside of the folder is read or written, so a cluster that
this machine belongs to is not disturbed. At the end its processes are gone: all have the folder's name in
their environment, jobs and their steps too.
"""

import os
import pwd
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

NODE = "localhost"
_PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scontrol", "scancel")
_PATIENCE_S = 600.0  # of a busy machine, which may have to build the reference first
_SYSTEM = "/usr/sbin:/usr/bin:/sbin:/bin"

# Slurm's own times are for large clusters. cred_expire: a requeued job waits for so long before it starts.
_CONF = """\
ClusterName=trellis
SlurmctldHost={node}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket={home}/munge/socket,cred_expire=2
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
StateSaveLocation={home}/state
SlurmdSpoolDir={home}/spool
SlurmctldPidFile={home}/slurmctld.pid
SlurmdPidFile={home}/slurmd.pid
SlurmdParameters=config_overrides
SchedulerParameters=batch_sched_delay=1,sched_interval=1,sched_min_interval=0
TaskProlog={home}/task_prolog
KillWait=1
SlurmdTimeout=30
ReturnToService=2
NodeName={node} NodeAddr=127.0.0.1 CPUs=4 State=UNKNOWN
PartitionName=all Nodes={node} Default=YES MaxTime=INFINITE State=UP
"""
# A test keeps a task from its work as long as it likes.
_TASK_PROLOG = """\
#!/bin/sh
while [ -e "{home}/hold/$SLURM_ARRAY_TASK_ID" ]; do sleep 0.1; done
"""


def why_not() -> str:
    """Why this machine cannot have such a cluster; "": it can."""
    if os.geteuid() != 0:
        return "only root can start a cluster of one node"
    missing = [p for p in _PROGRAMS if shutil.which(p, path=_SYSTEM) is None]
    if missing:
        return f"{', '.join(missing)} not installed: sh tools/setup.sh cluster"
    try:
        pwd.getpwnam("munge")
    except KeyError:
        return "there is no user munge"
    return ""


def _free_ports() -> tuple[int, int]:
    with socket.socket() as one, socket.socket() as other:  # both open at once, so that they differ
        one.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        ports = one.getsockname()[1], other.getsockname()[1]
    return ports


def until(happened: Callable[[], bool], what: str) -> None:
    """Waits until @happened."""
    end = time.monotonic() + _PATIENCE_S
    while not happened():
        if time.monotonic() > end:
            raise TimeoutError(f"{what}: not within {_PATIENCE_S:.0f} s")
        time.sleep(0.1)


class Cluster:
    """A running cluster. @environment: for programs that use it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.environment = os.environ | {
            "SLURM_CONF": str(home / "slurm.conf"),
            "TMPDIR": str(home / "tmp"),
            "PATH": f"{os.environ.get('PATH', '')}:{_SYSTEM}",
        }
        self._daemons: dict[str, subprocess.Popen[bytes]] = {}

    def start(self) -> None:
        for name in ("munge", "state", "spool", "hold", "tmp"):
            (self.home / name).mkdir()
        conf = _CONF.format(home=self.home, node=NODE, ports=_free_ports())
        (self.home / "slurm.conf").write_text(conf)
        if self._version() >= (23, 11):  # these look for control groups even if nothing uses them
            (self.home / "cgroup.conf").write_text("CgroupPlugin=disabled\n")
        prolog = self.home / "task_prolog"
        prolog.write_text(_TASK_PROLOG.format(home=self.home))
        prolog.chmod(0o755)
        self._start_munge()
        self._run("slurmctld", "-D")
        until(lambda: self.scontrol("ping").returncode == 0, "slurmctld answers")
        self.start_node()

    def _version(self) -> tuple[int, ...]:
        said = self._called("sinfo", "--version").stdout
        return tuple(map(int, re.findall(r"\d+", said)[:2]))

    def _start_munge(self) -> None:
        folder = self.home / "munge"
        key = folder / "key"
        key.write_bytes(secrets.token_bytes(128))
        key.chmod(0o400)
        for path in (folder, key):
            shutil.chown(path, "munge", "munge")
        self.home.chmod(0o711)  # munged has to come through
        folder.chmod(0o711)
        files = [f"--{name}-file={folder / name}" for name in ("key", "pid", "log", "seed")]
        self._run("munged", "--foreground", *files, f"--socket={folder / 'socket'}", user="munge")
        until((folder / "socket").exists, "munged listens")

    def _run(self, *argv: str, user: str | None = None) -> None:
        with (self.home / f"{argv[0]}.log").open("ab") as log:
            self._daemons[argv[0]] = subprocess.Popen(
                argv, env=self.environment, cwd=self.home, stdin=subprocess.DEVNULL, stdout=log,
                stderr=subprocess.STDOUT, user=user, group=user, extra_groups=[] if user else None,
            )  # fmt: skip

    def _called(self, *argv: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(argv, env=self.environment, capture_output=True, text=True, check=False)

    def scontrol(self, *words: str) -> subprocess.CompletedProcess[str]:
        return self._called("scontrol", *words)

    def _rows(self) -> list[list[str]]:
        said = self._called("squeue", "--noheader", "--array", "--states=all", "--sort=i",
                            "--format=%K|%i|%T")  # fmt: skip
        return [line.split("|") for line in said.stdout.splitlines()]

    def history(self) -> list[tuple[str, str]]:
        """Every task there was, by its number in the queue, and its state."""
        return [(job, state) for _, job, state in self._rows()]

    def tasks(self) -> dict[int, tuple[str, str]]:
        """The same of the newest task for each index of an array."""
        return {int(index): (job, state) for index, job, state in self._rows() if index.isdecimal()}

    def wait_for(self, index: int, *states: str) -> str:
        """Waits until a task is in one of @states. Its number in the queue."""
        until(lambda: self.tasks().get(index, ("", ""))[1] in states, f"task {index} is {states}")
        return self.tasks()[index][0]

    def hold(self, index: int) -> None:
        """Tasks with this index wait before they begin."""
        (self.home / "hold" / str(index)).touch()

    def release(self, index: int) -> None:
        (self.home / "hold" / str(index)).unlink()

    def start_node(self) -> None:
        """Starts the node, also after it was lost: see ReturnToService."""
        self._run("slurmd", "-D", "-N", NODE)
        until(self._node_is_up, "the node is up")

    def _node_is_up(self) -> bool:
        said = self._called("sinfo", "--noheader", "--format=%T").stdout.split()
        return said in (["idle"], ["mixed"], ["allocated"])

    def lose_node(self) -> None:
        """Ends the node with all that runs on it, as a power cut does, and tells slurmctld at once."""
        self._daemons["slurmd"].kill()
        self._daemons["slurmd"].wait()
        kept = {daemon.pid for daemon in self._daemons.values()}
        for pid in self._processes():
            if pid not in kept and _is_step(pid):
                _kill(pid)
        self.scontrol("update", f"NodeName={NODE}", "State=DOWN", "Reason=lost")

    def _processes(self) -> list[int]:
        """Those of the cluster, but for this one."""
        mark = f"={self.home}".encode()
        found = []
        for path in Path("/proc").glob("[0-9]*/environ"):
            with suppress(OSError):
                if mark in path.read_bytes() and int(path.parent.name) != os.getpid():
                    found.append(int(path.parent.name))
        return found

    def stop(self) -> None:
        def gone() -> bool:
            left = self._processes()
            for pid in left:
                _kill(pid)
            for daemon in self._daemons.values():
                daemon.poll()
            return not left

        for daemon in self._daemons.values():  # a daemon that is asked ends its helpers, too
            daemon.terminate()
        for daemon in self._daemons.values():
            with suppress(subprocess.TimeoutExpired):
                daemon.wait(10)
        until(gone, "the cluster's processes are gone")


def _is_step(pid: int) -> bool:
    """Whether a process is of a job: its environment names one, or it keeps one."""
    with suppress(OSError):
        return b"SLURM_JOB_ID=" in Path(f"/proc/{pid}/environ").read_bytes() or b"slurmstepd" in Path(
            f"/proc/{pid}/cmdline"
        ).read_bytes()
    return False


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


@contextmanager
def cluster() -> Iterator[Cluster]:
    with tempfile.TemporaryDirectory(prefix="trellis-cluster-") as name:
        found = Cluster(Path(name))
        try:
            found.start()
            yield found
        finally:
            found.stop()


def main(argv: Sequence[str]) -> int:
    if not argv or (why := why_not()):
        print(f"one_node: {why if argv else 'name a command to run with the cluster'}", file=sys.stderr)
        return 2
    with cluster() as found:
        return subprocess.run(argv, env=found.environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
