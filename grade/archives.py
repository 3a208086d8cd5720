"""Reads the few files that count out of an archive, without unpacking it.

An archive is a student's, so all of it may be a lie. A tar is read once from front to back: the headers
are counted, the decompressed bytes are counted, and the decoders' memory is bounded. Of a zip only the
directory is read, and the files that count. An entry whose name leads out of the archive makes all of it
suspicious; links and the like matter only where a file of the lab should be.
"""

import bz2
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import IO, Protocol, cast

from grade.submission import MAX_SIZE, Rejected, Wanted

_MAX_PACKED = 128 << 20  # bytes of the archive
_MAX_UNPACKED = 512 << 20  # bytes that a decoder may give
_MAX_ENTRIES = 50_000
_MAX_NAMES = 64 << 10  # bytes of a long name, or of a header with one
_MAX_DIRECTORY = 8 << 20  # bytes of a zip's directory
_MAX_TREES = 4
_DECODER_MEMORY = 128 << 20
_CHUNK = 64 << 10
_BLOCK = 512
_ABOUT_THE_NEXT = frozenset(
    {
        *(tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE),
        *(tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK),
    }
)
_SMALLER = "Without build/ and .git?"
_DAMAGED = "not taken: the archive is damaged or cut off; pack it again"
_ERRORS = (
    *(tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError),
    *(ValueError, IndexError, OverflowError, NotImplementedError),
)


