"""What the cases share: a work folder, processes, checks, and waiting for a
condition until a deadline. Nothing waits for a time and hopes."""

import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback

HERE = pathlib.Path(__file__).resolve().parent
# Installed by scripts/test.
NODE_MODULES = HERE.parents[1] / "target/peers/npm/node_modules"
HTML_VALIDATE = NODE_MODULES / ".bin/html-validate"
TAP_PARSER = NODE_MODULES / "tap-parser"

POLL_SECONDS = 0.05
# An ordered stop may take 20 s for owed letters.
STOP_SECONDS_MAX = 30

_printing = threading.Lock()
_counting = threading.Lock()
_finding = threading.Lock()


class Broken(Exception):
    """A condition that the rest of the case rests on did not come about."""


# Below those that the system gives to connections that go out: what is free
# here stays free until somebody listens, also while a service is down.
_ports = iter(range(random.randrange(12_000, 25_000), 32_000))


def free_port() -> int:
    """One that nobody had before in this run, and nobody listens at."""
    with _finding:
        for port in _ports:
            with socket.socket() as listener:
                # A program that is being started holds a copy for a moment.
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    listener.bind(("127.0.0.1", port))
                    return port
                except OSError:
                    continue
    raise OSError("no port is free")


def listens(port: int) -> bool:
    with socket.socket() as client:
        client.settimeout(0.5)
        return client.connect_ex(("127.0.0.1", port)) == 0


def as_root(command: list) -> list:
    return command if os.geteuid() == 0 else ["sudo", "-n", *command]


class Process:
    """A started program; what it prints goes to files beside the others'."""

    def __init__(self, name: str, command: list, folder: pathlib.Path, env: dict):
        self.name = name
        self.stdout = folder / f"{name}.out"
        self.stderr = folder / f"{name}.err"
        with self.stdout.open("ab") as out, self.stderr.open("ab") as err:
            self.popen = subprocess.Popen(
                [str(part) for part in command],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                env={**os.environ, **env},
                start_new_session=True,
            )

    def printed(self) -> str:
        return self.stdout.read_text() + self.stderr.read_text()

    def exit(self):
        """Its exit code; None while it runs."""
        return self.popen.poll()

    def kill(self) -> None:
        if self.exit() is None:
            self.popen.kill()
        self.popen.wait()

    def stop(self) -> None:
        if self.exit() is None:
            self.popen.send_signal(signal.SIGTERM)
        try:
            self.popen.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self.kill()


class Bench:
    """One case's place: its folder, its processes, its count."""

    def __init__(self, name: str, binary: pathlib.Path):
        self.name = name
        self.binary = binary
        # Where it says what it does.
        self.out = sys.stdout
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix=f"bakewatch-{name}-"))
        # A mail server that gave up root has to pass through.
        self.folder.chmod(0o755)
        self.passed = 0
        self.failed = 0
        self._closers: list = []
        self._began = time.monotonic()

    def start(self, name: str, command: list, **env: str) -> Process:
        process = Process(name, command, self.folder, env)
        self.at_end(process.stop)
        return process

    def bakewatch(self, name: str, *arguments) -> Process:
        return self.start(name, [self.binary, *arguments], NO_COLOR="1")

    def at_end(self, closer) -> None:
        self._closers.append(closer)

    def write(self, path: str, text: str) -> pathlib.Path:
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    def say(self, text: str) -> None:
        with _printing:
            print(f"[{self.name} {time.monotonic() - self._began:5.1f}s] {text}", file=self.out,
                  flush=True)

    def check(self, sentence: str, holds, detail="") -> bool:
        """Counts one check; `sentence` finishes "it ..."."""
        with _counting:
            self.passed += bool(holds)
            self.failed += not holds
        if holds:
            self.say(f"ok   {sentence}")
        else:
            self.say(f"FAIL {sentence}: {detail}")
        return bool(holds)

    def until(self, sentence: str, condition, seconds: float, detail=lambda: ""):
        """Waits for a condition, and counts it as a check; returns its value."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            value = condition()
            if value:
                self.check(sentence, True)
                return value
            time.sleep(POLL_SECONDS)
        self.check(sentence, False, f"not within {seconds} s; {detail()}")
        raise Broken(sentence)

    def check_html(self, sentence: str, page: pathlib.Path) -> bool:
        """Holds a page against the HTML standard and the rules for its readers'
        aids."""
        command = [HTML_VALIDATE, "--config", HERE / "html-validate.json", "--formatter", "text"]
        told = subprocess.run([*command, page], capture_output=True, text=True)
        return self.check(sentence, told.returncode == 0, told.stdout + told.stderr)

    def broke(self, error: Exception) -> None:
        if not isinstance(error, Broken):
            self.check("plays to its end", False, traceback.format_exc())

    def close(self, keep: bool) -> None:
        for closer in reversed(self._closers):
            closer()
        if self.failed:
            self._show_logs()
        if keep:
            self.say(f"left in {self.folder}")
        else:
            # What the mail server wrote is not ours to remove, when it runs as another.
            subprocess.run(as_root(["rm", "-rf", str(self.folder)]), check=False)
            shutil.rmtree(self.folder, ignore_errors=True)

    def _show_logs(self) -> None:
        for log in sorted(self.folder.glob("*.out")) + sorted(self.folder.glob("*.err")):
            lines = log.read_text(errors="replace").splitlines()
            self.say(f"--- {log.name}, the last of {len(lines)} lines")
            for line in lines[-12:]:
                self.say(f"    {line[:300]}")
