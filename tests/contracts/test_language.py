"""What the language can say: texts to model and back."""

import pytest

from analyzer.contracts.model import Atom, Effect, EffectKind, Root, Term, global_term
from analyzer.contracts.syntax import (
    LanguageError,
    atom_text,
    effect_text,
    parse_condition,
    parse_constant,
    parse_effect,
    parse_term,
    term_text,
)
from tests.contracts.packs import entry_problems, function

NAMES = ("sk", "buf")
KINDS = ("heap",)
RET = Term(Root.RET)
BUF = Term(Root.PARAM, 1)
OUT = Term(Root.PARAM, 1, ("*",))

TERMS = {
    "ret": RET,
    "buf": BUF,
    "*buf": OUT,
    "**buf": Term(Root.PARAM, 1, ("*", "*")),
    "sk->peer": Term(Root.PARAM, 0, ("*", ".peer")),
    "sk->peer.name": Term(Root.PARAM, 0, ("*", ".peer", ".name")),
    "sk->peer->name": Term(Root.PARAM, 0, ("*", ".peer", "*", ".name")),
    "*buf[]": Term(Root.PARAM, 1, ("*", "[]")),
    "buf[]": Term(Root.PARAM, 1, ("[]",)),
    "sk->list[]": Term(Root.PARAM, 0, ("*", ".list", "[]")),
    "buf[1]": Term(Root.PARAM, 1, ("*", ".[1]")),
    "::verbose": global_term("verbose"),
    "ret->data": Term(Root.RET, 0, ("*", ".data")),
}


@pytest.mark.parametrize("text", TERMS)
def test_terms(text: str):
    assert parse_term(text, NAMES) == TERMS[text]
    assert term_text(TERMS[text], NAMES) == text


@pytest.mark.parametrize(
    "text", ["", "5", "other", "*", "buf->", "&buf", "*sk->peer", "buf[x]", "buf[100]", "*buf[1]", "buf ret"]
)
def test_what_is_no_term(text: str):
    with pytest.raises(LanguageError):
        parse_term(text, NAMES)


def test_an_element_by_its_number():
    assert parse_term("buf[0]", NAMES) == parse_term("*buf", NAMES)
    contract = function("""
        c: int lib_both(int ends[2])
        outcomes:
          - {when: ret == 0, then: ["write *ends", "write ends[1]"]}
          - {when: otherwise, then: []}
    """)
    assert [effect.term for effect in contract.outcomes[0].effects] == [
        Term(Root.PARAM, 0, ("*",)),
        Term(Root.PARAM, 0, ("*", ".[1]@32")),
    ]


def test_an_element_of_unknown_size_has_no_place():
    (problem,) = entry_problems("""
        c: int lib_both(struct sock *all)
        then: ["write all[1]"]
    """)
    assert "the size of `struct sock` is not known" in problem


CONSTANTS = {"0": 0, "12": 12, "-1": -1, "0x1F": 31, "null": 0, "E_BUSY": 7, "-E_BUSY": -7}


@pytest.mark.parametrize("text", CONSTANTS)
def test_constants(text: str):
    assert parse_constant(text, {"E_BUSY": 7}) == CONSTANTS[text]


@pytest.mark.parametrize(
    ("text", "what"),
    [("010", "octal or decimal"), ("E_OTHER", "not known"), ("1.5", "no constant"), ("NULL", "not known")],
)
def test_what_is_no_constant(text: str, what: str):
    with pytest.raises(LanguageError, match=what):
        parse_constant(text, {})


@pytest.mark.parametrize("operator", ["==", "!=", "<", "<=", ">", ">=", "&", "!&"])
def test_conditions(operator: str):
    atom = Atom(OUT, operator, -3)
    assert parse_condition(f"*buf {operator} -3", NAMES, {}) == atom
    assert parse_condition(f"*buf{operator}-3", NAMES, {}) == atom
    assert parse_condition(f"buf->size{operator}3", NAMES, {}) == Atom(parse_term("buf->size", NAMES), operator, 3)
    assert atom_text(atom, NAMES) == f"*buf {operator} -3"


@pytest.mark.parametrize("text", ["ret", "ret >", "ret = 0", "0 < ret", "> 0"])
def test_what_is_no_condition(text: str):
    with pytest.raises(LanguageError):
        parse_condition(text, NAMES, {})


