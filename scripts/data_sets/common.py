# SPDX-License-Identifier: MIT
"""Functions that the scripts of this folder share."""
import contextlib
import os
import pathlib
import shlex
import subprocess
import sys


class InputError(Exception):
    """An input that a script cannot use. The message names the file, the problem and what is allowed."""


def run(main):
    """Calls main(). Reports an unusable input, a failed read or write, or lack of memory in one line, with exit code 2."""
    program = pathlib.Path(sys.argv[0]).name
    try:
        main()
    except (InputError, OSError) as error:
        print(f"{program}: {error}".replace("\n", " "), file=sys.stderr)
        sys.exit(2)
    except MemoryError:
        print(f"{program}: out of memory", file=sys.stderr)
        sys.exit(2)


@contextlib.contextmanager
def complete_file(path):
    """Yields a temporary path beside `path`. Renames it to `path` at the end, or removes it after an error."""
    path = pathlib.Path(path)
    if not path.parent.is_dir():
        raise InputError(f"{path}: cannot write: the folder does not exist")
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def split_arguments():
    """Returns the arguments of the script before and after `--`."""
    words = sys.argv[1:]
    at = words.index("--") if "--" in words else len(words)
    return words[:at], words[at + 1 :]


def without_overridden(settings, extra):
    """Returns the settings without the options that `extra` gives again. popflow refuses an option that is given twice."""
    given = {word.split("=")[0] for word in extra if word.startswith("--")}
    kept = []
    is_kept = True
    for word in settings:
        if word.startswith("--"):
            is_kept = word.split("=")[0] not in given
        if is_kept:
            kept.append(word)
    return kept


def simulate(popflow, kind, output, settings, extra):
    """Runs `popflow simulate KIND --output OUTPUT` with the settings and the extra options, which override them."""
    command = [popflow, "simulate", kind, "--output", str(output), *without_overridden(settings, extra), *extra]
    print(shlex.join(command), flush=True)
    try:
        status = subprocess.run(command).returncode
    except OSError as error:
        raise InputError(f"{popflow}: cannot run: {error.strerror}") from None
    if status < 0:
        raise InputError(f"{popflow}: ended by signal {-status}")
    # popflow has printed the reason.
    if status:
        sys.exit(status)
