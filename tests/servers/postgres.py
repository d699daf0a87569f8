#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A throw-away PostgreSQL from Debian's packages, on 127.0.0.1 and a socket of its own, for tests: as a context manager in Python, or

    postgres.py run [--tls] -- COMMAND…    COMMAND with RAFFLE_POSTGRES, an URI by the socket, which asks for no password;
                                           RAFFLE_POSTGRES_TCP, one by TCP, which does; RAFFLE_POSTGRES_PASSWORD
    postgres.py serve [--tls]              prints these as a line of JSON, and runs until its standard input ends

It ends, and its folder goes, with the process that started it, however that ends.
"""
import argparse
import glob
import json
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import urllib.parse

USER = "raffle"  # may do everything
SETTINGS = {
    "listen_addresses": "'127.0.0.1'", "max_connections": "150", "deadlock_timeout": "200ms", "timezone": "UTC",
    "lc_messages": "C", "wal_level": "replica", "synchronous_commit": "on", "autovacuum": "off", "shared_buffers": "32MB",
    "log_line_prefix": "'%m [%p] %u '",
}
# What is left when whoever started the server is gone: the server is told to end at once, and the folder goes.
WATCH = """
cat >/dev/null
for f in "$0"/data/postmaster.pid; do
    [ -e "$f" ] || continue
    p=$(head -n 1 "$f")
    kill -QUIT "$p" 2>/dev/null
    for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do kill -0 "$p" 2>/dev/null || break; sleep 0.1; done
done
rm -rf "$0"
"""


class Failed(Exception):
    """PostgreSQL could not be found, made or started."""


def find_bindir():
    """The newest that has a server; pg_config may belong to the client's package alone."""
    found = []
    if shutil.which("pg_config"):
        found.append(subprocess.run(["pg_config", "--bindir"], check=True, capture_output=True, text=True).stdout.strip())
    found += sorted(glob.glob("/usr/lib/postgresql/*/bin"), key=lambda path: int("0" + "".join(c for c in path if c.isdigit())), reverse=True)
    for path in found:
        if all(os.access(os.path.join(path, name), os.X_OK) for name in ("initdb", "pg_ctl", "postgres", "psql", "pg_basebackup")):
            return path
    raise Failed("no PostgreSQL server is installed: initdb is neither in pg_config --bindir nor in /usr/lib/postgresql/*/bin (apt-get install postgresql)")


