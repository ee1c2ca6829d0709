# SPDX-License-Identifier: MIT
"""Writes box.ttf, a font with known letters: A is a rectangle half as wide as it is high, B is blank, all others are missing.

Needs fontTools (Debian: python3-fonttools). Usage: generate.py
"""

import pathlib

from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen

EM = 1000


def rectangle(width, height):
    pen = TTGlyphPen(None)
    pen.moveTo((0, 0))
    for point in [(0, height), (width, height), (width, 0)]:
        pen.lineTo(point)
    pen.closePath()
    return pen.glyph()


blank = TTGlyphPen(None).glyph()
font = FontBuilder(EM, isTTF=True)
font.setupGlyphOrder([".notdef", "A", "B"])
font.setupCharacterMap({ord("A"): "A", ord("B"): "B"})
font.setupGlyf({".notdef": rectangle(EM, EM), "A": rectangle(EM // 2, EM), "B": blank})
font.setupHorizontalMetrics({name: (EM, 0) for name in [".notdef", "A", "B"]})
font.setupHorizontalHeader(ascent=EM, descent=0)
font.setupNameTable({"familyName": "Box", "styleName": "Regular"})
font.setupOS2()
font.setupPost()
font.font["head"].created = font.font["head"].modified = 0
font.font.recalcTimestamp = False
font.save(pathlib.Path(__file__).parent / "box.ttf")
