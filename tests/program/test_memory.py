"""Whatever shapes a result is in the keys of the cache: with a warm cache, a change of each is seen.

Each case changes one thing that no other part of a key tells. What is said after the change is compared with what a run
without a cache says, and must differ from what was said before: so no case passes because nothing happens.
"""

import json
import shutil
import sqlite3
from dataclasses import dataclass, fields, replace

import pytest

from analyzer.cache import Contents, Relocation, version
from analyzer.cache.store import FILE
from analyzer.ownership.limits import Limits
from analyzer.program import memory, unit
from analyzer.program.toolchain import Toolchain, toolchain_text
from analyzer.workspace import Settings, Workspace

LOSS = """#include <stdlib.h>
int f(int n)
{
	char *p = malloc(n);

	if (n > LIMIT)
		return -1;
	free(p);
	return 0;
}
"""


@dataclass
class Program:
    """A folder to analyse, with a cache beside it."""

    folder: object
    cache: object

    def write(self, **files):
        for name, text in files.items():
            path = self.folder / name.replace("__", "/").replace("_h", ".h").replace("_c", ".c")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def database(self, *commands, file="a.c"):
        entries = [{"directory": ".", "file": file, "command": command} for command in commands]
        (self.folder / "compile_commands.json").write_text(json.dumps(entries))

    def said(self, cached=True, overlay=None, **settings):
        settings = {"jobs": 1, "guard": False, "find_database": True, **settings}
        cache = str(self.cache) if cached else ""
        workspace = Workspace(Settings(root=str(self.folder), cache=cache, **settings), overlay)
        report = workspace.analyse(["."])
        assert not workspace.remarks
        return report

    def sees(self, change, before=None, after=None):
        """Whether a change is seen by a run with a warm cache. before, after: settings."""
        before = before or {}
        after = before if after is None else after
        first = self.said(**before)
        assert self.said(**before) == first
        change()
        then = self.said(**after)
        assert then == self.said(cached=False, **after)
        assert then == self.said(**after)
        return then != first


@pytest.fixture
def program(tmp_path):
    (tmp_path / "tree").mkdir()
    return Program(tmp_path / "tree", tmp_path / "cache")


@pytest.fixture
def work(monkeypatch):
    """The functions that are analysed."""
    done = []
    analyse = unit.analyse

    def analysed(function, *rest, **options):
        done.append(function.name)
        return analyse(function, *rest, **options)

    monkeypatch.setattr(unit, "analyse", analysed)

    def take():
        found = sorted(done)
        done.clear()
        return found

    return take


def test_the_flags_of_an_entry(program):
    program.write(
        a_c="#ifndef LIMIT\n#define LIMIT 9\n#endif\n" + LOSS.replace("return -1", "return LIMIT > 9 ? 0 : -1")
    )
    program.write(a_c=LOSS.replace("if (n > LIMIT)", "if (LIMIT && n > 3)"))
    program.database("cc -DLIMIT=0 -c a.c")
    assert program.sees(lambda: program.database("cc -DLIMIT=1 -c a.c"))


def test_another_way_in_which_a_file_is_compiled(program):
    program.write(a_c=LOSS.replace("if (n > LIMIT)", "if (LIMIT && n > 3)"))
    program.database("cc -DLIMIT=0 -c a.c")
    assert program.sees(lambda: program.database("cc -DLIMIT=0 -c a.c", "cc -DLIMIT=1 -c a.c"))
    program.sees(lambda: program.database("cc -DLIMIT=1 -c a.c"))
    assert program.said().functions == 1, "the way that was the second one is the only one now"


def test_the_machine_in_the_compilers_name(program):
    program.write(a_c=LOSS.replace("#include <stdlib.h>", "void *malloc(unsigned); void free(void *);"))
    program.write(a_c=(program.folder / "a.c").read_text().replace("if (n > LIMIT)", "if (sizeof(long) == 4 && n > 3)"))
    program.database("cc -c a.c")
    assert program.sees(lambda: program.database("arm-linux-gnueabi-gcc -c a.c"))


def test_the_file_of_a_recorded_compiler(program):
    program.write(a_c=LOSS)
    file = program.folder.parent / "compiler.json"

    def record(limit, target="x86_64-linux-gnu"):
        file.write_text(toolchain_text(Toolchain(target, ("/usr/include",), {"LIMIT": limit})))

    record("n")
    settings = {"toolchain": str(file)}
    assert program.sees(lambda: record("3"), settings)
    program.write(a_c=LOSS.replace("n > LIMIT", "sizeof(long) == 4"))
    assert program.sees(lambda: record("3", "i686-linux-gnu"), settings)


