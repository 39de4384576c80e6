"""What every command shares: faults as one sentence, databases made ready, a house opened and closed again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from anxin.up import CannotStart
from care.adapters.sql.engine import open_engine
from care.adapters.sql.keys import KeyTrouble, MasterKey
from care.adapters.sql.schema import DatabaseTrouble, migrate, migrate_keys, require_current
from care.model.errors import CareError, Conflict, InvalidInput, NotFound
from care.settings import Settings, SettingsRefused, load_settings

if TYPE_CHECKING:
    from care.bootstrap import House

FIELDS = {
    "login": "登录名要 3 到 64 个小写字母、数字、点或短横，首尾是字母或数字。",
    "name": "姓名要 1 到 40 个看得见的字。",
    "job_title": "岗位要 1 到 40 个看得见的字。",
    "password": "密码要 12 到 256 个字符，至少 5 个不同的字符，不能就是登录名。",
    "wecom_id": "企业微信账号是 1 到 64 个字母、数字和 . _ - @，而且一个账号只属于一位同事。",
}


@contextmanager
def plainly() -> Iterator[None]:
    """Turn what can go wrong into a sentence and exit code 1."""
    from care.adapters.language.safety_rules import LexiconError  # noqa: PLC0415 - heavy; only when a command runs
    from care.adapters.packs import PackError  # noqa: PLC0415

    try:
        yield
    except (CannotStart, DatabaseTrouble, KeyTrouble, SettingsRefused, PackError, LexiconError) as wrong:
        _refuse(str(wrong))
    except CareError as refused:
        _refuse(_in_words(refused))


def prepare_databases(settings: Settings) -> None:
    """Bring the databases to the current schema and make the clinic's key if there is none."""
    for url, prepare in ((settings.care_url, migrate), (settings.key_store_url, migrate_keys)):
        engine = open_engine(url)
        try:
            prepare(engine)
        finally:
            engine.dispose()
    if not settings.key_file.exists():
        MasterKey.create(settings.key_file)


@contextmanager
def opened_house(settings: Settings | None = None) -> Iterator[House]:
    """Open the house over a database that is ready, and close it afterwards.

    Raises:
        DatabaseTrouble: the database cannot be reached or was not made ready.
    """
    from care.bootstrap import build  # noqa: PLC0415

    house = build(settings or load_settings())
    try:
        require_current(house.engine)
        yield house
    finally:
        house.close()


def _refuse(words: str) -> None:
    typer.secho(words, err=True, fg="red")
    raise typer.Exit(1) from None


def _in_words(refused: CareError) -> str:
    if isinstance(refused, InvalidInput):
        return FIELDS.get(refused.field, str(refused))
    if isinstance(refused, NotFound) and refused.kind == "staff":
        return f"没有登录名是 {refused.key} 的同事。看有谁：anxin staff list"
    if isinstance(refused, Conflict) and "login" in str(refused):
        return "这个登录名已经有人用了。"
    return str(refused)
