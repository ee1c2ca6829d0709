# SPDX-License-Identifier: MIT
"""Checks the layout of an HTML report in a browser: light and dark, at the width of a phone, a tablet and a screen.

No part of the page may exceed its width, no text may be too small or have too little contrast, and the console must be empty.

Usage: check_browser.py PAGE.html [SCREENSHOTS]     (SCREENSHOTS: folder for a picture of each layout)
"""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
import browser  # noqa: E402

MIN_FONT_SIZE = 9  # pixels
MAX_TICK_RATIO = 1.25  # of the largest and smallest tick labels of a page
MIN_CONTRAST = 4.5  # contrast ratio of text and background, WCAG 2 AA
# JavaScript that returns the width of the page, the number of charts and texts, and the faulty elements.
MEASURE = """(() => {
  document.querySelectorAll('details').forEach(e => e.open = true);
  const rgba = text => { const v = text.match(/[\\d.]+/g).map(Number); return v.length < 4 ? [...v, 1] : v; };
  const blend = (top, below) => [0, 1, 2].map(i => top[3] * top[i] + (1 - top[3]) * below[i]).concat(1);
  const background = element => {
    const layers = [];
    for (let e = element; e; e = e.parentElement) layers.push(rgba(getComputedStyle(e).backgroundColor));
    return layers.reverse().reduce((below, top) => blend(top, below), [255, 255, 255, 1]);
  };
  const luminance = c => { const [r, g, b] = c.map(v => { v /= 255; return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const contrast = (a, b) => {
    const [x, y] = [luminance(a), luminance(b)].sort((p, q) => q - p);
    return (x + 0.05) / (y + 0.05);
  };
  const texts = [];
  for (const e of document.body.querySelectorAll('*')) {
    if (['SCRIPT', 'STYLE', 'TITLE', 'title'].includes(e.tagName) || !e.getClientRects().length) continue;
    if (![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim())) continue;
    const style = getComputedStyle(e), is_svg = e instanceof SVGElement, back = background(e);
    const scale = is_svg ? Math.abs(e.getScreenCTM().a || e.getScreenCTM().b) : 1;
    const colour = rgba(is_svg ? style.fill : style.color);
    texts.push({text: e.textContent.trim().slice(0, 40), size: parseFloat(style.fontSize) * scale, tick: e.matches('svg .tick'),
      contrast: contrast(blend(colour, back), back)});
  }
  const too_wide = [...document.body.querySelectorAll('*')].filter(
    e => !e.closest('.scroll, pre') && e.getBoundingClientRect().right > innerWidth + 1);
  const ticks = texts.filter(t => t.tick).map(t => t.size);
  return {tick_sizes: [Math.min(...ticks), Math.max(...ticks)], width: document.documentElement.scrollWidth, charts: document.querySelectorAll('svg.chart').length, texts: texts.length,
    too_wide: too_wide.map(e => e.tagName + ' ' + e.className).slice(0, 5),
    small_text: texts.filter(t => !(t.size >= %g)).slice(0, 5),
    low_contrast: texts.filter(t => !(t.contrast >= %g)).slice(0, 5)};
})()""" % (MIN_FONT_SIZE, MIN_CONTRAST)


def main():
    page = sys.argv[1]
    folder = pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else None
    if folder:
        folder.mkdir(parents=True, exist_ok=True)
    faults = []
    with browser.Browser() as chromium:
        for dark in (False, True):
            for width in (390, 768, 1280):
                name = f"{'dark' if dark else 'light'} {width}"
                chromium.show(page, width, dark=dark)
                if folder:
                    chromium.screenshot(folder / f"{name.replace(' ', '_')}.png")
                found = chromium.run(MEASURE)
                if folder:
                    chromium.screenshot(folder / f"{name.replace(' ', '_')}_open.png")
                assert found["charts"] >= 3 and found["texts"] > 100, found
                print(f"{name}: {found['charts']} charts, {found['texts']} texts")
                smallest, largest = found["tick_sizes"]
                if width >= 768 and largest > MAX_TICK_RATIO * smallest:  # a phone shrinks only wide charts
                    faults.append(f"{name}: unequal_ticks: {smallest:.1f} to {largest:.1f} pixels")
                if found["width"] > width:
                    faults.append(f"{name}: scrolls to {found['width']}")
                for kind in ("too_wide", "small_text", "low_contrast"):
                    faults += [f"{name}: {kind}: {found[kind]}"] if found[kind] else []
        # Printing unfolds all panels.
        chromium.show(page, 1280)
        folded = "[...document.querySelectorAll('details')].filter(e => !e.open).length"
        before = chromium.run(folded)
        chromium.run("window.printed = []; addEventListener('beforeprint', () => { printed.push(%s); }); "
                     "addEventListener('afterprint', () => { printed.push(%s); })" % (folded, folded))
        chromium.call("Page.printToPDF")
        printed = chromium.run("printed")
        if before == 0 or printed[:1] != [0] or chromium.run(folded) != before:
            faults.append(f"print: {before} folded panels, while printing and after: {printed}")
        faults += [f"console: {problem}" for problem in chromium.problems]
    sys.exit("\n".join(faults) or 0)


main()
