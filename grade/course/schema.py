"""The tables of the database, and how a file of an older version becomes one of this version.

`PRAGMA user_version` is the version. MIGRATIONS[n] leads from version n to n + 1; a new file runs all of
them, so there is one description of the tables, and it is the one that old files have been through.
"""

_1 = """
CREATE TABLE events (
    id INTEGER PRIMARY KEY,
    at TEXT NOT NULL,           -- UTC, 2026-12-01T23:59:00+00:00, as all times here
    author TEXT NOT NULL,
    kind TEXT NOT NULL,
    lab TEXT,
    student TEXT,
    said TEXT NOT NULL          -- for a reader
);
CREATE TABLE assignments (
    event INTEGER PRIMARY KEY REFERENCES events,
    lab TEXT NOT NULL,
    folder TEXT NOT NULL,
    arches TEXT NOT NULL,       -- separated by blanks
    seeds INTEGER,              -- NULL: each test's own number
    judge TEXT NOT NULL
);
CREATE TABLE handins (
    event INTEGER PRIMARY KEY REFERENCES events,
    lab TEXT NOT NULL,
    student TEXT NOT NULL,
    entry TEXT NOT NULL,
    at TEXT NOT NULL,
    clock TEXT NOT NULL,        -- where the time comes from: roster, commit, file
    digest TEXT REFERENCES submissions,
    rejected TEXT               -- why it has no digest
);
CREATE TABLE submissions (
    digest TEXT PRIMARY KEY,
    files BLOB NOT NULL         -- JSON of path to text or {"base64": ...}, compressed by zlib
) WITHOUT ROWID;
CREATE TABLE results (
    event INTEGER PRIMARY KEY REFERENCES events,
    lab TEXT NOT NULL,
    digest TEXT NOT NULL REFERENCES submissions,
    judge TEXT NOT NULL,
    points REAL NOT NULL,
    earned REAL NOT NULL,
    seconds REAL NOT NULL,      -- how long it took
    report TEXT NOT NULL,       -- the JSON of results.py
    UNIQUE (lab, digest, judge)
);
CREATE INDEX handins_by_student ON handins (lab, student);
"""

_2 = """
CREATE TABLE roster (
    event INTEGER NOT NULL REFERENCES events,
    student TEXT NOT NULL,
    name TEXT NOT NULL,
    email TEXT NOT NULL,
    PRIMARY KEY (event, student)
) WITHOUT ROWID;
CREATE TABLE policies (
    event INTEGER PRIMARY KEY REFERENCES events,
    lab TEXT NOT NULL,
    due TEXT NOT NULL,
    late TEXT NOT NULL          -- as late.py reads it
);
CREATE TABLE overrides (
    event INTEGER PRIMARY KEY REFERENCES events,
    lab TEXT NOT NULL,
    student TEXT NOT NULL,
    how TEXT NOT NULL CHECK (how IN ('=', '+', '-')),
    points REAL NOT NULL,
    reason TEXT NOT NULL
);
"""


def _append_only(*tables: str) -> str:
    """Triggers that refuse to change or delete rows of @tables."""
    return "".join(
        f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
        f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END;\n"
        for table in tables
        for verb in ("UPDATE", "DELETE")
    )


_3 = """
ALTER TABLE assignments ADD COLUMN branch TEXT;  -- of clones and bundles; NULL: HEAD
"""
_4 = """
CREATE TABLE undone (
    event INTEGER PRIMARY KEY REFERENCES events,
    override INTEGER NOT NULL UNIQUE REFERENCES overrides
);
"""


MIGRATIONS = (
    _1 + _append_only("events", "assignments", "handins", "submissions", "results"),
    _2 + _append_only("roster", "policies", "overrides"),
    _3,
    _4 + _append_only("undone"),
)
VERSION = len(MIGRATIONS)
