"""Services that nobody here has written are watched with no file: what was
found of each, and that none of them is called down. Writes docs/strangers.md
anew where BLESS is set, and holds it against what was found otherwise."""

import json
import os
import re
import shutil
import subprocess
import sys
import urllib.error
import urllib.request

from harness import HERE, free_port, listens

ROOT = HERE.parents[1]
PAGE = ROOT / "docs/strangers.md"
SCRIPTS = ROOT / "scripts/bodies"
NODE_MODULES = ROOT / "target/peers/npm/node_modules"

# Long enough for smoke and a few scrapes of each.
UNTIL = "1m"

# What each is: the paths that are to be found, the presets that are to match,
# the signals that are to be measured, and the rules that can never fire.
EXPECTED = {
    "node_exporter": {
        "health": "/health", "presets": ["node-exporter", "process"],
        "signals": {"memory_ratio", "cpu_cores"}, "never": {"HighErrorRate", "HighLatency"},
    },
    "Prometheus": {
        "health": "/-/healthy", "presets": ["prometheus", "process"],
        "signals": {"request_rate", "error_ratio", "latency"}, "never": {"MemoryPressure"},
    },
    "Alertmanager": {
        "health": "/-/healthy", "presets": ["alertmanager", "process"],
        "signals": {"request_rate", "latency"}, "never": {"MemoryPressure"},
    },
    "PostgreSQL exporter": {
        "health": "/health", "presets": ["process"],
        "signals": {"memory_bytes", "restarts"}, "never": {"HighErrorRate", "HighLatency"},
    },
    "FastAPI app": {
        "health": "/health", "presets": ["fastapi-instrumentator", "process"],
        "signals": {"request_rate", "error_ratio", "latency"}, "never": {"MemoryPressure"},
    },
    "Starlette app": {
        "health": "/health", "presets": ["starlette-exporter", "process"],
        "signals": {"request_rate", "error_ratio", "latency"}, "never": {"MemoryPressure"},
    },
    "Express app": {
        "health": "/health", "presets": ["node-express-prom-bundle", "process"],
        "signals": {"request_rate", "error_ratio", "latency"}, "never": {"MemoryPressure"},
    },
}

# Without these there is nothing to show; with fewer packages installed the
# others are left out, and that is said.
SERVICES_MIN = 5


def play(bench) -> None:
    ports = start(bench)
    bench.check(f"finds at least {SERVICES_MIN} strangers", len(ports) >= SERVICES_MIN, ports)
    runs = {}
    for name, port in ports.items():
        ask(port)
        runs[name] = bench.start(f"run-{port}", [
            bench.binary, "run", f"http://127.0.0.1:{port}", "--release", "v1", "--until", UNTIL,
            "--state-dir", bench.folder / f"state-{port}",
        ], NO_COLOR="1")
    shown = {name: look(bench, name, port) for name, port in ports.items()}
    for name, run in runs.items():
        bench.until(f"ends the watch of {name}", lambda run=run: run.exit() is not None, 120,
                    run.printed)
        printed = run.printed()
        bench.check(f"calls {name} neither failed nor down",
                    run.exit() != 1 and "ServiceDown" not in printed and "FAIL" not in printed,
                    printed)
    if set(ports) == set(EXPECTED):
        write_down(bench, shown)


