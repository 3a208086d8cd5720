"""The two streams, the tagged messages, and what a student's kernel may try with them."""

import unittest

from grade.protocol import parse, split
from grade.tests.fake import NONCE, messages, passing


class Split(unittest.TestCase):
    def test_streams_are_taken_apart(self) -> None:
        streams = split(b"firmware\n\x10uhello\x10kboot\n\x10u \x10\x10there\x10x07")
        self.assertEqual(streams.kernel, b"firmware\nboot\n")
        self.assertEqual(streams.user, rb"hello \x10there")
        self.assertEqual(streams.init_status, 7)

    def test_cut_anywhere_is_no_error(self) -> None:
        wire = b"a\x10ub\x10x0f\x10kc\x10\x10"
        for n in range(len(wire) + 1):
            split(wire[:n])

    def test_a_bad_status_is_none(self) -> None:
        self.assertIsNone(split(b"\x10xzz").init_status)


class Parse(unittest.TestCase):
    def test_a_passing_test(self) -> None:
        m = parse(passing(), NONCE)
        self.assertIsNone(m.broken)
        self.assertTrue(m.ended)
        self.assertEqual(m.finished, ["sleep.early"])
        self.assertEqual(m.checks["P4.1"], 3)

    def test_a_failure_keeps_its_words(self) -> None:
        m = parse(messages("begin 1", "fail P4.1 kernel/a.c:7 123 woke 5 ns early"), NONCE)
        self.assertEqual(m.failures[0].text, "woke 5 ns early")
        self.assertEqual((m.failures[0].where, m.failures[0].time), ("kernel/a.c:7", 123))
        self.assertFalse(m.ended)

    def test_order_on_the_wire_does_not_matter(self) -> None:
        lines = passing().splitlines(keepends=True)
        lines[2], lines[1] = lines[1], lines[2]
        self.assertIsNone(parse(b"".join(lines), NONCE).broken)

    def test_lines_without_the_nonce_are_nothing(self) -> None:
        m = parse(passing().replace(NONCE.encode(), b"fedcba9876543210"), NONCE)
        self.assertFalse(m.begun or m.ended or m.finished)

    def test_a_tag_in_mid_line_is_nothing(self) -> None:
        m = parse(b"x" + passing().splitlines(keepends=True)[0], NONCE)
        self.assertFalse(m.begun)

    def test_a_lost_message_breaks_everything(self) -> None:
        lines = passing().splitlines(keepends=True)
        for i in range(len(lines) - 1):
            self.assertIsNotNone(parse(b"".join(lines[:i] + lines[i + 1 :]), NONCE).broken)

    def test_a_repeated_message_breaks_everything(self) -> None:
        self.assertIsNotNone(parse(passing() + passing(), NONCE).broken)

    def test_a_second_beginning_is_no_accident(self) -> None:
        lines = messages("begin 1", "test t", "begin 1", "test t").splitlines(keepends=True)
        for rest in (lines, lines[:1] + lines[2:], [*lines[:1], b"x" + lines[1], *lines[2:]]):
            m = parse(b"".join(rest), NONCE)
            self.assertEqual((m.broken, m.garbled), ("the test runner began twice", False))

    def test_a_truncated_log_has_no_end(self) -> None:
        for n in range(len(passing()) - len(b"0\n")):
            m = parse(passing()[:n], NONCE)
            self.assertTrue(m.broken or not m.ended)

    def test_counts_must_agree(self) -> None:
        wrong = messages("begin 1", "test t", "sum P 3 1", "done t", "end 1 3 0")
        self.assertIsNotNone(parse(wrong, NONCE).broken)

    def test_unknown_or_garbled_messages_break_everything(self) -> None:
        for words in ("begun 1", "sum P x 1", "fail P", "end", "figure cost many"):
            self.assertIsNotNone(parse(messages("begin 1", words), NONCE).broken, words)

    def test_the_nonce_never_gets_out(self) -> None:
        m = parse(messages("begin 1", f"fail P a:1 5 I know {NONCE}"), NONCE)
        self.assertNotIn(NONCE, m.failures[0].text)


if __name__ == "__main__":
    unittest.main()
