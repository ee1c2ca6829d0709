# SPDX-License-Identifier: MIT
"""Checks that docs/options.md, the manual page and the completions match the program, and that docs/options.md has every
option of --help. tests/apps/every_option.py uses each option in a test.

Usage: options.py POPFLOW PROJECT
"""
import pathlib
import re
import subprocess
import sys

popflow, project = sys.argv[1], pathlib.Path(sys.argv[2])
output_of = lambda *words: subprocess.run([popflow, *words], check=True, capture_output=True, text=True).stdout
written = (project / "docs/options.md").read_text()
if written != output_of("help", "--markdown"):
    sys.exit("docs/options.md is out of date. Update it: popflow help --markdown > docs/options.md")
for listing, path in {"man": "docs/popflow.1", "bash": "completions/popflow.bash", "zsh": "completions/_popflow"}.items():
    if (project / path).read_text() != output_of("help", "--" + listing):
        sys.exit(f"{path} is out of date. Update it: popflow help --{listing} > {path}")
verbs = re.findall(r"^  (\w+) ", output_of("--help"), re.MULTILINE)
sections = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", written, re.MULTILINE | re.DOTALL))
assert set(verbs) == set(sections), (verbs, list(sections))

problems, n = [], 0
for verb in verbs:
    for option in re.findall(r"^  (--[a-z0-9-]+)", output_of(verb, "--help"), re.MULTILINE):
        n += 1
        if f"| `{option} " not in sections[verb] and f"| `{option}` " not in sections[verb] and f"| `{option}[" not in sections[verb]:
            problems.append(f"docs/options.md does not have {verb} {option}")
print(f"{n} options of {len(verbs)} verbs")
sys.exit("\n".join(problems) or 0)
