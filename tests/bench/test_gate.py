"""The changes that the cost of the gate is measured with."""

import pytest


def test_each_round_changes_the_first_function_in_another_way():
    from gate import changed

    text = "#include <stdlib.h>\nint f(void)\n{\n\treturn 1;\n}\n"
    first, second = (changed(text, header=False, number=n) for n in (1, 2))
    assert first != second
    assert first.startswith("#include <stdlib.h>\nint f(void)\n{\n\tchar *round_1 = malloc(1);")
    assert first.endswith("\treturn 1;\n}\n")
    assert "void *malloc(" in changed(text.replace("#include <stdlib.h>", ""), header=False, number=1)


def test_a_header_gets_a_macro_inside_of_its_guard():
    from gate import changed

    text = "#ifndef A\n#define A\n#endif\n"
    assert changed(text, header=True, number=3) == "#ifndef A\n#define A\n#define GATE_ROUND_3 3\n#endif\n"


def test_a_file_without_a_function_is_refused():
    from gate import changed

    with pytest.raises(SystemExit, match="without a function"):
        changed("int x;\n", header=False, number=1)


def test_a_row_holds_medians():
    from gate import Round, row

    rounds = [Round(1.0, 3.0, 5, 1), Round(9.0, 2.0, 5, 1), Round(2.0, 1.0, 5, 1)]
    assert row("`a.c`", "warm", rounds, 0.5, 7) == ["`a.c`", "warm", "5 of 7", "2.00", "0.50", "2.00", 1]


def test_a_round_is_measured_and_undone(tmp_path):
    from gate import Gate

    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "a.c").write_text("#include <stdlib.h>\nint f(void)\n{\n\treturn 1;\n}\n")
    (tree / "b.c").write_text("int g(void)\n{\n\treturn 1;\n}\n")
    work = tmp_path / "work"
    work.mkdir()
    gate = Gate(tree, work, "")
    done = gate.round("a.c", 1, tmp_path / "cache")
    assert (done.files, done.introduced) == (1, 1)
    assert done.cpu > 0
    assert (gate.root / "a.c").read_text() == (tree / "a.c").read_text()
    assert gate.git_seconds() > 0
