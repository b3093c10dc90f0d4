"""Letters by a program of the site's own, and webhooks in a receiver's own words,
as the built program brings them."""

import json
import stat

from harness import free_port
from webhooks import Receiver

PLAN = """
service = "chat-agent"
url     = "http://127.0.0.1:{port}"
settle  = "1s"

[[channel]]
name = "page"
type = "command"
run  = ["{page}", "--to", "on call; exit 9"]
env  = {{ OUT = "{out}", PAGE_TOKEN = "hunter2-of-the-pager" }}

[[channel]]
name         = "own"
type         = "webhook"
url          = "{hook}"
secret       = "{secret}"
content-type = "application/json; charset=utf-8"
template     = '''
{{
  "title": {{{{ data.text }}}},
  "failed": [{{% for step in data.smoke %}}{{{{ step.step }}}}{{% if not loop.last %}}, {{% endif %}}{{% endfor %}}]
}}
'''
"""

# The first try is put off, which its error output says with a secret in it.
PAGE = """#!/bin/sh
echo "$BAKEWATCH_KEY" >> "$OUT/keys"
if [ ! -e "$OUT/first" ]; then
    touch "$OUT/first"
    echo "the line is busy for $PAGE_TOKEN" >&2
    exit 75
fi
cat > "$OUT/letter"
printf '%s' "$2" > "$OUT/to"
env > "$OUT/env"
"""


def play(bench) -> None:
    hooks = Receiver(bench)
    out = bench.folder / "out"
    out.mkdir()
    page = bench.write("page", PAGE)
    page.chmod(page.stat().st_mode | stat.S_IXUSR)
    config = bench.write("bakewatch.toml", PLAN.format(
        port=free_port(), page=page, out=out, hook=hooks.url, secret=hooks.secret))
    run = bench.bakewatch(
        "bakewatch", "run", "-c", config, "--release", "v1.2.3", "--until", "smoke",
        "--state-dir", bench.folder / "state", "--report-dir", bench.folder / "reports",
    )
    bench.until("gives a program the letter, at its second try",
                lambda: (out / "env").exists(), 60, run.printed)
    bench.until("ends", lambda: run.exit() is not None, 60, run.printed)
    letter = json.loads((out / "letter").read_text())
    bench.check("says what a webhook says", letter["type"] == "release.smoke_failed", letter)
    keys = (out / "keys").read_text().split()
    bench.check("bears a key that tells each letter apart", all(key.startswith("bw-") for key in keys)
                and len(keys) >= 2, keys)
    bench.check("passes arguments as they are, without a shell",
                (out / "to").read_text() == "on call; exit 9")
    names = {line.split("=")[0] for line in (out / "env").read_text().splitlines()}
    bench.check("passes no environment but what is listed",
                names - {"PWD", "SHLVL", "_", "OLDPWD"}
                == {"PATH", "OUT", "PAGE_TOKEN", "BAKEWATCH_KEY"}, names)
    bench.check("shows its words and hides its secret",
                "the line is busy for ***" in run.printed()
                and "hunter2-of-the-pager" not in run.printed(), run.printed()[-800:])

    body = hooks.taken()[0]
    bench.check("says it in the receiver's own words",
                body.body["title"].startswith("SMOKE FAILED critical: chat-agent v1.2.3")
                and body.body["failed"], body.body)
    bench.check("signs what it sends", all(one.signed for one in hooks.tries))
