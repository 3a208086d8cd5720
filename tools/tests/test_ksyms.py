"""The embedded symbol table."""

import unittest

from tools.ksyms import Symbol, assembly, parse_nm

_NM = """\
ffffffff80200010 T second
ffffffff80200000 t first
ffffffff80200000 t $xrv64
ffffffff80200010 t .Llocal
ffffffff80200020 D data
                 U undefined
ffffffff80200010 T alias
"""


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
        text = assembly([Symbol(1, "a"), Symbol(2, "bcd"), Symbol(3, "e")])
        self.assertIn("\t.quad 3\n", text)
        self.assertIn("ksyms_name:\n\t.long 0\n\t.long 2\n\t.long 6\n", text)

    def test_empty(self) -> None:
        self.assertIn("ksyms_count:\n\t.quad 0\n", assembly([]))
