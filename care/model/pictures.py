"""Leaving out of a picture what is not the picture, and refusing what is not one. Bytes only; nothing is decoded.

Kept of a JPEG: what is needed to draw it, its colour profile, and which way up it is. Whatever follows its end is cut
off, so that no second file travels behind it.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from care.model.attachment import PIXEL_LIMIT, SIDE_LIMIT, SIZE_LIMIT, Clean, MediaKind, NotTaken, fits, sniffed

EXIF = b"Exif\x00\x00"
ORIENTATION = 0x0112
STANDALONE = frozenset({0x01, *range(0xD0, 0xD8)})
FRAMES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
KEPT_CHUNKS = frozenset(
    {b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"sBIT", b"bKGD", b"pHYs"}
)


def cleaned(content: bytes, kind: MediaKind) -> Clean:
    """Return a file as it may be kept.

    Args:
        content: what the member sent.
        kind: what it was announced as.

    Raises:
        NotTaken: too large, of another kind than announced, too many pixels, or broken.
    """
    if len(content) > SIZE_LIMIT:
        raise NotTaken("too_big")
    mime = sniffed(content)
    if mime is None or not fits(kind, mime):
        raise NotTaken("wrong_type")
    try:
        if mime == "image/jpeg":
            return Clean(mime, _jpeg(content))
        if mime == "image/png":
            return Clean(mime, _png(content))
        if mime == "image/webp":
            return Clean(mime, _webp(content))
    except (IndexError, struct.error):
        raise NotTaken("broken") from None
    return Clean(mime, content)


def _bearable(width: int, height: int) -> None:
    if not width or not height:
        raise NotTaken("broken")
    if width > SIDE_LIMIT or height > SIDE_LIMIT or width * height > PIXEL_LIMIT:
        raise NotTaken("too_many_pixels")


def _jpeg(content: bytes) -> bytes:
    out, turned, seen, at = [b"\xff\xd8"], 1, False, 2
    while True:
        if content[at] != 0xFF:
            raise NotTaken("broken")
        while content[at] == 0xFF:  # markers may be padded
            at += 1
        marker = content[at]
        at += 1
        if marker == 0xD9:
            break
        if marker in STANDALONE:
            continue
        (length,) = struct.unpack_from(">H", content, at)
        part = content[at : at + length]
        if length < 2 or len(part) < length:
            raise NotTaken("broken")
        at += length
        if marker in FRAMES:
            height, width = struct.unpack_from(">HH", part, 3)
            _bearable(width, height)
            seen = True
        if marker == 0xE1 and part[2:8] == EXIF:
            turned = _orientation(part[8:])
        if _drawn(marker, part):
            out.append(bytes((0xFF, marker)) + part)
        if marker == 0xDA:
            end = _scan_end(content, at)
            out.append(content[at:end])
            at = end
    if not seen:
        raise NotTaken("broken")
    if turned != 1:
        out.insert(1, _only_orientation(turned))
    return b"".join([*out, b"\xff\xd9"])


def _drawn(marker: int, part: bytes) -> bool:
    """Whether a segment is needed to draw: no comment, and of the applications' only colour and shape."""
    if marker == 0xFE:
        return False
    if marker == 0xE2:
        return part[2:14] == b"ICC_PROFILE\x00"
    return not 0xE0 <= marker <= 0xEF or marker == 0xEE


def _scan_end(content: bytes, at: int) -> int:
    """Return where the data of a scan ends: at the next marker that does not belong to it."""
    while True:
        at = _next_marker(content, at)
        following = content[at + 1]
        if following == 0 or 0xD0 <= following <= 0xD7:
            at += 2
        elif following == 0xFF:
            at += 1
        else:
            return at


def _next_marker(content: bytes, at: int) -> int:
    found = content.find(b"\xff", at)
    if found < 0:
        raise NotTaken("broken")
    return found


def _orientation(tiff: bytes) -> int:
    """Return which way up the camera was held, 1 to 8; 1 when nobody says."""
    try:
        order = {b"II": "<", b"MM": ">"}[tiff[:2]]
        (start,) = struct.unpack_from(f"{order}I", tiff, 4)
        (count,) = struct.unpack_from(f"{order}H", tiff, start)
        for number in range(min(count, 200)):
            tag, _, _, value = struct.unpack_from(f"{order}HHIH", tiff, start + 2 + 12 * number)
            if tag == ORIENTATION:
                return int(value) if 1 <= value <= 8 else 1
    except (KeyError, struct.error):
        return 1
    return 1


def _only_orientation(turned: int) -> bytes:
    entry = struct.pack("<HHIHH", ORIENTATION, 3, 1, turned, 0)
    tiff = b"II*\x00" + struct.pack("<IH", 8, 1) + entry + struct.pack("<I", 0)
    return b"\xff\xe1" + struct.pack(">H", 2 + len(EXIF) + len(tiff)) + EXIF + tiff


def _png(content: bytes) -> bytes:
    out, at, first = [content[:8]], 8, True
    while True:
        length, name = struct.unpack_from(">I4s", content, at)
        end = at + 12 + length
        if end > len(content) or first != (name == b"IHDR"):
            raise NotTaken("broken")
        if first:
            _bearable(*struct.unpack_from(">II", content, at + 8))
            first = False
        if name in KEPT_CHUNKS:
            out.append(content[at:end])
        at = end
        if name == b"IEND":
            return b"".join(out)


def _webp(content: bytes) -> bytes:
    kept: list[bytes] = []
    seen = False
    for name, found in _webp_chunks(content):
        body = found
        if name in {b"EXIF", b"XMP "}:
            continue
        if name == b"VP8X":
            _bearable(1 + int.from_bytes(body[4:7], "little"), 1 + int.from_bytes(body[7:10], "little"))
            body = bytes((body[0] & ~0x0C,)) + body[1:]  # says no more that EXIF and XMP follow
            seen = True
        elif name == b"VP8 ":
            width, height = struct.unpack_from("<HH", body, 6)
            _bearable(width & 0x3FFF, height & 0x3FFF)
            seen = True
        elif name == b"VP8L":
            (bits,) = struct.unpack_from("<I", body, 1)
            _bearable(1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF))
            seen = True
        kept.append(name + struct.pack("<I", len(body)) + body + b"\x00" * (len(body) % 2))
    if not seen:
        raise NotTaken("broken")
    inner = b"WEBP" + b"".join(kept)
    return b"RIFF" + struct.pack("<I", len(inner)) + inner


def _webp_chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    (whole,) = struct.unpack_from("<I", content, 4)
    end, at = 8 + whole, 12
    if end > len(content):
        raise NotTaken("broken")
    while at + 8 <= end:
        name, length = struct.unpack_from("<4sI", content, at)
        if at + 8 + length > end:
            raise NotTaken("broken")
        yield name, content[at + 8 : at + 8 + length]
        at += 8 + length + length % 2
