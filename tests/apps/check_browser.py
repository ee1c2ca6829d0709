# SPDX-License-Identifier: MIT
"""How a browser lays the HTML report out: light and dark, as wide as a telephone, a tablet and a screen, no part of the page
beyond its edge, no text too small or too pale to read, nothing in the console.

Usage: check_browser.py PAGE.html [SCREENSHOTS]     (SCREENSHOTS: a folder that gets a picture of each)
"""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
import browser  # noqa: E402

LEAST_SIZE = 9  # pixels of a font
LEAST_CONTRAST = 4.5  # of text against what is behind it, WCAG 2 AA
MEASURE = """(() => {
  document.querySelectorAll('details').forEach(e => e.open = true);
  const rgba = text => { const v = text.match(/[\\d.]+/g).map(Number); return v.length < 4 ? [...v, 1] : v; };
  const over = (top, below) => [0, 1, 2].map(i => top[3] * top[i] + (1 - top[3]) * below[i]).concat(1);
  const behind = element => {
    const layers = [];
    for (let e = element; e; e = e.parentElement) layers.push(rgba(getComputedStyle(e).backgroundColor));
    return layers.reverse().reduce((below, top) => over(top, below), [255, 255, 255, 1]);
  };
  const light = c => { const [r, g, b] = c.map(v => { v /= 255; return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const contrast = (a, b) => { const [x, y] = [light(a), light(b)].sort((p, q) => q - p); return (x + 0.05) / (y + 0.05); };
  const texts = [];
  for (const e of document.body.querySelectorAll('*')) {
    if (['SCRIPT', 'STYLE', 'TITLE', 'title'].includes(e.tagName) || !e.getClientRects().length) continue;
    if (![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim())) continue;
    const style = getComputedStyle(e), drawn = e instanceof SVGElement, back = behind(e);
    const scale = drawn ? Math.abs(e.getScreenCTM().a || e.getScreenCTM().b) : 1;
    const colour = rgba(drawn ? style.fill : style.color);
    texts.push({text: e.textContent.trim().slice(0, 40), size: parseFloat(style.fontSize) * scale, contrast: contrast(over(colour, back), back)});
  }
  const beyond = [...document.body.querySelectorAll('*')].filter(e => !e.closest('.scroll, pre') && e.getBoundingClientRect().right > innerWidth + 1);
  return {width: document.documentElement.scrollWidth, charts: document.querySelectorAll('svg.chart').length, texts: texts.length,
    beyond: beyond.map(e => e.tagName + ' ' + e.className).slice(0, 5),
    small: texts.filter(t => !(t.size >= %g)).slice(0, 5), pale: texts.filter(t => !(t.contrast >= %g)).slice(0, 5)};
})()""" % (LEAST_SIZE, LEAST_CONTRAST)


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
                if found["width"] > width:
                    faults.append(f"{name}: scrolls to {found['width']}")
                faults += [f"{name}: {what}: {found[what]}" for what in ("beyond", "small", "pale") if found[what]]
        faults += [f"console: {problem}" for problem in chromium.problems]
    sys.exit("\n".join(faults) or 0)


main()
