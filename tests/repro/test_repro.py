"""A case shows what its function shows, is smaller, and names nothing of the program."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from analyzer.contracts.packs import load_packs
from analyzer.errors import MustfreeError
from analyzer.ir.text import parse_function, print_function
from analyzer.ir.validate import validate
from analyzer.repro.case import Case, case_text, read_case
from analyzer.repro.make import reproduce
from analyzer.repro.observe import observe
from analyzer.repro.reduce import reduced, tidy, without
from analyzer.workspace import Settings, Workspace

FIXTURES = Path(__file__).parents[2] / "fixtures"
PROGRAM = """\
#include <stdlib.h>
#include <netlink/netlink.h>

struct secret_session { int level; char *secret_name; struct nl_sock *socket; };
static int secret_counter;
int secret_log(const char *format, ...);
void secret_keep(void *secret_thing);
int secret_ask(void);

static char *secret_copy(const char *text)
{
	char *copy = malloc(3);
	if (!copy)
		return NULL;
	copy[0] = text[0];
	return copy;
}

static void secret_drop(struct secret_session *session, char *text)
{
	if (session->level)
		free(text);
	secret_counter++;
}

int secret_serve(struct secret_session *session, int early)
{
	unsigned char *secret_buffer = NULL;
	struct sockaddr_nl peer;
	char *name = secret_copy("top secret %d");
	int n = nl_recv(session->socket, &peer, &secret_buffer, NULL);

	if (n <= 0) {
		free(name);
		return n;
	}
	secret_log("secret %s", name);
	secret_counter += n;
	if (early) {
		secret_drop(session, name);
		return -1;
	}
	free(secret_buffer);
	free(name);
	return 0;
}

void secret_escape(void)
{
	char *p = malloc(3);

	if (secret_ask() > 3)
		secret_keep(p);
	else
		free(p);
}

int secret_unset(int n)
{
	char *p;

	if (n)
		secret_log("x");
	free(p);
	return 0;
}
"""


def line_of(text):
    return PROGRAM[: PROGRAM.index(text)].count("\n") + 1


COPY, RECEIVE, LOST = line_of("char *name"), line_of("int n = nl_recv"), line_of("return -1")
ESCAPES, UNSET = line_of("char *p = malloc"), line_of("free(p);\n\treturn 0")
NOTHING = line_of("free(name)")


@pytest.fixture(scope="module")
def packs():
    return load_packs()


@pytest.fixture(scope="module")
def made(tmp_path_factory, packs):
    folder = tmp_path_factory.mktemp("secret")
    (folder / "secret.c").write_text(PROGRAM)
    workspace = Workspace(Settings(root=str(folder), flags=("-nostdlibinc",), jobs=1, guard=False))
    program = workspace.link(["secret.c"])
    path = str(folder.resolve() / "secret.c")

    def make(line, tries=300):
        return reproduce(path, line, program, workspace.settings.limits, packs, tries)

    return make


@pytest.mark.parametrize(
    ("line", "verdict", "events"),
    [
        (RECEIVE, "leaked", ("leak-exit",)),
        (LOST, "leaked", ("leak-exit",)),
        (COPY, "maybe released", ()),
        (ESCAPES, "escaped", ()),
        (UNSET, "", ("uninitialized-release",)),
    ],
)
def test_a_case_shows_the_same_and_names_nothing(made, packs, line, verdict, events):
    case = made(line)
    assert [(one.verdict, one.events) for one in case.shown] == [(verdict, events)]
    text = case_text(case)
    assert "secret" not in text.lower()
    again = read_case(text, "x.case")
    assert again == case
    assert case.shown[0] in observe(again, packs)
    assert validate(case.function) == []


def test_a_finding_is_reduced_to_what_it_needs(made):
    case = made(RECEIVE)
    calls = re.findall(r"call (\w+)", print_function(case.function))
    assert calls == ["nl_recv"]
    assert case.contracts == {}
    assert sum(len(block.ops) for block in case.function.blocks) <= 4


def test_without_a_finding_the_ways_out_stay(made):
    (shown,) = made(COPY).shown
    assert len(shown.ways) == 3
    assert all("OWNED" in way for way in shown.ways)


def test_contracts_of_the_program_go_along(made):
    case = made(COPY)
    assert [contract.provenance.value for contract in case.contracts.values()] == ["inferred", "inferred"]
    assert "; {when" in case_text(case).replace(" ;       - ", "; ") or "fresh ret heap" in case_text(case)
    assert all(contract.source == "" for contract in case.contracts.values())


def test_what_the_engine_goes_by_stays_of_a_name(made):
    calls = re.findall(r"call (\w+)", print_function(made(ESCAPES).function))
    assert any("keep" in name for name in calls), calls


def test_few_tries_are_enough_for_a_larger_case(made):
    small, large = made(RECEIVE), made(RECEIVE, tries=1)
    assert len(case_text(small)) < len(case_text(large))
    assert "secret" not in case_text(large)


def test_strings_keep_their_conversions(made):
    text = case_text(made(RECEIVE, tries=1))
    assert re.search(r'"s\d+ %d"', text)
    assert re.search(r'"s\d+ %s"', text)


@pytest.mark.parametrize(
    ("line", "message"), [(2, "stands in no function"), (NOTHING, f"lines that will do: {COPY}, {RECEIVE}$")]
)
def test_where_nothing_is_to_be_shown_lines_are_named(made, line, message):
    with pytest.raises(MustfreeError, match=message):
        made(line)


def test_every_finding_of_some_fixtures_becomes_a_case(packs):
    names = ["early_return", "loop_carried", "flags", "aliases"]
    count = 0
    for name in names:
        path = FIXTURES / "leak" / f"{name}.c"
        workspace = Workspace(Settings(root=str(FIXTURES), flags=("-nostdlibinc",), jobs=1, guard=False))
        program = workspace.link([str(path)])
        for line in sorted({finding.at.line for finding in program.report.findings})[:4]:
            case = reproduce(str(path.resolve()), line, program, workspace.settings.limits, packs, 40)
            again = read_case(case_text(case), "x")
            assert all(one in observe(again, packs) for one in case.shown)
            count += 1
    assert count > 10


# -- reduction

LOOP = """
function f
  result 'int'
  param n : 'int'