def test_the_text_of_a_rule_file(program):
    program.write(
        a_c=LOSS.replace("malloc(n)", "grab(n)").replace("int f", "char *grab(int);\nint f").replace("LIMIT", "3")
    )
    rules = program.folder.parent / "own.yaml"
    text = "library: own\nversion: '1'\nfunctions:\n  - {c: 'char *grab(int n)', then: [%s]}\n"
    rules.write_text(text % "borrowed ret")
    assert program.sees(lambda: rules.write_text(text % "fresh ret heap"), {"rules": (str(rules),)})


def test_unsaved_text(program):
    program.write(a_c=LOSS.replace("LIMIT", "n"))
    path = str(program.folder / "a.c")
    over = {path: LOSS.replace("LIMIT", "3").encode()}
    assert program.sees(lambda: None, None, {"overlay": over})
    assert program.sees(lambda: None, {"overlay": over}, {"overlay": {path: LOSS.replace("LIMIT", "3 + n").encode()}})


SWITCHES = {
    "exit_leaks": LOSS.replace("int f(int n)", "int main(int n)").replace("LIMIT", "3"),
    "summaries": LOSS.replace("LIMIT", "3"),
    "global_owners": """#include <stdlib.h>
static char *held;
int main(void)
{
	held = malloc(1);
	return 0;
}
""",
}


@pytest.mark.parametrize("switch", SWITCHES)
def test_what_is_asked_for(program, switch):
    program.write(a_c=SWITCHES[switch])
    assert program.sees(lambda: None, {}, {switch: True})
    assert program.sees(lambda: None, {switch: True}, {})


def test_what_releases_the_contents_of_a_variable_is_remembered(program):
    held = SWITCHES["global_owners"].replace("static ", "")
    program.write(a_c=held, b_c="#include <stdlib.h>\nextern char *held;\nvoid g(void)\n{\n}\n")
    freed = "#include <stdlib.h>\nextern char *held;\nvoid g(void)\n{\n\tfree(held);\n}\n"
    assert program.sees(lambda: program.write(b_c=freed), {"global_owners": True})
    # One file changed, the other comes from the cache: its answer is still there.
    assert program.sees(lambda: program.write(a_c="\n" + held), {"global_owners": True})
    assert program.said(global_owners=True).global_owners == ()


@pytest.mark.parametrize("limit", [field.name for field in fields(Limits)])
def test_each_limit(program, work, limit):
    program.write(a_c=LOSS.replace("LIMIT", "3"))
    program.said()
    work()
    program.said()
    assert work() == []
    program.said(limits=replace(Limits(), **{limit: getattr(Limits(), limit) + 1}))
    assert work() == ["f"]


def test_a_file_that_is_left_out(program):
    helper = "#include <stdlib.h>\nvoid drop(char *p)\n{\n\tfree(p);\n}\n"
    program.write(a_c=LOSS.replace("free(p)", "drop(p)").replace("int f", "void drop(char *p);\nint f"), b_c=helper)
    assert program.sees(lambda: None, {}, {"exclude": ("b.c",)})
    assert program.sees(lambda: None, {"exclude": ("b.c",)}, {})


TAKER = """#include "%s.h"
void *malloc(unsigned long);
void free(void *);
int f(struct thing *t)
{
	char *p = malloc(3);

	if (t->number)
		return -1;
	free(p);
	return 0;
}
"""
THING = "struct thing { int number; };\n"


def test_a_header_that_appears_anywhere_in_the_tree(program):
    program.write(app__main_c=TAKER % "thing")
    assert program.sees(lambda: program.write(lib__deep__thing_h=THING))
    # A second one that is as near: now none is taken.
    assert program.sees(lambda: program.write(old__deep__thing_h=THING))
    # One that is nearer.
    assert program.sees(lambda: program.write(app__sub__thing_h=THING))


def test_what_appears_beside_a_header_from_elsewhere_in_the_tree(program):
    """The name tells no header, so it is not among the program's; but the folder is searched for all names."""
    main = TAKER.replace('%s.h"', 'thing.h"\n#include "more.x"')
    program.write(app__main_c=main, lib__deep__thing_h=THING)
    assert program.sees(lambda: (program.folder / "lib" / "deep" / "more.x").write_text("\n"))


