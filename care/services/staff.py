"""Colleagues: adding them, letting them in, knowing who they are, letting them out.

A login is a random token in a cookie; the database holds only its hash. Wrong password and unknown login are the same
refusal after the same work, and both are locked after the same number of failures.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import threading
import unicodedata
from collections import OrderedDict
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from care.model.errors import BadCredentials, InvalidInput, NotFound, TooManyAttempts
from care.model.ids import StaffId, new_id
from care.model.staff import Role, Staff, StaffSession
from care.ports import Clock, UnitOfWork, UnitOfWorkFactory

PASSWORD_AT_LEAST = 12  # characters; NIST SP 800-63B-4 asks for length, not for composition
PASSWORD_AT_MOST = 256  # characters; refused, never cut
DIFFERENT_AT_LEAST = 5  # different characters
LOCK_AFTER = 5  # failures in a row
LOCK_FOR = timedelta(minutes=5)  # doubled with every further five, so that guessing slows down
LOCK_AT_MOST = timedelta(hours=1)  # nobody is kept out for good by somebody else's guessing
SEEN_EVERY = timedelta(seconds=30)  # how finely the last use of a session is kept
LOGIN = re.compile(r"[a-z0-9][a-z0-9._-]{1,62}[a-z0-9]")
NAME_LIMIT = 40  # characters
WECOM_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
STRANGERS_KEPT = 4096


class Passwords(Protocol):
    """Hashes and checks passwords."""

    def hash(self, password: str) -> str:
        """Return what is stored."""

    def verify(self, stored: str | None, password: str) -> bool:
        """Whether this is the password; None costs the same and is always wrong."""

    def outdated(self, stored: str) -> bool:
        """Whether the hash should be made anew."""


@dataclass(slots=True)
class _Failures:
    """Failed logins in a row, and until when no further one is tried."""

    count: int = 0
    until: datetime | None = None


class Strangers:
    """Failures of logins nobody has, in memory, so that they are refused exactly as those of colleagues are."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, _Failures] = OrderedDict()
        self._lock = threading.Lock()

    def locked(self, login: str, now: datetime) -> bool:
        """Whether this login had too many failures lately."""
        with self._lock:
            failures = self._known.get(login)
            return failures is not None and failures.until is not None and failures.until > now

    def failed(self, login: str, now: datetime) -> None:
        """Count one more failure."""
        with self._lock:
            failures = self._known.setdefault(login, _Failures())
            failures.count += 1
            failures.until = locked_until(failures.count, now)
            self._known.move_to_end(login)
            while len(self._known) > STRANGERS_KEPT:
                self._known.popitem(last=False)


def add_staff(
    *,
    login: str,
    name: str,
    role: Role,
    password: str,
    uow: UnitOfWork,
    clock: Clock,
    passwords: Passwords,
    job_title: str = "康复关怀师",
) -> Staff:
    """Store a colleague who can log in from the caller's commit on.

    Raises:
        InvalidInput: naming the field: login, name, job_title or password.
        Conflict: the login is taken.
    """
    login = clean_login(login)
    if not LOGIN.fullmatch(login):
        raise InvalidInput("login", "3 to 64 lower-case letters, digits, dots, dashes; no dot or dash at the ends")
    for field, value in (("name", name), ("job_title", job_title)):
        if not value.strip() or len(value) > NAME_LIMIT or not value.isprintable():
            raise InvalidInput(field, f"must have 1 to {NAME_LIMIT} visible characters")
    staff = Staff(
        id=StaffId(new_id()),
        login=login,
        name=name.strip(),
        role=role,
        created_at=clock.now(),
        job_title=job_title.strip(),
        password_hash=passwords.hash(clean_password(password, login)),
    )
    uow.staff.add(staff)
    return staff


def known(login: str, *, uow: UnitOfWork) -> Staff:
    """Return the colleague with this login.

    Raises:
        NotFound: nobody has it.
    """
    login = clean_login(login)
    colleague = uow.staff.by_login(login)
    if colleague is None:
        raise NotFound("staff", login)
    return colleague


def reset_password(login: str, password: str, *, uow: UnitOfWork, passwords: Passwords) -> Staff:
    """Give a colleague a new password, open the account if guessing had locked it, and end every older login.

    Raises:
        NotFound: nobody has this login.
        InvalidInput: the password.
    """
    colleague = known(login, uow=uow)
    colleague.password_hash = passwords.hash(clean_password(password, colleague.login))
    colleague.failed_logins, colleague.locked_until = 0, None
    uow.staff.save(colleague)
    uow.staff.end_sessions_of(colleague.id)
    return colleague


def set_wecom(login: str, wecom_id: str | None, *, uow: UnitOfWork) -> Staff:
    """Say which 企业微信 account a colleague is rung on and serves customers with; None for none any more.

    Raises:
        NotFound: nobody has this login.
        InvalidInput: it cannot be an account, or is a colleague's already.
    """
    colleague = known(login, uow=uow)
    name = wecom_id.strip() if wecom_id else None
    if name is not None and not WECOM_ID.fullmatch(name):
        raise InvalidInput("wecom_id", "1 to 64 letters, digits and . _ - @, as 企业微信 shows the account")
    if name and any(one.wecom_id == name and one.id != colleague.id for one in uow.staff.all()):
        raise InvalidInput("wecom_id", "belongs to a colleague already")
    colleague.wecom_id = name
    uow.staff.save(colleague)
    return colleague


