#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs POT's own tests of `emd` and `emd2` against popflow.ot, which replaces these functions.

    pot_tests.py [PYTEST ARGUMENT...]

Needs popflow, pytest and pip, and fetches POT from PyPI into a temporary folder: the wheel, and the tests of its source
distribution. Nothing of POT is part of this repository.
"""
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

VERSION = "0.9.7.post1"

# Tests that popflow does not pass, and why.
EXCLUDED = {
    "test_warnings": "numItermax has no effect: the solver always ends with an optimal plan",
    "test_emd_sparse_vs_dense": "no sparse cost matrices",
    "test_emd2_sparse_vs_dense": "no sparse cost matrices",
    "test_emd2_sparse_gradients": "no sparse cost matrices, NumPy only",
    "test_emd2_sparse_vs_dense_gradients": "no sparse cost matrices, NumPy only",
    "test_emd2_gradients": "NumPy only: PyTorch tensors have no gradients",
}

CONFTEST = '''
import ot
import pytest
from ot.backend import NumpyBackend

import popflow.ot


@pytest.fixture(params=[NumpyBackend()], ids=["numpy"])
def nx(request):
    return request.param


# A decorator that POT's own conftest.py adds. It concerns other backends than NumPy.
pytest.skip_backend = lambda *names, **reasons: lambda test: test
ot.emd, ot.emd2 = popflow.ot.emd, popflow.ot.emd2
'''


def pip(*arguments):
    subprocess.run([sys.executable, "-m", "pip", "-q", "--disable-pip-version-check", *arguments], check=True)


def main(arguments):
    with tempfile.TemporaryDirectory(prefix="pot-") as name:
        folder = Path(name)
        pip("install", "--no-deps", "--target", str(folder / "site"), f"POT=={VERSION}")
        pip("download", "--no-deps", "--no-binary", "POT", "--dest", name, f"POT=={VERSION}")
        source = next(folder.glob("[pP][oO][tT]-*.tar.gz"))
        with tarfile.open(source) as archive:
            test = next(m for m in archive.getmembers() if m.name.endswith("/test/test_ot.py"))
            text = archive.extractfile(test).read()
        (folder / "test_ot.py").write_bytes(text)
        (folder / "conftest.py").write_text(CONFTEST)
        (folder / "pytest.ini").write_text("[pytest]\n")
        for test, why in EXCLUDED.items():
            print(f"excluded: {test}: {why}")
        skipped = " and ".join(f"not {test}" for test in EXCLUDED)
        command = [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(folder / 'site')!r}); import pytest; sys.exit(pytest.main(sys.argv[1:]))",
                   "-q", "-p", "no:cacheprovider", "-k", f"(emd or dual or warnings) and {skipped}", str(folder / "test_ot.py")]
        return subprocess.run([*command, *arguments], cwd=folder).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
