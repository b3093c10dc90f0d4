"""A real exim4, in the foreground, on two loopback ports: one with STARTTLS,
one with implicit TLS; both want a password. It refuses one recipient for good
and puts others off as long as it is told to; it can be dead for a while. What
it accepts stays in its spool, where it is read."""

import email
import email.policy
import grp
import os
import pathlib
import subprocess

from harness import Process, as_root, free_port, listens

USER, PASSWORD = "bakewatch", "only-for-the-tests"
REFUSED = "nobody@example.test"
GREY = ["grey@example.test", "alone@example.test"]

CONFIG = """
primary_hostname = mail.example.test
local_interfaces = 127.0.0.1
daemon_smtp_ports = {starttls_port} : {tls_port}
tls_on_connect_ports = {tls_port}
tls_certificate = {folder}/server.pem
tls_privatekey = {folder}/server.key
tls_advertise_hosts = *
auth_advertise_hosts = ${{if eq{{$tls_in_cipher}}{{}}{{}}{{*}}}}
spool_directory = {folder}/spool
log_file_path = {folder}/log/%slog
log_selector = +incoming_interface
dsn_advertise_hosts = *
pid_file_path = {folder}/exim.pid
queue_only = true
acl_smtp_rcpt = check_rcpt
acl_smtp_data = check_data

begin acl
check_rcpt:
  deny !authenticated = *
       message = authentication required
  deny recipients = {refused}
       message = no such person here
  defer recipients = {grey}
        condition = ${{if exists{{{folder}/greylist}}}}
        message = 451 4.7.1 greylisted, come again
  accept
check_data:
  warn condition = ${{if exists{{{folder}/slow}}}}
       delay = 10s
  accept

begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = ${{if and{{{{eq{{$auth2}}{{{user}}}}}{{eq{{$auth3}}{{{password}}}}}}}}}
  server_set_id = $auth2
login:
  driver = plaintext
  public_name = LOGIN
  server_prompts = <| Username: | Password:
  server_condition = ${{if and{{{{eq{{$auth1}}{{{user}}}}}{{eq{{$auth2}}{{{password}}}}}}}}}
  server_set_id = $auth1
"""