EFFECTS = {
    "fresh *buf heap": Effect(EffectKind.FRESH, OUT, "heap"),
    "maybe fresh *buf heap": Effect(EffectKind.FRESH, OUT, "heap", maybe=True),
    "maybe inout fresh *buf heap": Effect(EffectKind.FRESH, OUT, "heap", maybe=True, inout=True),
    "release buf": Effect(EffectKind.RELEASE, BUF),
    "release buf heap": Effect(EffectKind.RELEASE, BUF, "heap"),
    "deep release *buf heap": Effect(EffectKind.RELEASE, OUT, "heap", deep=True),
    "share buf heap": Effect(EffectKind.SHARE, BUF, "heap"),
    "value *buf 3": Effect(EffectKind.VALUE, OUT, value=3),
    "maybe return buf": Effect(EffectKind.RETURN, BUF, maybe=True),
    "optional null *buf": Effect(EffectKind.NULL, OUT, optional=True),
    "optional fresh *buf heap": Effect(EffectKind.FRESH, OUT, "heap", optional=True),
    "store *buf buf": Effect(EffectKind.STORE, OUT, source=BUF),
    "pass buf to sk 2": Effect(EffectKind.PASS, BUF, into=Term(Root.PARAM, 0), value=1),
    "noreturn": Effect(EffectKind.NORETURN),
    "opaque": Effect(EffectKind.OPAQUE),
}
EFFECTS |= {
    f"{kind.value} buf": Effect(kind, BUF)
    for kind in (
        EffectKind.TAKE,
        EffectKind.KEEP,
        EffectKind.BORROW,
        EffectKind.RETURN,
        EffectKind.INTERIOR,
        EffectKind.ESCAPE,
    )
}
EFFECTS |= {
    f"{kind.value} *buf": Effect(kind, OUT)
    for kind in (
        EffectKind.NULL,
        EffectKind.UNCHANGED,
        EffectKind.UNDEFINED,
        EffectKind.DANGLING,
        EffectKind.BORROWED,
        EffectKind.STATIC,
        EffectKind.WRITE,
    )
}


@pytest.mark.parametrize("text", EFFECTS)
def test_effects(text: str):
    assert parse_effect(text, NAMES, KINDS, {}) == EFFECTS[text]
    assert effect_text(EFFECTS[text], NAMES) == text


def test_every_effect_is_tried():
    assert {effect.kind for effect in EFFECTS.values()} == set(EffectKind)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("fresh *buf", "wrong number of words"),
        ("fresh *buf mem", "no kind of this file"),
        ("fresh *other heap", "no parameter"),
        ("maybe release buf", "does not go with"),
        ("deep fresh *buf heap", "does not go with"),
        ("maybe maybe fresh *buf heap", "does not go with"),
        ("frees buf", "no effect"),
        ("relase buf", "did you mean `release`"),
        ("noreturn buf", "wrong number of words"),
        ("value *buf", "wrong number of words"),
        ("pass buf to sk", "wrong number of words"),
        ("pass buf to sk 0", "write `pass TERM to FUNCTION NUMBER`"),
        ("pass buf at sk 1", "write `pass TERM to FUNCTION NUMBER`"),
        ("pass *buf to sk 1", "must be a parameter"),
        ("", "no effect"),
    ],
)
def test_what_is_no_effect(text: str, what: str):
    with pytest.raises(LanguageError, match=what):
        parse_effect(text, NAMES, KINDS, {})


# One contract for each need that docs/contracts.md names: it is understood as meant.


def test_owned_under_a_relation_on_the_result():
    contract = function("""
        c: int lib_recv(struct sock *sk, unsigned char **buf, struct cred **creds)
        outcomes:
          - {when: ret > 0, then: [fresh *buf heap, maybe fresh *creds heap]}
          - {when: ret <= 0, then: [unchanged *buf, "null *creds"]}
    """)
    success, failure = contract.outcomes
    assert success.when == (Atom(RET, ">", 0),)
    assert success.effects == (
        Effect(EffectKind.FRESH, OUT, "heap"),
        Effect(EffectKind.FRESH, Term(Root.PARAM, 2, ("*",)), "heap", maybe=True),
    )
    assert [effect.kind for effect in failure.effects] == [EffectKind.UNCHANGED, EffectKind.NULL]


