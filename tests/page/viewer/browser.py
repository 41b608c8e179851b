"""Chromium without a screen, by the DevTools protocol over two pipes: no port, no library, every wait bounded."""

import base64
import contextlib
import json
import os
import pathlib
import select
import shutil
import subprocess
import tempfile
import time

PATIENCE = 60

# Nothing of its own may go out, wait for a person, or come between.
OPTIONS = (
    "--headless=new",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--disable-extensions",
    "--disable-sync",
    "--disable-gpu",
    "--mute-audio",
    "--disable-dev-shm-usage",
    "--metrics-recording-only",
    "--no-proxy-server",
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--force-color-profile=srgb",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
)


def chromium():
    """The program, or None."""
    return next((path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None)


class BrowserError(AssertionError):
    pass


class Browser:
    """One process with a profile of its own, which goes with it."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="relab-page-"))
        self.last, self.answers, self.pages, self.buffer = 0, {}, {}, b""
        read_commands, self.to_browser = os.pipe()
        self.from_browser, write_events = os.pipe()
        sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
        with open(self.folder / "log", "wb") as log:
            self.process = subprocess.Popen(
                [chromium(), *OPTIONS, *sandbox, f"--user-data-dir={self.folder / 'profile'}", "about:blank"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env=os.environ | {"HOME": str(self.folder)},
                # What Python opens is closed in others by itself; the two are not.
                close_fds=False,
                preexec_fn=lambda: give(read_commands, write_events),
            )
        os.close(read_commands)
        os.close(write_events)

    def call(self, method, session=None, patience=PATIENCE, **parameters):
        """Its answer; what happens meanwhile is handed to the pages."""
        self.last += 1
        number = self.last
        message = {"id": number, "method": method, "params": parameters} | ({"sessionId": session} if session else {})
        os.write(self.to_browser, json.dumps(message).encode() + b"\0")
        until = time.monotonic() + patience
        while number not in self.answers:
            self.read(until, method)
        answer = self.answers.pop(number)
        if "error" in answer:
            raise BrowserError(f"{method}: {answer['error']}")
        return answer["result"]

    def read(self, until, what):
        ready, _, _ = select.select([self.from_browser], [], [], max(0, until - time.monotonic()))
        piece = os.read(self.from_browser, 1 << 20) if ready else b""
        if not piece:
            raise BrowserError(f"no answer to {what}:\n{(self.folder / 'log').read_text(errors='replace')[-2000:]}")
        *messages, self.buffer = (self.buffer + piece).split(b"\0")
        for message in map(json.loads, messages):
            if "id" in message:
                self.answers[message["id"]] = message
            elif page := self.pages.get(message.get("sessionId")):
                page.take(message["method"], message["params"])

    def page(self, **options):
        return Page(self, **options)

    def close(self):
        with contextlib.suppress(BrowserError, OSError):
            self.call("Browser.close", patience=5)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        for end in (self.to_browser, self.from_browser):
            os.close(end)
        shutil.rmtree(self.folder, ignore_errors=True)


def give(read_commands, write_events):
    """As the numbers that Chromium expects; first out of each other's way."""
    commands, events = os.dup(read_commands), os.dup(write_events)
    os.dup2(commands, 3)
    os.dup2(events, 4)


class Page:
    """A tab. `noted` has what was logged or thrown, `requests` the addresses that were asked for."""

    def __init__(self, browser, width=1200, height=900, scheme="light", scripts=True, media="screen"):
        self.browser, self.noted, self.requests, self.loaded = browser, [], [], False
        # A context of its own: neither cache nor anything else is shared with other pages.
        self.context = browser.call("Target.createBrowserContext")["browserContextId"]
        self.target = browser.call("Target.createTarget", url="about:blank", browserContextId=self.context)["targetId"]
        self.session = browser.call("Target.attachToTarget", targetId=self.target, flatten=True)["sessionId"]
        browser.pages[self.session] = self
        for domain in ("Page", "Runtime", "Log", "Network", "Accessibility"):
            self.call(f"{domain}.enable")
        self.resize(width, height)
        self.look(scheme, media)
        if not scripts:
            self.call("Emulation.setScriptExecutionDisabled", value=True)

    def call(self, method, **parameters):
        return self.browser.call(method, session=self.session, **parameters)

    def take(self, method, parameters):
        if method == "Page.loadEventFired":
            self.loaded = True
        elif method == "Runtime.consoleAPICalled":
            self.noted.append((parameters["type"], " ".join(str(value.get("value", value)) for value in parameters["args"])))
        elif method == "Runtime.exceptionThrown":
            details = parameters["exceptionDetails"]
            self.noted.append(("exception", details.get("exception", {}).get("description", details["text"])))
        elif method == "Log.entryAdded":
            self.noted.append((parameters["entry"]["level"], parameters["entry"]["text"]))
        elif method == "Network.requestWillBeSent":
            self.requests.append(parameters["request"]["url"])

    def resize(self, width, height=900):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600)

    def look(self, scheme, media="screen"):
        self.call("Emulation.setEmulatedMedia", media=media, features=[{"name": "prefers-color-scheme", "value": scheme}])

    def open(self, path, patience=PATIENCE):
        self.loaded = False
        self.call("Page.navigate", url=pathlib.Path(path).as_uri())
        until = time.monotonic() + patience
        while not self.loaded:
            self.browser.read(until, f"opening {path}")
        return self

    def run(self, expression):
        """The value of a JavaScript expression, awaited where it is a promise."""
        done = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in done:
            raise BrowserError(f"{expression}: {done['exceptionDetails'].get('exception', {}).get('description')}")
        return done["result"].get("value")

    def each(self, selector, of):
        """What a JavaScript expression gives for each `one` that the selector finds."""
        return self.run(f"[...document.querySelectorAll({json.dumps(selector)})].map((one) => {of})")

    def wait_for(self, expression, patience=PATIENCE):
        until = time.monotonic() + patience
        while not (value := self.run(expression)):
            if time.monotonic() > until:
                raise BrowserError(f"waited in vain for {expression}")
            self.run("new Promise((done) => setTimeout(done, 20))")
        return value

    def press(self, key):
        number = {"Tab": 9, "Enter": 13}[key]
        for kind in ("keyDown", "keyUp"):
            text = {"text": "\r"} if (key, kind) == ("Enter", "keyDown") else {}
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=number, **text)

    def screenshot(self, path, height_max=6000):
        """All of it, down to a bound."""
        size = self.call("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": min(size["height"], height_max), "scale": 1}
        data = self.call("Page.captureScreenshot", captureBeyondViewport=True, clip=clip)["data"]
        pathlib.Path(path).write_bytes(base64.b64decode(data))

    def pdf(self):
        """As it is printed: what is emulated would take the place of that."""
        self.call("Emulation.setEmulatedMedia", media="", features=[])
        return base64.b64decode(self.call("Page.printToPDF", preferCSSPageSize=False, printBackground=False)["data"])

    def close(self):
        del self.browser.pages[self.session]
        self.browser.call("Target.disposeBrowserContext", browserContextId=self.context)
