"""Whose reference it is: a name, a link home, and a colour that can be read on both papers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

PAPERS = {"light": (0xFD, 0xFC, 0xFA), "dark": (0x16, 0x15, 0x13)}
"""What the pages are printed on, as `reference.css` says."""

_RGB = tuple[int, int, int]
_DEFAULT = {"light": ((0x9A, 0x34, 0x12), (0xFB, 0xEE, 0xE6)), "dark": ((0xF4, 0xA5, 0x74), (0x2C, 0x21, 0x1A))}
_HEX = re.compile(r"#([0-9a-fA-F]{2})([0-9a-fA-F]{2})([0-9a-fA-F]{2})").fullmatch
_READABLE = 4.6
"""Contrast; WCAG 2.2, 1.4.3 asks for 4.5."""


class Brand(NamedTuple):
    """name: in the head of every page. home: where it leads beside, or empty. The rest: colours as CSS writes them."""

    name: str
    home: str
    accent: str
    tint: str
    dark_accent: str
    dark_tint: str


def brand(title: str, settings: Mapping[str, str]) -> Brand:
    """From the settings `brand`, `home` and `colour`. Raises ValueError for what is no colour and no link."""
    home = settings.get("home", "")
    if home and not re.match(r"https?://|/", home):
        raise ValueError(f"home={home!r}: use an address that begins with https:// or /")
    colours = dict(_DEFAULT)
    if "colour" in settings:
        match = _HEX(settings["colour"])
        if match is None:
            raise ValueError(f"colour={settings['colour']!r}: use six hexadecimal digits, for example #0b5fff")
        chosen = (int(match[1], 16), int(match[2], 16), int(match[3], 16))
        colours = {scheme: _readable(chosen, paper) for scheme, paper in PAPERS.items()}
    (accent, tint), (dark_accent, dark_tint) = colours["light"], colours["dark"]
    return Brand(settings.get("brand", title), home, *map(_hex, (accent, tint, dark_accent, dark_tint)))


def contrast(one: _RGB, other: _RGB) -> float:
    """Between two colours, from 1 to 21 (WCAG 2.2, contrast ratio)."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _readable(colour: _RGB, paper: _RGB) -> tuple[_RGB, _RGB]:
    """A colour as near as can be read on a paper and on the paper's tint of it, and that tint."""
    end: _RGB = (0, 0, 0) if _luminance(paper) > 0.5 else (255, 255, 255)
    for step in range(21):
        accent = _mixed(end, colour, step / 20)
        tint = _mixed(accent, paper, 0.1)
        if min(contrast(accent, paper), contrast(accent, tint)) >= _READABLE:
            break
    return accent, tint


def _mixed(one: _RGB, other: _RGB, share: float) -> _RGB:
    red, green, blue = (round(a * share + b * (1 - share)) for a, b in zip(one, other, strict=True))
    return red, green, blue


def _luminance(colour: _RGB) -> float:
    channels = (value / 255 for value in colour)
    red, green, blue = (v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _hex(colour: _RGB) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)
