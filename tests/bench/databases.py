"""The database of a bench: a SQLite file in the daemon's folder, or an empty PostgreSQL of the bench's own."""

import shutil

import first_sync
import servers
from apart import Unusable

NAMES = ("sqlite", "postgresql")
# Room for what a bench writes: with less, checkpoints follow one another and are what is measured.
ROOMY = ("-c", "shared_buffers=256MB", "-c", "min_wal_size=512MB", "-c", "max_wal_size=4GB")


class Database:
    """`url` is "" for SQLite, which a daemon makes by itself."""

    def __init__(self, name, state):
        self.postgres, self.url = None, ""
        if name == "sqlite":
            return
        folder = state.with_name(f"{state.name}-postgresql")
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True, mode=0o700)
        try:
            self.postgres = servers.Postgres(folder, further=ROOMY)
        except Unusable as problem:
            raise first_sync.Failed(str(problem)) from problem
        self.url = self.postgres.url

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.postgres:
            self.postgres.stop()
