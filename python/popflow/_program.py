# SPDX-License-Identifier: MIT
"""Calls of the verbs of the program inside this process."""
from __future__ import annotations

import contextlib
import functools
import logging
import math
import os
import shutil
import sys
import tempfile
import threading
import weakref

from popflow import _core, _mpi

log = logging.getLogger("popflow")

EXIT_STOPPED = 75
_lock = threading.RLock()


@contextlib.contextmanager
def files():
    """Holds the locks under which the library may use HDF5: its own, and that of h5py.

    The two may share one HDF5 library, which serves one thread at a time.
    """
    with _lock:
        if "h5py" in sys.modules:
            from h5py._objects import phil

            with phil:
                yield
        else:
            yield


_names = {}  # names of temporary files in messages, by path


class TemporaryFolder:
    """A folder that is removed with this object, or at the end of Python."""

    def __init__(self):
        self.name = tempfile.mkdtemp(prefix="popflow-")
        self._paths = []
        weakref.finalize(self, self._remove, self.name, self._paths)

    @staticmethod
    def _remove(folder, paths):
        shutil.rmtree(folder, ignore_errors=True)
        for path in paths:
            _names.pop(path, None)

    def path_of(self, file, name):
        """Returns the path of a file of the folder. Messages call it `name`."""
        path = os.path.join(self.name, file)
        self._paths.append(path)
        _names[path] = name
        return path


def _with_names(text):
    """Returns a message with the names of temporary files in place of their paths."""
    for path, name in list(_names.items()):
        text = text.replace(path, name)
    return text


@contextlib.contextmanager
def named_errors():
    """Replaces the paths of temporary files in the messages of errors."""
    try:
        yield
    except (ValueError, OSError, RuntimeError) as error:
        text = _with_names(str(error))
        if text == str(error) or type(error) not in (ValueError, RuntimeError, OSError, FileNotFoundError, PermissionError):
            raise
        raise type(error)(text) from None


def _text(name, value):
    """Returns a value of an option as the program reads it."""
    if hasattr(value, "tolist"):  # arrays and scalars of NumPy, columns of pandas
        value = value.tolist()
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return repr(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, dict):
        return ",".join(_quoted(f"{key}={'' if v is None else v}") for key, v in value.items())
    if isinstance(value, (list, tuple, set, frozenset)):
        return ",".join(_quoted(_text(name, v)) for v in value)
    return str(value)


def _quoted(item):
    """Returns an item of a list, in double quotes if it contains a comma."""
    return f'"{item}"' if "," in item and not item.startswith('"') else item


@functools.lru_cache(maxsize=None)
def _option_rows():
    return {row["name"]: row for row in _core.option_table()}


def option_name(key):
    """Returns the name of the option of a keyword. A keyword that Python reserves may end in an underscore."""
    return key.rstrip("_").replace("_", "-")


def section(key):
    """Returns the section of the option of a keyword, None for an unknown one."""
    row = _option_rows().get(option_name(key))
    return row and row["section"]


def arguments(options):
    """Returns keyword options as the arguments of a command line.

    An underscore of a name is a hyphen of the option. None leaves an option out. A list, a tuple or a dict is a list of values.
    """
    found = []
    for key, value in options.items():
        name = option_name(key)
        if value is None:
            continue
        if not _option_rows().get(name, {}).get("argument", "VALUE"):
            if value not in (True, False):
                raise ValueError(f"{key}: found {value!r}. Give True or False")
            found += [f"--{name}"] if value else []
        elif name == "exclude" and isinstance(value, (list, tuple)):
            found += [f"--exclude={_text(name, v)}" for v in value]
        else:
            text = _text(name, value)
            found += [f"--{name}={text}"] if text else [f"--{name}", ""]
    return found


def refuse_options(given, **reasons):
    """Raises ValueError for options that a function sets itself. `reasons`: what to do instead, by the name of the option."""
    for key in given:
        if option_name(key) in reasons:
            raise ValueError(f"{key}: cannot be given here. {reasons[option_name(key)]}")


