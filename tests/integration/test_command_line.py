"""The command line: what it does, and the one sentence it says when it cannot."""

from __future__ import annotations

import re
import shutil
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

from anxin import up
from anxin.cli import app
from care.bootstrap import House, build
from care.model.consent import Purpose
from care.settings import ROOT, load_settings
from care.testing import TEST_READER
from tests.conftest import free_port

PASSWORD = "a-long-quiet-password"
Anxin = Callable[..., Result]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty place where all files of a house lie, and settings that point there."""
    for name in ("ANXIN_DATABASE_URL", "ANXIN_KEYS_URL", "ANXIN_PACK"):
        monkeypatch.delenv(name, raising=False)
    settings = {
        "DATA_DIR": tmp_path / "var" / "data",
        "KEY_FILE": tmp_path / "var" / "keys" / "master.json",
        "MODEL_DIR": tmp_path / "models",
        "PORT": free_port(),
        "RASA_PORT": free_port(),
        "ACTIONS_PORT": free_port(),
    }
    for name, value in settings.items():
        monkeypatch.setenv(f"ANXIN_{name}", str(value))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def anxin(folder: Path) -> Anxin:
    assert folder.is_dir()
    runner = CliRunner()
    return lambda *words, typed="": runner.invoke(app, list(words), input=typed)


@pytest.fixture
def house(anxin: Anxin) -> Iterator[House]:
    """The house as it stands after `anxin db init`, to look into what commands did."""
    assert anxin("db", "init").exit_code == 0
    made = build(load_settings())
    yield made
    made.close()


def add_a_colleague(anxin: Anxin, *, login: str = "wanglan", password: str = PASSWORD, role: str = "carer") -> Result:
    return anxin("staff", "add", login, "--name", "王岚", "--role", role, typed=f"{password}\n{password}\n")


def is_one_sentence(result: Result, *parts: str) -> bool:
    """Whether the command refused with a line of words and no trace of the inside."""
    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit)
    assert "Traceback" not in result.output
    said = result.stderr.strip().splitlines()[-1]
    for part in parts:
        assert part in said, said
    return True


# Databases


def test_init_makes_the_databases_and_a_key_only_its_owner_reads_and_may_be_repeated(
    folder: Path, anxin: Anxin
) -> None:
    first = anxin("db", "init")
    key = (folder / "var" / "keys" / "master.json").read_bytes()
    again = anxin("db", "init")

    assert (first.exit_code, again.exit_code) == (0, 0)
    assert (folder / "var" / "data" / "care.db").exists()
    assert (folder / "var" / "keys" / "master.json").stat().st_mode & 0o777 == 0o600
    assert (folder / "var" / "keys" / "master.json").read_bytes() == key
    assert "数据库已是最新" in again.output


def test_status_says_whether_the_schema_is_current(anxin: Anxin) -> None:
    before = anxin("db", "status")
    anxin("db", "init")
    after = anxin("db", "status")

    assert (before.exit_code, after.exit_code) == (1, 0)
    assert "anxin db init" in before.output
    assert "最新" in after.output


def test_before_init_every_command_says_what_is_missing(anxin: Anxin) -> None:
    for words in (("staff", "list"), ("staff", "reset", "x"), ("run", "scheduler")):
        assert is_one_sentence(anxin(*words), "anxin db init")


def test_a_database_that_was_emptied_is_noticed(folder: Path, anxin: Anxin) -> None:
    anxin("db", "init")
    for file in (folder / "var" / "data").iterdir():
        file.unlink()

    assert is_one_sentence(anxin("staff", "list"), "数据库还没有建好", "anxin db init")


def test_a_database_server_that_is_not_there_is_named_without_its_password(
    anxin: Anxin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANXIN_DATABASE_URL", f"postgresql+psycopg://anxin:geheim@127.0.0.1:{free_port()}/care")

    for words in (("db", "init"), ("db", "status")):
        result = anxin(*words)
        assert is_one_sentence(result, "数据库打不开", "127.0.0.1")
        assert "geheim" not in result.output


def test_a_file_that_is_no_database_is_refused(folder: Path, anxin: Anxin) -> None:
    (folder / "var" / "data").mkdir(parents=True)
    (folder / "var" / "data" / "care.db").write_bytes(b"not a database at all" * 100)

    assert is_one_sentence(anxin("db", "init"), "数据库打不开")


def test_settings_that_make_no_sense_are_named_by_their_variable(
    anxin: Anxin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANXIN_PORT", "80")

    assert is_one_sentence(anxin("db", "init"), "ANXIN_PORT")


# Colleagues


def test_a_colleague_is_added_and_listed_and_the_password_is_shown_nowhere(house: House, anxin: Anxin) -> None:
    added = add_a_colleague(anxin)
    listed = anxin("staff", "list")

    assert added.exit_code == 0, added.output
    assert PASSWORD not in added.output + listed.output
    assert listed.output.split("\t")[:4] == ["wanglan", "王岚", "carer", "康复关怀师"]
    with house.unit_of_work() as uow:
        stored = uow.staff.by_login("wanglan")
    assert stored is not None
    assert stored.password_hash.startswith("$argon2id$")


def test_a_colleague_is_given_the_account_alarms_go_to_and_loses_it_again(house: House, anxin: Anxin) -> None:
    add_a_colleague(anxin)

    given = anxin("staff", "wecom", "wanglan", "WangLan")
    listed = anxin("staff", "list")
    taken = anxin("staff", "wecom", "wanglan")

    assert given.exit_code == 0, given.output
    assert "WangLan" in listed.output
    assert "不再" in taken.output
    assert is_one_sentence(anxin("staff", "wecom", "wanglan", "two words"), "企业微信账号")
    assert is_one_sentence(anxin("staff", "wecom", "nobody", "x"), "nobody")


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"login": "x"}, "登录名"),
        ({"password": "short"}, "密码要 12"),
        ({"password": "aaaaaaaaaaaaaaaa"}, "不同的字符"),
        ({"role": "king"}, "没有 king 这个角色"),
    ],
)
def test_a_colleague_that_cannot_be_added_is_refused_in_words(
    house: House, anxin: Anxin, fields: dict[str, str], says: str
) -> None:
    assert is_one_sentence(add_a_colleague(anxin, **fields), says)

    with house.unit_of_work() as uow:
        assert uow.staff.all() == []


def test_a_login_is_given_once(house: House, anxin: Anxin) -> None:
    add_a_colleague(anxin)

    assert is_one_sentence(add_a_colleague(anxin), "已经有人用了")

    with house.unit_of_work() as uow:
        assert len(uow.staff.all()) == 1


def test_a_reset_gives_a_new_password_opens_the_account_and_ends_older_logins(house: House, anxin: Anxin) -> None:
    from care.adapters.passwords import Argon2Passwords
    from care.model.errors import BadCredentials, TooManyAttempts
    from care.services import staff

    add_a_colleague(anxin)
    idle, absolute = house.settings.session_idle, house.settings.session_absolute

    def log_in(password: str) -> str:
        token, _ = staff.log_in(
            "wanglan",
            password,
            units=house.unit_of_work,
            clock=house.clock,
            passwords=Argon2Passwords(),
            idle=idle,
            absolute=absolute,
        )
        return token

    older = log_in(PASSWORD)
    for _ in range(staff.LOCK_AFTER):
        with pytest.raises(BadCredentials):
            log_in("a wrong guess")
    with pytest.raises(TooManyAttempts):
        log_in(PASSWORD)

    result = anxin("staff", "reset", "WangLan", typed="another-quiet-password\nanother-quiet-password\n")

    assert result.exit_code == 0, result.output
    assert "王岚" in result.output
    assert log_in("another-quiet-password")
    with pytest.raises(BadCredentials):
        log_in(PASSWORD)
    with house.unit_of_work() as uow, pytest.raises(BadCredentials):
        staff.who(older, uow=uow, clock=house.clock, idle=idle)


def test_resetting_nobodys_password_says_so_before_asking_for_one(house: House, anxin: Anxin) -> None:
    assert house.engine is not None
    result = anxin("staff", "reset", "nobody")

    assert is_one_sentence(result, "没有登录名是 nobody 的同事")
    assert "密码（" not in result.output


# Packs


def test_the_shipped_pack_is_fine_and_says_what_it_holds(anxin: Anxin) -> None:
    result = anxin("pack", "check")

    assert result.exit_code == 0, result.output
    assert re.search(r"内容包 dental（版本 .+）没有问题：2 家门店，\d+ 位同事", result.output)


@pytest.mark.parametrize(
    ("file", "old", "new", "says"),
    [
        ("questions.yml", "kind: scale", "kind: gauge", "questions.yml"),
        ("rules.yml", "question: bleed", "question: blood", "rules.yml"),
        ("protocols.yml", "code: A0", "code: [A0", "protocols.yml"),
        ("wording.yml", "checkin:", "checkout:", "wording.yml"),
    ],
)
def test_a_broken_pack_is_refused_with_file_and_line(
    folder: Path, anxin: Anxin, file: str, old: str, new: str, says: str
) -> None:
    mine = folder / "mine"
    shutil.copytree(ROOT / "packs" / "dental", mine)
    text = (mine / file).read_text()
    assert old in text
    (mine / file).write_text(text.replace(old, new, 1))

    result = anxin("pack", "check", str(mine))

    assert result.exit_code == 1
    assert re.search(rf"mine/{says}:\d+: ", result.stderr), result.stderr
    assert "Traceback" not in result.output


def test_a_folder_without_a_pack_is_refused(folder: Path, anxin: Anxin) -> None:
    assert is_one_sentence(anxin("pack", "check", str(folder)), "没有这个文件")


# Demo data


def test_demo_data_twice_is_demo_data_once(house: House, anxin: Anxin) -> None:
    first = anxin("demo-data", "--password", PASSWORD)
    with house.unit_of_work() as uow:
        before = uow.members.page(by=TEST_READER, purpose=Purpose.ADMINISTRATION, after=None, limit=100)
    again = anxin("demo-data")

    assert first.exit_code == 0, first.output
    assert "lijing" in first.output
    assert again.exit_code == 0
    assert "已经在了" in again.output
    with house.unit_of_work() as uow:
        after = uow.members.page(by=TEST_READER, purpose=Purpose.ADMINISTRATION, after=None, limit=100)
        planned = [one for member in after for one in uow.treatments.touchpoints_of(member.id)]
    assert len(before) == len(after) == 3
    assert planned


def test_demo_data_with_a_poor_password_loads_nothing(house: House, anxin: Anxin) -> None:
    assert is_one_sentence(anxin("demo-data", "--password", "short"), "密码要 12")

    with house.unit_of_work() as uow:
        assert uow.staff.all() == []


# Starting


def a_rasa_environment(root: Path, *, whole: bool) -> None:
    binaries = root / "rasa-env" / ".venv" / "bin"
    binaries.mkdir(parents=True)
    for name in ("python", "rasa") if whole else ("python",):
        (binaries / name).touch()


@pytest.mark.parametrize("setting", ["ANXIN_PORT", "ANXIN_RASA_PORT", "ANXIN_ACTIONS_PORT"])
def test_up_refuses_a_busy_port_and_says_how_to_move_it(
    anxin: Anxin, monkeypatch: pytest.MonkeyPatch, setting: str
) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        monkeypatch.setenv(setting, str(port))

        assert is_one_sentence(anxin("up"), str(port), "已经被占用", f"{setting}={port + 1} make demo")


def test_up_without_a_model_says_how_to_train_one_and_leaves_nothing_behind(folder: Path, anxin: Anxin) -> None:
    assert is_one_sentence(anxin("up", "--demo"), "还没有训练好的对话模型", "make train")

    assert not (folder / "var" / "data" / "care.db").exists()


@pytest.mark.parametrize("built", ["not at all", "half"])
def test_up_and_train_without_a_whole_rasa_environment_say_how_to_build_it(
    folder: Path, anxin: Anxin, monkeypatch: pytest.MonkeyPatch, built: str
) -> None:
    (folder / "models").mkdir()
    (folder / "models" / up.MODEL).touch()
    if built == "half":
        a_rasa_environment(folder, whole=False)
    monkeypatch.setattr(up, "ROOT", folder)

    for command in ("up", "train"):
        assert is_one_sentence(anxin(command), "Rasa", "make setup")


def test_chat_with_nobody_there_says_how_to_start(anxin: Anxin) -> None:
    assert is_one_sentence(anxin("chat", typed="你好\n"), "连不上", "make demo")


# Help


def commands(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    yield path, group
    for name, command in getattr(group, "commands", {}).items():
        yield from commands(command, (*path, name))


ALL = list(commands(typer.main.get_command(app)))


@pytest.mark.parametrize(("path", "command"), ALL, ids=[" ".join(path) or "anxin" for path, _ in ALL])
def test_every_command_explains_itself_in_plain_words(anxin: Anxin, path: tuple[str, ...], command: Any) -> None:
    result = anxin(*path, "--help")

    assert result.exit_code == 0
    explained = [command.help, *(getattr(one, "help", None) for one in command.params if one.name != "help")]
    for words in explained:
        assert words, path
        assert re.search(r"[\u4e00-\u9fff]{2}", words)
        assert words.endswith("。")
        assert not words.endswith(("。.", "。。"))


def test_the_commands_are_those_that_were_promised() -> None:
    names = {" ".join(path) for path, _ in ALL}

    assert names >= {"up", "chat", "understand", "db", "staff", "pack check", "train", "demo-data", "staff reset"}
