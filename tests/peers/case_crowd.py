"""Sixty targets, of which eighteen never answer: the others are asked as often as
ever, as they count it themselves."""

import json
import statistics
import sys
import urllib.request

from harness import HERE, free_port, listens

TARGETS, HANGING = 60, 18
# What burns has its service asked more often, but nobody more often than this:
# so there is one interval to be held.
EVERY_SECONDS = 1
# So many looks are held against the interval.
LOOKS = 32
START, OFF_MAX = 3, 0.05

PLAN = """
service = "crowd"
url     = "{first}"
timeout = "700ms"

[targets]
static = {targets}

[windows]
first-day = {{ length = "1h", every = "{every}s" }}
"""


def play(bench) -> None:
    ports = [free_port() for _ in range(TARGETS)]
    # Mixed, so that none is well only because its neighbours are.
    hanging = {port for at, port in enumerate(ports) if at * HANGING % TARGETS < HANGING}
    healthy, control = [port for port in ports if port not in hanging], free_port()
    crowd = bench.start("crowd", [sys.executable, HERE / "crowd.py", control, *healthy, "--",
                                  *sorted(hanging)])
    bench.until("finds its targets", lambda: listens(control), 30, crowd.printed)
    bench.check("has as many that hang", len(hanging) == HANGING, len(hanging))

    urls = [f"http://127.0.0.1:{port}" for port in ports]
    config = bench.write("bakewatch.toml", PLAN.format(
        first=f"http://127.0.0.1:{healthy[0]}", targets=json.dumps(urls), every=EVERY_SECONDS))
    run = bench.bakewatch(
        "bakewatch", "run", "-c", config, "--release", "v1",
        "--state-dir", bench.folder / "state", "--report-dir", bench.folder / "reports")

    # The first three are those of the start, the smoke suite's among them.
    wanted = START + LOOKS + 1
    looks = bench.until("asks each healthy one again and again",
                        lambda: enough(control, wanted), 120, run.printed)
    means = [(times[START + LOOKS] - times[START]) / LOOKS for times in looks.values()]
    off = [abs(mean / EVERY_SECONDS - 1) for mean in means]
    bench.say(f"{len(means)} healthy targets, each asked {LOOKS} times: the mean interval is "
              f"{statistics.fmean(means):.4f} s, that of the worst {100 * max(off):.2f} % off")
    bench.check(f"keeps the interval of each within {100 * OFF_MAX:.0f} %", max(off) <= OFF_MAX,
                sorted(means))
    late = run.printed().count("unhealthy: timeout")
    bench.check("says of those that hang that they do", late >= HANGING, late)
    run.stop()


def enough(control: int, wanted: int) -> dict | None:
    """When each was asked, once all were asked so often."""
    with urllib.request.urlopen(f"http://127.0.0.1:{control}/", timeout=10) as answer:
        looks = json.load(answer)
    return looks if all(len(times) >= wanted for times in looks.values()) else None
