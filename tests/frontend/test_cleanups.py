"""Macros for the `cleanup` attribute that nobody defines."""

from analyzer.frontend.cleanups import Cleanups
from analyzer.libclang.parse import ParserMessage


def learned(line: str, *messages: tuple[str, str]) -> tuple[Cleanups, list[str]]:
    """What is learnt of a line and the errors at words of it; the texts of those that explain nothing."""
    cleanups = Cleanups()
    data = f"int x;\n{line}\n".encode()
    errors = [ParserMessage("/a.c", 2, 0, data.index(word.encode()), "error", text) for word, text in messages]
    return cleanups, [error.text for error in cleanups.learn(errors, {"/a.c": data})]


def undeclared(word: str) -> tuple[str, str]:
    return word, f"use of undeclared identifier '{word}'"


def test_a_word_before_a_type_is_an_attribute():
    for rest in ("char *p = f();", "struct s *p;", "const char *p;", "thing_t *p = f();", "thing_t p = f();"):
        cleanups, left = learned(f"AUTO {rest}", undeclared("AUTO"))
        assert (cleanups.text(), left) == ("void AUTO(void *);\n#define AUTO __attribute__((cleanup(AUTO)))\n", [])


def test_other_words_are_none():
    for line in (
        "value + 1;",
        "value * p;",
        "value;",
        "value p = 3;",
        "value thing;",
        "value thing = 3;",
        "value (p);",
        "value\n",
        "value thing",
    ):
        cleanups, left = learned(line, undeclared("value"))
        assert (cleanups.text(), len(left)) == ("", 1), line


def test_what_the_language_may_become_to_know_is_none():
    cleanups, left = learned("constexpr int n = 3;", undeclared("constexpr"))
    assert (cleanups.text(), len(left)) == ("", 1)


def test_known_macros_with_an_argument():
    cleanups, left = learned("struct s *p __free(kfree) = 0;", ("__free", "expected ';' at end of declaration"))
    assert left == []
    assert cleanups.text() == "void __free(void *);\n#define __free(what) __attribute__((cleanup(__free)))\n"
    cleanups, left = learned("g_autoptr(Thing) p = 0;", undeclared("Thing"))
    assert left == []
    assert "#define g_autoptr(what) __attribute__((cleanup(g_autoptr))) what *\n" in cleanups.text()


def test_a_function_that_a_macro_names():
    text = "'cleanup' argument 'cleanup_of_thing' is not a function"
    cleanups, left = learned("AUTOPTR(thing) p = 0;", ("AUTOPTR", text))
    assert (cleanups.text(), left) == ("void cleanup_of_thing(void *);\n", [])


def test_nothing_is_learnt_twice_and_nothing_of_other_files():
    cleanups, left = learned("AUTO char *p;", undeclared("AUTO"), undeclared("AUTO"))
    assert len(cleanups.macros) == 1 and len(left) == 1
    error = ParserMessage("/b.h", 1, 1, 0, "error", undeclared("AUTO")[1])
    assert cleanups.learn([error], {}) == [error]
