"""Files are taken out of folders, archives, bundles and clones; the rest is refused in one line."""

import bz2
import gzip
import io
import lzma
import os
import resource
import stat
import subprocess
import tarfile
import time
import unittest
import warnings
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from unittest.mock import patch

from grade import archives
from grade.intake import take, take_own
from grade.submission import MAX_OWN, MAX_SIZE, Rejected
from grade.tests.fake import AtHome
from labs.handin import archive

_FILE = "kernel/sched/sleep.c"
_SECONDS = 20  # of CPU time, for any one of these


def _tar(*entries: tuple[str, bytes] | tarfile.TarInfo, pax: bool = False) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT if pax else tarfile.GNU_FORMAT) as tar:
        for entry in entries:
            if isinstance(entry, tarfile.TarInfo):
                tar.addfile(entry)
                continue
            info = tarfile.TarInfo(entry[0])
            info.size = len(entry[1])
            tar.addfile(info, io.BytesIO(entry[1]))
    return out.getvalue()


def _odd(name: str, kind: bytes, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info


def _zip(*entries: tuple[str, bytes] | tuple[zipfile.ZipInfo, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in entries:
            with warnings.catch_warnings(action="ignore"):  # of a name that is there twice
                packed.writestr(name, content, zipfile.ZIP_DEFLATED)
    return out.getvalue()


class _Case(AtHome):
    def setUp(self) -> None:
        super().setUp()
        self.began = time.process_time()

    def tearDown(self) -> None:
        self.assertLess(time.process_time() - self.began, _SECONDS)

    def put(self, content: bytes) -> Path:
        path = self.home / "handed-in"
        path.write_bytes(content)
        return path

    def taken(self, what: bytes | Path, branch: str | None = None) -> bytes:
        path = what if isinstance(what, Path) else self.put(what)
        files = take(path, self.lab, branch).files
        self.assertEqual(list(files), [_FILE])
        return files[_FILE]

    def refused(self, what: bytes | Path, *words: str, branch: str | None = None) -> None:
        with self.assertRaises(Rejected) as caught:
            self.taken(what, branch)
        said = str(caught.exception)
        for word in words:
            self.assertIn(word, said)
        self.assertNotIn("\n", said)
        self.assertLess(len(said), 400)


class Archives(_Case):
    def test_every_kind_with_the_tree_at_the_top_or_in_one_folder(self) -> None:
        for top in ("", "./", "mine/", "./mine/"):
            tar = _tar((f"{top}README", b"x"), (f"{top}{_FILE}", b"mine"), (f"{top}deep/er/{_FILE}", b"-"))
            for packed in (tar, gzip.compress(tar), bz2.compress(tar), lzma.compress(tar)):
                self.assertEqual(self.taken(packed), b"mine")
            self.assertEqual(self.taken(_zip((f"{top}{_FILE}", b"mine"), (f"{top}x/", b""))), b"mine")

    def test_what_make_handin_writes(self) -> None:
        self.assertEqual(self.taken(archive("handin-04-sleep", {_FILE: b"a", "handin.json": b"{}"})), b"a")

    def test_long_names_and_what_git_archive_adds(self) -> None:
        long = "x" * 300
        for pax in (False, True):
            self.assertEqual(self.taken(_tar((f"{long}/{_FILE}", b"a"), (f"m/{long}", b"b"), pax=pax)), b"a")

    def test_compressed_in_several_pieces(self) -> None:
        tar = _tar((_FILE, b"mine" * 1000))
        first, second = tar[:700], tar[700:]
        for pieces in (
            gzip.compress(first) + gzip.compress(second),
            bz2.compress(first) + bz2.compress(second),
            lzma.compress(first) + lzma.compress(second),
        ):
            self.assertEqual(self.taken(pieces), b"mine" * 1000)

    def test_links_and_devices_where_a_file_should_be(self) -> None:
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE):
            self.refused(_tar(_odd(_FILE, kind, "/etc/passwd")), _FILE, "plain file")
            above = _odd("kernel/sched", kind, "/etc")
            self.refused(_tar(above, (_FILE, b"x")), "kernel/sched", "plain file")
            self.assertEqual(self.taken(_tar(_odd("notes", kind, "/etc"), (_FILE, b"x"))), b"x")
        for mode in (stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR):
            for name in (_FILE, "mine/kernel"):
                info = zipfile.ZipInfo(name)
                info.create_system, info.external_attr = 3, (mode | 0o777) << 16
                self.refused(_zip((info, b"/etc/passwd")), name, "plain file")

    def test_names_that_lead_elsewhere(self) -> None:
        for name in ("../x", "a/../../x", "/etc/passwd", "mine\\kernel\\x", f"a/../{_FILE}", f"/{_FILE}"):
            self.refused(_tar((name, b"x"), (_FILE, b"x")), "leads out")
            self.refused(_zip((name, b"x"), (_FILE, b"x")), "leads out")

    def test_a_name_that_ends_where_it_does_not(self) -> None:
        packed = _zip((f"{_FILE}+.txt", b"x")).replace(b"c+.txt", b"c\0.txt")
        self.refused(packed, "odd")

    def test_the_same_file_twice(self) -> None:
        for other in (_FILE, f"./{_FILE}", "kernel//sched/./sleep.c"):
            self.refused(_tar((_FILE, b"one"), (other, b"two")), _FILE, "twice")
            self.refused(_zip((_FILE, b"one"), (other, b"two")), _FILE, "twice")
        self.refused(_tar((f"a/{_FILE}", b"1"), (f"b/{_FILE}", b"2")), "more than once", "'a' and 'b'")
        self.refused(_tar(*((f"{i}/{_FILE}", b"1") for i in range(9))), "more than 4 times")
        self.assertEqual(self.taken(_tar((f"old/{_FILE}", b"1"), (_FILE, b"2"))), b"2")

    def test_encrypted(self) -> None:
        packed = bytearray(_zip((_FILE, b"x")))
        packed[packed.index(b"PK\1\2") + 8] |= 1
        self.refused(bytes(packed), _FILE, "encrypted")

    def test_large_files(self) -> None:
        big = bytes(MAX_SIZE + 1)
        self.refused(gzip.compress(_tar((_FILE, big))), _FILE, "larger than 1 MiB")
        self.refused(_zip((_FILE, big)), _FILE, "larger than 1 MiB")
        self.assertEqual(len(self.taken(_tar((_FILE, big[1:])))), MAX_SIZE)

    def test_a_zip_whose_directory_lies_about_a_size(self) -> None:
        packed = _zip((_FILE, bytes(30 << 20)))
        at = packed.index(b"PK\1\2")
        lying = packed[: at + 24] + (100).to_bytes(4, "little") + packed[at + 28 :]
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        self.refused(lying, "damaged")
        self.assertLess(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before, 16 << 10)

    def test_cut_off_or_damaged_everywhere(self) -> None:
        noise, mine = (os.urandom(n).hex().encode() for n in (1500, 350))  # letters that no check refuses
        tar = _tar(("mine/a", noise), (f"mine/{_FILE}", mine), ("mine/z", b"z" * 900))
        for packed in (gzip.compress(tar), bz2.compress(tar), lzma.compress(tar), _zip((_FILE, tar))):
            for end in range(20, len(packed), 37):
                self.refused(packed[:end])
            self.assertEqual(len(self.taken(packed)), len(tar) if packed[:2] == b"PK" else 700)
        for end in range(600, len(tar.rstrip(b"\0")), 137):
            self.refused(tar[:end])
        for at in range(0, len(gz := gzip.compress(tar)) - 8, 61):
            spoilt = gz[:at] + bytes([gz[at] ^ 0x55]) + gz[at + 1 :]
            if not 3 < at < 10:  # a time, which is not looked at
                self.refused(spoilt)

    def test_foreign_files(self) -> None:
        self.refused(b"7z\xbc\xaf\x27\x1c rest", "7z")
        self.refused(b"Rar!\x1a\x07", "rar")
        self.refused(b"int main;" * 100, "no archive", ".tar.gz")
        self.refused(b"", "empty")
        self.refused(gzip.compress(b"int main;" * 100), "damaged")
        fifo = self.home / "fifo"
        os.mkfifo(fifo)
        self.refused(fifo, "neither a folder nor a file")

    def test_bombs(self) -> None:
        zeros = _odd("zeros", tarfile.REGTYPE)
        zeros.size = 8 << 30
        head = zeros.tobuf()
        piece = bytes(1 << 20)
        packer = zlib.compressobj(9, zlib.DEFLATED, 31)
        bomb = packer.compress(head) + b"".join(packer.compress(piece) for _ in range(600)) + packer.flush()
        self.assertLess(len(bomb), 1 << 20)
        self.refused(bomb, "unpacks to more")
        self.refused(_tar(*(_odd(f"{i}", tarfile.DIRTYPE) for i in range(50_001))), "more than 50000 entries")
        self.refused(_zip(*((f"{i}", b"") for i in range(50_001))), "more than 50000 entries")
        with patch.object(archives, "_MAX_PACKED", 1000):
            self.refused(_tar((_FILE, b"x" * 2000)), "at most")

    def test_headers_that_make_a_reader_go_in_circles(self) -> None:
        long = _odd("././@LongLink", tarfile.GNUTYPE_LONGNAME)
        long.size = 4
        self.refused((long.tobuf() + b"abc\0".ljust(512, b"\0")) * 3000, "too long")
        long.size = 300 << 20
        self.refused(gzip.compress(long.tobuf() + bytes(1 << 20)), "too long")
        self.refused(_tar(_odd("x", tarfile.GNUTYPE_SPARSE), (_FILE, b"x")), "holes")

    def test_a_zip_for_huge_files(self) -> None:
        packed = _zip((_FILE, b"x"))
        at = packed.index(b"PK\5\6")
        self.refused(packed[:at] + b"PK\6\7" + bytes(16) + packed[at:], "zip64")
        self.refused(packed[: at + 12] + (9 << 20).to_bytes(4, "little") + packed[at + 16 :], "too many")

    def test_texts_made_to_be_slow(self) -> None:
        for start in ("/*", '"\\', "'\\", '"\\"', "/*/", "a" * 9, "__"):
            text = (start * MAX_SIZE)[: MAX_SIZE - 1].encode()
            with self.subTest(start):
                try:
                    self.taken(_tar((_FILE, text)))
                except Rejected:
                    pass


class Folders(_Case):
    def test_at_the_top_or_in_one_folder(self) -> None:
        root = self.home / "folder"
        for top in ("inner", "."):
            (root / top / "kernel/sched").mkdir(parents=True)
            (root / top / _FILE).write_bytes(top.encode())
            self.assertEqual(self.taken(root), top.encode())
        (root / _FILE).unlink()
        (root / "second/kernel/sched").mkdir(parents=True)
        (root / "second" / _FILE).touch()
        self.refused(root, "more than once", "inner and second")

    def test_a_folder_without_it(self) -> None:
        (self.home / "empty").mkdir()
        (self.home / "empty/link").symlink_to("/")
        self.refused(self.home / "empty", "has no", _FILE)
        self.refused(self.home / "empty", "no git clone", branch="main")


_MINE = "labs/04-sleep/scenarios/mine"


class OwnTests(_Case):
    """The tests of a student's own are taken as the lab's files are."""

    def own(self, what: bytes | Path, branch: str | None = None) -> dict[str, bytes]:
        return take_own(what if isinstance(what, Path) else self.put(what), self.lab, branch)

    def sources(self, *entries: tuple[str, bytes]) -> Iterator[bytes | Path]:
        """The files @entries as a folder, as archives, and as a clone and a bundle of it."""
        root = self.home / "tree"
        for name, content in entries:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_bytes(content)
        yield root
        yield from (_tar(*entries), gzip.compress(_tar(*((f"a/{n}", c) for n, c in entries))), _zip(*entries))
        git = ["git", "-C", str(root), "-c", "user.name=a", "-c", "user.email=a@b"]
        for words in (["init", "-q", "-b", "main"], ["add", "-A"], ["commit", "-qm", "a"]):
            subprocess.run([*git, *words], check=True)
        subprocess.run([*git, "clone", "-q", "--bare", str(root), str(self.home / "bare")], check=True)
        yield self.home / "bare"
        bundle = self.home / "b.bundle"
        subprocess.run([*git, "bundle", "create", "-q", str(bundle), "--all"], check=True)
        yield bundle

    def test_of_every_kind(self) -> None:
        others = ((_FILE, b"lab"), (f"{_MINE}/notes.md", b"-"), (f"{_MINE}/deep/c.c", b"-"))
        mine = ((f"{_MINE}/b.c", b"two"), (f"{_MINE}/a.c", b"one"))
        for source in self.sources(*others, *mine):
            with self.subTest(source=source if isinstance(source, Path) else "an archive"):
                found = self.own(source)
                self.assertEqual(list(found.items()), sorted(mine))
                self.assertEqual(self.taken(source), b"lab")

    def test_none(self) -> None:
        for source in self.sources((_FILE, b"lab")):
            self.assertEqual(self.own(source), {})

    def test_of_files_that_were_deleted_since_the_commit(self) -> None:
        tree, *_ = self.sources((_FILE, b"lab"), (f"{_MINE}/a.c", b"one"))
        assert isinstance(tree, Path)
        (tree / _MINE / "a.c").unlink()
        (tree / _MINE).rmdir()
        self.assertEqual(self.own(tree), {})
        self.assertEqual(self.own(tree, "main"), {f"{_MINE}/a.c": b"one"})

    def refused_own(self, what: bytes | Path, *words: str) -> None:
        with self.assertRaises(Rejected) as caught:
            self.own(what)
        self.assertTrue(all(word in str(caught.exception) for word in words), caught.exception)

    def test_links(self) -> None:
        for name in (f"{_MINE}/a.c", _MINE, "labs", "top/labs/04-sleep"):
            self.refused_own(_tar(_odd(name, tarfile.SYMTYPE, "/etc")), name, "plain file")
        tree = self.home / "tree"
        (tree / _MINE).mkdir(parents=True)
        (tree / _MINE / "a.c").symlink_to("/etc/passwd")
        self.refused_own(tree, "a.c", "without links")

    def test_too_many_and_odd_names(self) -> None:
        many = tuple((f"{_MINE}/t{i}.c", b"") for i in range(MAX_OWN + 1))
        for source in self.sources(*many):
            self.refused_own(source, _MINE, f"more than {MAX_OWN} files")
        for name in ("$(reboot).c", "a b.c", "-o.c", ".c", "a;b.c", "a\nb.c"):
            self.refused_own(_tar((f"{_MINE}/{name}", b"")), "not taken", "letters")

    def test_one_that_is_large(self) -> None:
        for source in self.sources((f"{_MINE}/a.c", b"x" * (MAX_SIZE + 1))):
            self.refused_own(source, "a.c", "larger than 1 MiB")


class Git(_Case):
    def setUp(self) -> None:
        super().setUp()
        self.repo = self.home / "repo"
        self.git("init", "-q", "-b", "main", str(self.repo), at=self.home)
        self.commit(_FILE, b"first")

    def git(self, *words: str, at: Path | None = None) -> str:
        who = ("-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false")
        argv = ["git", "-C", str(at or self.repo), *who, *words]
        return subprocess.run(argv, check=True, capture_output=True, text=True).stdout

    def commit(self, name: str, content: bytes) -> None:
        (self.repo / name).parent.mkdir(parents=True, exist_ok=True)
        (self.repo / name).write_bytes(content)
        self.git("add", "-A")
        self.git("commit", "-q", "-m", name)

    def bundle(self, *what: str) -> Path:
        self.git("bundle", "create", "-q", str(self.home / "b.bundle"), *what)
        return self.home / "b.bundle"

    def bare(self, *options: str) -> Path:
        bare = self.home / "bare"
        self.git("clone", "-q", "--bare", *options, f"file://{self.repo}", str(bare), at=self.home)
        return bare

    def test_heads_and_branches(self) -> None:
        self.git("switch", "-q", "-c", "lab/four")
        self.commit(_FILE, b"second")
        for source in (self.bundle("--all"), self.bare(), self.repo):
            self.assertEqual(self.taken(source), b"second")
            self.assertEqual(self.taken(source, "main"), b"first")
            self.assertEqual(self.taken(source, "lab/four"), b"second")
            for name in ("none", "../../HEAD", "a//b", ""):
                with self.subTest(name):
                    self.refused(source, "no", branch=name or "-")
        self.assertEqual(self.taken(self.bundle("main")), b"first")

    def test_a_branch_that_is_not_there(self) -> None:
        self.git("switch", "-q", "-c", "lab/four")
        self.commit(_FILE, b"second")
        for name in ("lab", "lab/five", "HEAD"):
            for source in (self.bundle("--all"), self.repo, self.bare()):
                self.refused(source, f"no branch {name}; it has lab/four, main", branch=name)
            subprocess.run(["rm", "-r", str(self.home / "bare")], check=True)
        self.refused(_tar((_FILE, b"x")), "only a clone or a git bundle has a branch lab", branch="lab")

    def test_loose_objects_and_a_detached_head(self) -> None:
        self.git("checkout", "-q", "--detach")
        for entry in ("kernel",):
            subprocess.run(["rm", "-r", str(self.repo / entry)], check=True)
        self.assertEqual(self.taken(self.repo), b"first")

    def test_in_one_folder(self) -> None:
        self.git("rm", "-q", "-r", "kernel")
        self.commit(f"mine/{_FILE}", b"inside")
        self.assertEqual(self.taken(self.bare()), b"inside")
        self.commit(f"other/{_FILE}", b"inside")
        self.refused(self.bundle("--all"), "more than once", "'mine' and 'other'")

    def test_links_and_large_files(self) -> None:
        (self.repo / _FILE).unlink()
        (self.repo / _FILE).symlink_to("/etc/passwd")
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "link")
        self.refused(self.bundle("HEAD"), _FILE, "without links")
        (self.repo / _FILE).unlink()
        self.commit(_FILE, bytes(MAX_SIZE + 1))
        self.refused(self.bundle("HEAD"), _FILE, "larger than 1 MiB")
        self.git("rm", "-q", _FILE)
        self.git("commit", "-q", "-m", "gone")
        self.refused(self.bundle("HEAD"), "has no", _FILE)

    def test_bundles_that_need_more_or_are_cut_off(self) -> None:
        self.commit("more", b"x")
        self.refused(self.bundle("HEAD", "^HEAD~1"), "damaged, or needs")
        whole = self.bundle("HEAD").read_bytes()
        for end in range(20, len(whole), 50):
            self.refused(whole[:end])

    def test_objects_of_other_repositories(self) -> None:
        self.git("clone", "-q", "--bare", "--shared", str(self.repo), str(self.home / "bare"), at=self.home)
        self.refused(self.home / "bare", "alternates")

    def test_a_git_folder_that_is_elsewhere(self) -> None:
        linked = self.home / "linked"
        linked.mkdir()
        (linked / ".git").symlink_to(self.repo / ".git")
        self.refused(linked, "has no")
        (linked / ".git").unlink()
        (linked / ".git").write_text(f"gitdir: {self.repo}/.git\n")
        self.refused(linked, "has no")
        (linked / ".git").unlink()
        (linked / ".git/refs").mkdir(parents=True)
        (linked / ".git/HEAD").write_text(self.git("rev-parse", "HEAD"))
        (linked / ".git/objects").symlink_to(self.repo / ".git/objects")
        self.refused(linked, "has no")

    def test_nothing_that_the_repository_configures_is_run(self) -> None:
        ran = self.home / "ran"
        bare = self.bare()
        script = bare / "evil"
        script.write_text(f"#!/bin/sh\ntouch {ran}\n")
        script.chmod(0o755)
        with (bare / "config").open("a") as config:
            config.write(f"[core]\n\tfsmonitor = {script}\n\thooksPath = {bare}\n\tpager = {script}\n")
            config.write(f"\tsshCommand = {script}\n\tpartialClone = origin\n[include]\n\tpath = /dev/zero\n")
            config.write(f'[remote "origin"]\n\turl = ext::{script}\n\tpromisor = true\n')
            config.write(f"\tuploadpack = {script}\n")
        for hook in ("reference-transaction", "post-checkout", "pre-commit"):
            (bare / "hooks" / hook).write_text(script.read_text())
            (bare / "hooks" / hook).chmod(0o755)
        with patch("tools.qemu.why_no_bubblewrap", return_value="not here"):
            self.assertEqual(self.taken(bare), b"first")
            for pack in (bare / "objects/pack").glob("*.pack"):
                pack.chmod(0o644)
                pack.unlink()
            self.refused(bare, "missing or damaged")
        self.assertFalse(ran.exists())

    def test_trees_in_trees_in_trees(self) -> None:
        """A few objects which, written out, would be ten thousand million files."""
        blob = self.git("hash-object", "-w", _FILE).strip()
        tree = self._tree([("100644 blob", blob, f"f{i}") for i in range(10)])
        for _ in range(10):
            tree = self._tree([("040000 tree", tree, f"d{i}") for i in range(10)])
        commit = self.git("commit-tree", tree, "-m", "bomb").strip()
        self.git("update-ref", "refs/heads/bomb", commit)
        self.refused(self.bundle("bomb"), "has no", _FILE)

    def _tree(self, entries: Sequence[tuple[str, str, str]]) -> str:
        text = "".join(f"{kind} {oid}\t{name}\n" for kind, oid, name in entries)
        argv = ["git", "-C", str(self.repo), "mktree"]
        return subprocess.run(argv, input=text, check=True, capture_output=True, text=True).stdout.strip()


if __name__ == "__main__":
    unittest.main()
