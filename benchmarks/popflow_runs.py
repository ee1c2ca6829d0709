# SPDX-License-Identifier: MIT
"""Runs of popflow that stay in a folder, for the scripts that measure what methods learn."""
import json
import resource
import subprocess
import sys

import numpy as np


class Runs:
    """Runs of one program in one folder. What is there is not computed again."""

    def __init__(self, program, folder):
        self.program, self.folder = program, folder
        folder.mkdir(parents=True, exist_ok=True)

    def popflow(self, *arguments):
        """Runs popflow. Returns its output and its CPU seconds."""
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run([self.program, *map(str, arguments)], capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"popflow {' '.join(map(str, arguments))}\n{done.stderr}")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return done.stdout, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    def train(self, name, *arguments):
        """Trains a run, unless it is there. Returns its folder and the CPU seconds of the training."""
        run, times = self.folder / name, self.folder / f"{name}.json"
        if not times.exists():
            times.write_text(json.dumps(self.popflow("train", "--output", run, "--resume", *arguments)[1]))
        return run, json.loads(times.read_text())

    def simulated(self, patients, response):
        """Returns a screen of some patients, one culture and four treatments. See `popflow simulate screen --response`."""
        path = self.folder / f"{response}_{patients}.h5ad"
        if not path.exists():
            self.popflow("simulate", "screen", "--output", path, "--patients", patients, "--cultures", "PDO", "--treatments", "O,S,C,F",
                         "--replicates", 1, "--dose-levels", 1, "--cells", "600:1200", "--response", response, "--seed", 1)
        return path

    def screens(self, named, simulated):
        """Yields name, path and options of screens: `NAME=FILE[:OPTIONS]`, and both responses of simulated ones."""
        for one in named:
            name, rest = one.split("=", 1)
            path, _, extra = rest.partition(":")
            yield name, path, extra.split()
        for patients in filter(None, simulated.split(",")):
            for response in ("composition", "correlation"):
                yield f"{response}_{patients}", self.simulated(patients, response), ["--min-cells", 300]


def with_error(values):
    """Returns the mean of some values as text, with its standard error if there are several."""
    values = np.asarray(values, float)
    if np.isnan(values).any():
        return "-"
    return f"{values.mean():.3g} ± {values.std(ddof=1) / np.sqrt(len(values)):.2g}" if len(values) > 1 else f"{values[0]:.3g}"
