"""Code in guest memory: equal to what was built, or the first place where it is not."""

import tempfile
import unittest
from pathlib import Path

from grade.elf import Elf
from grade.image import changed
from grade.tests.fake import elf

_RAM = 0x80000000
_HIGH = 0xFFFFFFFF80200000
_LOW = 0x80200000
_NOPL, _CLAC = b"\x0f\x1f\x00", b"\x0f\x01\xca"
_FXSAVE, _XSAVE = b"\x48\x0f\xae\x07", b"\x48\x0f\xae\x27"


class Image(unittest.TestCase):
    def changed(self, built: bytes, seen: bytes, base: int = _HIGH, writable: bool = False) -> str:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "kernel.elf")
            symbols = [("check", base + 4, 8), ("run", base, 4)]
            elf(path, base, _LOW, built, symbols, writable)
            return changed(Elf(path), bytes(_LOW - _RAM) + seen, _RAM)

    def test_what_was_built(self) -> None:
        self.assertEqual(self.changed(b"a" * 9000, b"a" * 9000), "")

    def test_one_byte_is_another(self) -> None:
        for at, place in ((0, "run+0x0"), (3, "run+0x3"), (4, "check+0x0"), (8999, "check+0x2323")):
            seen = bytearray(b"a" * 9000)
            seen[at] = 0
            self.assertEqual(self.changed(b"a" * 9000, bytes(seen)), place)

    def test_memory_that_is_too_short(self) -> None:
        self.assertEqual(self.changed(b"a" * 9, b"a" * 6), "check+0x2")

    def test_data_may_change(self) -> None:
        self.assertEqual(self.changed(b"a" * 9, b"b" * 9, writable=True), "")

    def test_code_that_runs_where_it_is_loaded_may_change(self) -> None:
        self.assertEqual(self.changed(b"a" * 9, b"b" * 9, base=_LOW), "")

    def test_instructions_that_the_kernel_chooses_at_boot(self) -> None:
        self.assertEqual(self.changed(_NOPL + _FXSAVE, _CLAC + _XSAVE), "")
        self.assertEqual(self.changed(_CLAC + _XSAVE, _CLAC + _XSAVE), "")
        self.assertEqual(self.changed(_NOPL + _FXSAVE, _NOPL + b"\x48\x0f\xae\x06"), "check+0x2")
        self.assertEqual(self.changed(_NOPL * 3, b"\xc3\x1f\x00" + _NOPL * 2), "run+0x0")
