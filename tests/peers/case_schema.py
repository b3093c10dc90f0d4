"""The schema that editors use, held against the example and against every
broken file of tests/config: what it does not see is listed here, with why."""

import json
import pathlib
import re
import subprocess
import sys
import tomllib
import urllib.parse

import jsonschema

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCHEMA = ROOT / "config/bakewatch.schema.json"

# What a schema cannot express: it sees forms, one value at a time.
UNSEEN = {
    "another value decides": [
        r"is taken by the one in line",
        r"is listed twice",
        r"in another unit than the signal",
        r"a ratio lies between 0 and 1",
        r"counts no events",
        r"is no histogram",
        r"is a histogram: say which quantile",
        r"is (not below|above a quarter|longer than the window)",
        r"which expects some, is over after",
        r"healthy replicas are expected of",
        r"health is not asked",
        r"neither health nor metrics",
        r"is judged where",
        r"there is no user in",
        r"has the user",
        r"smtp\+plain uses no TLS",
        r"belongs to type =",
        r"`(to|smtp|url|topic|channel|routing-key)` is missing",  # by the type of a channel
        r"is an Alertmanager, which takes alerts alone",
        r"there is no `template`",
        r"url: expected a text, \{ env",  # a list, where one address is meant
        r"is said of a bot",
        r"names the channel itself",
        r"is no topic",
        r"`length` is missing",  # by the name of a window
        r"`(request|expect)` is missing",  # unless it is off
        r"there is no certificate to verify",
        r"only answers of HTTP are captured",
        r"a question besides HTTP cleans nothing up",
        r"a step that cleans up is at the end",
        r"captures nothing called",
        r"nothing captures",
        r"errors of which requests",
        r"`port` is missing: an address alone",  # by the type of a record
        r"SRV records bear their own port",
        r"goes with `http`",
        r"goes with a bound such as",
        r"mixes shares of a baseline",
        r"only steps of \[\[smoke\]\] hand on",
        r"is given twice",
        r"says who is asked for a rule's",
    ],
    "what is on the disk": [
        r"no file is called",
    ],
    "which of several keys are there": [
        r"leave one (of them )?out",
        r"a rule has one bound",
        r"has no bound",
        r"judges nothing",
        r"needs both `num` and `den`",
        r"says not how it is measured",
        r"is measured in one way",
        r"only `buckets` have a scale",
        r"a HEAD request has no body",
        r"url: is missing",  # the command line may give it
        r"says not what is asked",
        r"asks one thing",
        r"says not of what",
        r"promises nothing",
        r"is read in one place",
        r"gives no signal",
        r"errors are told in one way",
        r"names no source",
        r"says where to look in one way",
        r"client-cert and client-key go together",
    ],
    "a language of its own": [
        r"at its character",
        r"is no share of a baseline",
        r"nothing known is called",
        r"is no URL",
        r"has a query or fragment",
        r"user or password ends up in logs",
        r"a password in a URL",
        r"has no port",
        r"has something behind the host",
        r"in the open, which is for this machine alone",
        r"is no mail address",
        r"is no signing secret",
        r"is no name of a variable",
        r"a header's value is one line",
        r"fits in 64 bits",
        r"is no bound",
        r"unknown method",
        r"is no port from",
        r"is no host",
        r"is no address",
        r"is no metric with a label",
        r"is no JSON path",
        r"digest\.[a-z]\.cron: ",
        r"the baseline itself would break this",
        r"is no matcher",
        r"is the histogram's name without its end",
        r"no header has such a name",
        r"is no path of a socket",
        r"is empty, or more than one line",
        r"a user has no colon",
        r"is no name in the DNS",
        r"tells no form",
        r"one `\*` may stand",
        r"targets\.proxy: .*has no scheme",
        # A secret may be a text of any form, a URL among them.
        r"(channel\.[a-z]|heartbeat)\.url(\[[0-9]\])?: .*(has no scheme|is not supported)",
        r"is no list of matchers",
        r"there is more after the closing quote",
        r"is no regular expression",
        r"is no routing key",
        r"heartbeat\.every: ",
        r"is long after it happened",
        r"has to be longer than nothing",
        r"is not a time of day",
        r"is too often; write at least",
        r"begins and ends at",
        r"the next window begins before this one is over",
        r"is not looked for; write its whole path",
        r"no variable has such a name",
        r"channel\.[a-z]\.template: ",
        r"is no media type",
        r"is no token of a bot",
        r"is no channel; write its name",
        r"is longer than 7d, which no watch outlasts",
        r"maintenance\.[a-z ]+\.schedule: ",
        r"unclosed left parenthesis",
        r"`/api/v1/query` is added to it",
    ],
    "names that the program knows": [
        r"unknown (preset|signal|window|unit|time zone|channel|severity)",
        r"is what the summary of a superseded release is called",
        r"means what it says",
        r"is no signal that a preset gives",
        r"is known without a capture",
        r"is no label; write",
        r"says nothing of `.*`, the longest window",
        r"of the (pack|checklist) can be switched off",
        r"there is a signal",
        r"is measured by the checks",
        r"`smoke` is what --until calls",
        r"cannot name files",
        r"a name is one line",
        r"is no name of a signal",
        r"there is no source",
        r"is what our own scraping is called",
        r"is sent anyway",
    ],
    "a limit in a text": [
        r"has to be longer than nothing",
        r"is too often",
        r"is longer than ten years",
        r"holds up the pipeline",
        r"is not between 0 and 1",
        r"has to be above zero",
        r"is no sensible cadence",
        r"is too far back to judge by",
        r"is no past to go by",
    ],
}

