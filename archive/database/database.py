"""Opens an archive's database, makes a new one, or brings an older one up to date.

Rules
1. A place is a URL (`postgresql://...`, `sqlite:///...`) or the name of a file, which is SQLite.
2. What is committed is on the disk, since a 05 promises that: SQLite with `synchronous=FULL` (and WAL, so that readers
   do not wait for the writer), PostgreSQL with `synchronous_commit` on in each session, whatever its server's default;
   a server with `fsync` or `full_page_writes` off is refused. SQLite's files are for their owner only.
3. One archive at a time writes: SQLite has a lock file beside it, PostgreSQL an advisory lock. Several may write if all
   are shared (`is_shared`), on PostgreSQL only (toolcart.archive.storage.known_state).
"""

from __future__ import annotations

import fcntl
import os
import stat
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import BinaryIO

from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.engine import ExceptionContext, make_url
from sqlalchemy.exc import (
    ArgumentError,
    DBAPIError,
    DisconnectionError,
    NoSuchModuleError,
    OperationalError,
    SQLAlchemyError,
)
from sqlalchemy.pool import NullPool

from toolcart.archive.database import file_rights
from toolcart.archive.database.tables import SYSTEM_TYPE, TABLES
from toolcart.base import working_folder
from toolcart.base.installation import how_to_get
from toolcart.toolsnet.telegrams import SYSTEM_TYPES

_SQLITE_FILE = (
    "page_size=2048",  # of a new file: each result touches a page of every index, and the WAL takes whole pages
    "journal_mode=WAL",
)
_SQLITE_SESSION = (
    "synchronous=FULL",
    "wal_autocheckpoint=8000",  # pages: those that many results touch go into the file once
    "cache_size=-32000",  # KiB
    "foreign_keys=ON",
    "busy_timeout=10000",
)
_FILE = "sqlite:///"
_NO_URL = (ArgumentError, NoSuchModuleError, ValueError)  # the last one: a port that is no number
_DAMAGED = "the database is damaged; restore a copy, or save what is readable (docs/archive.md, Damage)"
_UNOPENED = "unable to open database file"
_NOT_ALLOWED = (_UNOPENED, "readonly database", "read-only", "permission", "disk I/O error")
_HINTS = {
    **dict.fromkeys(("malformed", "invalid page", "could not read block", "unexpected zero page"), _DAMAGED),
    "not a database": "another kind of file, or its beginning is damaged (docs/archive.md, Damage)",
    _UNOPENED: "is it there, and may this user write in its folder, as SQLite has to?",
}
_DAMAGE_MOST = 20  # lines
REVISIONS = ("3a", "4", "5", "6", "7")  # of the migrations, in their order; Alembic itself is imported where one is due
_LOCK_NUMBER = 0x746F6F6C  # "tool": the advisory lock's number
_VERSION_TABLE = "alembic_version"
_VERSION = f"SELECT version_num FROM {_VERSION_TABLE}"
_NO_ARCHIVE = "holds no archive of toolcart; is the name right?"
_TAKEN = "another archive writes there; stop it first, or name another place"
_LOCK_WAIT_S = 5.0  # PostgreSQL needs a moment to see that a holder was killed
_LOCK_AGAIN_S = 0.05


class DatabaseUnusable(Exception):
    """The database at this place cannot be used; the text says what is wrong and what to do."""

    def __init__(self, place: str, text: str) -> None:
        super().__init__(f"{without_password(place)}: {text}")


class NotYetThere(DatabaseUnusable):
    """There is no archive, or an older one: one that is served makes it."""


def url_of(place: str) -> str:
    """Return the URL of a place as a user writes it."""
    if "://" not in place:
        return _FILE + place
    scheme, _, rest = place.partition("://")
    if scheme.partition("+")[0] in ("postgres", "postgresql"):
        return f"postgresql+psycopg://{rest}"
    return place


def without_password(place: str) -> str:
    """Return the place for people to read, without a password."""
    try:
        return make_url(place).render_as_string(hide_password=True) if "://" in place else place
    except _NO_URL:
        return place


def is_same(one: str, other: str) -> bool:
    """True if two places are the same file or the same URL."""
    one, other = url_of(one), url_of(other)
    files = [os.path.realpath(url.removeprefix(_FILE)) for url in (one, other) if url.startswith(_FILE)]
    return one == other or (len(files) == 2 and files[0] == files[1])