def clean_environment():
    """Nothing of the caller's own PostgreSQL decides where a test connects to."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("PG")}
    return {**kept, "LC_ALL": "C", "HOME": "/nonexistent"}


def find_place():
    """In memory, where there is enough: nothing here outlives its machine. Not $TMPDIR, which the server's user may not reach, and whose name may be too
    long for a socket."""
    try:
        room = os.statvfs("/dev/shm")
    except OSError:
        return "/tmp"
    return "/dev/shm" if room.f_bavail * room.f_frsize >= 2 << 30 and os.access("/dev/shm", os.W_OK) else "/tmp"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Postgres:
    """A running server: `uri` is by TCP and wants `password`, `local_uri` by the socket and wants none."""

    def __init__(self, tls=False, settings=None, standby_of=None):
        self.bindir, self.tls, self.primary = find_bindir(), tls, standby_of
        self.settings = {**SETTINGS, **(settings or {})}
        self.password = standby_of.password if standby_of else secrets.token_urlsafe(18)
        self.port, self.folder, self.watcher = free_port(), None, None

    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix="raffle-postgres-", dir=find_place())
        self.watcher = subprocess.Popen(["/bin/sh", "-c", WATCH, self.folder], stdin=subprocess.PIPE, start_new_session=True, cwd="/")
        try:
            self.make()
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.watcher is not None:
            self.watcher.stdin.close()
            self.watcher.wait()
            self.watcher = None

    # --- the server's programs ---

    def as_user(self, command):
        if os.geteuid() != 0:
            return command
        nobody = pwd.getpwnam("nobody")
        return ["setpriv", f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups", *command]

    def program(self, name, *arguments):
        done = subprocess.run(self.as_user([os.path.join(self.bindir, name), *arguments]), cwd=self.folder, env=clean_environment(),
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        if done.returncode != 0:
            raise Failed(f"{name} failed ({done.returncode}): {done.stdout[-2000:]}\n{self.log()[-2000:]}")
        return done.stdout

    # --- making it ---

    @property
    def data(self):
        return os.path.join(self.folder, "data")

    def give(self, path, mode):
        os.chmod(path, mode)
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            os.chown(path, nobody.pw_uid, nobody.pw_gid)

    def make(self):
        self.give(self.folder, 0o711)
        if self.primary is not None:
            self.program("pg_basebackup", "-D", self.data, "-R", "-X", "stream", "-c", "fast", "-d",
                         f"host={self.primary.folder} port={self.primary.port} user={USER}")
            return
        word = os.path.join(self.folder, "password")
        with open(word, "w", encoding="ascii") as f:
            f.write(self.password + "\n")
        self.give(word, 0o600)
        self.program("initdb", "-D", self.data, "-U", USER, f"--pwfile={word}", "--auth-local=trust", "--auth-host=scram-sha-256",
                     "--encoding=UTF8", "--locale=C", "--no-sync")
        os.unlink(word)
        if self.tls:
            self.make_certificate()
        with open(os.path.join(self.data, "postgresql.conf"), "a", encoding="ascii") as f:
            f.writelines(f"{key} = {value}\n" for key, value in self.settings.items())

    def make_certificate(self):
        """Which certifies itself; and nobody comes in by TCP without TLS."""
        key, certificate = os.path.join(self.folder, "server.key"), os.path.join(self.folder, "server.crt")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                        "-keyout", key, "-out", certificate, "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"],
                       check=True, capture_output=True)
        self.give(key, 0o600)
        self.give(certificate, 0o644)
        self.settings.update({"ssl": "on", "ssl_cert_file": f"'{certificate}'", "ssl_key_file": f"'{key}'"})
        with open(os.path.join(self.data, "pg_hba.conf"), "w", encoding="ascii") as f:
            f.write("local all all trust\nlocal replication all trust\nhostssl all all 127.0.0.1/32 scram-sha-256\n")

    # --- running it ---

    def start(self):
        """On the same port as before; the first time on another when somebody was quicker."""
        for left in (2, 1, 0):
            options = f"-c port={self.port} -c unix_socket_directories={self.folder}"
            try:
                self.program("pg_ctl", "-D", self.data, "-l", os.path.join(self.folder, "log"), "-w", "-t", "60", "-o", options, "start")
                return
            except Failed:
                if left == 0 or "could not bind" not in self.log()[-1000:]:
                    raise
                self.port = free_port()

    def stop(self, mode="fast"):
        """`immediate` is as good as a crash: nothing is written any more, and sessions break."""
        self.program("pg_ctl", "-D", self.data, "-w", "-m", mode, "stop")

    def restart(self, mode="fast"):
        self.stop(mode)
        self.start()

    def standby(self):
        """A context manager like this one: it follows this server asynchronously."""
        return Postgres(standby_of=self, settings=self.settings)

    def promote(self):
        self.program("pg_ctl", "-D", self.data, "-w", "promote")

    # --- talking to it ---

    def uri_of(self, user=USER, database="postgres", port=None, password=False):
        word = ":" + self.password if password else ""
        port = self.port if port is None else port
        if not self.tls:
            return f"postgresql://{user}{word}@127.0.0.1:{port}/{database}"
        return (f"postgresql://{user}{word}@localhost:{port}/{database}?hostaddr=127.0.0.1&sslmode=verify-full"
                f"&sslrootcert={self.folder}/server.crt")

    @property
    def uri(self):
        return self.uri_of()

    def local_uri_of(self, user=USER, database="postgres"):
        return f"postgresql://{user}@{urllib.parse.quote(self.folder, safe='')}:{self.port}/{database}"

    @property
    def local_uri(self):
        return self.local_uri_of()

    def psql(self, sql, user=USER, database="postgres"):
        """What the statements answer: a line a row, with | between columns. RuntimeError with psql's words."""
        done = subprocess.run([os.path.join(self.bindir, "psql"), "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", self.local_uri_of(user, database)],
                              input=sql, env=clean_environment(), capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(done.stderr.strip())
        return done.stdout.rstrip("\n")

    def log(self):
        try:
            with open(os.path.join(self.folder, "log"), encoding="utf-8", errors="replace") as f:
                return f.read()
        except OSError:
            return ""

    def environment(self):
        """Of a command that is to use it."""
        kept = {key: value for key, value in os.environ.items() if not key.startswith("PG")}
        return {**kept, "RAFFLE_POSTGRES": self.local_uri, "RAFFLE_POSTGRES_TCP": self.uri, "RAFFLE_POSTGRES_PASSWORD": self.password}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("run", "serve"))
    parser.add_argument("--tls", action="store_true")
    at = sys.argv.index("--") if "--" in sys.argv else len(sys.argv)
    arguments, command = parser.parse_args(sys.argv[1:at]), sys.argv[at + 1:]
    if (arguments.what == "run") != bool(command):
        parser.error("run wants a command, serve wants none")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        with Postgres(tls=arguments.tls) as server:
            if arguments.what == "run":
                return subprocess.run(command, env=server.environment(), check=False).returncode
            print(json.dumps({"uri": server.local_uri, "tcp": server.uri, "password": server.password}), flush=True)
            sys.stdin.read()
    except Failed as failed:
        sys.exit(f"postgres.py: {failed}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
