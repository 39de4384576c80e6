"""Every setting, typed, read once, refused early. The only reader of the environment."""

from __future__ import annotations

import os
import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from care.model.binding import CodeTerms
from care.model.pieces import PieceLimit
from care.model.rights import ChannelTerms, Gift, Nudge, Terms, Trigger

ROOT = Path(__file__).resolve().parent.parent


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as unknown:
        raise ValueError("is not a known time zone") from unknown
    return name


def _listed(raw: object) -> object:
    return tuple(part for part in re.split(r"[,\s]+", raw) if part) if isinstance(raw, str) else raw


#: What a member's deed lets us send, by channel; a channel that is missing sets no limits. Sources: for WeChat the
#: page on customer-service messages (5 in 48 h, 3 a minute after a click), for 微信客服 document 94677.
SEND_RIGHTS: dict[str, dict[Trigger, Gift]] = {
    "wechat": {
        Trigger.MESSAGE: Gift(5, timedelta(hours=48)),
        Trigger.CLICK: Gift(3, timedelta(minutes=1)),
        Trigger.FOLLOW: Gift(3, timedelta(minutes=1)),
        Trigger.SCAN: Gift(3, timedelta(minutes=1)),
        Trigger.OPT_IN: Gift(1),
    },
    "wecom_kf": {Trigger.MESSAGE: Gift(5, timedelta(hours=48))},  # entering gives a code for one greeting, no right
}
#: The longest message a channel is given and how many make up one answer; on the safe side of the vendor's limit.
PIECE_LIMITS = {
    "wechat": PieceLimit("bytes", 2_000, 5),
    "wecom_kf": PieceLimit("bytes", 2_000, 5),
    "telegram": PieceLimit("utf16", 4_000, 10),
}
SILENT_CHANNELS = frozenset({"web"})  # a page nobody may be looking at: never chosen as the other way to a member

Port = Annotated[int, Field(ge=1024, le=65535)]
Listed = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_listed)]
AES_KEY = re.compile(r"[A-Za-z0-9]{43}")  # EncodingAESKey as the vendor's console shows it


class SettingsRefused(Exception):
    """The settings do not make sense; the message names each one and what is wrong with it."""


