"""The table of the packs is made from the packs."""

from pathlib import Path

import pytest

from analyzer.contracts.loader import parse_pack

PACK = """\
library: lib
kinds: {heap: {release: [lib_free], noun: buffer}}
functions:
  - c: char *lib_get(void)
    outcomes:
      - {when: ret != null, then: fresh ret heap}
      - {when: ret == null, then: []}
  - c: void lib_free(char *p)
    then: release p heap
  - c: char *lib_swap(char *old, void *user)
    outcomes:
      - {when: ret != null, then: [release old heap, fresh ret heap, escape user]}
      - {when: ret == null, then: []}
  - c: void lib_give(char *p)
    then: take p
  - c: char *lib_end(char *p)
    then: interior p
borrows: [int lib_length(const char *p), int lib_check(const char *p)]
"""


def test_the_page_is_up_to_date():
    from packs import PAGE, page

    assert PAGE.read_text() == page(), "run: python bench/packs.py --write"


def test_each_function_counts_in_every_column_that_fits():
    from packs import Public, row

    pack = parse_pack(PACK, "lib.yaml")
    assert row(pack, Public("1.2", 10)) == ["lib", "1.2", "7", "2", "2", "1", "1", "1", "2", "3", "-"]
    assert row(pack, None)[1] == row(pack, None)[-2] == "-"


def test_the_counts_of_a_small_pack_are_right():
    from packs import read_noticed, share, try_packs

    known = read_noticed()
    assert try_packs(["libnetfilter_log"], known) == known
    assert share(known["libmnl"]).endswith("(100 %)") and share((0, 0)) == "-"


def test_the_comparison_with_sources_counts_each_function_once(tmp_path: Path):
    from packs import RESULTS, compare, compared_table, read_compared, write_compared

    from analyzer.contracts.packs import load_packs

    (tmp_path / "part.c").write_text(
        "#include <stdlib.h>\nstruct mnl_socket { int fd; };\n"
        "int mnl_socket_get_fd(const struct mnl_socket *nl) { return nl->fd; }\n"
        "int mnl_socket_close(struct mnl_socket *nl) { return nl->fd; }\n"
    )
    row = compare("libmnl", "a part", [str(tmp_path)], [])
    assert [row[key] for key in ("agrees", "contradicts", "absent")] == ["1", "1", "66"]
    write_compared({"b": {**row, "library": "b"}, "a": {**row, "library": "a"}}, tmp_path / "compared.csv")
    assert list(read_compared(tmp_path / "compared.csv")) == ["a", "b"]
    assert "| b | a part | 1 | 0 | 0 | 0 | 1 | 0 | 0 | 66 |\n" in compared_table({"b": {**row, "library": "b"}})
    judged = {pack.library: len(pack.functions) for pack in load_packs().packs}
    for library, counts in read_compared().items():
        assert sum(int(counts[result.name.lower()]) for result in RESULTS) == judged[library]
        assert counts["contradicts"] == counts["other"] == "0"


def test_reasons_name_functions_of_their_pack():
    from packs import ROOT

    from analyzer.contracts.packs import load_packs
    from analyzer.trials.explained import read_explained

    names = {Path(pack.path).stem: {one.name for one in pack.functions} for pack in load_packs().packs}
    files = sorted((ROOT / "fixtures" / "contracts").glob("*.explained.yaml"))
    assert files
    for file in files:
        assert {function for function, _ in read_explained(file)} <= names[file.name.removesuffix(".explained.yaml")]


def test_no_pack_judges_more_functions_than_its_library_has():
    from packs import read_public

    from analyzer.contracts.packs import load_packs

    judged = {pack.library: len(pack.functions) for pack in load_packs().packs}
    public = read_public()
    assert public and set(public) <= set(judged)
    assert [library for library, counted in public.items() if judged[library] > counted.functions] == []


def test_an_old_page_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    import packs

    monkeypatch.setattr(packs, "PAGE", tmp_path / "packs.md")
    assert packs.main(["--write"]) == 0
    assert packs.main([]) == 0
    packs.PAGE.write_text(packs.PAGE.read_text().replace("| libmnl |", "| libmnl2 |"))
    assert packs.main([]) == 1