class _Decoder(Protocol):
    """The common part of zlib's, bz2's and lzma's decompressors."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"\x1f\x8b\x08", "gzip"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\0", "xz"),
    (b"PK\3\4", "zip"),
    (b"PK\5\6", "zip"),
)


def kind(head: bytes) -> str | None:
    """The kind of an archive, by its first 512 bytes; None: it is none."""
    for magic, name in _MAGIC:
        if head.startswith(magic):
            return name
    try:
        tarfile.TarInfo.frombuf(head, "utf-8", "surrogateescape")
    except tarfile.TarError:
        return None
    return "tar"


def read(file: IO[bytes], what: str, wanted: Wanted) -> dict[str, bytes]:
    """The files @wanted out of the archive @file of this kind. Raises Rejected."""
    if (size := file.seek(0, 2)) > _MAX_PACKED:
        raise Rejected(f"not taken: {size >> 20} MiB; at most {_MAX_PACKED >> 20} are. {_SMALLER}")
    file.seek(0)
    trees = Trees(wanted)
    try:
        _read_zip(file, trees) if what == "zip" else _read_tar(file, what, trees)
    except _ERRORS as e:
        raise Rejected(_DAMAGED) from e
    return trees.only()


@dataclass
class Trees:
    """The files that were found, by the folder that holds the tree ("": it is at the top)."""

    wanted: Wanted
    found: dict[str, dict[str, bytes]] = field(default_factory=dict)

    def place(self, name: str) -> tuple[str, str] | None:
        """The folder, and which file of the lab @name is in it; None if it is none of them. Raises Rejected
        for a name that leads elsewhere."""
        parts = name.split("/")
        if name.startswith("/") or "\\" in name or ".." in parts:
            raise Rejected(f"not taken: a name in it leads out of it: {name[:200]!r}")
        clean = [part for part in parts if part not in ("", ".")]
        for prefix in ("", "".join(clean[:1])):
            rest = "/".join(clean[1:] if prefix else clean)
            if self.wanted.has(rest):
                return prefix, rest
        return None

    def above(self, name: str) -> bool:
        """Whether something that is wanted would be at @name or below it."""
        parts = [part for part in name.split("/") if part not in ("", ".")]
        return any(
            "/".join(rest) + "/" == file[: len("/".join(rest)) + 1]
            for rest in (parts, parts[1:])
            if rest
            for file in (f"{path}/" for path in self.wanted.paths)
        )

    def add(self, place: tuple[str, str], size: int, content: Callable[[], bytes]) -> None:
        prefix, file = place
        tree = self.found.setdefault(prefix, {})
        if len(self.found) > _MAX_TREES:
            raise Rejected(f"not taken: the tree is there more than {_MAX_TREES} times; hand in one of them")
        if file in tree:
            raise Rejected(f"{file}: not taken: it is in the archive twice")
        if size > MAX_SIZE:
            raise Rejected(f"{file}: not taken: larger than {MAX_SIZE >> 20} MiB")
        tree[file] = content()
        self.wanted.check(tree)
        if len(tree[file]) != size:
            raise Rejected(_DAMAGED)

    def only(self) -> dict[str, bytes]:
        """The files of the one tree: that at the top, if there is one. Raises Rejected if one is missing."""
        found = {"": self.found[""]} if "" in self.found else self.found
        if len(found) > 1:
            names = " and ".join(sorted(map(repr, found))[:2])
            raise Rejected(f"not taken: the tree is there more than once, in {names}; hand in one of them")
        tree: dict[str, bytes] = next(iter(found.values()), {})
        return self.wanted.whole(tree)


# --- tar --------------------------------------------------------------------------------------------


def _decoder(what: str) -> _Decoder | None:
    if what == "gzip":
        return _Gzip()
    if what == "bzip2":
        return bz2.BZ2Decompressor()
    return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_DECODER_MEMORY) if what == "xz" else None


class _Gzip:
    """zlib keeps what it did not get to in an attribute of its own; the others keep it to themselves."""

    def __init__(self) -> None:
        self._decoder = zlib.decompressobj(16 + zlib.MAX_WBITS)
        self.needs_input = True

    @property
    def eof(self) -> bool:
        return self._decoder.eof

    @property
    def unused_data(self) -> bytes:
        return self._decoder.unused_data

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        out = self._decoder.decompress(self._decoder.unconsumed_tail + data, max_length)
        # Output that filled the room may not be all: zlib may hold some back.
        self.needs_input = not self._decoder.unconsumed_tail and len(out) < max_length
        return out


class _Stream:
    """The decompressed bytes of @file, of which no more than _MAX_UNPACKED are given."""

    def __init__(self, file: IO[bytes], what: str) -> None:
        self._file, self._what = file, what
        self._pieces = self._decoded()
        self._rest = b""
        self._given = 0

    def _decoded(self) -> Iterator[bytes]:
        """Archives may consist of several compressed ones, as pigz and pbzip2 write them."""
        decoder = _decoder(self._what)
        data = self._file.read(_CHUNK)
        while decoder is not None and data:
            while not decoder.eof:
                if not data and getattr(decoder, "needs_input", True):
                    data = self._file.read(_CHUNK)
                    if not data:
                        raise EOFError
                yield decoder.decompress(data, _CHUNK)
                data = b""
            data = decoder.unused_data or self._file.read(_CHUNK)
            if data and not data.strip(b"\0"):
                data = b""  # a tape's padding
            decoder = _decoder(self._what)
        while data:
            yield data
            data = self._file.read(_CHUNK)

    def read(self, size: int) -> bytes:
        out = bytearray(self._rest[:size])
        self._rest = self._rest[size:]
        while len(out) < size and (piece := next(self._pieces, None)) is not None:
            self._given += len(piece)
            if self._given > _MAX_UNPACKED:
                most = f"{_MAX_UNPACKED >> 20} MiB"
                raise Rejected(f"not taken: it unpacks to more than {most}. {_SMALLER}")
            self._rest = piece[size - len(out) :]
            out += piece[: size - len(out)]
        return bytes(out)

    def drain(self) -> None:
        """Reads to the end, where checksums are."""
        while self.read(_CHUNK):
            pass


def _headers() -> type[tarfile.TarInfo]:
    """A class of entries for one archive. tarfile makes an entry of each header before it does anything
    with what follows, so this is where headers are counted, and where huge ones end."""

    class Entry(tarfile.TarInfo):
        count = 0
        in_a_row = 0
        ended = False

        @classmethod
        def _noted(cls, buf: bytes, read: Callable[[], tarfile.TarInfo]) -> "Entry":
            Entry.ended = len(buf) == _BLOCK and not buf.strip(b"\0")
            entry = cast(Entry, read())
            Entry.count += 1
            Entry.in_a_row = Entry.in_a_row + 1 if entry.type in _ABOUT_THE_NEXT else 0
            if Entry.count > _MAX_ENTRIES:
                raise Rejected(f"not taken: more than {_MAX_ENTRIES} entries. {_SMALLER}")
            if Entry.in_a_row > 4 or (Entry.in_a_row and not 0 <= entry.size <= _MAX_NAMES):
                raise Rejected("not taken: the archive has names that are too long")
            if entry.size < 0 or entry.type == tarfile.GNUTYPE_SPARSE:
                raise Rejected("not taken: the archive has a file with holes; pack it without --sparse")
            return entry

        @classmethod
        def frombuf(cls, buf: bytes, encoding: str, errors: str) -> "Entry":
            read = super().frombuf
            if hasattr(tarfile.TarInfo, "_frombuf"):
                return read(buf, encoding, errors)  # it asks the one below
            return cls._noted(buf, lambda: read(buf, encoding, errors))

        @classmethod
        def _frombuf(cls, buf: bytes, encoding: str, errors: str, **how: bool) -> "Entry":
            """The same in a Python whose tarfile was mended in 2026: all headers come this way."""
            read: Callable[..., tarfile.TarInfo] = getattr(super(), "_frombuf")
            return cls._noted(buf, lambda: read(buf, encoding, errors, **how))

    return Entry


def _read_tar(file: IO[bytes], what: str, trees: Trees) -> None:
    stream = _Stream(file, what)
    headers = _headers()
    with tarfile.open(fileobj=cast(IO[bytes], stream), mode="r|", tarinfo=headers, bufsize=_CHUNK) as tar:
        for entry in tar:
            _take_tarred(tar, entry, trees)
    if not getattr(headers, "ended"):
        raise Rejected(_DAMAGED)
    stream.drain()


def _take_tarred(tar: tarfile.TarFile, entry: tarfile.TarInfo, trees: Trees) -> None:
    place = trees.place(entry.name)
    if not entry.isdir() and (place or trees.above(entry.name)) and (not entry.isreg() or entry.issparse()):
        raise Rejected(f"{entry.name}: not taken: it must be a plain file, without links")
    if place is None or entry.isdir():
        return
    content = tar.extractfile(entry)
    trees.add(place, entry.size, lambda: content.read(MAX_SIZE + 1) if content else b"")


# --- zip --------------------------------------------------------------------------------------------

_END = b"PK\5\6"
_END_SIZE = 22
_LOCATOR = b"PK\6\7"
_LOCATOR_SIZE = 20
_UNIX = 3


def _check_directory(file: IO[bytes]) -> None:
    """zipfile reads a directory of any size, so its size is looked at first."""
    size = file.seek(0, 2)
    start = max(0, size - _END_SIZE - _LOCATOR_SIZE - (1 << 16))
    file.seek(start)
    tail = file.read()
    at = tail.rfind(_END)
    if at < 0 or len(tail) < at + _END_SIZE:
        raise Rejected(_DAMAGED)
    if tail[max(0, at - _LOCATOR_SIZE) : at].startswith(_LOCATOR):
        raise Rejected("not taken: a zip for huge files (zip64); pack an ordinary one, or a .tar.gz")
    if int.from_bytes(tail[at + 12 : at + 16], "little") > _MAX_DIRECTORY:
        raise Rejected(f"not taken: the zip has too many entries. {_SMALLER}")
    file.seek(0)


def _read_zip(file: IO[bytes], trees: Trees) -> None:
    _check_directory(file)
    with zipfile.ZipFile(file) as packed:
        entries = packed.infolist()
        if len(entries) > _MAX_ENTRIES:
            raise Rejected(f"not taken: more than {_MAX_ENTRIES} entries. {_SMALLER}")
        for entry in entries:
            _take_zipped(packed, entry, trees)


def _take_zipped(packed: zipfile.ZipFile, entry: zipfile.ZipInfo, trees: Trees) -> None:
    if "\0" in entry.orig_filename:
        raise Rejected(f"not taken: a name in it is odd: {entry.orig_filename[:200]!r}")
    place = trees.place(entry.filename)
    if entry.is_dir() or not (place or trees.above(entry.filename)):
        return
    kind_of_file = (entry.external_attr >> 16) & 0o170000 if entry.create_system == _UNIX else 0
    if kind_of_file not in (0, 0o100000) or place is None:
        raise Rejected(f"{entry.filename}: not taken: it must be a plain file, without links")
    if entry.flag_bits & 0x41:
        raise Rejected(f"{entry.filename}: not taken: it is encrypted; pack it without a password")

    def content() -> bytes:
        with packed.open(entry) as file:
            return file.read(MAX_SIZE + 1)

    trees.add(place, entry.file_size, content)
