"""The two streams of the serial line, whose bytes may be split at every place."""

import unittest

from tools.mux import Demux, Stream

_WIRE = b"boot\r\n\x10uhello \x10\x10\x10kpanic? no\n\x10u\x00\xff\n\x10x2a"
_KERNEL = b"boot\r\npanic? no\n"
_USER = b"hello \x10\x00\xff\n"


def _streams(pieces: list[tuple[Stream, bytes]]) -> tuple[bytes, bytes]:
    kernel = b"".join(data for stream, data in pieces if stream is Stream.KERNEL)
    return kernel, b"".join(data for stream, data in pieces if stream is Stream.USER)


class DemuxTest(unittest.TestCase):
    def test_at_once(self) -> None:
        demux = Demux()
        self.assertEqual(_streams(demux.feed(_WIRE)), (_KERNEL, _USER))
        self.assertEqual(demux.exit_status, 42)

    def test_cut_anywhere(self) -> None:
        for cut in range(len(_WIRE)):
            demux = Demux()
            pieces = demux.feed(_WIRE[:cut]) + demux.feed(_WIRE[cut:])
            self.assertEqual(_streams(pieces), (_KERNEL, _USER))
            self.assertEqual(demux.exit_status, 42)

    def test_byte_by_byte(self) -> None:
        demux = Demux()
        pieces = [piece for i in range(len(_WIRE)) for piece in demux.feed(_WIRE[i : i + 1])]
        self.assertEqual(_streams(pieces), (_KERNEL, _USER))

    def test_no_status(self) -> None:
        demux = Demux()
        demux.feed(_WIRE[:-1])
        self.assertIsNone(demux.exit_status)

    def test_broken_status_is_none(self) -> None:
        demux = Demux()
        demux.feed(b"\x10xzz")
        self.assertIsNone(demux.exit_status)

    def test_broken_escape_is_shown(self) -> None:
        demux = Demux()
        self.assertEqual(demux.feed(b"a\x10?b"), [
            (Stream.KERNEL, b"a"), (Stream.KERNEL, b"\x10?"), (Stream.KERNEL, b"b"),
        ])  # fmt: skip
