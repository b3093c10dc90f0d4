"""Random series, and random queries that fit them: every production is a
method, and each gives what its type says (a vector, a scalar, a range)."""

# 2023-11-14T22:13:20Z, and forty minutes of samples.
BASE = 1_700_000_000_000
END = BASE + 40 * 60_000

JOBS = ["api", "web"]
INSTANCES = ["a", "b", "c"]
BOUNDS = ["0.1", "0.5", "1", "5", "+Inf"]
SPANS = ["30s", "1m", "2m", "5m", "7m30s", "10m", "90"]
UNARY = ["abs", "ceil", "floor", "sqrt", "exp", "ln", "log2", "log10", "sgn", "asin", "acos",
         "atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "deg", "rad", "round", "-"]
# Of what is no number Prometheus gives the date that its processor makes of it.
DATES = ["minute", "hour", "day_of_week", "day_of_month", "day_of_year", "days_in_month", "month",
         "year"]
OVER = ["delta", "idelta", "avg_over_time", "min_over_time", "max_over_time", "sum_over_time",
        "count_over_time", "last_over_time", "present_over_time", "absent_over_time",
        "stddev_over_time", "stdvar_over_time", "deriv"]
# They take a fall of the last digit for a new beginning: of samples alone.
GROWTH = ["rate", "rate", "increase", "irate", "changes", "resets"]
FOLDS = ["sum", "avg", "min", "max", "count", "group", "stddev", "stdvar"]
COMPARE = ["==", "!=", "<", "<=", ">", ">="]
CALCULATE = ["+", "-", "*", "/", "^", "atan2"]
# Of great numbers these make the last digit the first.
PERIODIC = ["sin", "cos", "tan"]


def series_of(chance) -> list:
    """Labels, and points of (milliseconds, value as text)."""
    made = []

    def add(name, labels, value):
        made.append(({"__name__": name, **labels}, points(chance, value)))

    for job in JOBS:
        for instance in INSTANCES:
            labels = {"job": job, "inst": instance}
            add("c_total", labels, counter(chance, 20))
            add("g", labels, lambda: chance.uniform(-50, 50))
            add("h", {"job": job, "inst": instance, "zone": chance.choice("xy")},
                lambda: chance.choice([float(chance.randrange(5)), chance.uniform(0, 1e6)]))
            made += histogram(chance, {"__name__": "hist_bucket", **labels})
        add("e_total", {"job": job, "code": "500"}, counter(chance, 2))
        add("one", {"job": job}, lambda: 1.0)
    add("odd", {"job": "api"}, lambda: chance.choice([float("nan"), float("inf"), 0.0, -1.5]))
    return made


def counter(chance, most):
    """Grows, and begins again now and then."""
    held = [float(chance.randrange(1000))]

    def value():
        held[0] = 0.0 if chance.random() < 0.02 else held[0] + chance.randrange(most)
        return held[0]

    return value


def histogram(chance, labels) -> list:
    """Its buckets, scraped together; now and then one has less than it should."""
    counts = [0.0] * len(BOUNDS)
    rows = [[] for _ in BOUNDS]
    for at in instants(chance):
        counts = [count + chance.randrange(4) for count in counts]
        if chance.random() < 0.02:
            counts = [0.0] * len(BOUNDS)
        for index, row in enumerate(rows):
            lost = chance.choice([1.0, 20.0]) if chance.random() < 0.02 else 0.0
            row.append([at, repr(max(0.0, sum(counts[:index + 1]) - lost))])
    return [({**labels, "le": bound}, row) for bound, row in zip(BOUNDS, rows)]


def points(chance, value) -> list:
    shown = {"inf": "Inf", "nan": "NaN"}
    values = ((at, repr(value())) for at in instants(chance))
    return [[at, shown.get(text, text)] for at, text in values]


def instants(chance):
    """About every 15 s, with gaps, some longer than the lookback."""
    at = BASE - 15 * 60_000 + chance.randrange(15_000)
    while at < END:
        yield at
        at += 15_000 + chance.randrange(-300, 300)
        if chance.random() < 0.02:
            at += chance.choice([40_000, 120_000, 400_000])


class Grammar:
    def __init__(self, chance):
        self.chance = chance

    def query(self) -> str:
        kind = self.chance.random()
        if kind < 0.08:
            return self.scalar(3)
        return self.vector(self.chance.choice([1, 2, 2, 3, 3, 4]))

    def one(self, *productions):
        return self.chance.choice(productions)

    def vector(self, depth: int) -> str:
        if depth <= 0:
            return self.selector()
        make = self.one(
            self.selector, self.over, self.over, self.fold, self.fold, self.calculated,
            self.calculated, self.compared, self.set, self.matched, self.called, self.labelled,
            self.ranked, self.histogram, self.counted, self.absent, self.clamped, self.sorted,
        )
        return make(depth - 1)

    def scalar(self, depth: int) -> str:
        if depth <= 0:
            return self.number()
        return self.one(
            self.number,
            self.number,
            lambda: f"scalar({self.vector(depth - 1)})",
            lambda: self.one("time()", "pi()", "5m", "1h30m"),
            lambda: f"({self.scalar(depth - 1)} {self.one(*CALCULATE)} {self.scalar(depth - 1)})",
            lambda: (f"({self.scalar(depth - 1)} {self.one(*COMPARE)} bool "
                     f"{self.scalar(depth - 1)})"),
            lambda: f"-{self.scalar(depth - 1)}",
        )()

    def number(self) -> str:
        return self.one("0", "1", "2", "-1", "0.5", "1e3", "0x1F", "Inf", "NaN", "3.25", "017")

    # Leaves.

    def selector(self, _depth: int = 0) -> str:
        return self.plain() + self.shift()

    def plain(self) -> str:
        name = self.one("c_total", "g", "g", "h", "e_total", "one", "odd", "hist_bucket", "gone")
        return self.named(name)

    def named(self, name: str) -> str:
        matchers = []
        if self.chance.random() < 0.4:
            matchers.append(self.one('job="api"', 'job!="api"', 'job=~"a.*"', 'inst=~"a|b"',
                                     'inst!~"[ab]"', 'zone=""', 'job=~".+"', '"inst"!="c"'))
        style = self.chance.random()
        if style < 0.1:
            return "{" + ",".join([f'"{name}"', *matchers]) + "}"
        if style < 0.2:
            return "{" + ",".join([f'__name__="{name}"', *matchers]) + "}"
        if style < 0.25:
            return "{" + ",".join([f'__name__=~"{name[:1]}|{name}"', *matchers]) + "}"
        return name + ("{" + ",".join(matchers) + "}" if matchers else "")

    def shift(self) -> str:
        kind = self.chance.random()
        if kind < 0.75:
            return ""
        offset = f" offset {self.one('', '-')}{self.one(*SPANS)}"
        at = f" @ {self.one('start()', 'end()', str((BASE + 600_000) // 1000), '1700001111.5')}"
        return self.one(offset, at, at + offset, offset + at)

    def range(self, depth: int) -> str:
        if depth <= 0 or self.chance.random() < 0.75:
            return f"{self.plain()}[{self.one(*SPANS)}]{self.shift()}"
        step, of = self.one("", "15s", "30s", "1m", "77s"), self.vector(depth - 1)
        # Of `@` in `@` Prometheus moves the inner one by the outer offset.
        shift = f" offset {self.one(*SPANS)}" if "@" in of else self.shift()
        return f"({of})[{self.one(*SPANS)}:{step}]{shift}"

    # Vectors.

    def over(self, depth: int) -> str:
        kind = self.chance.random()
        if kind < 0.08:
            return f"quantile_over_time({self.scalar(min(depth, 1))}, {self.range(depth)})"
        if kind < 0.16:
            return f"predict_linear({self.range(depth)}, {self.one('60', '3600', '-10', '1h')})"
        if kind < 0.45:
            step = self.one("", ":", ":15s", ":77s")
            return f"{self.one(*GROWTH)}({self.plain()}[{self.one(*SPANS)}{step}]{self.shift()})"
        return f"{self.one(*OVER)}({self.range(depth)})"

    def grouping(self) -> str:
        return self.one("", " by (job) ", " by (job, inst) ", " without (inst) ", " by () ",
                        " without () ", " by (zone) ", " without (le, code) ", " by (le) ",
                        ' by ("job") ')

    def fold(self, depth: int) -> str:
        name, of = self.one(*FOLDS), self.vector(depth)
        grouping = self.grouping()
        if self.chance.random() < 0.15:
            return f"quantile{grouping}({self.one('0.5', '0.9', '0', '1', '1.5', '-1')}, {of})"
        if self.chance.random() < 0.3:
            return f"{name}({of}){grouping}"
        return f"{name}{grouping}({of})"

    def ranked(self, _depth: int) -> str:
        # Of values that are never the same: of equals either may come.
        return (f"{self.one('topk', 'bottomk')}{self.one('', ' by (job) ', ' without (inst) ')}"
                f"({self.one('1', '2', '3', '0', '-1', '2.9')}, {self.named('g')})")

    def counted(self, _depth: int) -> str:
        grouping = self.one("", " by (job) ", " without (inst) ")
        of = self.one("h > 5 < 7", "one", "round(h / 1e5)", "odd")
        return f'count_values{grouping}("{self.one("v", "job")}", {of})'

    def calculated(self, depth: int) -> str:
        op = self.one(*CALCULATE)
        if self.chance.random() < 0.5:
            return f"({self.vector(depth)} {op} {self.scalar(min(depth, 1))})"
        return f"({self.scalar(min(depth, 1))} {op} {self.vector(depth)})"

    def compared(self, depth: int) -> str:
        op, of_bool = self.one(*COMPARE), self.one("", "bool ")
        if self.chance.random() < 0.5:
            return f"({self.vector(depth)} {op} {of_bool}{self.scalar(min(depth, 1))})"
        return f"({self.scalar(min(depth, 1))} {op} {of_bool}{self.vector(depth)})"

    def matching(self) -> str:
        return self.one("", "", "on (job) ", "on (job, inst) ", "ignoring (zone) ", "on () ",
                        "ignoring (le, inst) ", "ignoring () ")

    def set(self, depth: int) -> str:
        return (f"({self.vector(depth)} {self.one('and', 'or', 'unless', 'OR')} {self.matching()}"
                f"{self.vector(depth)})")

    def matched(self, depth: int) -> str:
        op = self.one(*CALCULATE, *COMPARE, *(f"{one} bool" for one in COMPARE))
        many = self.one("g", "h", "c_total", self.vector(depth))
        if self.chance.random() < 0.5:
            few = self.one("one", "sum by (job) (c_total)", "e_total", "h")
            group = self.one("group_left", "group_left (zone)", "group_left (code)",
                             "group_left ()")
            if self.chance.random() < 0.3:
                return f"({few} {op} on (job) {group.replace('left', 'right')} {many})"
            return f"({many} {op} on (job) {group} {few})"
        return f"({many} {op} {self.matching()}{self.vector(depth)})"

    def called(self, depth: int) -> str:
        name = self.one(*UNARY)
        if self.chance.random() < 0.1:
            of = f"clamp({self.vector(depth)}, -1000, 1000)"
            name = self.one(*PERIODIC, "%")
            return f"({of} % {self.scalar(1)})" if name == "%" else f"{name}({of})"
        if name == "-":
            return f"-({self.vector(depth)})"
        if name == "round" and self.chance.random() < 0.5:
            return f"round({self.vector(depth)}, {self.one('0.1', '5', '0')})"
        if self.chance.random() < 0.1:
            # With `@` Prometheus forgets the offset here. And not of today: the
            # spread of great numbers rests on the order in which they come.
            of = self.plain() + self.one("", " offset 1m", " @ 1700001111")
            return f"(timestamp({of}) - {BASE // 1000})"
        if self.chance.random() < 0.15:
            of = self.one("", "timestamp(h)", "g * 1e7", "c_total * 86400", "vector(time())")
            return f"{self.one(*DATES)}({of})"
        if self.chance.random() < 0.1:
            return f"vector({self.scalar(depth)})"
        return f"{name}({self.vector(depth)})"

    def clamped(self, depth: int) -> str:
        return self.one(
            f"clamp({self.vector(depth)}, {self.number()}, {self.number()})",
            f"clamp_min({self.vector(depth)}, {self.number()})",
            f"clamp_max({self.vector(depth)}, {self.number()})",
        )

    def labelled(self, depth: int) -> str:
        of = self.vector(depth)
        return self.one(
            f'label_replace({of}, "to", "$1-x", "job", "(a).*")',
            f'label_replace({of}, "inst", "${{1}}", "job", "(.*)")',
            f'label_replace({of}, "job", "", "inst", ".*")',
            f'label_join({of}, "to", "/", "job", "inst")',
            f"label_join({of}, 'to', '', 'zone')",
        )

    def sorted(self, depth: int) -> str:
        return f"{self.one('sort', 'sort_desc')}({self.vector(depth)})"

    def absent(self, depth: int) -> str:
        return self.one(
            'absent(gone{job="api",inst=~"a"})',
            'absent_over_time(gone{zone="x"}[5m])',
            f"absent({self.vector(depth)})",
        )

    def histogram(self, _depth: int) -> str:
        of = self.named("hist_bucket")
        of = self.one(of, f"rate({of}[5m])", f"sum by (le) ({of})",
                      f"sum by (job, le) (rate({of}[5m]))")
        if self.chance.random() < 0.3:
            # Not below the first bound: 3.5 has NaN there, which later ones mended.
            low, high = self.one("0.1", "0.5", "0.7"), self.one("1", "5", "7", "Inf")
            return f"histogram_fraction({low}, {high}, {of})"
        # Ranks that no sum of whole counts hits to the last digit.
        return f"histogram_quantile({self.one('0.5137', '0.9871', '0.0313', '2', '-1')}, {of})"
