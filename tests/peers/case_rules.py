"""Debian's `promtool` and `bakewatch check --test` over the same rules and the
same tests of them: one verdict, file by file, and so many of each."""

import pathlib
import subprocess

RULES = pathlib.Path(__file__).resolve().parents[1] / "rules"

# Files of rules that both have to agree on, at the least.
FILES_MIN = 10


def play(bench) -> None:
    version = subprocess.run(["promtool", "--version"], capture_output=True, text=True)
    bench.check("promtool is there", version.returncode == 0, version.stderr)
    verdicts = {}
    for path in sorted(RULES.glob("*.test.yml")) + sorted(RULES.glob("*.fails.yml")):
        theirs = subprocess.run(
            ["promtool", "test", "rules", path], capture_output=True, text=True)
        ours = subprocess.run(
            [bench.binary, "check", "--test", path], capture_output=True, text=True)
        passes = theirs.returncode == 0
        verdicts[path.name] = passes
        said = f"\ntheirs:\n{theirs.stdout}{theirs.stderr}\nours:\n{ours.stdout}{ours.stderr}"
        bench.check(f"{path.name}: both say that it {'passes' if passes else 'fails'}",
                    (ours.returncode == 0) == passes and ours.returncode in (0, 1, 2), said)
        bench.check(f"{path.name}: the verdict is that of its name",
                    passes == path.name.endswith(".test.yml"), said)
    rules = [path for path in RULES.glob("*.yml") if path.name.count(".") == 1]
    for path in rules:
        theirs = subprocess.run(["promtool", "check", "rules", path], capture_output=True)
        bench.check(f"{path.name}: promtool reads it, unless it is not to be read",
                    (theirs.returncode == 0) == (path.name != "invalid.yml"), theirs.stderr)
    bench.check(f"at least {FILES_MIN} files of rules", len(rules) >= FILES_MIN, len(rules))
    bench.check("both verdicts among them", set(verdicts.values()) == {True, False}, verdicts)