def test_what_appears_near_a_file_and_is_no_header_by_its_name(program):
    program.write(app__main_c=TAKER.replace("%s.h", "thing.x"), app__src__other_h="\n")
    assert program.sees(lambda: (program.folder / "app" / "src" / "thing.x").write_text(THING))


def test_a_file_that_matters_now(program):
    """Before, the pre-pass left everything out."""
    program.write(a_c="int nothing;\n")
    assert program.sees(lambda: program.write(a_c=LOSS.replace("LIMIT", "3")))
    assert program.said().findings


HELPER = """void keep(char *text);
void give(char *text)
{
	keep(text);
}
"""
GIVER = """#include <stdlib.h>
void give(char *text);
void f(void)
{
	give(malloc(3));
}
"""


@pytest.mark.parametrize("change", ["\n", "/* same length, other line */\n", "inside"])
def test_where_a_resource_goes_out_of_sight_in_another_file(program, change):
    program.write(a_c=GIVER, b_c=("/* same length, other line * */" if "same" in change else "") + HELPER)
    assert program.said().unlocks[0].escape.at.file == "b.c"
    after = HELPER.replace("keep(text);", "keep(text); ;") if change == "inside" else change + HELPER
    assert program.sees(lambda: program.write(b_c=after))


def test_a_helper_may_move(program, work):
    program.write(a_c=GIVER, b_c=HELPER)
    program.said()
    work()
    program.write(b_c="\n" + HELPER)
    assert program.said().unlocks[0].escape.at.line == 5
    assert work() == ["give"]


def test_a_helper_that_a_macro_writes(program):
    macro = "#define GIVE(n) void n(char *text) { keep(text); }\nvoid keep(char *text);\n"
    program.write(a_c=GIVER, b_c=macro + "GIVE(give)\n")
    assert program.said().unlocks[0].escape.at.line == 3
    assert program.sees(lambda: program.write(b_c=macro + "/* so it moves\n */ GIVE(give)\n"))


def test_two_bodies_of_one_name_in_one_file(program):
    two = "void keep(char *text);\n#ifdef TWO\n%s#else\n%s#endif\n"
    give = "void give(char *text)\n{\n\t%s\n}\n"
    program.write(a_c=GIVER, b_c=two % (give % "/* no */ keep(text);", give % "keep(text);"))
    program.database("cc -DTWO -c b.c", "cc -c b.c", file="b.c")
    assert [unlock.escape.at.line for unlock in program.said().unlocks] in ([5], [10])
    assert program.sees(lambda: program.write(b_c="\n" + (program.folder / "b.c").read_text()))


def test_a_function_that_is_defined_after_all(program):
    """In two ways, so there is no contract for it either way."""
    program.write(a_c=GIVER, b_c="int nothing;\n")
    one, other = "#include <stdlib.h>\nvoid give(char *text) { free(text); }\n", "void give(char *text) { }\n"
    assert program.sees(lambda: program.write(b_c=one, c_c=other))
    assert program.said().unlocks[0].escape.defined


def test_a_function_that_is_called_for_the_first_time(program):
    """Before, nobody wanted its contract."""
    program.write(a_c="int nothing;\n", b_c="#include <stdlib.h>\nvoid give(char *text)\n{\n\tfree(text);\n}\n")
    assert program.sees(lambda: program.write(a_c=GIVER))
    assert program.said().unlocks == ()


def test_our_own_text(program, work, monkeypatch):
    program.write(a_c=LOSS.replace("LIMIT", "3"))
    first = program.said()
    work()
    monkeypatch.setattr(memory, "fingerprint", lambda: "another")
    assert program.said() == first
    assert work() == ["f"]


def test_the_parsers_version():
    assert "libclang" in version()


STATIC = """#include <stdlib.h>
static char *held;
void set(char *text)
{
	held = text;
}
void fill(void)
{
	held = malloc(3);
}
void drop(void)
{
	free(held);
	held = NULL;
}
"""
USER = """#include <stdlib.h>
void set(char *text);
void fill(void);
void drop(void);
void f(void)
{
	set(malloc(3));
	fill();
	drop();
}
"""


def test_rows_hold_no_place(program, tmp_path):
    program.write(a_c=STATIC, b_c=USER, c_c=GIVER, d_c=HELPER, e__a_c=TAKER % "no", lib__no_h=THING)
    for settings in ({}, {"global_owners": True}, {"summaries": True, "exit_leaks": True}):
        program.said(**settings)
    base = sqlite3.connect(program.cache / FILE)
    rows = [value for (value,) in base.execute("SELECT value FROM rows")]
    base.close()
    assert len(rows) > 20
    assert not [row for row in rows if str(tmp_path) in row]


