"""Sealing member data: AES-256-GCM under one key a member, wrapped by a key of the clinic, kept apart.

Destroying a member's wrapped key makes every sealed field of theirs unreadable wherever a copy may lie. The keys
therefore live in a database of their own, which is backed up separately and for a shorter time.

Layout of a sealed field: version (1) · key id (1) · nonce (12) · ciphertext and tag. The associated data names the
table, column, row and member, so that a field moved elsewhere cannot be opened.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import stat
import threading
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections import OrderedDict
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap
from sqlalchemy import Column, Engine, Integer, LargeBinary, MetaData, String, Table, insert, select

from care.model.errors import CareError
from care.model.ids import MemberId

VERSION = 1
CACHED_KEYS = 2_000  # members whose key stays in memory

key_metadata = MetaData()
member_key = Table(
    "member_key",
    key_metadata,
    Column("member_id", String(32), primary_key=True),
    Column("kid", Integer, nullable=False),
    Column("wrapped", LargeBinary, nullable=False),
)


class KeyTrouble(CareError):
    """The clinic's key file is missing, unsafe or not the one the data was sealed with."""

    code = "key_trouble"


class SealBroken(CareError):
    """A sealed field does not open: it was changed, moved, or its key is gone."""

    code = "seal_broken"


class MasterKey:
    """The clinic's two secrets: one wraps member keys, one makes blind indexes."""

    def __init__(self, wrapping: bytes, indexing: bytes, kid: int = 1) -> None:
        self.wrapping = wrapping
        self.indexing = indexing
        self.kid = kid

    @classmethod
    def create(cls, path: Path) -> MasterKey:
        """Write a new key file, readable by its owner only; an existing one is never overwritten."""
        path.parent.mkdir(parents=True, exist_ok=True)
        body = json.dumps(
            {
                "kid": 1,
                "wrapping": urlsafe_b64encode(os.urandom(32)).decode(),
                "indexing": urlsafe_b64encode(os.urandom(32)).decode(),
            }
        )
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(body)
        return cls.load(path)

    @classmethod
    def load(cls, path: Path) -> MasterKey:
        """Read the key file.

        Raises:
            KeyTrouble: if it is missing, readable by others, or not a key file.
        """
        if not path.exists():
            raise KeyTrouble(
                f"密钥文件 {path.name} 不在了。新装请运行 anxin db init；原来有数据的，请把备份的密钥放回原处"
            )
        if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise KeyTrouble(f"密钥文件 {path.name} 别人也能读。请运行：chmod 600 {path.name}")
        try:
            body = json.loads(path.read_text())
            wrapping, indexing = (urlsafe_b64decode(body[name]) for name in ("wrapping", "indexing"))
            kid = int(body["kid"])
        except (ValueError, KeyError, TypeError) as broken:
            raise KeyTrouble(f"{path.name} 不是密钥文件") from broken
        if len(wrapping) != 32 or len(indexing) != 32:
            raise KeyTrouble(f"密钥文件 {path.name} 里的密钥长度不对")
        return cls(wrapping, indexing, kid)


class Keyring:
    """Opens and seals. One a process; safe to share between threads."""

    def __init__(self, engine: Engine, master: MasterKey) -> None:
        self._engine = engine
        self._master = master
        self._keys: OrderedDict[MemberId, AESGCM] = OrderedDict()
        self._lock = threading.Lock()

    def create(self, member_id: MemberId) -> None:
        """Make and keep a key for a new member."""
        key = AESGCM.generate_key(256)
        wrapped = aes_key_wrap(self._master.wrapping, key)
        with self._engine.begin() as db:
            db.execute(insert(member_key).values(member_id=member_id, kid=self._master.kid, wrapped=wrapped))
        self._remember(member_id, AESGCM(key))

    def seal(self, member_id: MemberId, table: str, column: str, row: str, value: Any) -> bytes | None:
        """Seal anything JSON can carry; None stays None."""
        if value is None:
            return None
        plain = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
        return self.seal_bytes(member_id, table, column, row, plain)

    def seal_bytes(self, member_id: MemberId, table: str, column: str, row: str, plain: bytes) -> bytes:
        """Seal a file."""
        nonce = os.urandom(12)
        sealed = self._key(member_id).encrypt(nonce, plain, _place(table, column, row, member_id))
        return bytes((VERSION, self._master.kid)) + nonce + sealed

    def open(self, member_id: MemberId, table: str, column: str, row: str, sealed: bytes | None) -> Any:
        """Open what `seal` made for exactly this place.

        Raises:
            SealBroken: if it was changed, belongs elsewhere, or its key was destroyed.
        """
        if sealed is None:
            return None
        plain = self.open_bytes(member_id, table, column, row, sealed)
        return json.loads(plain.decode("utf-8", "surrogatepass"))

    def open_bytes(self, member_id: MemberId, table: str, column: str, row: str, sealed: bytes) -> bytes:
        """Open what `seal_bytes` made for exactly this place.

        Raises:
            SealBroken: if it was changed, belongs elsewhere, or its key was destroyed.
        """
        place = _place(table, column, row, member_id)
        try:
            return self._key(member_id).decrypt(sealed[2:14], sealed[14:], place)
        except (InvalidTag, ValueError) as broken:
            raise SealBroken(f"{table}.{column} of {row} does not open") from broken

    def blind(self, field: str, value: str) -> bytes:
        """Return what a value is looked up by; without the clinic's key nobody can guess it back."""
        return hmac.new(self._master.indexing, f"{field}|{value}".encode(), hashlib.sha256).digest()[:16]

    def close(self) -> None:
        """Let go of the key store's connections."""
        self._engine.dispose()

    def _key(self, member_id: MemberId) -> AESGCM:
        with self._lock:
            if member_id in self._keys:
                self._keys.move_to_end(member_id)
                return self._keys[member_id]
        with self._engine.connect() as db:
            wrapped = db.execute(
                select(member_key.c.wrapped).where(member_key.c.member_id == member_id)
            ).scalar_one_or_none()
        if wrapped is None:
            raise SealBroken(f"the key of member {member_id} is gone")
        try:
            key = AESGCM(aes_key_unwrap(self._master.wrapping, wrapped))
        except InvalidUnwrap as wrong:
            raise KeyTrouble("这个密钥文件不是当初加密这些数据的那一个。请放回原来的密钥文件") from wrong
        self._remember(member_id, key)
        return key

    def _remember(self, member_id: MemberId, key: AESGCM) -> None:
        with self._lock:
            self._keys[member_id] = key
            while len(self._keys) > CACHED_KEYS:
                self._keys.popitem(last=False)


def _place(table: str, column: str, row: str, member_id: MemberId) -> bytes:
    return f"{table}|{column}|{row}|{member_id}".encode()
