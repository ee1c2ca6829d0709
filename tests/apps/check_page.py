# SPDX-License-Identifier: MIT
"""Checks the HTML of a report on result files whose labels contain HTML. check_browser.py checks the layout.

Usage: check_page.py POPFLOW RESULTS.h5 ...     (works in the current folder, writes page.html)
"""

import html.parser
import shutil
import subprocess
import sys

import h5py

HOSTILE = "<script>alert('x')</script>\"&"
VOID = {"meta", "wbr", "br", "path", "line", "rect"}
PANELS = [
    "Training loss", "Gradient norm", "Learning rate", "W2 per pair, model against mean_shift", " pairs (",
    "W2 per pair, model against identity", "patient by treatment",
    "culture by treatment", "Cells in two principal components", "Markers with the largest treatment effect", "Density of ",
    "Embeddings of control populations by part", "Embeddings of control populations by patient", "Provenance",
]


class Page(html.parser.HTMLParser):
    """Checks that tags nest, counts scripts and collects the addresses of external resources."""

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
    """Copies a result file and puts HTML into its labels."""
    shutil.copy(path, name)
    with h5py.File(name, "r+") as file:
        for column in ("treatment", "patient", "culture"):
            categories = file[f"pairs/{column}/categories"]
            categories[0] = HOSTILE + categories.asstr()[0]
    return name


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
    assert page.scripts == 1, "a label was inserted as a script"
    assert not page.fetched, page.fetched
    assert "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&quot;&amp;" in text
    assert text.count('<svg class="chart"') >= 3
    for panel in PANELS:
        assert panel in text, panel
    print("the page is valid")


main()