def test_condition_on_an_argument_and_on_the_result():
    contract = function("""
        c: char *lib_path(const char *path, char *room)
        outcomes:
          - {when: [room == null, ret != null], then: fresh ret heap}
          - {when: [room != null, ret != null], then: return room}
          - {when: ret == null, then: []}
    """)
    assert contract.outcomes[0].when == (Atom(BUF, "==", 0), Atom(RET, "!=", 0))


def test_condition_on_a_flag_and_a_constant_of_the_library():
    contract = function("""
        c: int lib_set(struct sock *sk, int flags, void *data)
        returns: ret <= 0
        outcomes:
          - {when: [flags & F_OWN, ret == 0], then: take data}
          - {when: otherwise, then: []}
    """)
    own, *rest = contract.outcomes
    assert own.when[0] == Atom(BUF, "&", 4)
    assert [outcome.when for outcome in rest] == [
        (Atom(BUF, "!&", 4),),
        (Atom(BUF, "&", 4), Atom(RET, "!=", 0)),
    ]


def test_failure_value_that_is_a_macro():
    contract = function(
        """
        c: void *lib_map(size_t *size)
        outcomes:
          - {when: ret != L_FAILED, then: fresh ret heap}
          - {when: ret == L_FAILED, then: []}
    """.replace("size_t", "int")
    )
    assert contract.outcomes[0].when == (Atom(RET, "!=", -1),)


def test_one_condition_and_one_effect_need_no_list():
    contract = function("{c: void lib_free(void *p), then: release p heap}")
    assert [effect.kind for effect in contract.outcomes[0].effects] == [EffectKind.RELEASE]


def test_a_function_that_never_returns():
    assert function("{c: void lib_die(int code), then: noreturn}").noreturn
    assert not function(
        """
        c: void lib_maybe_die(int code)
        outcomes:
          - {when: code != 0, then: noreturn}
          - {when: code == 0, then: []}
        """
    ).noreturn


def test_values_a_function_cannot_return_need_no_outcome():
    entry = """
        c: int lib_open(const char *path)
        {}outcomes:
          - {{when: ret >= 0, then: fresh ret fd}}
          - {{when: ret == -1, then: []}}
    """
    assert entry_problems(entry.format("")) == [
        "no outcome for ret == -2; add it, or `when: otherwise` as the last one"
    ]
    assert function(entry.format("returns: ret >= -1\n        ")).returns == (Atom(RET, ">=", -1),)


@pytest.mark.parametrize(
    ("c", "when", "gap"),
    [
        ("int f(void)", ["ret > 0", "ret < 0"], "ret == 0"),
        ("int f(void)", ["ret > 0", "ret <= 0"], ""),
        ("unsigned f(void)", ["ret > 0", "ret == 0"], ""),
        ("int f(void)", ["ret == 0", "ret == 1"], "ret == -1"),
        ("_Bool f(void)", ["ret == 0", "ret == 1"], ""),
        ("char *f(void)", ["ret != null"], "ret == null"),
        ("char *f(void)", ["ret != null", "ret == null"], ""),
        ("int f(int a)", ["a & 3", "a !& 1"], ""),
        ("int f(int a)", ["a & 1", "a !& 3"], "a == 2"),
    ],
)
def test_outcomes_cover_every_case(c: str, when: list[str], gap: str):
    outcomes = "\n".join(f"          - {{when: {text}, then: []}}" for text in when)
    found = entry_problems(f"""
        c: {c}
        outcomes:
{outcomes}
    """)
    gaps = [line for line in found if line.startswith("no outcome")]
    expected = f"no outcome for {gap}; add it, or `when: otherwise` as the last one"
    assert gaps == ([expected] if gap else [])


def test_outcomes_cover_no_case_twice():
    (problem,) = entry_problems("""
        c: int f(void)
        outcomes:
          - {when: ret >= 0, then: []}
          - {when: ret <= 0, then: []}
    """)
    assert problem.startswith("this outcome and an earlier one both hold when ret == 0")


def test_a_scanf_format_and_what_it_allocates():
    contract = function("""
        c: int lib_scan(const char *text, const char *form, ...)
        then: []
        scans: form heap
    """)
    assert contract.scans == (1, "heap")


@pytest.mark.parametrize("scans", ["text", "other heap", "form nothing", "form"])
def test_a_scanf_format_must_be_there(scans: str):
    (problem,) = entry_problems(f"""
        c: int lib_scan(const char *text, const char *form, ...)
        then: []
        scans: {scans}
    """)
    assert "write `scans: format heap`" in problem
