# SPDX-License-Identifier: MIT
"""Checks the SVG files of `popflow report --figures` in a browser: no text is cut off or overlaps another text.

Usage: check_figures.py FOLDER [SCREENSHOTS]     (SCREENSHOTS: folder for a picture of each figure)
"""
import pathlib
import sys
import xml.dom.minidom

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
import browser  # noqa: E402

# Texts that exceed the drawing, and pairs of texts that overlap.
MEASURE = """(() => {
  const root = document.documentElement.getBoundingClientRect();
  const boxes = [...document.querySelectorAll('text')].map(e => ({text: e.textContent, box: e.getBoundingClientRect()}));
  const cut = boxes.filter(({box}) => box.left < root.left - 1 || box.right > root.right + 1 || box.top < root.top - 1 ||
    box.bottom > root.bottom + 1).map(({text}) => text);
  const overlapping = [];
  boxes.forEach((a, i) => boxes.slice(i + 1).forEach(b => {
    const width = Math.min(a.box.right, b.box.right) - Math.max(a.box.left, b.box.left);
    const height = Math.min(a.box.bottom, b.box.bottom) - Math.max(a.box.top, b.box.top);
    if (width > 1 && height > 3) overlapping.push(a.text + ' / ' + b.text);
  }));
  return {texts: boxes.length, cut: cut.slice(0, 5), overlapping: overlapping.slice(0, 5)};
})()"""


def main():
    files = sorted(pathlib.Path(sys.argv[1]).glob("*.svg"))
    folder = pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else None
    if folder:
        folder.mkdir(parents=True, exist_ok=True)
    names = " ".join(file.stem for file in files)
    for part in ("training-loss", "against-mean_shift", "embeddings-by-part", "above-noise-floor", "cells-", "markers-"):
        assert part in names, f"no figure {part}: {names}"
    faults = []
    with browser.Browser() as chromium:
        for file in files:
            xml.dom.minidom.parse(str(file))
            chromium.show(file, 1000)
            if folder:
                chromium.screenshot(folder / f"{file.stem}.png")
            found = chromium.run(MEASURE)
            assert found["texts"] > 3, file
            faults += [f"{file.name}: {kind}: {found[kind]}" for kind in ("cut", "overlapping") if found[kind]]
    print(f"{len(files)} figures")
    sys.exit("\n".join(faults) or 0)


main()
