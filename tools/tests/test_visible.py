"""A terminal is shown what it would obey; the writing of people is left as it is."""

import unicodedata
import unittest

from tools.visible import all_visible, in_one_line, visible, visible_bytes


class Visible(unittest.TestCase):
    def test_what_a_terminal_would_obey(self) -> None:
        for text, shown in (
            ("\x1b[2J100/100", "\\x1b[2J100/100"),
            ("\x9b31m", "\\x9b31m"),
            ("a\rb", "a\\x0db"),
            ("a\x08b\x7f\0", "a\\x08b\\x7f\\x00"),
            ("a\u202eb\u2066\u2069", "a\\u202eb\\u2066\\u2069"),
            ("a\u2028b\x85c\x0bd\x0ce\x1cf", "a\\u2028b\\x85c\\x0bd\\x0ce\\x1cf"),
            ("\udcff\ud800", "\\xff\\ud800"),
        ):
            self.assertEqual(visible(text), shown)
        self.assertEqual(visible(b"\x9b1m \xff \xe2\x80\xae"), "\\x9b1m \\xff \\u202e")

    def test_no_control_and_no_mark_of_direction_remains(self) -> None:
        every = visible("".join(map(chr, range(0x110000))))
        left = {c for c in every if unicodedata.category(c) in ("Cc", "Cs")}
        self.assertEqual(left, {"\n", "\t"})
        turning = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
        self.assertEqual({c for c in every if unicodedata.bidirectional(c) in turning}, set())
        self.assertEqual(every.count("\n"), 1)
        self.assertEqual(len(every.splitlines()), 2)
        every.encode()

    def test_what_people_write(self) -> None:
        text = "größer, 中文, שלום, naïve → 10 µs\n\tnext \\x1b \u00ad\U0001f600"
        self.assertEqual(visible(text), text)
        self.assertEqual(visible(text.encode()), text)

    def test_one_line(self) -> None:
        self.assertEqual(in_one_line("a\n\tb\x1b"), "a\\n\\tb\\x1b")

    def test_lines_of_a_console(self) -> None:
        self.assertEqual(visible_bytes(b"a\r\nb\rc\nd\x1b\r\n\xff"), b"a\r\nb\\x0dc\nd\\x1b\r\n\\xff")
        self.assertEqual(visible_bytes("ü\r\n".encode()), "ü\r\n".encode())

    def test_texts_in_data(self) -> None:
        data = {"a\x1b": ["\x1b", 1, None, {"b": "\u202e"}]}
        self.assertEqual(all_visible(data), {"a\\x1b": ["\\x1b", 1, None, {"b": "\\u202e"}]})


if __name__ == "__main__":
    unittest.main()
