"""The README's first command: an invented week, and what it leaves to look
at."""

import email
import email.policy

WINDOWS = ["first-day", "first-week"]
FORMATS = ["txt", "md", "html", "json"]


def play(bench) -> None:
    folder = bench.folder / "demo"
    run = bench.bakewatch("demo", "demo", "--out", folder)
    bench.until("lives a week in under two minutes", lambda: run.exit() is not None, 120,
                run.printed)
    bench.check("exits 0", run.exit() == 0, run.printed())

    mails = [
        email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        for path in sorted((folder / "mails").glob("*.eml"))
    ]
    subjects = [mail["subject"] for mail in mails]
    for word in ["FIRING", "RESOLVED", *WINDOWS]:
        bench.check(f"mails {word}", any(word in subject for subject in subjects), subjects)
    bench.check("writes each mail as text and as HTML",
                all(mail.get_body(("plain",)) and mail.get_body(("html",)) for mail in mails))
    bench.check("leaves the webhooks", any((folder / "webhooks").iterdir()))

    pages = sorted(folder.glob("reports/*/*/*"))
    wanted = sorted(f"{window}.{form}" for window in WINDOWS for form in FORMATS)
    bench.check("writes both reports in four formats", [page.name for page in pages] == wanted,
                pages)
    for page in pages:
        if page.suffix == ".html":
            bench.check_html(f"writes valid HTML of {page.stem}", page)
    last = run.stdout.read_text().splitlines()[-1]
    page = folder / "reports" / "chat-agent" / "v1.2.3" / "first-week.html"
    bench.check("ends with the path of the summary", last == str(page), last)
    bench.check("says where they are", str(folder) in run.stdout.read_text(), run.printed())
