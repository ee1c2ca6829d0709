# SPDX-License-Identifier: MIT
"""Tests the progress line on a terminal that is resized, the lines in a log, and the training table of a run in progress.

Usage: progress.py POPFLOW     (works in the current folder)
"""

import csv
import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import time

SCREEN = "simulate screen --output s.h5ad --patients 3 --cultures PDO --treatments O,S --replicates 1 --cells 60:90".split()
TRAIN = (
    "train --data s.h5ad --split patient:21 --min-cells 50 --hidden 16 --layers 1 --embedding 8 --encoder-hidden 8 --knn 3"
    " --cells 50 --batch-pairs 2 --time-frequencies 4 --space-frequencies 4 --log-every 5"
).split()


def on_terminal(popflow, arguments, columns, later_columns):
    """Runs a command on a terminal with `columns` columns, and with `later_columns` after some drawings of the progress line.

    Returns the output before and after the change.
    """
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ["TERM"] = "xterm"
        os.execv(popflow, [popflow, *arguments])
    resize = lambda width: fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
    resize(columns)
    parts, narrow = ["", ""], False
    while True:
        try:
            text = os.read(terminal, 4096).decode()
        except OSError:  # the program has exited
            break
        parts[narrow] += text
        if not narrow and parts[0].count("\r") > 8:
            resize(later_columns)
            narrow = True
    assert os.waitpid(pid, 0)[1] == 0
    return parts


def check_terminal(popflow):
    before, after = on_terminal(popflow, [*TRAIN, "--steps", "4000", "--output", "t"], 100, 40)
    drawn = re.findall(r"\r(train \d+/4000[^\r\x1b]*)\x1b\[J", before)
    assert len(drawn) >= 3 and all(len(line) < 100 for line in drawn), before
    assert re.search(r"\[=*>? *\]  loss \S+  \S+ cells/s  \S.* left$", drawn[-1]), drawn[-1]
    assert "\x1b[K" not in before and "\x1b[2K" not in before, "a line is erased before it is rewritten, so it flickers"
    # The first line after the change may have been drawn before it.
    later = re.findall(r"\r(train \d+/4000[^\r\x1b]*)\x1b\[J", after)
    assert later and all(len(line) < 40 for line in later[1:]), after
    assert later[-1].startswith("train 4000/4000"), later[-1]
    assert after.count("\n") == 1 and after.endswith("\n"), "the progress line must end with the only line break"


def check_log(popflow):
    found = subprocess.run(
        [popflow, *TRAIN, "--steps", "20", "--log-seconds", "0", "--output", "l"], capture_output=True, text=True, check=True
    )
    lines = [line for line in found.stderr.splitlines() if line.startswith("train ")]
    assert len(lines) == 20 and "\r" not in found.stderr and "\x1b" not in found.stderr, found.stderr
    assert re.fullmatch(r"train 20/20  loss \S+  \S+ cells/s", lines[-1]), lines[-1]
    quiet = subprocess.run(
        [popflow, *TRAIN, "--steps", "20", "--log-seconds", "1e6", "--output", "q"], capture_output=True, text=True, check=True
    )
    assert len([line for line in quiet.stderr.splitlines() if line.startswith("train ")]) == 2, "only the first and the last step are logged"


def check_table(popflow):
    with open("l/training.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["step", "epoch", "loss", "lr", "grad_norm", "seconds"]
    assert [int(row["step"]) for row in rows] == [5, 10, 15, 20]
    assert all(float(row["loss"]) > 0 for row in rows)
    # A run that was stopped and resumed has the same rows as an uninterrupted one.
    stop = subprocess.run([popflow, *TRAIN, "--steps", "20", "--output", "r", "--stop-after", "12"], capture_output=True)
    assert stop.returncode == 75, stop.stderr
    watch = [popflow, "report", "--watch", "r", "--log-seconds", "0.1"]
    watched = subprocess.run(watch, capture_output=True, text=True, check=True).stdout.splitlines()
    assert watched[0].startswith("r 12/20  loss "), watched
    assert watched[1:] == ["r: stopped at step 12 of 20. Continue with --resume"], watched
    subprocess.run([popflow, *TRAIN, "--steps", "20", "--output", "r", "--resume"], capture_output=True, check=True)
    lines = subprocess.run(watch, capture_output=True, text=True, check=True).stdout.splitlines()
    assert len(lines) == 1 and re.match(r"r 20/20  loss \S+  \S+ steps/s", lines[0]), lines
    with open("r/training.csv", newline="") as file:
        again = list(csv.DictReader(file))
    assert [row["step"] for row in again] == ["5", "10", "12", "15", "20"]
    assert [row["loss"] for row in again if row["step"] in ("5", "10", "20")] == [row["loss"] for row in rows if row["step"] != "15"]
    missing = subprocess.run([popflow, "report", "--watch", "nowhere"], capture_output=True, text=True)
    assert missing.returncode == 2 and "not a run folder" in missing.stderr


def check_watch(popflow):
    """report --watch follows a training until it is killed."""
    train = subprocess.Popen([popflow, *TRAIN, "--steps", "1000000", "--schedule", "constant", "--output", "w"], stderr=subprocess.DEVNULL)
    while not (os.path.exists("w/training.h5") and os.path.exists("w/lock")):
        assert train.poll() is None
        time.sleep(0.05)
    watched = subprocess.Popen([popflow, "report", "--watch", "w", "--log-seconds", "0.1"], stdout=subprocess.PIPE, text=True)
    assert watched.stdout.readline().startswith("w ")
    time.sleep(3)
    assert watched.poll() is None, "the watch ended before the training"
    train.kill()
    train.wait()
    last = watched.stdout.read().splitlines()[-1]
    assert watched.wait() == 0 and re.fullmatch(r"w: stopped at step \d+ of 1000000\. Continue with --resume", last), last


def check_log_file():
    with open("r/log.txt") as file:
        lines = file.read().splitlines()
    stamp = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d{4} "
    assert all(re.match(stamp, line) for line in lines), lines
    text = "\n".join(lines)
    assert len(re.findall(stamp + r"popflow \S+ \(.*\), rank 0 on ", text)) == 2, "the log has both starts"
    for words in ("training pair", "stopped on request after step 12", "train 20/20  loss"):
        assert words in text, (words, text)


def main():
    popflow = sys.argv[1]
    subprocess.run([popflow, *SCREEN], check=True, capture_output=True)
    check_terminal(popflow)
    check_log(popflow)
    check_table(popflow)
    check_log_file()
    check_watch(popflow)
    print("progress is displayed and logged")


main()
