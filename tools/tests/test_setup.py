"""Set-up on machines without some packages; fake programs print the commands that they are given."""

import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

from tools.programs import ROOT

_NEEDED = ("sh", "cat", "cut", "dirname", "env", "grep", "head", "printf", "sed", "sort", "tr", "touch")


class SetupTest(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory(prefix="trellis-test-")
        self.addCleanup(folder.cleanup)
        self.bin = Path(folder.name, "bin")
        self.bin.mkdir()
        self.log = Path(folder.name, "log")
        self.tools = Path(folder.name, "tools")
        self.tools.mkdir()
        shutil.copy(ROOT / "tools/setup.sh", self.tools)
        for name in _NEEDED:
            found = shutil.which(name)
            assert found is not None
            (self.bin / name).symlink_to(found)
        self.packages("base\tfrobnicate\t2.0\tfrobnicator-new|frobnicator\tfrobbing\n")
        self.program("id", "echo 0")
        self.program("dpkg-query", "exit 1")
        self.program("apt-cache", '[ "$3" = frobnicator ] && echo "Package: $3"; exit 0')

    def packages(self, text: str) -> None:
        (self.tools / "packages.txt").write_text(text)

    def program(self, name: str, script: str) -> None:
        path = self.bin / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def setup_sh(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["/bin/sh", self.tools / "setup.sh", *arguments],
            env={"PATH": str(self.bin), "TRELLIS_ETC": str(self.tools)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def apt_installs(self) -> None:
        frob = self.bin / "frobnicate"
        self.program(
            "apt-get",
            f'echo "$@" >>{self.log}; [ "$1" = install ] || exit 0\n'
            f"printf '#!/bin/sh\\necho frobnicate 2.1\\n' >{frob}; /bin/chmod +x {frob}",
        )

    def test_root_installs_what_is_missing(self) -> None:
        self.apt_installs()
        done = self.setup_sh("base")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout, "")
        update, install = self.log.read_text().splitlines()
        self.assertTrue(update.startswith("update"))
        self.assertIn(" frobnicator ", f" {install} ")
        self.assertNotIn("frobnicator-new", install)

    def test_second_call_does_nothing(self) -> None:
        self.apt_installs()
        self.setup_sh("base")
        self.log.unlink()
        self.assertEqual(self.setup_sh("base").returncode, 0)
        self.assertFalse(self.log.exists())

    def test_every_group_takes_base(self) -> None:
        """A compiler of group test is tried on the emulator, which is of base."""
        self.apt_installs()
        line = "test\tgrind\t-\tgrinder\tgrinding\n"
        self.packages("base\tfrobnicate\t2.0\tfrobnicator\tfrobbing\n" + line)
        self.program("grind", "echo grind 1.0")
        self.assertEqual(self.setup_sh("test").returncode, 0)
        self.assertIn(" frobnicator ", self.log.read_text())

    def test_others_get_the_one_command(self) -> None:
        self.apt_installs()
        self.program("id", "echo 1000")
        self.program("sudo", f"echo sudo >>{self.log}")
        done = self.setup_sh("base")
        self.assertEqual(done.returncode, 2)
        self.assertFalse(self.log.exists())
        commands = [line for line in done.stderr.splitlines() if line.startswith("sudo ")]
        self.assertEqual(len(commands), 1)
        self.assertIn("frobnicator", commands[0])

    def test_the_command_for_an_apt_that_knows_nothing_yet(self) -> None:
        self.program("id", "echo 1000")
        self.program("apt-cache", "exit 100")
        self.apt_installs()
        for release, name in (("bookworm", "old"), ("noble", "old"), ("trixie", "new"), ("", "new")):
            self.packages("base\tfrobnicate\t2.0\tfrob-new|frob-old\tfrobbing\n")
            (self.tools / "os-release").write_text(f"VERSION_CODENAME={release}\n")
            said = self.setup_sh("base").stderr
            self.assertIn(f"--no-install-recommends frob-{name}'", said, release)

    def test_too_old_is_missing(self) -> None:
        self.program("frobnicate", "echo frobnicate 1.9.9")
        self.program("id", "echo 1000")
        self.assertEqual(self.setup_sh("base").returncode, 2)

    def test_new_enough_is_not(self) -> None:
        self.program("frobnicate", "echo frobnicate 2.10")
        self.assertEqual(self.setup_sh("base").returncode, 0)

    def test_apt_that_fails(self) -> None:
        self.program("apt-get", "exit 100")
        done = self.setup_sh("base")
        self.assertEqual(done.returncode, 2)
        self.assertIn("frobnicator", done.stderr)

    def test_no_apt(self) -> None:
        done = self.setup_sh("base")
        self.assertEqual(done.returncode, 2)
        self.assertIn("frobnicator", done.stderr)

    def test_other_package_managers_have_their_own_command(self) -> None:
        row = "frobnicator\tfrob-dnf\tfrob-pacman\tfrob-zypper\tfrob-brew\n"
        (self.tools / "packages-elsewhere.txt").write_text(row)
        for manager, command in {
            "dnf": "sudo dnf install frob-dnf",
            "pacman": "sudo pacman -S --needed frob-pacman",
            "zypper": "sudo zypper install frob-zypper",
            "brew": "brew install frob-brew",
        }.items():
            with self.subTest(manager):
                self.program(manager, f"echo {manager} >>{self.log}")
                done = self.setup_sh("base")
                self.assertEqual(done.returncode, 2)
                self.assertEqual(done.stderr.splitlines()[-1].strip(), command)
                self.assertFalse(self.log.exists())
                (self.bin / manager).unlink()

    def test_a_package_that_has_no_name_elsewhere(self) -> None:
        (self.tools / "packages-elsewhere.txt").write_text("frobnicator\t-\t-\t-\t-\n")
        self.program("dnf", "exit 0")
        done = self.setup_sh("base")
        self.assertEqual(done.returncode, 2)
        self.assertIn("no package of dnf's is known to have it: frobnicator", done.stderr)

    def test_every_package_has_a_row_of_names_elsewhere(self) -> None:
        rows = (ROOT / "tools/packages-elsewhere.txt").read_text().splitlines()
        named = {row.split("\t")[0]: row.count("\t") for row in rows if not row.startswith("#")}
        lines = (ROOT / "tools/packages.txt").read_text().splitlines()
        for fields in (line.split("\t") for line in lines if not line.startswith("#")):
            first = fields[3].split("|")[0]  # what setup chooses where there is no apt
            if not fields[1].startswith("boots:"):
                self.assertEqual(named.get(first), 4, first)

    def npm(self, leaves: str) -> None:
        """Packages of Node.js are needed, of which `npm` installs what @leaves says."""
        self.program("frobnicate", "echo frobnicate 2.10")
        self.packages("base\tfrobnicate\t2.0\tfrobnicator\tfrobbing\ntest\tnpm:frob\t-\tnpm\tgrinding\n")
        packages = self.tools.parent / "frob.installed"
        self.program("node", f"echo packages are missing; [ -e {packages} ]")
        leaves = leaves.replace("IT", str(packages))
        self.program("npm", f'echo "npm $*" >>{self.log}; cat >/dev/null; {leaves}')

    def test_npm_installs_packages_once(self) -> None:
        self.npm("touch IT")
        for _ in range(2):
            done = self.setup_sh("test")
            self.assertEqual((done.returncode, done.stdout), (0, ""), done.stderr)
        self.assertEqual(self.log.read_text(), "npm ci --prefix frob\n")

    def test_a_group_without_npm_packages(self) -> None:
        self.npm("touch IT")
        self.assertEqual(self.setup_sh("base").returncode, 0)
        self.assertFalse(self.log.exists())

    def test_npm_that_fails(self) -> None:
        for leaves in ("exit 1", "true"):
            self.npm(leaves)
            done = self.setup_sh("test")
            self.assertEqual(done.returncode, 2)
            self.assertIn("frob: packages are missing; try it by hand: npm ci --prefix frob", done.stderr)

    def test_doctor_tells_npm(self) -> None:
        self.npm("exit 1")
        done = self.setup_sh("--doctor")
        self.assertEqual(done.returncode, 2)
        self.assertIn("mend it with: npm ci --prefix frob\n", done.stdout)

    def broken_compiler(self) -> None:
        """All is there, but what the compiler makes does not boot."""
        self.program("frobnicate", "echo frobnicate 2.10")
        line = "base\tboots:riscv:gcc\t-\tgcc-frob|binutils-frob\tfrobbing for RISC-V\n"
        self.packages("base\tfrobnicate\t2.0\tfrobnicator\tfrobbing\n" + line)
        says = "import sys; print('cannot execute as,', *sys.argv[1:]); sys.exit(1)\n"
        (self.tools / "probe.py").write_text(says)

    def test_a_compiler_that_does_not_work_is_found_out(self) -> None:
        self.broken_compiler()
        done = self.setup_sh("base")
        self.assertEqual(done.returncode, 2)
        self.assertIn("frobbing for RISC-V: cannot execute as, riscv gcc\n", done.stderr)
        command = "install --reinstall -y --no-install-recommends gcc-frob binutils-frob"
        self.assertIn(command, done.stderr)

    def test_it_is_found_out_after_installing_too(self) -> None:
        self.broken_compiler()
        (self.bin / "frobnicate").unlink()
        self.apt_installs()
        done = self.setup_sh("base")
        self.assertEqual(done.returncode, 2)
        self.assertIn("cannot execute as", done.stderr)

    def test_doctor_tries_the_compilers(self) -> None:
        self.broken_compiler()
        done = self.setup_sh("--doctor")
        self.assertEqual(done.returncode, 2)
        self.assertIn("BROKEN   frobbing for RISC-V: cannot execute as, riscv gcc\n", done.stdout)
        self.assertIn("install --reinstall", done.stdout)
        (self.tools / "probe.py").write_text("print('all boots')\n")
        done = self.setup_sh("--doctor")
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertIn("ok       all boots ", done.stdout)

    def test_doctor_names_the_mend(self) -> None:
        done = self.setup_sh("--doctor")
        self.assertEqual(done.returncode, 2)
        self.assertIn("MISSING  frobnicate", done.stdout)
        command = "apt-get update && apt-get install -y --no-install-recommends frobnicator"
        self.assertIn(f"mend it with: {command}\n", done.stdout)
        self.program("id", "echo 1000")
        done = self.setup_sh("--doctor")
        self.assertIn(f"mend it with: sudo sh -c '{command}'\n", done.stdout)
