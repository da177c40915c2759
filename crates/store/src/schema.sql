-- The published policy store, version 3 (2 had contacts, zones and apps alone). Built by policyd in one go, renamed into
-- place, never written again; every reader opens it immutable. Constraints repeat what the policy's own checks say, so
-- that a file that breaks them cannot be built.
--
-- There is no migration: the file lives in /run and is built anew from the order log at every boot, so a watch
-- never meets another version's. A reader that does is sealed.
PRAGMA application_id = 0x4e455354; -- "NEST"
PRAGMA user_version = 3;

-- What there is once. *_min: minutes; child_*: year and month of birth; paused_until, until: seconds since 1970, UTC,
-- NULL for no end.
CREATE TABLE policy (
    one             INTEGER PRIMARY KEY CHECK (one = 1),
    revision        INTEGER NOT NULL CHECK (revision > 0),
    region          TEXT NOT NULL CHECK (region IN ('cn', 'eu', 'uk', 'us', 'neutral')),
    time_zone       TEXT NOT NULL CHECK (length(time_zone) BETWEEN 1 AND 64),
    child_year      INTEGER CHECK (child_year BETWEEN 1900 AND 9999),
    child_month     INTEGER CHECK (child_month BETWEEN 1 AND 12),
    day_min         INTEGER CHECK (day_min BETWEEN 0 AND 1440),
    break_after_min INTEGER CHECK (break_after_min BETWEEN 1 AND 1440),
    break_rest_min  INTEGER CHECK (break_rest_min BETWEEN 1 AND 1440),
    track_h         INTEGER NOT NULL CHECK (track_h BETWEEN 0 AND 8760),
    diary_days      INTEGER NOT NULL CHECK (diary_days BETWEEN 0 AND 65535),
    calls_days      INTEGER NOT NULL CHECK (calls_days BETWEEN 0 AND 65535),
    messages_days   INTEGER NOT NULL CHECK (messages_days BETWEEN 0 AND 65535),
    messages        INTEGER NOT NULL CHECK (messages IN (0, 1)),
    friend_cards    INTEGER NOT NULL CHECK (friend_cards IN (0, 1)),
    lost            INTEGER NOT NULL CHECK (lost IN (0, 1)),
    paused          INTEGER NOT NULL CHECK (paused IN (0, 1)),
    paused_until    INTEGER CHECK (paused_until BETWEEN 0 AND 253402300799),
    CHECK ((child_year IS NULL) = (child_month IS NULL)),
    CHECK ((break_after_min IS NULL) = (break_rest_min IS NULL)),
    CHECK (paused = 1 OR paused_until IS NULL)
) STRICT;

CREATE TABLE contact (
    position       INTEGER PRIMARY KEY,
    id             TEXT NOT NULL UNIQUE,
    name           TEXT NOT NULL,
    kind           TEXT NOT NULL CHECK (kind IN ('guardian', 'emergency', 'family', 'friend')),
    picture        TEXT NOT NULL,
    may_ring       INTEGER NOT NULL CHECK (may_ring IN (0, 1)),
    may_be_called  INTEGER NOT NULL CHECK (may_be_called IN (0, 1)),
    may_write      INTEGER NOT NULL CHECK (may_write IN (0, 1)),
    may_be_written INTEGER NOT NULL CHECK (may_be_written IN (0, 1))
) STRICT;

-- E.164 with its plus. The primary key keeps one number from being two people.
CREATE TABLE number (
    number   TEXT PRIMARY KEY CHECK (number GLOB '+[1-9]*' AND length(number) BETWEEN 8 AND 16),
    contact  TEXT NOT NULL REFERENCES contact (id),
    position INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE schedule (
    position INTEGER PRIMARY KEY,
    id       TEXT NOT NULL UNIQUE,
    name     TEXT NOT NULL,
    kind     TEXT NOT NULL CHECK (kind IN ('class', 'bedtime', 'custom')),
    calls    TEXT NOT NULL CHECK (calls IN ('guardians', 'family', 'everyone')),
    apps     INTEGER NOT NULL CHECK (apps IN (0, 1))
) STRICT;

-- days: the sum of 1 for Monday, 2 for Tuesday, 4 … 64 for Sunday. Times are the family's, HH:MM.
CREATE TABLE schedule_window (
    schedule  TEXT NOT NULL REFERENCES schedule (id),
    position  INTEGER NOT NULL,
    days      INTEGER NOT NULL CHECK (days BETWEEN 1 AND 127),
    from_time TEXT NOT NULL CHECK (from_time GLOB '[0-2][0-9]:[0-5][0-9]'),
    to_time   TEXT NOT NULL CHECK (to_time GLOB '[0-2][0-9]:[0-5][0-9]'),
    PRIMARY KEY (schedule, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE category (
    position INTEGER PRIMARY KEY,
    category TEXT NOT NULL UNIQUE,
    day_min  INTEGER NOT NULL CHECK (day_min BETWEEN 0 AND 1440)
) STRICT;

CREATE TABLE zone (
    position     INTEGER PRIMARY KEY,
    id           TEXT NOT NULL UNIQUE,
    name         TEXT NOT NULL,
    latitude_e6  INTEGER NOT NULL CHECK (latitude_e6 BETWEEN -90000000 AND 90000000),
    longitude_e6 INTEGER NOT NULL CHECK (longitude_e6 BETWEEN -180000000 AND 180000000),
    radius_m     INTEGER NOT NULL CHECK (radius_m BETWEEN 30 AND 20000)
) STRICT;

-- When the child is to be in a zone; days and time as in schedule_window.
CREATE TABLE expectation (
    zone     TEXT NOT NULL REFERENCES zone (id),
    position INTEGER NOT NULL,
    days     INTEGER NOT NULL CHECK (days BETWEEN 1 AND 127),
    by_time  TEXT NOT NULL CHECK (by_time GLOB '[0-2][0-9]:[0-5][0-9]'),
    PRIMARY KEY (zone, position)
) STRICT, WITHOUT ROWID;

-- What the policy grants, and what an app may use.
CREATE TABLE app (
    position INTEGER PRIMARY KEY,
    app      TEXT NOT NULL UNIQUE,
    until    INTEGER CHECK (until BETWEEN 0 AND 253402300799)
) STRICT;

CREATE TABLE permission (
    app        TEXT NOT NULL REFERENCES app (app),
    position   INTEGER NOT NULL,
    permission TEXT NOT NULL
        CHECK (permission IN ('microphone', 'camera', 'location', 'contacts', 'network')),
    PRIMARY KEY (app, permission)
) STRICT, WITHOUT ROWID;

-- What other orders left: apps granted and taken back, and more time.
CREATE TABLE extra (
    position INTEGER PRIMARY KEY,
    app      TEXT NOT NULL UNIQUE,
    until    INTEGER CHECK (until BETWEEN 0 AND 253402300799)
) STRICT;

CREATE TABLE revoked (
    position INTEGER PRIMARY KEY,
    app      TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE more_time (
    position INTEGER PRIMARY KEY,
    category TEXT,
    minutes  INTEGER NOT NULL CHECK (minutes BETWEEN 1 AND 1440),
    until    INTEGER NOT NULL CHECK (until BETWEEN 0 AND 253402300799)
) STRICT;
