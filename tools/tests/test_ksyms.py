"""The embedded symbol table."""

import struct
import tempfile
import unittest
from pathlib import Path

from tools.ksyms import FUNCTIONS_MAX, NAMES_MAX, KsymsError, Symbol, fill, offset_of, parse_nm, room, table

_NM = """\
ffffffff80200010 T second
ffffffff80200000 t first
ffffffff80200000 t $xrv64
ffffffff80200010 t .Llocal
ffffffff80200020 D data
                 U undefined
ffffffff80200010 T alias
"""
_NAMES = 8 + 12 * FUNCTIONS_MAX


def _elf(offset: int, address: int, size: int) -> bytes:
    """An ELF file whose only segment has @size bytes from @offset on."""
    ident = b"\x7fELF\2\1\1".ljust(16, b"\0")
    header = struct.pack("<16sHHIQQQIHHHHHH", ident, 2, 243, 1, 0, 64, 0, 0, 64, 56, 1, 64, 0, 0)
    segment = struct.pack("<IIQQQQQQ", 1, 4, offset, address, address, size, size, 4096)
    return (header + segment).ljust(offset + size, b"\xff")


class KsymsTest(unittest.TestCase):
    def test_functions_by_address(self) -> None:
        self.assertEqual(
            parse_nm(_NM.splitlines()),
            [Symbol(0xFFFFFFFF80200000, "first"), Symbol(0xFFFFFFFF80200010, "alias")],
        )

    def test_parts_go_by_their_functions_name(self) -> None:
        lines = ["10 t wait", "20 t wait.cold", "30 t helper.part.0", "40 t helper.constprop.0.isra.0"]
        names = [symbol.name for symbol in parse_nm(lines)]
        self.assertEqual(names, ["wait", "wait", "helper", "helper"])

    def test_offsets_point_at_names(self) -> None:
        made = table([Symbol(1, "a"), Symbol(2, "bcd"), Symbol(3, "e")])
        self.assertEqual(struct.unpack_from("<4Q", made), (3, 1, 2, 3))
        self.assertEqual(struct.unpack_from("<3I", made, 8 + 8 * FUNCTIONS_MAX), (0, 2, 6))
        self.assertEqual(made[_NAMES:], b"a\0bcd\0e\0")

    def test_too_many_functions_are_told(self) -> None:
        many = [Symbol(i, "f") for i in range(FUNCTIONS_MAX + 1)]
        self.assertTrue(table(many[1:]))
        with self.assertRaisesRegex(KsymsError, "^8193 functions .* do not fit"):
            table(many)
        with self.assertRaisesRegex(KsymsError, "do not fit"):
            table([Symbol(1, "n" * NAMES_MAX)])

    def test_no_more_room_than_is_filled(self) -> None:
        for size in (8 * FUNCTIONS_MAX, 4 * FUNCTIONS_MAX, NAMES_MAX):
            self.assertRegex(room(), rf"(?m)\.skip .*{size if size == NAMES_MAX else FUNCTIONS_MAX}$")

    def test_an_address_outside_the_file_is_told(self) -> None:
        self.assertEqual(offset_of(_elf(0x1000, 0x8000, 64), 0x8008), 0x1008)
        for address in (0x7FFF, 0x8040):
            with self.assertRaisesRegex(KsymsError, "linker script"):
                offset_of(_elf(0x1000, 0x8000, 64), address)

    def test_the_file_gets_the_table_and_nothing_else_changes(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "kernel")
            before = _elf(0x1000, 0x8000, _NAMES + NAMES_MAX + 16)
            path.write_bytes(before)
            fill(path, ["8008 R ksyms_count", "4000 T only"])
            made = table([Symbol(0x4000, "only")])
            self.assertEqual(path.read_bytes(), before[:0x1008] + made + before[0x1008 + len(made) :])
            with self.assertRaisesRegex(KsymsError, "no symbol ksyms_count"):
                fill(path, ["4000 T only"])