# `bakewatch.toml:3: rule.A.for: …`, or without a line.
COMPLAINT = re.compile(r"bakewatch\.toml(?::\d+)?: (?:(.*?): )?(.*)")


def play(bench) -> None:
    tool = pathlib.Path(sys.executable).parent / "check-jsonschema"
    for arguments in [
        ["--check-metaschema", SCHEMA],
        ["--schemafile", SCHEMA, ROOT / "config/bakewatch.example.toml"],
    ]:
        told = subprocess.run([tool, *arguments], capture_output=True, text=True)
        bench.check(f"passes check-jsonschema {arguments[0]}", told.returncode == 0, told.stdout)

    schema = json.loads(SCHEMA.read_text())
    validator = jsonschema.Draft7Validator(schema)
    for table in [schema, *schema["definitions"].values()]:
        for key, about in table["properties"].items():
            form = {"definitions": schema["definitions"], **about}
            for example in about.get("examples", []):
                fits = jsonschema.Draft7Validator(form).is_valid(example)
                bench.check(f"takes its own example of {key}", fits, example)
    patterns = [(pattern, re.compile(pattern)) for some in UNSEEN.values() for pattern in some]
    used = set()
    for path in sorted((ROOT / "tests/config").glob("*.toml")):
        try:
            document = tomllib.loads(path.read_text())
        except tomllib.TOMLDecodeError:
            continue  # no schema ever sees it
        errors = validator.iter_errors(document)
        seen = {place for error in errors for place in places(error, document)}
        missed = []
        lines = path.with_suffix(".err").read_text().splitlines()
        # What is wrong in a file beside is no part of the schema.
        for line in filter(lambda line: line.startswith("bakewatch.toml"), lines):
            key = re.sub(r"_", "-", COMPLAINT.fullmatch(line)[1] or "")
            excuses = [source for source, pattern in patterns if pattern.search(line)]
            used.update(excuses)
            if key not in seen and not excuses:
                missed.append(line)
        bench.check(f"sees each wrong form of {path.name}", not missed, "\n".join(missed))
    idle = [source for source, _ in patterns if source not in used]
    bench.check("excuses nothing that is never complained about", not idle, idle)


def places(error, document):
    """Where bakewatch would complain of the same: `rule.QueueBacklog.for`."""
    here = called(list(error.absolute_path), document)
    yield here
    if error.validator == "additionalProperties" and isinstance(error.instance, dict):
        for key in set(error.instance) - set(error.schema.get("properties", {})):
            yield ".".join(filter(None, [here, key.replace("_", "-")]))
    if "propertyNames" in error.absolute_schema_path:
        yield f"{here}.{error.instance}"
    for inner in error.context or []:  # of `anyOf`: within one of the forms
        yield from places(inner, document)


def called(path: list, document) -> str:
    """A path in the words of the program, which calls tables by their names."""
    words, value = "", document
    for step in path:
        value = value[step]
        if isinstance(step, int):
            name = name_of(words, value)
            words = f"{words}.{name}" if isinstance(name, str) else f"{words}[{step}]"
        else:
            step = step.replace("_", "-")
            words = f"{words}.{step}" if words else step
            if words == "targets.discover" and name_of(words, value):
                words = f"{words}.{name_of(words, value)}"
    return words


def name_of(words: str, value):
    """What a table is called by: its name, or where it is."""
    if not isinstance(value, dict):
        return None
    if words == "targets.static":
        return place_of(value.get("url"))
    if words == "targets.discover":
        dns = value.get("dns")
        dns = dns if isinstance(dns, dict) else {}
        kind = str(dns.get("type", "")).upper()
        names = [
            ("http", place_of(value.get("http"))),
            ("file", value.get("file")),
            (f"dns {kind}".strip(), dns.get("name")),
        ]
        found = [f"{way} {name}" for way, name in names if isinstance(name, str)]
        return found[0].replace("_", "-") if found else None
    return value.get("name")


def place_of(url):
    """Host, port and path of an address."""
    if not isinstance(url, str) or "://" not in url:
        return None
    parts = urllib.parse.urlsplit(url)
    return parts.netloc + parts.path.rstrip("/")
