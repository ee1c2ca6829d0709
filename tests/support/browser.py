# SPDX-License-Identifier: MIT
"""Headless Chromium, controlled over a pipe by the DevTools protocol. Needs only the Python standard library."""
import base64
import fcntl
import json
import os
import pathlib
import select
import shutil
import subprocess
import tempfile
import time

FLAGS = ("--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
         "--disable-component-update --disable-sync --disable-dev-shm-usage --hide-scrollbars --remote-debugging-pipe").split()


def find():
    """Returns the path of the browser, or None."""
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


class Browser:
    """A browser with one page.

    Args:
        timeout: longest wait for an answer or a page, in seconds.

    Attributes:
        problems: errors and warnings of the console.
    """

    def __init__(self, timeout=120):
        self.timeout, self.number, self.problems, self.received = timeout, 0, [], b""
        self.profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        browser_reads, self.write_end = os.pipe()
        self.read_end, browser_writes = os.pipe()
        # The numbers start at 20, so that they differ from 3 and 4, which the browser reads and writes.
        inherited = [fcntl.fcntl(fd, fcntl.F_DUPFD, 20) for fd in (browser_reads, browser_writes)]
        command = [find(), *FLAGS, f"--user-data-dir={self.profile.name}", "about:blank"]
        self.process = subprocess.Popen(
            ["bash", "-c", f'exec "$@" 3<&{inherited[0]} 4>&{inherited[1]}', "bash", *command], pass_fds=inherited,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for fd in (browser_reads, browser_writes, *inherited):
            os.close(fd)
        target = next(t for t in self.wait_for_targets() if t["type"] == "page")
        self.session = None
        self.session = self.call("Target.attachToTarget", targetId=target["targetId"], flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self.call(domain + ".enable")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        self.profile.cleanup()

    def wait_for_targets(self):
        """Returns the targets of the browser once one of them is a page."""
        self.session = None
        for _ in range(100):
            targets = self.call("Target.getTargets")["targetInfos"]
            if any(t["type"] == "page" for t in targets):
                return targets
            time.sleep(0.1)
        raise RuntimeError("the browser has no page")

    def receive(self):
        """Returns the next message of the browser. Appends errors of the console to `problems`."""
        while b"\0" not in self.received:
            if not select.select([self.read_end], [], [], self.timeout)[0]:
                raise TimeoutError("the browser does not answer")
            more = os.read(self.read_end, 1 << 16)
            if not more:
                raise RuntimeError("the browser ended")
            self.received += more
        message, self.received = self.received.split(b"\0", 1)
        message = json.loads(message)
        kind, params = message.get("method", ""), message.get("params", {})
        if kind == "Runtime.exceptionThrown":
            self.problems.append(params["exceptionDetails"]["text"])
        elif kind == "Log.entryAdded" and params["entry"]["level"] in ("error", "warning"):
            self.problems.append(params["entry"]["text"])
        elif kind == "Runtime.consoleAPICalled" and params["type"] in ("error", "warning", "assert"):
            self.problems.append(str(params["args"]))
        return message

    def call(self, method, **params):
        """Calls a method of the protocol and returns its result.

        Raises:
            RuntimeError: if the browser reports an error.
        """
        self.number += 1
        message = {"id": self.number, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.write_end, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.receive()
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]

    def show(self, path, width, height=900, dark=False):
        """Loads a file in a viewport of this width, in pixels, with the dark or the light colour scheme."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])
        self.call("Page.navigate", url=pathlib.Path(path).resolve().as_uri())
        end = time.monotonic() + self.timeout
        while self.run("document.readyState") != "complete" or self.run("location.href") == "about:blank":
            if time.monotonic() > end:
                raise TimeoutError(path)
            time.sleep(0.05)

    def run(self, expression):
        """Returns the value of a JavaScript expression."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(str(answer["exceptionDetails"]))
        return answer["result"].get("value")

    def screenshot(self, path, top=0, height=None):
        """Writes a PNG of the page from `top` on, by default down to its end."""
        size = self.call("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": top, "width": size["width"], "height": height or size["height"] - top, "scale": 1}
        data = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)["data"]
        pathlib.Path(path).write_bytes(base64.b64decode(data))
