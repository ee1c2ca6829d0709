# SPDX-License-Identifier: MIT
"""docs/options.md, the manual page and the completions are what the program says now, and the page has every option that
--help has. That each is used in a test is seen to by tests/apps/every_option.py.

Usage: options.py POPFLOW PROJECT
"""
import pathlib
import re
import subprocess
import sys

popflow, project = sys.argv[1], pathlib.Path(sys.argv[2])
say = lambda *words: subprocess.run([popflow, *words], check=True, capture_output=True, text=True).stdout
written = (project / "docs/options.md").read_text()
if written != say("help", "--markdown"):
    sys.exit("docs/options.md is old: popflow help --markdown > docs/options.md")
for listing, path in {"man": "docs/popflow.1", "bash": "completions/popflow.bash", "zsh": "completions/_popflow"}.items():
    if (project / path).read_text() != say("help", "--" + listing):
        sys.exit(f"{path} is old: popflow help --{listing} > {path}")
verbs = re.findall(r"^  (\w+) ", say("--help"), re.MULTILINE)
sections = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", written, re.MULTILINE | re.DOTALL))
assert set(verbs) == set(sections), (verbs, list(sections))

problems, n = [], 0
for verb in verbs:
    for option in re.findall(r"^  (--[a-z0-9-]+)", say(verb, "--help"), re.MULTILINE):
        n += 1
        if f"| `{option} " not in sections[verb] and f"| `{option}` " not in sections[verb]:
            problems.append(f"{verb} {option} is not in docs/options.md")
print(f"{n} options of {len(verbs)} verbs")
sys.exit("\n".join(problems) or 0)