def connect(place: str, writes: bool, makes: bool | None = None) -> Engine:
    """Return the engine of an archive that exists, or is made if `makes`, as `writes` says; DatabaseUnusable if not.

    One that holds something else is Unusable, and stays as it is; opened for writing, an older archive is brought up to
    date.
    """
    makes = writes if makes is None else makes
    try:
        url = make_url(url_of(place))
        is_sqlite = url.get_backend_name() == "sqlite"
        if not is_sqlite and url.get_backend_name() != "postgresql":
            raise DatabaseUnusable(place, "an archive is an SQLite file, or a PostgreSQL database (postgresql://...)")
        if is_sqlite and not url.database:
            raise DatabaseUnusable(place, "names no file; write sqlite:/// and the file's name, or the name alone")
        if is_sqlite:
            working_folder.need_for(str(url.database))
        if is_sqlite and not makes and not _is_file(str(url.database), place):
            how = "there is no such archive; is the name right? `toolcart archive serve` makes a new one"
            raise NotYetThere(place, how)
        engine = create_engine(url, pool_pre_ping=not is_sqlite)
        event.listen(engine, "handle_error", partial(_name_place, place))
    except _NO_URL as wrong:
        raise DatabaseUnusable(place, f"not a file and not a URL of a database ({wrong})") from None
    except ModuleNotFoundError as missing:
        raise DatabaseUnusable(place, f"{missing.name} is not installed: {how_to_get('postgresql')}") from None
    if is_sqlite:
        event.listen(engine, "do_connect", _open_what_is_there)
        event.listen(engine, "connect", partial(_as_we_want_it, makes))
        event.listen(engine, "checkout", partial(_check_that_it_is_there, str(url.database)))
        if makes:
            _make_for_the_owner(str(url.database))
    elif writes:
        event.listen(engine, "connect", _commit_to_the_disk)
    try:
        with engine.begin() as connection:
            if writes:
                _one_at_a_time(connection)
                _check_promise(connection, place)
                _check_purpose(connection, place, makes)
                _bring_up(connection)
            else:
                _check_reading(_checked_revision(connection, place), place)
    except SQLAlchemyError as refused:
        engine.dispose()  # a connection that stays open has what it was allowed to then
        raise DatabaseUnusable(place, trouble(refused, _file_of(place), writes)) from None
    return engine


def for_changes(place: str) -> Engine:
    """Return the engine of an archive for small changes while it is served, committed to the disk; Unusable."""
    engine = connect(place, writes=False)
    if engine.dialect.name != "sqlite":
        event.listen(engine, "connect", _commit_to_the_disk)
        engine.dispose()  # connections made before this do not have it
    return engine


@contextmanager
def writing(place: str, is_shared: bool = False, makes: bool = True) -> Iterator[Engine]:
    """The archive's engine, brought up to date if need be, and made if `makes`. Nothing else writes meanwhile, except
    others that are shared too; DatabaseUnusable if something does."""
    engine = connect(place, writes=True, makes=makes)
    held = _lock(engine, place, is_shared)
    try:
        with in_words(place, writes=True):
            yield engine
    finally:
        held.close()
        engine.dispose()


