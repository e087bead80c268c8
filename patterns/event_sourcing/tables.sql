-- The tables of an event store. STRICT: a text does not become a number. AUTOINCREMENT: no number is given twice.
CREATE TABLE IF NOT EXISTS events (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    stream   TEXT NOT NULL,
    version  INTEGER NOT NULL,  -- its place in its stream, from 0
    id       TEXT NOT NULL,     -- its name in its stream: a retry has the same
    type     TEXT NOT NULL,
    data     TEXT NOT NULL,     -- the fact, in JSON
    meta     TEXT NOT NULL,     -- about the fact, in JSON
    tags     TEXT NOT NULL,     -- with a space between two
    UNIQUE (stream, version)
) STRICT;

-- An index of the tags: what the condition of an append asks for.
CREATE TABLE IF NOT EXISTS tags (
    tag      TEXT NOT NULL,
    position INTEGER NOT NULL,
    PRIMARY KEY (tag, position)
) STRICT, WITHOUT ROWID;

-- A deleted stream begins at `first`. Its earlier events stay, but are not read by the name of their stream.
CREATE TABLE IF NOT EXISTS deleted (
    stream TEXT PRIMARY KEY,
    first  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