def test_a_header_beside_a_moved_program_counts(program, tmp_path):
    """The pre-pass looks for headers also beside the root: in another folder, beside the other root."""
    program.write(a_c='#include "beside.h"\nvoid f(void)\n{\n\tgrab();\n}\n')
    for number in range(9):  # so many that none is parsed because it was named
        program.write(**{f"plain{number}_c": "int plain;\n"})
    program.said()
    other = tmp_path / "deep" / "elsewhere"
    shutil.copytree(program.folder, other)
    (other.parent / "beside.h").write_text("#include <stdlib.h>\n#define grab() malloc(3)\n")
    moved = Program(other, program.cache)
    assert moved.said() == moved.said(cached=False)
    assert moved.said().findings


@pytest.mark.parametrize("change", ["a.c", "b.c", "c.c", "d.c", ""])
def test_a_cache_of_another_folder_with_one_file_changed(program, tmp_path, change):
    program.write(a_c=STATIC, b_c=USER, c_c=GIVER, d_c=HELPER)
    settings = {"global_owners": True, "summaries": True}
    first = program.said(**settings)
    assert any(one.held for one in first.acquisitions)
    other = tmp_path / "elsewhere" / "deeper"
    shutil.copytree(program.folder, other)
    moved = Program(other, program.cache)
    if change:
        (other / change).write_text("/* new */\n" + (other / change).read_text())
    report = moved.said(**settings)
    assert report == moved.said(cached=False, **settings)
    assert any(str(other) in name for one in report.acquisitions for name in one.held)


def test_no_path_is_taken_for_another(tmp_path):
    there = Relocation("/data/me")
    text = '["/data/me/a.c", "/data/meadow/a.c", "see /data/me/a.c"]'
    assert there.local(there.portable(text)) == text
    assert Relocation("/srv").local(there.portable(text)) == '["/srv/a.c", "/data/meadow/a.c", "see /data/me/a.c"]'
    assert Relocation("/").portable(text) == text


def test_a_header_that_appears_during_the_run_spoils_the_rows(program, work, monkeypatch):
    """It was missing when the file was parsed, and is there when its key is made."""
    program.write(app__main_c=TAKER % "thing", app__other_c=LOSS.replace("LIMIT", "3"))
    settled = Contents.is_settled
    lower = unit.lower_file

    def lowered(path, options):
        done = lower(path, options)
        program.write(app__src__thing_h=THING)  # the pre-pass has not looked there
        return done

    monkeypatch.setattr(unit, "lower_file", lowered)
    monkeypatch.setattr(Contents, "is_settled", lambda self, path: path[-7:] != "thing.h" and settled(self, path))
    program.said()
    monkeypatch.undo()
    assert program.said() == program.said(cached=False)


KEPT = """#include <stdlib.h>
struct thing { void (*drop)(char *); char *text; };
void drop(char *text);
static void end(struct thing *thing) { thing->drop(thing->text); }
void f(int n)
{
	struct thing thing = { 0 };

	thing.drop = drop;
	thing.text = malloc(n);
	if (thing.text)
		end(&thing);
}
"""


def test_a_function_of_another_file_whose_address_is_only_stored(program):
    program.write(a_c=KEPT, b_c="#include <stdlib.h>\nvoid drop(char *text) { free(text); }\n")
    empty = "#include <stdlib.h>\nvoid drop(char *text) { (void)text; }\n"
    assert program.sees(lambda: program.write(b_c=empty))


ROWS = "#include <stdlib.h>\nstruct ops { void (*put)(char *); };\n"
TABLE = ROWS + "static void put(char *p) { %s; }\nconst struct ops ops = { put };\n"
USER = ROWS + "extern const struct ops ops;\nvoid f(void) { char *p = malloc(1); if (p) ops.put(p); }\n"


def test_a_function_behind_a_table_of_another_file(program):
    program.write(a_c=USER, b_c=TABLE % "free(p)")
    assert program.sees(lambda: program.write(b_c=TABLE % "(void)p"))


def test_what_a_table_of_another_file_holds(program):
    program.write(a_c=USER, b_c=TABLE % "free(p)")
    assert program.sees(lambda: program.write(b_c=(TABLE % "free(p)").replace("ops = { put }", "ops = { 0 }")))
