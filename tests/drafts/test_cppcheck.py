"""Library files of cppcheck, read and turned into rule files."""

from pathlib import Path

import pytest

from analyzer.contracts.loader import parse_pack
from analyzer.contracts.model import FunctionContract
from analyzer.contracts.packs import load_packs
from analyzer.drafts.cppcheck import parse_library, read_library
from analyzer.drafts.imported import Imported, imported
from analyzer.drafts.prototypes import prototypes
from analyzer.errors import MustfreeError

HEADER = """\
typedef struct { int n; } box_t;
enum color { RED };
box_t *box_new(int n, enum color c);
void box_drop(box_t *box);
void box_drop_all(int n, box_t *box);
int box_open(const char *path, box_t **out);
box_t *box_grow(box_t *old, int n);
box_t *box_grow_last(int n, box_t *);
int box_fd(const char *path);
void box_close(int fd);
void die(const char *format, ...);
int box_size(const box_t *box);
box_t box_copy(box_t box);
void box_nothing(void);
"""


def read(body: str):
    return parse_library(f'<?xml version="1.0"?>\n<def format="2">\n{body}\n</def>\n'.encode(), "a.cfg")


def made(tmp_path: Path, body: str, header: str = HEADER) -> Imported:
    (tmp_path / "box.h").write_text(header)
    return imported(read(body), "box", prototypes([str(tmp_path / "box.h")], ()), ("box.h",), load_packs())


def contracts(result: Imported) -> dict[str, FunctionContract]:
    return {function.name: function for function in parse_pack(result.text, "box.yaml").functions}


def effects(contract: FunctionContract) -> list[tuple[list[str], list[str]]]:
    return [
        ([f"{a.operator} {a.value}" for a in outcome.when], [f"{e.kind.value} {e.resource}" for e in outcome.effects])
        for outcome in contract.outcomes
    ]


BOX = "<memory><alloc>box_new</alloc><dealloc>box_drop</dealloc>"


def test_what_is_handed_out_and_released(tmp_path: Path):
    found = contracts(made(tmp_path, f'{BOX}<dealloc arg="2">box_drop_all</dealloc></memory>'))
    assert effects(found["box_new"]) == [(["!= 0"], ["fresh box_drop"]), (["== 0"], [])]
    assert effects(found["box_drop"]) == [([], ["release box_drop"])]
    (effect,) = found["box_drop_all"].outcomes[0].effects
    assert effect.term is not None and effect.term.index == 1


def test_the_rule_file_is_right_by_itself_and_beside_the_packs(tmp_path: Path):
    result = made(tmp_path, f"{BOX}</memory><resource><alloc>box_fd</alloc><dealloc>box_close</dealloc></resource>")
    (tmp_path / "box.yaml").write_text(result.text)
    table = load_packs([str(tmp_path / "box.yaml")])
    assert table.kinds["box_close"].integer and table.kinds["box_close"].cwe == 772
    assert table.kinds["box_drop"].noun == "block of memory"
    assert effects(table.all_named("box_fd")[0]) == [([">= 0"], ["fresh box_close"]), (["< 0"], [])]
    assert (result.described, result.known, result.open) == (4, 0, 0)


def test_a_block_that_is_renewed(tmp_path: Path):
    body = f'{BOX}<realloc>box_grow</realloc><realloc realloc-arg="2">box_grow_last</realloc></memory>'
    found = contracts(made(tmp_path, body))
    assert effects(found["box_grow"]) == [(["!= 0"], ["release box_drop", "fresh box_drop"]), (["== 0"], [])]
    release = found["box_grow_last"].outcomes[0].effects[0]
    assert release.term is not None and release.term.index == 1
    assert found["box_grow_last"].signature.names == ("n", "p2")


def test_groups_with_a_common_release_are_one(tmp_path: Path):
    body = f"{BOX}</memory><memory><alloc>box_grow</alloc><dealloc>box_drop</dealloc><dealloc>free</dealloc></memory>"
    pack = parse_pack(made(tmp_path, body).text, "box.yaml")
    assert {name: kind.releases for name, kind in pack.kinds.items()} == {"box_drop": ("box_drop", "free")}


def test_a_release_that_begins_with_an_underscore(tmp_path: Path):
    body = "<memory><alloc>box_new</alloc><dealloc>_box_drop</dealloc></memory>"
    result = made(tmp_path, body, HEADER + "void _box_drop(box_t *box);\n")
    assert effects(contracts(result)["box_new"])[0] == (["!= 0"], ["fresh of_box_drop"])


