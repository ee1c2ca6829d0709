# SPDX-License-Identifier: MIT
"""Checks the HTML report of result files whose names are hostile, and how a browser lays it out if there is one.

Usage: check_page.py POPFLOW RESULTS.h5 ...     (works in the current folder)
"""

import html.parser
import shutil
import subprocess
import sys

import h5py

HOSTILE = "<script>alert('x')</script>\"&"
VOID = {"meta", "wbr", "br", "path", "line", "rect"}
PANELS = [
    "training loss", "norm of the gradient", "learning rate", "model against unchanged control", "patient by treatment",
    "culture by treatment", "Cells in two principal components", "Markers that the treatment moves most", "Density of ",
    "embedded, by treatment", "Where this is from",
]
MEASURE = """<!DOCTYPE html><body><iframe src="page.html" style="border:0;width:{width}px;height:900px"></iframe><script>
onload = () => {{ const d = document.querySelector('iframe').contentDocument; d.querySelectorAll('details').forEach(e => e.open = true);
  const small = [...d.querySelectorAll('svg text')].filter(e => e.getBoundingClientRect().height < 8).length;
  document.body.textContent = 'width ' + d.documentElement.scrollWidth + ' small ' + small + ' charts ' + d.querySelectorAll('svg.chart').length; }};
</script>"""


class Page(html.parser.HTMLParser):
    """Whether tags nest, which scripts there are, and what is fetched from elsewhere."""

    def __init__(self):
        super().__init__()
        self.open, self.scripts, self.fetched = [], 0, []

    def handle_starttag(self, tag, attributes):
        self.scripts += tag == "script"
        self.fetched += [value for name, value in attributes if name in ("src", "href")]
        assert not any(name.startswith("on") for name, _ in attributes), attributes
        if tag not in VOID or (tag == "path" and not self.get_starttag_text().endswith("/>")):
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        pass

    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, f"</{tag}> closes {self.open[-3:]}"
        self.open.pop()


def hostile_copy(path, name):
    shutil.copy(path, name)
    with h5py.File(name, "r+") as file:
        for column in ("treatment", "patient", "culture"):
            categories = file[f"pairs/{column}/categories"]
            categories[0] = HOSTILE + categories.asstr()[0]
    return name


def check_in_browser(browser, width):
    with open("measure.html", "w") as file:
        file.write(MEASURE.format(width=width))
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--allow-file-access-from-files", "--dump-dom"]
    found = subprocess.run([browser, *options, "measure.html"], capture_output=True, text=True, timeout=120)
    words = found.stdout.partition("<body>")[2].partition("<")[0].split()
    if len(words) != 6:
        print(f"the browser does not run here: {found.stderr[-300:]}")
        return
    measured = dict(zip(words[::2], map(int, words[1::2])))
    assert measured["width"] <= width, f"{measured} on a screen of {width}"
    assert measured["small"] == 0 and measured["charts"] >= 3, measured


def main():
    popflow, *files = sys.argv[1:]
    copies = [hostile_copy(file, f"hostile{i}.h5") for i, file in enumerate(files)]
    subprocess.run([popflow, "report", *copies, "--published", "organoid_patient", "--output", "page.html"], check=True)
    with open("page.html", encoding="utf-8") as file:
        text = file.read()
    page = Page()
    page.feed(text)
    page.close()
    assert not page.open, page.open
    assert page.scripts == 1, "a script that is not the page's own"
    assert not page.fetched, page.fetched
    assert "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&quot;&amp;" in text
    assert text.count('<svg class="chart"') >= 3
    for panel in PANELS:
        assert panel in text, panel
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    for width in (390, 1280) if browser else ():
        check_in_browser(browser, width)
    print("the page is whole" + ("" if browser else "; no browser to lay it out"))


main()
