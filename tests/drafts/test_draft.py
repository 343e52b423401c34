"""First rule files made from headers and sources."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from analyzer.cli.rules import rules
from analyzer.contracts.loader import parse_pack
from analyzer.contracts.packs import load_packs

HEADER = """\
#include <stddef.h>
#include "inner.h"
struct parcel;
typedef struct { int open; } office_t;
struct parcel *parcel_new(size_t weight);
int parcel_fetch(int counter, struct parcel **out);
void parcel_drop(struct parcel *);
int parcel_weight(const struct parcel *parcel);
void parcel_keep(struct parcel *parcel);
int office_state(const office_t *office);
void office_fill(struct wide *wide);
int elsewhere(void);	/* not_there(1) */
"""
INNER = "struct wide { void *a, *b, *c, *d, *e, *f, *g; };\nvoid inner_only(void);\n"
SOURCE = """\
#include <stdlib.h>
#include "post.h"
struct parcel { size_t weight; };
static struct parcel *kept;
struct parcel *parcel_new(size_t weight)
{
	struct parcel *parcel = malloc(sizeof(*parcel));

	if (parcel)
		parcel->weight = weight;
	return parcel;
}
int parcel_fetch(int counter, struct parcel **out)
{
	struct parcel *parcel;

	if (counter <= 0)
		return 0;
	parcel = parcel_new(1);
	if (!parcel)
		return -1;
	*out = parcel;
	return 1;
}
void parcel_drop(struct parcel *parcel) { free(parcel); }
int parcel_weight(const struct parcel *parcel) { return (int)parcel->weight; }
void parcel_keep(struct parcel *parcel) { kept = parcel; }
int office_state(const office_t *office) { return office->open; }
void inner_only(void) { }
void office_fill(struct wide *w)
{
	w->a = malloc(1); w->b = malloc(1); w->c = malloc(1); w->d = malloc(1);
	w->e = malloc(1); w->f = malloc(1); w->g = malloc(1);
}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "include").mkdir()
    (tmp_path / "include" / "post.h").write_text(HEADER)
    (tmp_path / "include" / "inner.h").write_text(INNER)
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "post.c").write_text(SOURCE)
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(rules, ("draft", *arguments))


def effects(text: str) -> dict[str, list[str]]:
    pack = parse_pack(text, "post.yaml", shared=load_packs().kinds)
    return {
        function.name: [effect.kind.value for outcome in function.outcomes for effect in outcome.effects]
        for function in pack.functions
    }


def test_what_is_inferred_stands_in_a_file_that_passes_the_check(folder: Path):
    result = run("include/post.h", "--sources", "src", "--", "-Iinclude")
    assert result.exit_code == 0
    assert result.stderr == "6 functions decided, 2 undecided, in comments\n"
    found = effects(result.stdout)
    assert found["parcel_drop"] == ["release"]
    assert "fresh" in found["parcel_new"] and "fresh" in found["parcel_fetch"]
    assert found["parcel_keep"] == ["escape"]
    assert found["parcel_weight"] == found["office_state"] == []
    assert not {"inner_only", "elsewhere", "not_there", "office_fill"} & set(found)
    (folder / "post.yaml").write_text(result.stdout)
    assert CliRunner().invoke(rules, ("check", "post.yaml")).exit_code == 0


def test_what_is_not_known_is_a_comment(folder: Path):
    text = run("include/post.h", "--sources", "src", "--", "-Iinclude").stdout
    assert "  # nothing is known: no body was seen" in text
    assert "  # - c: int elsewhere(void)\n" in text
    assert "more than one can read\n  # - c: void office_fill(struct wide *wide)\n" in text
    assert "inner_only" not in text and "not_there" not in text


def test_without_sources_nothing_is_decided(folder: Path):
    result = run("include/post.h", "--library", "mail")
    assert result.stderr == "0 functions decided, 8 undecided, in comments\n"
    assert 'library: "mail"\nversion: "1"\nheaders: ["post.h"]\n' in result.stdout
    assert effects(result.stdout) == {}


def test_files_that_are_not_there(folder: Path):
    result = run("none.h")
    assert (result.exit_code, result.stderr) == (2, "none.h: no such file; name the library's headers as files\n")
    result = run("include/post.h", "--sources", "nowhere")
    assert (result.exit_code, result.stderr) == (2, "nowhere: no such file or folder\n")