bb0:
  %1 = load n : 'int'
  end-expression
  goto bb1
bb1:
  %2 = call env() : 'int'
  branch %2 ? bb2 : bb3
bb2:
  call env() : 'int'
  goto bb1
bb3:
  return 0
"""


def test_blocks_are_merged_and_dead_ones_go():
    function = parse_function(LOOP)
    assert tidy(function) == function
    straight = replace(function, blocks=(function.blocks[0], replace(function.blocks[1], end=function.blocks[3].end)))
    assert len(tidy(straight).blocks) == 1


def test_what_used_a_result_uses_an_unknown_value():
    function = without(parse_function(LOOP), frozenset({(1, 0)}))
    assert validate(function) == []
    assert "branch ? ? bb2 : bb3" in print_function(function)


def test_reduction_keeps_what_is_asked_for():
    def still(function):
        return "call env" in print_function(function)

    small = reduced(parse_function(LOOP), still, 200)
    assert [len(block.ops) for block in small.blocks] == [1]
    assert small.locals == ()


def test_no_question_is_asked_too_often():
    asked = []
    reduced(parse_function(LOOP), lambda function: asked.append(function) or False, 3)
    assert len(asked) == 3


# -- the file


def test_a_case_is_read_back():
    case = Case(parse_function(LOOP), lends=True, defined=frozenset({"env"}))
    assert read_case(case_text(case), "x") == case


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "x:1: no case"),
        ("case 2\n", "x:1: not readable as `case`: format 2 is not 1"),
        ("case 1\nsays {}\n", "x:2: `says` is no word of a case"),
        ("case 1\nshows {}\n", "x:2: not readable as `shows`"),
        ("case 1\ndeclare [1]\n", "x:2: not readable as `declare`"),
        ('case 1\nlimits {"nonsense": 1}\n', "x:2: not readable as `limits`"),
        ("case 1\n", "no function"),
        ("case 1\nfunction f\nbb0:\n  nonsense\n", "x:4: unknown operation nonsense"),
        ("case 1\nfunction f\nbb0:\n  goto bb7\n", "x:2: bb0: jumps to bb7"),
    ],
)
def test_what_is_no_case_is_said_with_its_line(text, message):
    with pytest.raises(MustfreeError, match=re.escape(message)):
        read_case(text, "x")