def start(bench) -> dict:
    """Every stranger that is installed, with its port."""
    bench.write("prometheus.yml", "scrape_configs: []\n")
    bench.write("alertmanager.yml", "route: {receiver: none}\nreceivers: [{name: none}]\n")
    folder, here = bench.folder, "127.0.0.1:{port}"
    listen = f"--web.listen-address={here}"
    uvicorn = [sys.executable, "-m", "uvicorn", "--host", "127.0.0.1", "--port", "{port}",
               "--log-level", "warning"]
    commands = {
        "node_exporter": ["prometheus-node-exporter", listen, "--log.level=error"],
        "Prometheus": ["prometheus", listen, f"--config.file={folder}/prometheus.yml",
                       f"--storage.tsdb.path={folder}/tsdb", "--log.level=error"],
        "Alertmanager": ["prometheus-alertmanager", listen, "--cluster.listen-address=",
                         f"--config.file={folder}/alertmanager.yml",
                         f"--storage.path={folder}/alerts", "--log.level=error"],
        "PostgreSQL exporter": ["prometheus-postgres-exporter", listen, "--log.level=error"],
        "FastAPI app": [*uvicorn, "--app-dir", SCRIPTS, "fastapi_app:app"],
        "Starlette app": [*uvicorn, "--app-dir", SCRIPTS, "starlette_app:app"],
        "Express app": ["node", SCRIPTS / "express_app.js"],
    }
    ports = {}
    for name, command in commands.items():
        if not is_installed(name, command[0]):
            bench.say(f"{name} is not installed, and is left out")
            continue
        port = ports[name] = free_port()
        # The database of the exporter is down: that is its business to tell.
        bench.start(f"peer-{port}", [str(part).format(port=port) for part in command],
                    PORT=str(port), NODE_PATH=str(NODE_MODULES), PYTHONDONTWRITEBYTECODE="1",
                    DATA_SOURCE_NAME="postgresql://nobody@127.0.0.1:1/none?sslmode=disable")
    for name, port in ports.items():
        bench.until(f"finds {name}", lambda port=port: listens(port), 30)
    return ports


def is_installed(name: str, program: str) -> bool:
    if name == "Express app":
        return (NODE_MODULES / "express-prom-bundle").is_dir()
    if name == "Starlette app":
        found = subprocess.run([sys.executable, "-c", "import starlette_exporter"], check=False)
        return found.returncode == 0
    return shutil.which(program) is not None


def ask(port: int) -> None:
    """Some requests: many clients show a family only after its first event."""
    for path in ["items/1", "items/2", "broken", "-/healthy", "api/v1/status/buildinfo"]:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/{path}", timeout=5).read()
        except urllib.error.HTTPError:
            pass  # whatever it says, it has counted it


def look(bench, name: str, port: int) -> str:
    """What `check --live` finds, held against what is expected; as it prints it."""
    command = [bench.binary, "check", "--live", f"http://127.0.0.1:{port}"]
    told = subprocess.run([*command, "--json"], capture_output=True, text=True, timeout=60)
    bench.check(f"can watch {name}", told.returncode == 0, told.stdout + told.stderr)
    live, expected = json.loads(told.stdout), EXPECTED[name]
    lines = [what for what, _ in live["targets"][0]["lines"]]
    bench.check(f"finds the health of {name}", f"health {expected['health']}" in lines, lines)
    bench.check(f"knows the metrics of {name}", live["presets"] == expected["presets"],
                live["presets"])
    signals = {signal["name"] for signal in live["signals"]}
    bench.check(f"measures {name}", expected["signals"] <= signals, signals)
    never = {rule["name"] for rule in live["rules"] if rule["never"]}
    bench.check(f"says what can never fire on {name}", expected["never"] <= never, never)
    return subprocess.run(command, capture_output=True, text=True, timeout=60).stdout


def write_down(bench, shown: dict) -> None:
    """The page: everything but what differs from machine to machine."""
    text = HEAD
    for name, told in shown.items():
        told = re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:8000", told)
        told = re.sub(r"\s+now [^\n]*", "", told)
        told = re.sub(r"[\d]+ bytes, \d+ families, \d+ series, (\d+) of them kept",
                      r"…", told)
        text += f"\n## {name}\n\n```text\n{told.rstrip()}\n```\n"
    if os.environ.get("BLESS"):
        PAGE.write_text(text)
    bench.check("tells of them in docs/strangers.md", PAGE.read_text() == text,
                "run it with BLESS=1 and read the difference")


HEAD = """# Strangers

Services that were not written for bakewatch, watched with no file: what
`bakewatch check --live URL` finds of each. The case `strangers` of
`tests/peers` starts them, holds what is found against what is expected,
watches each for a minute with `bakewatch run URL --release v1 --until 1m`, and
writes this page.

Where nobody says the paths, the checklist's `/health` is asked first, then
those of other customs; an exporter answers its front page everywhere. A
question is only asked of a service that takes one: what says that there is no
such endpoint, or answers with a page, is left out of the smoke suite and
listed.
"""
