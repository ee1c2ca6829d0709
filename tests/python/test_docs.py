# SPDX-License-Identifier: MIT
"""Runs the Python blocks of docs/python.md, one after another."""
import re
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs" / "python.md"


def test_the_examples_run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    assert len(blocks) == 2
    names = {}
    for block in blocks:
        exec(compile(block, PAGE.name, "exec"), names)
    assert set(names["treated"].obs["predicted_treatment"]) == {"S"}
    assert "mean_shift" in capsys.readouterr().out


def test_the_table_names_every_function():
    import popflow

    text = PAGE.read_text()
    for name in popflow.__all__:
        if name not in ("Model", "__version__", "ot", "pl", "sets", "torch"):
            assert f"`{name}(" in text, name
    for module in (popflow.ot, popflow.pl, popflow.sets):
        for name in module.__all__:
            if not name[0].isupper():
                assert f"{module.__name__.partition('.')[2]}.{name}" in text, name
