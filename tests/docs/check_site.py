#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks every page of the documentation site: its links, and its layout in headless Chromium at the width of a phone and of a
screen.

    check_site.py [SITE] [--screenshots FOLDER]      (default: build/site, which scripts/site.sh builds)

Fails if
  * a link leads to no file of the site, or to no element of its page,
  * a page loads anything from another host,
  * a page can be scrolled sideways (tables, code and equations may scroll inside),
  * an image is missing or has no size,
  * the console of the browser has a message.

Exit code 77 without a browser: the layout was not checked.
"""
import argparse
import html.parser
import pathlib
import sys
import urllib.parse

PROJECT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(PROJECT / "tests/support"))
import browser  # noqa: E402

WIDTHS = (390, 1280)
MIN_PAGES = 25  # fewer show that the site was not built completely
# JavaScript that returns the width of the content, the numbers of images and equations, and the faulty elements. An element
# inside another one that scrolls does not widen the page.
MEASURE = """(() => {
  document.querySelectorAll('img[loading=lazy]').forEach(e => e.loading = 'eager');
  const scrolls = e => { for (let p = e.parentElement; p && p !== document.body; p = p.parentElement) {
    const style = getComputedStyle(p);
    if (['auto', 'scroll'].includes(style.overflowX)) return true; } return false; };
  const main = document.querySelector('article') || document.body;
  const images = [...document.images].filter(e => e.getClientRects().length);
  return {
    width: document.documentElement.scrollWidth,
    wide: [...main.querySelectorAll('*')].filter(e => e.getBoundingClientRect().right > innerWidth + 1 && !scrolls(e))
      .map(e => e.tagName + ' ' + e.textContent.trim().slice(0, 40)).slice(0, 5),
    images: images.length,
    loading: images.filter(e => !e.complete).length,
    broken: images.filter(e => e.complete && !(e.naturalWidth > 0 && e.getBoundingClientRect().width > 20)).map(e => e.src),
    clipped: images.filter(e => e.getBoundingClientRect().right > innerWidth + 1 && !scrolls(e)).map(e => e.src),
    equations: document.querySelectorAll('math').length,
    text: main.textContent.length};
})()"""


class Page(html.parser.HTMLParser):
    """Targets of the links of a page, the files that it loads, and its identifiers."""

    def __init__(self, path):
        super().__init__()
        self.links, self.loaded, self.identifiers = [], [], set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.identifiers.add(attrs.get("id") or attrs.get("name"))
        if tag == "a" and attrs.get("href"):
            self.links.append(attrs["href"])
        elif tag in ("img", "script", "iframe", "source") and attrs.get("src"):
            self.loaded.append(attrs["src"])
        elif tag == "link" and attrs.get("rel") in ("stylesheet", "icon", "preload") and attrs.get("href"):
            self.loaded.append(attrs["href"])


def check_links(site, paths):
    """Returns the faults of the links of all pages, and their number."""
    pages = {path.resolve(): Page(path) for path in paths}
    faults, count = [], 0
    for path, page in pages.items():
        for target in page.links + page.loaded:
            url = urllib.parse.urlsplit(target)
            if url.scheme == "data":
                continue
            if url.scheme or url.netloc:
                if target in page.loaded:
                    faults.append(f"{path.relative_to(site)}: loads {target}")
                continue
            count += 1
            file = (path.parent / urllib.parse.unquote(url.path)).resolve() if url.path else path
            anchor = urllib.parse.unquote(url.fragment)
            if not file.is_file():
                faults.append(f"{path.relative_to(site)}: {target}: no such file")
            elif anchor and file in pages and anchor not in pages[file].identifiers:
                faults.append(f"{path.relative_to(site)}: {target}: no such element")
    return faults, count


def settle(chromium):
    """Returns the measures of the page once its images have been loaded."""
    import time

    found = chromium.run(MEASURE)
    end = time.monotonic() + chromium.timeout
    while found["loading"] and time.monotonic() < end:
        time.sleep(0.05)
        found = chromium.run(MEASURE)
    return found


def check_layout(site, paths, folder):
    """Returns the faults of the layout of all pages. Writes pictures to `folder` if it is given."""
    faults, images, equations = [], 0, 0
    with browser.Browser() as chromium:
        for path in paths:
            name = path.relative_to(site)
            for width in WIDTHS:
                chromium.problems.clear()
                chromium.show(path, width)
                found = settle(chromium)
                images += found["images"]
                equations += found["equations"]
                where = f"{name} at {width} pixels"
                if found["width"] > width or found["wide"]:
                    faults.append(f"{where}: scrolls to {found['width']}: {found['wide']}")
                faults += [f"{where}: {kind} image {src}" for kind in ("broken", "clipped") for src in found[kind]]
                if found["loading"]:
                    faults.append(f"{where}: {found['loading']} images do not load")
                if found["text"] < 100:
                    faults.append(f"{where}: has hardly any text")
                faults += [f"{where}: console: {problem}" for problem in chromium.problems]
                if folder:
                    chromium.screenshot(folder / f"{str(name.with_suffix('')).replace('/', '-')}-{width}.png")
    if not images or not equations:
        faults.append(f"found {images} images and {equations} equations on all pages")
    print(f"{len(paths)} pages at {' and '.join(map(str, WIDTHS))} pixels: {images} images, {equations} equations")
    return faults


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("site", nargs="?", type=pathlib.Path, default=PROJECT / "build/site")
    parser.add_argument("--screenshots", type=pathlib.Path)
    options = parser.parse_args()
    site = options.site.resolve()
    # The index of terms and the search are made by scripts of Sphinx, the rest from documents.
    paths = [p for p in sorted(site.rglob("*.html")) if p.name not in ("search.html", "genindex.html", "py-modindex.html")]
    if len(paths) < MIN_PAGES:
        sys.exit(f"{site}: found {len(paths)} pages, expected {MIN_PAGES} or more. Build the site: scripts/site.sh")
    faults, count = check_links(site, sorted(site.rglob("*.html")))
    print(f"{count} links")
    if not browser.find():
        print("\n".join(faults))
        print("skipped: the layout needs Chromium")
        sys.exit(1 if faults else 77)
    if options.screenshots:
        options.screenshots.mkdir(parents=True, exist_ok=True)
    faults += check_layout(site, paths, options.screenshots)
    print("\n".join(faults))
    sys.exit(1 if faults else 0)


main()