class Settings(BaseSettings):
    """What a clinic may set, through `ANXIN_…` variables or the file `.env`."""

    model_config = SettingsConfigDict(env_prefix="ANXIN_", env_file=".env", extra="ignore", frozen=True)

    environment: Literal["development", "production"] = "development"
    zone: Annotated[str, AfterValidator(_known_zone)] = "Asia/Shanghai"
    pack: Path = ROOT / "packs" / "dental"
    data_dir: Path = ROOT / "var" / "data"
    key_file: Path = ROOT / "var" / "keys" / "master.json"
    database_url: str = ""
    keys_url: str = ""
    model_dir: Path = ROOT / "models"

    host: str = "127.0.0.1"
    port: Port = 8000
    rasa_port: Port = 5005
    actions_port: Port = 5055
    rasa_timeout_s: Annotated[float, Field(gt=0, le=60)] = 8.0
    secure_cookies: bool = False
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    api_token: SecretStr = SecretStr("")
    telegram_token: SecretStr = SecretStr("")
    telegram_mode: Literal["off", "polling", "webhook"] = "off"
    telegram_secret: SecretStr = SecretStr("")
    telegram_base_url: str = "https://api.telegram.org/bot"

    wechat_mode: Literal["off", "on"] = "off"
    wechat_app_id: str = ""
    wechat_secret: SecretStr = SecretStr("")
    wechat_token: SecretStr = SecretStr("")
    wechat_aes_key: SecretStr = SecretStr("")  # set: only sealed callbacks are taken; production needs it
    wechat_aes_key_previous: SecretStr = SecretStr("")  # while the key is being changed
    wechat_base_url: str = "https://api.weixin.qq.com"
    wechat_freshness: timedelta = timedelta(minutes=30)  # an older callback is a replay; the vendor repeats for 15 s
    wechat_menus: bool = True  # quick replies as msgmenu; off: as links in the text, for accounts without them
    wechat_template_notice: str = ""  # id of the 类目模板 that says "somebody wrote to you"
    wechat_template_notice_field: str = "thing1"  # its field for our words, at most 20 characters
    wechat_template_notice_time_field: str = ""  # its field for the time, if it has one
    wechat_subscribe_notice: str = ""  # id of the 订阅通知 template members may subscribe to
    wechat_subscribe_notice_field: str = "thing1"

    wecom_mode: Literal["off", "on"] = "off"
    wecom_corp_id: str = ""
    wecom_agent_id: int = 0  # of the application that may call 微信客服; also sends alarms to colleagues
    wecom_secret: SecretStr = SecretStr("")
    wecom_token: SecretStr = SecretStr("")
    wecom_aes_key: SecretStr = SecretStr("")
    wecom_aes_key_previous: SecretStr = SecretStr("")  # while the key is being changed
    wecom_base_url: str = "https://qyapi.weixin.qq.com"
    wecom_kf_accounts: Listed = ()  # service accounts pulled even if they never rang, separated by commas
    wecom_desk: Literal["console", "wecom"] = "console"  # where carers write to 微信客服 customers
    wecom_cold_start: timedelta = timedelta(minutes=10)  # older words are not answered when a log is read first
    wecom_pull_every: timedelta = timedelta(seconds=60)  # without a bell; the vendor limits it
    wecom_duplicate_codes: Listed = ()  # error codes by which 微信客服 refuses a repeated message id
    public_url: str = ""  # where colleagues reach the console from outside, for alarms on their phones

    wechat_subscribe_url: str = ""  # the page on which members agree
    send_rights: dict[str, dict[Trigger, Gift]] = Field(default_factory=dict)  # instead of SEND_RIGHTS, by channel
    piece_limits: dict[str, PieceLimit] = Field(default_factory=dict)  # instead of PIECE_LIMITS, by channel
    rights_kept: Annotated[int, Field(ge=0, le=3)] = 1  # the last ones of a window, for safety and humans only
    held_for: timedelta = timedelta(hours=24)  # what waits for a member's word so long is stale

    invitation_lasts: timedelta = timedelta(days=7)  # a code of the practice system that joins an account to a member
    second_channel_lasts: timedelta = timedelta(minutes=10)  # a member's own code for another channel
    wrong_codes: Annotated[int, Field(ge=1, le=20)] = 5  # in a row, from one account; then a pause
    wrong_codes_pause: timedelta = timedelta(minutes=15)

    clock_shift: timedelta = timedelta(0)  # development only: try an evening at noon
    hold_for: timedelta = timedelta(minutes=10)  # how long an offered time is kept
    inbox_lease: timedelta = timedelta(seconds=60)
    outbox_lease: timedelta = timedelta(seconds=60)
    workers: Annotated[int, Field(ge=1, le=32)] = 4  # conversations worked on at once
    scheduler_pulse_s: Annotated[float, Field(gt=0, le=60)] = 2.0
    session_idle: timedelta = timedelta(minutes=20)  # trust: staff sessions, idle
    session_absolute: timedelta = timedelta(hours=12)  # trust: staff sessions, at most

    @model_validator(mode="after")
    def _makes_sense(self) -> Settings:
        if self.telegram_mode != "off" and not self.telegram_token.get_secret_value():
            raise ValueError("telegram_mode needs telegram_token")
        if self.telegram_mode == "webhook" and not self.telegram_secret.get_secret_value():
            raise ValueError("telegram_mode=webhook needs telegram_secret, or anybody could write as a member")
        self._wechat_makes_sense()
        self._wecom_makes_sense()
        if self.environment == "production":
            if len(self.api_token.get_secret_value()) < 32:
                raise ValueError("api_token needs at least 32 characters in production")
            if not self.secure_cookies:
                raise ValueError("secure_cookies must be on in production")
            if self.clock_shift:
                raise ValueError("clock_shift is for development only")
        ports = {self.port, self.rasa_port, self.actions_port}
        if len(ports) < 3:
            raise ValueError("port, rasa_port and actions_port must differ")
        if self.key_file.resolve().is_relative_to(self.data_dir.resolve()):
            raise ValueError("key_file must not lie in data_dir: a backup of the data would carry its own key")
        if self.hold_for <= timedelta(0):
            raise ValueError("hold_for must be longer than nothing")
        return self

    def _wechat_makes_sense(self) -> None:
        if self.wechat_mode == "off":
            return
        for name in ("wechat_app_id", "wechat_secret", "wechat_token"):
            value = getattr(self, name)
            if not (value.get_secret_value() if isinstance(value, SecretStr) else value):
                raise ValueError(f"wechat_mode=on needs {name}")
        for name in ("wechat_aes_key", "wechat_aes_key_previous"):
            key = getattr(self, name).get_secret_value()
            if key and not AES_KEY.fullmatch(key):
                raise ValueError(f"{name} must be the 43 letters and digits of EncodingAESKey")
        if not self.wechat_aes_key.get_secret_value():
            if self.environment == "production":
                raise ValueError(
                    "wechat_aes_key is needed in production: without it a callback's words are not signed"
                )
            if self.wechat_aes_key_previous.get_secret_value():
                raise ValueError("wechat_aes_key_previous needs wechat_aes_key")

    def _wecom_makes_sense(self) -> None:
        if self.wecom_mode == "off":
            return
        for name in ("corp_id", "agent_id", "secret", "token", "aes_key"):
            value = getattr(self, f"wecom_{name}")
            if not (value.get_secret_value() if isinstance(value, SecretStr) else value):
                raise ValueError(f"wecom_mode=on needs wecom_{name}")
        for name in ("wecom_aes_key", "wecom_aes_key_previous"):
            key = getattr(self, name).get_secret_value()
            if key and not AES_KEY.fullmatch(key):
                raise ValueError(f"{name} must be the 43 letters and digits of EncodingAESKey")
        if not all(code.lstrip("-").isdecimal() for code in self.wecom_duplicate_codes):
            raise ValueError("wecom_duplicate_codes must be numbers")

    @property
    def terms(self) -> Terms:
        """On what terms each channel lets us write."""
        rights, limits = SEND_RIGHTS | self.send_rights, PIECE_LIMITS | self.piece_limits
        notices = [Nudge(self.wechat_template_notice), Nudge(self.wechat_subscribe_notice, needs_opt_in=True)]
        nudges = {"wechat": tuple(notice for notice in notices if notice.template)}
        links = {"wechat": self.wechat_subscribe_url}
        return Terms(
            channels={
                name: ChannelTerms(
                    gifts=rights.get(name),
                    limit=limits.get(name),
                    nudges=nudges.get(name, ()),
                    rings=name not in SILENT_CHANNELS,
                    subscribe_url=links.get(name, ""),
                )
                for name in {*rights, *limits, *SILENT_CHANNELS}
            },
            zone=ZoneInfo(self.zone),
            kept=self.rights_kept,
            held_for=self.held_for,
        )

    @property
    def code_terms(self) -> CodeTerms:
        """How long codes live and how often somebody may be wrong."""
        return CodeTerms(self.invitation_lasts, self.second_channel_lasts, self.wrong_codes, self.wrong_codes_pause)

    @property
    def care_url(self) -> str:
        """The care database; embedded SQLite unless a URL is set."""
        return self.database_url or f"sqlite:///{self.data_dir / 'care.db'}"

    @property
    def key_store_url(self) -> str:
        """The database of wrapped member keys, kept apart from the data."""
        return self.keys_url or f"sqlite:///{self.key_file.parent / 'keys.db'}"

    @property
    def rasa_url(self) -> str:
        """Where Rasa listens: on this machine only."""
        return f"http://127.0.0.1:{self.rasa_port}"

    @property
    def actions_url(self) -> str:
        """Where the action server listens: on this machine only."""
        return f"http://127.0.0.1:{self.actions_port}"


def load_settings() -> Settings:
    """Read the environment and `.env`.

    Raises:
        SettingsRefused: naming every setting that makes no sense; values are not shown, they may be secrets.
    """
    try:
        return Settings()
    except ValidationError as wrong:
        lines = []
        for problem in wrong.errors(include_input=False, include_url=False):
            name = "ANXIN_" + "_".join(str(part).upper() for part in problem["loc"]) if problem["loc"] else "settings"
            lines.append(f"{name}: {problem['msg']}")
        raise SettingsRefused("\n".join(lines)) from None


def inherited_environment() -> dict[str, str]:
    """Return the environment that child processes of the supervisor are given."""
    return dict(os.environ)