def _log(line):
    """Passes a line of the program to the logger `popflow`: notes as warnings, others as information."""
    is_note = line.startswith("note: ")
    log.log(logging.WARNING if is_note else logging.INFO, "%s", line[6:] if is_note else line)


class _Bar:
    """Shows the progress of a verb by tqdm, if it is installed and standard error is a terminal or a notebook."""

    def __init__(self, wanted):
        self.bar, self.make = None, None
        if wanted is False:
            return
        try:
            from tqdm.auto import tqdm
        except ImportError:
            if wanted:
                raise
            return
        if wanted or sys.stderr.isatty() or "ipykernel" in sys.modules:
            self.make = tqdm

    def __call__(self, report):
        if self.make is None:
            return
        if self.bar is None or self.bar.desc != report["what"]:
            self.close()
            self.bar = self.make(total=report["total"], initial=0, desc=report["what"], file=sys.stderr)
            self.bar.desc = report["what"]
        self.bar.update(report["done"] - self.bar.n)
        self.bar.set_postfix_str(report["note"], refresh=False)

    def close(self):
        if self.bar is not None:
            self.bar.close()


def with_files(function, *args):
    """Calls a function under the locks of files()."""
    with files():
        return function(*args)


def run_verb(name, given, callback=None, progress=None, ranks=None):
    """Runs a verb and returns the text that the program prints on standard output, and whether it was stopped.

    Args:
        given: dict of options, or list of the arguments of a command line.
        callback: function of a dict `what done total note loss energy`, after each step or item. True stops the verb.
        progress: whether to show a bar. None: if tqdm is installed, and there is a terminal or a notebook.
        ranks: Ranks that run the verb together. Collective over them. None: this process alone.

    Raises:
        ValueError, OSError, RuntimeError: with the line that the program prints.
    """
    ranks = ranks or _mpi.Ranks(None)
    with ranks.together():
        args = arguments(given) if isinstance(given, dict) else given
    with ranks.together():
        ranks.check_same(args)
        bar = _Bar(progress if ranks.is_root else False)

    def report(values):
        bar(values)
        if callback is None:
            return False
        values["loss"] = None if math.isnan(values["loss"]) else values["loss"]
        values["energy"] = None if math.isnan(values["energy"]) else values["energy"]
        return bool(callback(values))

    wants_reports = callback is not None or bar.make is not None
    messages = []

    def message(line):
        line = _with_names(line)
        messages.append(line)
        _log(line)

    with ranks.together():
        try:
            with named_errors(), files():
                code, text = _core.run_verb(name, args, message, report if wants_reports else None, ranks.handle)
        finally:
            bar.close()
        if code not in (0, EXIT_STOPPED):
            raise RuntimeError(messages[-1] if messages else f"popflow {name} failed")
    return ranks.from_root(lambda: text), code == EXIT_STOPPED


def options(section: str | None = None):
    """Describes the options of `Screen`, `train`, `Model.predict` and `Model.evaluate`, which are those of the program.

    Args:
        section: "data", "split", "model", "train", "transport", "evaluate" or "predict". None: all.

    Returns:
        A DataFrame with the index `option` (the keyword) and the columns `section default help`.

    Raises:
        ValueError: there is no such section.
    """
    import pandas

    sections = sorted({row["section"] for row in _option_rows().values()})
    if section is not None and section not in sections:
        raise ValueError(f"section: found {section!r}, allowed {', '.join(sections)}")
    rows = [row for row in _option_rows().values() if section in (None, row["section"])]
    return pandas.DataFrame(
        {
            "section": [row["section"] for row in rows],
            "default": [", ".join(row["default"]) for row in rows],
            "help": [row["help"] for row in rows],
        },
        index=pandas.Index([row["name"].replace("-", "_") for row in rows], name="option"),
    )


def simulate(kind, *family, output, **options):
    """Writes simulated data, as `popflow simulate`.

    Args:
        kind: "screen", "letters", "shapes" or "supply-demand".
        family: family of "shapes", such as "spiral".
        output: path of the .h5ad file to write.
        options: options of the kind.

    Returns:
        The path of the file.

    Raises:
        ValueError, OSError: as the program.
    """
    run_verb("simulate", [kind, *family, *arguments({"output": output, **options})])
    return output