def test_when_an_argument_is_filled_is_not_said(tmp_path: Path):
    result = made(tmp_path, '<memory><alloc arg="2">box_open</alloc><dealloc>box_drop</dealloc></memory>')
    assert "box_open" not in contracts(result)
    assert "  # box_open: fills an argument, and for which results is not said" in result.text
    assert result.open == 1
    rows = (
        result.text[: result.text.index("\n# Not said")]
        + "\n"
        + "".join(
            line.replace("  # ", "  ", 1) + "\n"
            for line in result.text.splitlines()
            if line.startswith(("  # - c:", "  #   "))
        )
    )
    found = {f.name: f for f in parse_pack(rows, "box.yaml").functions}  # the comment taken away
    assert effects(found["box_open"]) == [(["== 0"], ["fresh box_drop"]), (["!= 0"], ["unchanged "])]


def test_functions_that_end_or_borrow(tmp_path: Path):
    body = (
        '<function name="die"><noreturn>true</noreturn><arg nr="1"><not-null/></arg></function>'
        '<function name="box_size,box_nothing"><noreturn>false</noreturn><leak-ignore/></function>'
        '<function name="box_grow"><noreturn>false</noreturn><pure/></function><podtype name="u8"/>'
    )
    result = made(tmp_path, body)
    found = contracts(result)
    assert found["die"].noreturn
    assert effects(found["box_size"]) == effects(found["box_nothing"]) == [([], [])]
    assert "box_grow" not in found
    assert "# Of 1 functions nothing about ownership is said.\n" in result.text
    assert "# Without a meaning here: <not-null> 1, <podtype> 1, <pure> 1.\n" in result.text


def test_what_a_pack_describes_is_left_to_it(tmp_path: Path):
    result = made(tmp_path, "<memory><alloc>strdup</alloc><dealloc>free</dealloc></memory>")
    assert result.known == 2 and contracts(result) == {}
    assert "# Left out, as a pack of mustfree describes them: free, strdup.\n" in result.text


def test_what_is_declared_nowhere_is_a_comment(tmp_path: Path):
    body = f"{BOX}<use>box_put</use></memory><memory><alloc>box_text</alloc><dealloc>free</dealloc></memory>"
    result = made(tmp_path, body)
    assert "  # box_text: hands out 'free' (result); no header that was named declares it\n" in result.text
    assert "# <use>: box_put." in result.text
    result = imported(read(body), "box", {}, (), load_packs())
    assert (result.described, result.open) == (0, 3)
    assert parse_pack(result.text, "box.yaml").functions == ()


def test_what_does_not_fit_the_header_is_a_comment(tmp_path: Path):
    body = (
        '<memory><alloc>box_nothing</alloc><dealloc arg="3">box_drop</dealloc></memory>'
        "<memory><alloc>box_copy</alloc><dealloc>box_close</dealloc></memory>"
    )
    text = made(tmp_path, body).text
    assert "# box_nothing: it returns nothing, and the file says that its result is to be released" in text
    assert "# box_drop: it has 1 parameters, and the file names another" in text
    assert "# box_copy: hands out 'box_close' (result); no header" in text  # takes a struct by value


def test_names_that_are_no_c_are_left_out():
    library = read(
        "<memory><alloc>std::make, b\ad, ok_new</alloc><dealloc>ok_drop\n: {x: 1}</dealloc></memory>".replace(
            "\a", "&#9;"
        )
    )
    assert [member.function for member in library.groups[0].allocs] == ["ok_new"]
    assert library.groups[0].deallocs == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("<!DOCTYPE def [<!ENTITY a 'b'>]>\n<def>&a;</def>", "a.cfg:1: a document type"),
        ("<?xml version='1.0'?>\n<!DOCTYPE def SYSTEM 'other.dtd'>\n<def/>", "a.cfg:2: a document type"),
        ("<def>\n<memory>\n</def>", "a.cfg:3: no XML: mismatched tag"),
        ("", "a.cfg:1: no XML: no element found"),
        ("<def>&other;</def>", "a.cfg:1: no XML: undefined entity"),
        ("<html/>", "a.cfg:1: the outermost element is <html>, not <def>"),
        ("<def><memory>\n<dealloc arg='0'>f</dealloc></memory></def>", "a.cfg:2: arg='0' is no position"),
        ("<def><memory>\n<realloc realloc-arg='x'>f</realloc></memory></def>", "a.cfg:2: realloc-arg='x'"),
        ("<def>" + "<a>" * 100, "more than 64 elements"),
    ],
)
def test_files_that_are_refused(text: str, said: str):
    with pytest.raises(MustfreeError) as raised:
        parse_library(text.encode(), "a.cfg")
    assert said in str(raised.value)


def test_a_document_type_is_refused_in_any_encoding():
    with pytest.raises(MustfreeError, match="document type"):
        parse_library("<!DOCTYPE def><def/>".encode("utf-16"), "a.cfg")


def test_a_file_that_cannot_be_read(tmp_path: Path):
    with pytest.raises(MustfreeError, match="cannot be read: No such file"):
        read_library(tmp_path / "none.cfg")


def test_a_header_that_is_not_found():
    with pytest.raises(MustfreeError, match=r"'nowhere/none\.h' file not found; name its folder"):
        prototypes(["nowhere/none.h"], ())
