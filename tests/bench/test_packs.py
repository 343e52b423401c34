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
