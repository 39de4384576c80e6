"""The sealed envelope against the vendor's own samples, and against whoever tampers with it."""

from __future__ import annotations

import pytest

from anxin.dev import wechat_callbacks as cb
from bot.channels.tencent.crypto import Locks, NotGenuine, fields_of, sealed_part
from tests.contract.wechat.account import SAMPLE_APP, SAMPLE_KEY, SAMPLE_QUERY, SAMPLE_SEALED, SAMPLE_TOKEN

CORP_TOKEN, CORP_KEY, CORP = "QDG6eK", "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C", "wx5823bf96d3bd56c7"
ECHO = "P9nAzCzyDtyTWESHep1vC5X9xho/qYX3Zpb4yKa9SKld1DsH3Iyt3tP3zNdtp+4RPcs8TgAE7OaBO+FZXvnaqQ=="
ECHO_SIGNED = ("5c45ff5e21c57e6ad56bac8758b79b1d9ac89fd3", "1409659589", "263014780")
HELLO = (
    "RypEvHKD8QQKFhvQ6QleEB4J58tiPdvo+rtK1I9qca6aM/wvqnLSV5zEPeusUiX5L5X/0lWfrf0QADHHhGd3QczcdCUpj911L3vg3W/sYYvuJTs3"
    "TUUkSUXxaccAS0qhxchrRYt66wiSpGLYL42aM6A8dTT+6k4aSknmPj48kzJs8qLjvd4Xgpue06DOdnLxAUHzM6+kDZ+HMZfJYuR+LtwGc2hgf5gs"
    "ijff0ekUNXZiqATP7PF5mZxZ3Izoun1s4zG4LUMnvw2r+KqCKIw+3IQH03v+BCA9nMELNqbSf6tiWSrXJB3LAVGUcallcrw8V2t9EL4EhzJWrQUa"
    "x5wLVMNS0+rUPA3k22Ncx4XXZS9o0MBH27Bo6BpNelZpS+/uh9KsNlY6bHCmJU9p8g7m3fVKn28H3KDYA5Pl/T8Z1ptDAVe0lXdQ2YoyyH2uyPIG"
    "HBZZIs2pDBS8R07+qN+E7Q=="
)
HELLO_SIGNED = ("477715d11cdb4164915debcba66cb864d751f3e6", "1409659813", "1372623149")


def an_account(*keys: str) -> Locks:
    return Locks(SAMPLE_TOKEN, SAMPLE_APP, keys or [SAMPLE_KEY])


def a_corporation() -> Locks:
    return Locks(CORP_TOKEN, CORP, [CORP_KEY])


def test_vector_1_an_open_signature_covers_token_time_and_nonce() -> None:
    locks = Locks("AAAAA", SAMPLE_APP, [])
    right = "899cf89e464efb63f54ddac96b0a0a235f53aa78"

    assert locks.signed(right, "1714037059", "486452656")
    assert not locks.signed(right.upper(), "1714037059", "486452656")
    assert not locks.signed(right, "1714037060", "486452656")


def test_vector_2_a_message_to_a_service_account() -> None:
    opened = an_account().open(
        SAMPLE_SEALED, SAMPLE_QUERY["msg_signature"], SAMPLE_QUERY["timestamp"], SAMPLE_QUERY["nonce"]
    )

    fields = fields_of(opened.plain)
    assert (fields["FromUserName"], fields["Content"]) == ("oyORnuP8q7ou2gfYjqLzSIWZf0rs", "abcdteT")
    assert fields["MsgId"] == "6054768590064713728"


def test_vector_3_the_handshake_of_a_corporation() -> None:
    assert a_corporation().open(ECHO, *ECHO_SIGNED).plain == "1616140317555161061"


def test_vector_4_a_message_to_a_corporation() -> None:
    fields = fields_of(a_corporation().open(HELLO, *HELLO_SIGNED).plain)

    assert (fields["Content"], fields["FromUserName"], fields["AgentID"]) == ("hello", "mycreate", "218")


@pytest.mark.parametrize("at", [0, 40, -3])
def test_one_altered_character_is_noticed(at: int) -> None:
    other = "A" if ECHO[at] != "A" else "B"
    altered = ECHO[:at] + other + (ECHO[at + 1 :] if at != -1 else "")

    with pytest.raises(NotGenuine):
        a_corporation().open(altered, *ECHO_SIGNED)


@pytest.mark.parametrize("missing", [0, 1, 2])
@pytest.mark.parametrize("instead", ["", None])
def test_a_missing_part_of_the_signature_is_a_wrong_one(missing: int, instead: str | None) -> None:
    signed: list[str | None] = list(ECHO_SIGNED)
    signed[missing] = instead

    with pytest.raises(NotGenuine):
        a_corporation().open(ECHO, *signed)


def test_no_key_in_four_hundred_opens_what_another_sealed_and_none_raises_anything_else() -> None:
    letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
    for number in range(400):
        key = "".join(letters[(number * 7 + place * place) % len(letters)] for place in range(43))
        with pytest.raises(NotGenuine):
            an_account(key).open(
                SAMPLE_SEALED, SAMPLE_QUERY["msg_signature"], SAMPLE_QUERY["timestamp"], SAMPLE_QUERY["nonce"]
            )


@pytest.mark.parametrize(
    ("token", "owner", "key"), [("", "wx1", "a" * 43), ("t", "", "a" * 43), ("t", "wx1", "a" * 42), ("t", "wx1", "")]
)
def test_a_lock_that_would_let_anybody_in_is_not_made(token: str, owner: str, key: str) -> None:
    with pytest.raises(ValueError, match=r"callback needs|EncodingAESKey"):
        Locks(token, owner, [key])


@pytest.mark.parametrize("words", ["", "好", "牙" * 4_000, "😀👨‍👩‍👧 <a> & ]]>", "x" * 11, "x" * 12])
def test_what_we_seal_opens_by_the_vendors_recipe(words: str) -> None:
    sealed = fields_of(an_account().seal(words, timestamp="1409735669", nonce="n-1"))

    assert sealed["MsgSignature"] == cb.sign(SAMPLE_TOKEN, "1409735669", "n-1", sealed["Encrypt"])
    assert cb.unseal(sealed["Encrypt"], key=SAMPLE_KEY, owner=SAMPLE_APP) == words


def test_the_sealed_part_is_found_without_reading_anything_else() -> None:
    assert sealed_part(b"<xml><a><Encrypt>\n<![CDATA[YWJj]]>\n</Encrypt>") == "YWJj"
    assert sealed_part(b"<xml><Encrypt><b>YWJj</b></Encrypt></xml>") == ""