def _lock(engine: Engine, place: str, is_shared: bool) -> BinaryIO | _DatabaseLock:
    """Keep others from writing until what is returned is closed."""
    if is_shared and engine.dialect.name == "sqlite":
        raise DatabaseUnusable(
            place, "several processes serve one archive on PostgreSQL alone; give a postgresql:// URL"
        )
    if engine.dialect.name == "sqlite":
        path = os.path.realpath(str(engine.url.database))  # a link's file has one lock
        try:
            file = os.open(path + file_rights.LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise _refused(place, error, True) from None
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(file)
            raise DatabaseUnusable(place, _TAKEN) from None
        return os.fdopen(file, "r+b")
    return _DatabaseLock(engine, place, is_shared)


class _DatabaseLock:
    """The lock of a PostgreSQL database, which is looked after whenever the engine is used: a restart of its server
    takes the lock away, and another archive may have it then. That is an error as any of the database's."""

    def __init__(self, engine: Engine, place: str, is_shared: bool) -> None:
        self._engine = create_engine(engine.url, poolclass=NullPool)
        self._how = text(f"SELECT pg_try_advisory_lock{'_shared' if is_shared else ''}({_LOCK_NUMBER})")
        self._taken = DatabaseUnusable(place, _TAKEN)
        self._one_looks = threading.Lock()
        self._connection = self._taking()
        event.listen(engine, "checkout", self._look_after)

    def close(self) -> None:
        self._connection.close()
        self._engine.dispose()

    def _taking(self) -> Connection:
        """Return the connection that has the lock, which belongs to its session and outlives transactions."""
        connection = self._engine.connect()
        until_s = time.monotonic() + _LOCK_WAIT_S
        while not connection.execute(self._how).scalar():
            connection.commit()
            if time.monotonic() > until_s:
                connection.close()
                raise self._taken
            time.sleep(_LOCK_AGAIN_S)
        connection.commit()
        return connection

    def _look_after(self, *_: object) -> None:
        with self._one_looks:
            try:
                self._connection.execute(text("SELECT 1"))
                self._connection.commit()
            except SQLAlchemyError:
                self._connection.close()
                try:
                    self._connection = self._taking()
                except DatabaseUnusable:
                    raise OperationalError(None, None, Exception(_TAKEN)) from None


def _check_reading(revision: str | None, place: str) -> None:
    if revision is None:
        raise NotYetThere(place, _NO_ARCHIVE)
    if revision != REVISIONS[-1]:
        raise NotYetThere(place, "an archive of an earlier version; `toolcart archive serve` brings it up to date")


def _revision(connection: Connection) -> str | None:
    """Return what Alembic has noted, None if it never was here."""
    if not inspect(connection).has_table(_VERSION_TABLE):
        return None
    return connection.execute(text(_VERSION)).scalar()


def _checked_revision(connection: Connection, place: str) -> str | None:
    """Return the archive's revision, None if there is none; DatabaseUnusable if this version does not know it."""
    revision = _revision(connection)
    if revision is not None and revision not in REVISIONS:
        why = f"an archive of revision {revision}, which this version of toolcart does not know; "
        raise DatabaseUnusable(place, why + "go on with the version that made it, or name a new place")
    return revision


def _bring_up(connection: Connection) -> None:
    if _revision(connection) != REVISIONS[-1]:
        from alembic import command
        from alembic.config import Config

        config = Config()
        config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    present = {row[0] for row in connection.execute(SYSTEM_TYPE.select())}
    rows = [{"SystemType": number, "Name": name} for number, name in SYSTEM_TYPES.items() if number not in present]
    if rows:
        connection.execute(SYSTEM_TYPE.insert(), rows)


def _make_for_the_owner(path: str) -> None:
    """Make the file if there is none; files that SQLite puts beside it get the same rights."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    except OSError as refused:
        raise _refused(path, refused, True, "name a file in a folder that is there and writable") from None


def _one_at_a_time(connection: Connection) -> None:
    """Wait for the others: several servers that start together would all make the tables.

    SQLite's driver begins no transaction for tables: one whose making was interrupted was no archive any more.
    """
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    else:
        connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _LOCK_NUMBER + 1})


def _check_promise(connection: Connection, place: str) -> None:
    """Refuse a server that does not wait for its disk: it cannot keep what a 05 promises."""
    if connection.dialect.name == "sqlite":
        return
    for setting in ("fsync", "full_page_writes"):
        if connection.exec_driver_sql(f"SHOW {setting}").scalar() != "on":
            why = (
                f"this server has `{setting}` off, so that a power cut takes what it has committed, and a 05 promises "
            )
            why += f"that it is kept. Set `{setting} = on` in postgresql.conf and reload the server"
            raise DatabaseUnusable(place, why)


def _check_purpose(connection: Connection, place: str, makes: bool) -> None:
    """Refuse to touch tables that no archive has made, or that another version has.

    A file belongs to one program; in a PostgreSQL database there may be more beside an archive.
    """
    if _checked_revision(connection, place) is not None:
        return
    if not makes:
        raise DatabaseUnusable(place, _NO_ARCHIVE)
    theirs = set(inspect(connection).get_table_names()) - {_VERSION_TABLE}
    if connection.dialect.name != "sqlite":
        theirs &= set(TABLES.tables)
    if theirs:
        called = ", ".join(sorted(theirs))
        raise DatabaseUnusable(place, f"has tables of its own called {called} and is no archive; name another place")


def _commit_to_the_disk(connection, _record) -> None:
    """Set `synchronous_commit` on: a server's or a role's default may be off."""
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit TO on")
    connection.commit()


def _is_file(path: str, place: str) -> bool:
    """True if a file is there; DatabaseUnusable if that cannot be told."""
    try:
        return stat.S_ISREG(os.stat(path).st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise _refused(place, error, False) from None


def _open_what_is_there(_dialect, _record, words: list, how: dict) -> None:
    """Have SQLite make no file: an empty one, which all could read, stood where a copy was to be restored."""
    words[0] = f"{Path(words[0]).absolute().as_uri()}?mode=rw"
    how["uri"] = True


def _check_that_it_is_there(path: str, _connection, record, _proxy) -> None:
    """Have the file opened again if it is another one than before, as once a copy is restored."""
    try:
        status = os.stat(path)
        now = (status.st_dev, status.st_ino)
    except OSError:
        now = None
    if record.info.setdefault("file", now) != now:
        raise DisconnectionError("another file is there now, or none")


def _as_we_want_it(makes: bool, connection, _record) -> None:
    cursor = connection.cursor()
    for setting in _SQLITE_SESSION if _is_to_be_left(cursor, makes) else (*_SQLITE_FILE, *_SQLITE_SESSION):
        cursor.execute(f"PRAGMA {setting}")
    cursor.close()


def _is_to_be_left(cursor, makes: bool) -> bool:
    """True if the file is no archive of ours and is not to become one: a setting of the file would stay in it."""
    present = {name for (name,) in cursor.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if _VERSION_TABLE in present:
        version = cursor.execute(_VERSION).fetchone()
        if version is not None and version[0] in REVISIONS:
            return False
    return not makes or bool(present - {_VERSION_TABLE})


def _name_place(place: str, what: ExceptionContext) -> None:
    """Note in an error which database it came from: while rows go from one to another there are two."""
    if isinstance(what.sqlalchemy_exception, DBAPIError):
        what.sqlalchemy_exception.add_detail(place)


@contextmanager
def in_words(place: str, writes: bool = False) -> Iterator[None]:
    """Say what the database refuses, this one if nothing says which, and how to save a damaged one; Unusable."""
    try:
        yield
    except DBAPIError as wrong:
        place = wrong.detail[0] if wrong.detail else place
        raise DatabaseUnusable(place, trouble(wrong, _file_of(place), writes)) from None


def trouble(wrong: Exception, file: str = "", writes: bool = False) -> str:
    """Return what went wrong, and what may be done about it; of an SQLite file also what keeps this user from it."""
    line = first_line(wrong)
    is_refused = file and any(words in line for words in _NOT_ALLOWED)
    if is_refused and (why := file_rights.closed_to_user(file, writes)):
        return f"{line}: {why}"
    hints = [hint for words, hint in _HINTS.items() if words in line]
    return ": ".join([line, *hints])


def _file_of(place: str) -> str:
    """Return the SQLite file of a place, "" if it is none."""
    url = url_of(place)
    return url.removeprefix(_FILE) if url.startswith(_FILE) else ""


def _refused(place: str, refused: OSError, writes: bool, or_else: str = "") -> DatabaseUnusable:
    """Say which file or folder is closed to this user, if that is it."""
    why = file_rights.closed_to_user(_file_of(place), writes) if isinstance(refused, PermissionError) else ""
    return DatabaseUnusable(place, ": ".join(filter(None, (refused.strerror or str(refused), why or or_else))))


def damage(connection: Connection) -> list[str]:
    """Read the whole SQLite file and return what is damaged in it, in SQLite's words; PostgreSQL has its checksums."""
    if connection.dialect.name != "sqlite":
        return []
    try:
        problems = connection.exec_driver_sql(f"PRAGMA integrity_check({_DAMAGE_MOST})").scalars().all()
    except DBAPIError as wrong:
        return [first_line(wrong)]
    return [] if problems == ["ok"] else [line for text in problems for line in text.splitlines()]


def first_line(wrong: Exception) -> str:
    """Return what went wrong in one line, in the driver's words if it was the driver's error."""
    return (str(getattr(wrong, "orig", None) or wrong) or type(wrong).__name__).splitlines()[0]