def log_in(
    login: str,
    password: str,
    *,
    units: UnitOfWorkFactory,
    clock: Clock,
    passwords: Passwords,
    idle: timedelta,
    absolute: timedelta,
    strangers: Strangers | None = None,
) -> tuple[str, StaffSession]:
    """Let a colleague in under a new token.

    Makes its own transactions: hashing takes a tenth of a second and must not hold one, and a failure has to be
    counted although it is refused.

    Args:
        login: as typed.
        password: as typed.
        units: makes transactions.
        clock: the present.
        passwords: the hashing.
        idle: how long a session lasts without use; must be positive.
        absolute: how long a session lasts at most.
        strangers: remembers failures of logins nobody has.

    Returns:
        The token for the cookie, which is stored nowhere, and the session.

    Raises:
        BadCredentials: unknown login, wrong password or a closed account; the three are not told apart.
        TooManyAttempts: five failures in a row; opens again by itself after minutes.
    """
    login = clean_login(login)
    with units() as uow:
        staff = uow.staff.by_login(login)
    now = clock.now()
    if _locked(staff, login, strangers, now):
        raise TooManyAttempts
    usable = len(password) <= PASSWORD_AT_MOST
    right = passwords.verify(staff.password_hash if staff else None, _same_form(password) if usable else "")
    if staff is None or not right or not staff.active or not usable:
        _count_failure(staff, login, strangers, units=units, now=now)
        raise BadCredentials
    token = secrets.token_urlsafe(32)
    session = StaffSession(
        token_hash=_hash(token),
        staff_id=staff.id,
        csrf=secrets.token_urlsafe(32),
        created_at=now,
        last_seen_at=now,
        expires_at=now + max(absolute, idle),
    )
    renewed = passwords.hash(_same_form(password)) if passwords.outdated(staff.password_hash) else None
    with units() as uow:
        fresh = uow.staff.get(staff.id)
        if _locked(fresh, login, None, now):  # guesses at the same time count too
            raise TooManyAttempts
        fresh.failed_logins, fresh.locked_until = 0, None
        if renewed is not None:
            fresh.password_hash = renewed
        uow.staff.save(fresh)
        uow.staff.add_session(session)
        uow.commit()
    return token, session


def who(
    token: str, *, uow: UnitOfWork, clock: Clock, idle: timedelta, acting: bool = True
) -> tuple[Staff, StaffSession]:
    """Return whose token this is.

    Args:
        token: from the cookie.
        uow: open; committed by the caller, or the use is not remembered.
        clock: the present.
        idle: how long a session lasts without use.
        acting: whether a person did something; a page that refreshes by itself does not keep a session alive.

    Raises:
        BadCredentials: no such session, over, unused for too long, or the account was closed.
    """
    now = clock.now()
    session = uow.staff.session(_hash(token))
    if session is None or now >= session.expires_at or now - session.last_seen_at >= idle:
        raise BadCredentials
    staff = uow.staff.get(session.staff_id)
    if not staff.active:
        raise BadCredentials
    if acting and now - session.last_seen_at >= SEEN_EVERY:
        uow.staff.touch_session(session.token_hash, now)
        session = replace(session, last_seen_at=now)
    return staff, session


def log_out(token: str, *, uow: UnitOfWork) -> None:
    """End a session for good; an unknown token changes nothing."""
    uow.staff.end_session(_hash(token))


def clean_login(raw: str) -> str:
    """Return a login in the one form in which it is stored and looked up."""
    return unicodedata.normalize("NFKC", raw).strip().lower()[:64]


def clean_password(raw: str, login: str) -> str:
    """Return a password in the form in which it is hashed.

    Raises:
        InvalidInput: too short, too long, too few different characters, or the login itself.
    """
    password = _same_form(raw)
    if not PASSWORD_AT_LEAST <= len(password) <= PASSWORD_AT_MOST:
        raise InvalidInput("password", f"must have {PASSWORD_AT_LEAST} to {PASSWORD_AT_MOST} characters")
    if len(set(password)) < DIFFERENT_AT_LEAST or not password.strip():
        raise InvalidInput("password", f"needs at least {DIFFERENT_AT_LEAST} different characters")
    if login and password.lower().replace(login, "") in {"", *"0123456789"}:
        raise InvalidInput("password", "must not be the login")
    return password


def locked_until(failures: int, now: datetime) -> datetime | None:
    """Return until when a login is locked after this many failures in a row, or None."""
    if failures < LOCK_AFTER or failures % LOCK_AFTER:
        return None
    doubled: timedelta = LOCK_FOR * 2 ** min(failures // LOCK_AFTER - 1, 8)
    return now + min(doubled, LOCK_AT_MOST)


def _locked(staff: Staff | None, login: str, strangers: Strangers | None, now: datetime) -> bool:
    if staff is not None:
        return staff.locked_until is not None and staff.locked_until > now
    return strangers is not None and strangers.locked(login, now)


def _count_failure(
    staff: Staff | None, login: str, strangers: Strangers | None, *, units: UnitOfWorkFactory, now: datetime
) -> None:
    with units() as uow:
        if staff is None:
            if strangers is not None:
                strangers.failed(login, now)
            return
        fresh = uow.staff.get(staff.id)
        fresh.failed_logins += 1
        fresh.locked_until = locked_until(fresh.failed_logins, now) or fresh.locked_until
        uow.staff.save(fresh)
        uow.commit()


def _same_form(password: str) -> str:
    """One form for the same characters, however the keyboard composed them."""
    return unicodedata.normalize("NFC", password)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
