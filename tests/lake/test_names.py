"""Names in which nothing can be hidden: whatever text comes, it is refused, or a name that is what it looks like."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lake import names
from lake.errors import BadInputError

FOLDED = ["\u017fOLUSDT", "SOLUSD\uff34", "\u0131NCHUSDT", "\ufb01LUSDT", "\u00dfUSDT", "\u212aAVAUSDT", "SOL\u00b2",
          "COM\u00b9", "\u24c8OLUSDT", "\U0001d412OLUSDT", "\uff71USDT", "\uf900USDT"]  # fmt: skip
INVISIBLE = ["\u3164", "\u115f", "\u1160", "\uffa0", "\u200b", "\u00ad", "\u034f", "\u061c", "\u17b4", "\u180b",
             "\u2060", "\u206f", "\ufe0f", "\ufeff", "\ufff0", "\U0001bca0", "\U0001d173",
             "\U000e0001", "\U000e0100"]  # fmt: skip
ALIKE = ["\u0405OLUSDT", "S\u039fLUSDT", "\ua4e2\ua4f3\ua4e1USDT", "\u13da\u13be\u13de", "\u01c0NCHUSDT", "\u2d54P",
         "\u0b20PUSDT", "\u0d20PUSDT", "\u12d0PUSDT", "\u101dPUSDT", "\u1587AY", "\u4e28NCHUSDT",
         "\U0001f130DA"]  # fmt: skip
DEVICES = ["CON", "nul", "COM0", "com9", "LPT0", "lpt5", "AUX", "PRN"]
LETTERS = st.characters(exclude_categories=["Cs"]) | st.sampled_from("".join(FOLDED + INVISIBLE + ALIKE) + "aZ0币ハ한")


def taken(check, text):
    try:
        return check(text)
    except BadInputError as error:
        assert str(error).isprintable()
        return None


@pytest.mark.parametrize("text", FOLDED + ALIKE + DEVICES + [f"SOL{one}USDT" for one in INVISIBLE] + INVISIBLE)
def test_a_name_that_is_not_what_it_looks_like_is_refused(text):
    assert taken(names.symbol, text) is None
    assert taken(names.ticker, text) is None


@pytest.mark.parametrize("text", ["币安人生USDT", "SOLUSDT", "1000SATSUSDT", "ビットUSDT", "한국USDT", "さくらUSDT"])
def test_what_the_exchange_may_list_is_taken_as_it_is(text):
    assert taken(names.symbol, text) == text


@pytest.mark.parametrize("check", [names.symbol, names.ticker])
@given(text=st.text(LETTERS, max_size=45) | st.text(st.sampled_from("solUSDT19=^.-&"), max_size=45))
def test_any_text_is_refused_or_a_name_that_nothing_folds_and_nothing_is_hidden_in(check, text):
    name = taken(check, text)
    if name is None:
        return
    assert check(name) == name
    assert unicodedata.normalize("NFKC", name) == name == name.upper()
    assert name.isprintable()
    assert 1 <= len(name) <= 40
    assert name.casefold().upper() == name
    kept = [letter for letter in text.strip(" ") if not letter.isascii()]
    assert [letter for letter in name if not letter.isascii()] == kept, "no letter becomes another"
    assert all(unicodedata.category(letter) == "Lo" for letter in kept)


def test_no_letter_but_ours_becomes_one_of_ours():
    for code in (one for one in range(0x80, 0x110000) if not 0xD800 <= one <= 0xDFFF):
        letter = chr(code)
        if (name := taken(names.symbol, letter)) is not None:
            folded = {unicodedata.normalize(form, letter) for form in ("NFKC", "NFC")} | {
                letter.upper(),
                letter.casefold(),
            }
            assert folded == {name} == {letter}
            assert unicodedata.name(letter).startswith(("CJK", "HANGUL SYLLABLE", "HIRAGANA", "KATAKANA LETTER"))
