-- The published policy store, version 2 (1 had no apps). Built by policyd in one go, renamed into place, never
-- written again; every reader opens it immutable. Constraints repeat what the policy's own checks say, so that
-- a file that breaks them cannot be built.
--
-- There is no migration: the file lives in /run and is built anew from the order log at every boot, so a watch
-- never meets another version's. A reader that does is sealed.
PRAGMA application_id = 0x4e455354; -- "NEST"
PRAGMA user_version = 2;

CREATE TABLE policy (
    one      INTEGER PRIMARY KEY CHECK (one = 1),
    revision INTEGER NOT NULL CHECK (revision > 0),
    region   TEXT NOT NULL CHECK (region IN ('cn', 'eu', 'uk', 'us', 'neutral'))
) STRICT;

CREATE TABLE contact (
    position      INTEGER PRIMARY KEY,
    id            TEXT NOT NULL UNIQUE,
    name          TEXT NOT NULL,
    kind          TEXT NOT NULL CHECK (kind IN ('guardian', 'family', 'friend')),
    picture       TEXT NOT NULL,
    may_ring      INTEGER NOT NULL CHECK (may_ring IN (0, 1)),
    may_be_called INTEGER NOT NULL CHECK (may_be_called IN (0, 1))
) STRICT;

-- E.164 with its plus. The primary key keeps one number from being two people.
CREATE TABLE number (
    number   TEXT PRIMARY KEY CHECK (number GLOB '+[1-9]*' AND length(number) BETWEEN 8 AND 16),
    contact  TEXT NOT NULL REFERENCES contact (id),
    position INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE zone (
    position     INTEGER PRIMARY KEY,
    id           TEXT NOT NULL UNIQUE,
    name         TEXT NOT NULL,
    latitude_e6  INTEGER NOT NULL CHECK (latitude_e6 BETWEEN -90000000 AND 90000000),
    longitude_e6 INTEGER NOT NULL CHECK (longitude_e6 BETWEEN -180000000 AND 180000000),
    radius_m     INTEGER NOT NULL CHECK (radius_m BETWEEN 30 AND 20000)
) STRICT;

-- What a guardian granted. until: seconds since 1970, UTC, from which on it is over; NULL for no end.
CREATE TABLE app (
    position INTEGER PRIMARY KEY,
    app      TEXT NOT NULL UNIQUE,
    until    INTEGER CHECK (until BETWEEN 0 AND 253402300799)
) STRICT;
