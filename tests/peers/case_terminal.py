"""What people on a terminal see while it runs, and what a machine reads there:
lines of a log and of progress, or a JSON object a line."""

import json
import os
import pty
import subprocess
import threading

from services import Service, simple

ESCAPE = "\x1b"


class Terminal:
    """A program whose standard error is a terminal."""

    def __init__(self, bench, *arguments):
        self.seen = b""
        ours, its = pty.openpty()
        self.popen = subprocess.Popen(
            [bench.binary, *map(str, arguments)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=its,
            start_new_session=True,
        )
        os.close(its)
        self.reader = threading.Thread(target=self.read, args=[ours], daemon=True)
        self.reader.start()
        bench.at_end(self.stop)

    def read(self, ours: int) -> None:
        while True:
            try:
                self.seen += os.read(ours, 65536)
            except OSError:
                return  # nobody holds the other end any more

    def text(self) -> str:
        return self.seen.decode(errors="replace")

    def stop(self) -> None:
        self.popen.terminate()
        self.popen.wait(30)
        self.reader.join(5)


def play(bench) -> None:
    service = Service(bench, simple())
    run = ["run", service.url, "--release", "v1"]

    terminal = Terminal(bench, *run, "--state-dir", bench.folder / "people")
    line = ": first-day 0 %, 1 of 1 healthy, 0 firing"
    bench.until("draws a line of progress", lambda: line in terminal.text(), 30, terminal.text)
    terminal.stop()
    seen = terminal.text()
    bench.check("writes the log for people", " INFO" in seen and "watch opened" in seen, seen)
    bench.check("in colours", ESCAPE in seen)
    bench.check("and no JSON", '{"timestamp"' not in seen, seen)
    bench.check("takes the line of progress away at the end",
                line not in seen.split(ESCAPE + "[2K")[-1], seen[-400:])

    until = [*run, "--until", "smoke", "--state-dir"]
    plain = ended(bench, "machine", *until, bench.folder / "machine")
    told = [json.loads(text) for text in plain.splitlines()]
    bench.check("writes a JSON object a line elsewhere",
                all({"timestamp", "level", "message"} <= one.keys() for one in told), plain)
    messages = [one["message"] for one in told]
    bench.check("warnings of the configuration too",
                any(one["level"] == "WARN" and "channel: there is none" in one["message"]
                    for one in told), plain)
    bench.check("with what happened", "watch opened" in messages, messages)
    bench.check("without a line of progress", "healthy, 0 firing" not in plain, plain)

    human = ended(bench, "asked", *until, bench.folder / "asked", "--log-format", "human")
    bench.check("writes for people on request", " INFO watch opened" in human, human)
    quiet = ended(bench, "quiet", *until, bench.folder / "quiet", BAKEWATCH_LOG="error")
    bench.check("is quiet on request", '"INFO"' not in quiet, quiet)


def ended(bench, name: str, *arguments, **env: str) -> str:
    """What a run wrote to its standard error, which is a file."""
    process = bench.start(name, [bench.binary, *arguments], NO_COLOR="1", **env)
    bench.until(f"{name}: ends", lambda: process.exit() is not None, 30, process.printed)
    return process.stderr.read_text()