class MailServer:
    """Started at once; ended with the bench."""

    def __init__(self, bench, name="mail"):
        self.bench, self.name, self.starts = bench, name, 0
        self.folder = bench.folder / name
        self.tls_port, self.starttls_port = free_port(), free_port()
        self.ca = self.folder / "ca.pem"
        for part in ["", "spool", "log"]:
            (self.folder / part).mkdir(parents=True, exist_ok=True)
        self._certificates()
        self._config()
        self.start()

    def start(self) -> None:
        """At first, and again on the same ports after a stop."""
        self.starts += 1
        command = as_root(["/usr/sbin/exim4", "-C", str(self.folder / "exim.conf"), "-bdf"])
        self.process: Process = self.bench.start(f"exim-{self.name}-{self.starts}", command)
        ready = lambda: listens(self.tls_port) and listens(self.starttls_port)  # noqa: E731
        self.bench.until("finds a mail server", ready, 15, self._log)

    def stop(self) -> None:
        """From here on connections are refused."""
        subprocess.run(as_root(["kill", str(self.process.popen.pid)]), check=True)
        self.process.popen.wait(15)

    def dies(self) -> None:
        """At once, with every connection that it has."""
        subprocess.run(as_root(["kill", "-9", "--", f"-{self.process.popen.pid}"]), check=True)
        self.process.popen.wait(15)

    def slow(self, yes: bool) -> None:
        """Whether it takes its time to answer to a mail that it has."""
        (self.folder / "slow").touch() if yes else (self.folder / "slow").unlink()

    def underway(self) -> int:
        """The mails of which it has the text, accepted or not."""
        return len(self._spooled("-D"))

    def greylists(self, yes: bool) -> None:
        """Whether those in `GREY` are put off."""
        (self.folder / "greylist").touch() if yes else (self.folder / "greylist").unlink()

    def _log(self) -> str:
        return self.process.printed()

    def _openssl(self, *arguments: str) -> None:
        command = ["openssl", *arguments]
        subprocess.run(command, cwd=self.folder, check=True, capture_output=True)

    def _certificates(self) -> None:
        """An authority of our own, and a certificate by it for 127.0.0.1."""
        key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        self._openssl(
            "req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-days", "2",
            "-subj", "/CN=an authority for a test", "-addext", "basicConstraints=critical,CA:TRUE",
        )
        self._openssl("req", *key, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=m")
        (self.folder / "names.cnf").write_text("subjectAltName=IP:127.0.0.1,DNS:localhost\n")
        self._openssl(
            "x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
            "-CAcreateserial", "-out", "server.pem", "-days", "2", "-extfile", "names.cnf",
        )

    def _config(self) -> None:
        config = self.folder / "exim.conf"
        config.write_text(
            CONFIG.format(
                folder=self.folder, tls_port=self.tls_port, starttls_port=self.starttls_port,
                refused=REFUSED, grey=" : ".join(GREY), user=USER, password=PASSWORD,
            )
        )
        config.chmod(0o644)
        # exim gives up root: its files and the key must be its own.
        group = grp.getgrnam("Debian-exim").gr_name
        own = ["chown", "-R", f"Debian-exim:{group}", str(self.folder / "spool"),
               str(self.folder / "log")]
        subprocess.run(as_root(own), check=True)
        key = str(self.folder / "server.key")
        subprocess.run(as_root(["chown", f"root:{group}", key]), check=True)
        subprocess.run(as_root(["chmod", "0640", key]), check=True)
        if os.geteuid() != 0:
            subprocess.run(as_root(["chown", "root:root", str(config)]), check=True)

    def letters(self, to: str) -> list[email.message.EmailMessage]:
        """What was accepted for this recipient, oldest first; `envid` of each is
        the name that the envelope bore, for notices of what becomes of it."""
        letters = []
        for header in self._spooled("-H"):
            head = self._read(header)
            data = self._read(header[:-2] + "-D")
            # Gone or not yet whole: seen at the next look.
            if not head or not data:
                continue
            recipients, headers = parse_header_file(head)
            # What a recipient is to be told later stands behind the address.
            if to in [line.split(" ")[0] for line in recipients]:
                body = data.split(b"\n", 1)[1]
                policy = email.policy.default
                letter = email.message_from_bytes(headers + b"\n" + body, policy=policy)
                letter.envid = envid(head)
                letters.append(letter)
        return letters

    def _spooled(self, kind: str) -> list[str]:
        """The spool's files of a kind, oldest first."""
        spool = str(self.folder / "spool" / "input")
        found = subprocess.run(
            as_root(["find", spool, "-name", f"*{kind}"]), capture_output=True, text=True
        ).stdout.split()
        return sorted(found, key=lambda path: pathlib.Path(path).name)

    def log(self) -> list[str]:
        """What it noted of each message and each refused recipient."""
        return self._read(str(self.folder / "log" / "mainlog")).decode().splitlines()

    def deferrals(self, to: str) -> int:
        """How often this recipient was put off."""
        return sum("greylisted" in line and f"<{to}>" in line for line in self.log())

    def refusals(self, before: str | None = None) -> int:
        """How often somebody asked for the one who is refused; until the
        message of this id was accepted, where one is named."""
        count = 0
        for line in self.log():
            count += "no such person here" in line
            if before and f" id={before.strip('<>')}" in line:
                break
        return count

    def _read(self, path: str) -> bytes:
        return subprocess.run(as_root(["cat", path]), capture_output=True).stdout


def envid(text: bytes) -> str | None:
    """The envelope's name in exim's -H file (RFC 3461)."""
    mark = b"\n-dsn_envid "
    return text.split(mark, 1)[1].split(b"\n", 1)[0].decode() if mark in text else None


def parse_header_file(text: bytes) -> tuple[list[str], bytes]:
    """exim's -H file: envelope lines, a blank line, then each header after
    its length in digits and a flag."""
    envelope, _, rest = text.partition(b"\n\n")
    lines = envelope.decode().splitlines()
    count_at = next(at for at, line in enumerate(lines) if line.isdigit() and at > 3)
    recipients = lines[count_at + 1 :]
    headers = b""
    while rest.strip():
        digits = 0
        while rest[digits : digits + 1].isdigit():
            digits += 1
        length, flag = int(rest[:digits]), rest[digits : digits + 1]
        start = digits + 2
        if flag != b"*":
            headers += rest[start : start + length]
        rest = rest[start + length :]
    return recipients, headers
