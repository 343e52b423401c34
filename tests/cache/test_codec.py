"""Data as JSON and back, and nothing else."""

import pytest

from analyzer.cache import CodecError, codec, digest
from analyzer.contracts import load_packs
from analyzer.contracts.model import Pack
from analyzer.findings.model import Confidence, Finding, Level, Region, State, Step, StepKind, Suppression

AT = Region("a.c", 1, 2, 1, 3, "text")
FINDING = Finding(
    "leak", "exit", "lost", AT, "f", "p", "malloc", (Step(AT, "here", StepKind.ACQUIRE),), level=Level.ERROR,
    confidence=Confidence.LOW, lines=(1, 9), suppression=Suppression(AT, "known"), state=State.NEW,
)  # fmt: skip


def test_a_finding_comes_back():
    whole = Finding("leak", "exit", "lost", AT, "f", "p", "malloc", (), points=(FINDING, FINDING))
    one = codec(Finding)
    assert one.parse(one.text(whole)) == whole
    assert one.parse(one.text(FINDING)) == FINDING


def test_all_packs_come_back():
    of = codec(tuple[Pack, ...])
    packs = load_packs().packs
    assert of.parse(of.text(packs)) == packs


@pytest.mark.parametrize("change", ["missing", "more", "type", "word", "shape"])
def test_a_wrong_value_is_refused(change):
    of = codec(Region)
    value = of.value(AT)
    if change == "missing":
        value.pop()
    elif change == "more":
        value.append(1)
    elif change == "type":
        value[1] = "1"
    elif change == "shape":
        value = {"file": "a.c"}
    elif change == "word":
        of, value = codec(Level), "unheard of"
    with pytest.raises(CodecError):
        of.read(value)


@pytest.mark.parametrize("text", ["", "[1", "nonsense", "[" * 100_000])
def test_what_is_no_json_is_refused(text):
    with pytest.raises(CodecError):
        codec(Region).parse(text)


def test_digests_tell_texts_apart_however_they_are_cut():
    assert digest(("ab", "c")) != digest(("a", "bc")) != digest(("abc",))
    assert digest((b"ab",)) == digest(("ab",))
