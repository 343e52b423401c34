"""Growth classes: how often a leak loses something, in both directions."""

from dataclasses import replace

import pytest

from analyzer.findings.model import Growth, Level
from analyzer.findings.points import loss_points
from analyzer.workspace import Settings, Workspace

HEAD = """#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <poll.h>
#include <unistd.h>
#include <sys/socket.h>
#include <netlink/netlink.h>
int any(void);
int put(int);
"""
LOSE = "{ char *p = malloc(16); if (!p) return; if (any()) return; free(p); }\n"
MESSAGE, CALL, ERROR, ONCE = Growth.PER_MESSAGE, Growth.PER_CALL, Growth.PER_ERROR, Growth.ONCE


def leaks(root, *texts, **changes):
    """The leaks of a program, by function."""
    for number, text in enumerate(texts):
        (root / f"f{number}.c").write_text(HEAD + text)
    settings = replace(Settings(root=str(root), jobs=1, prepass=False), **changes)
    found = Workspace(settings).analyse([str(root)]).findings
    return {finding.function: finding for finding in found if finding.check == "leak"}


def classes(root, *texts):
    return {name: (one.growth, one.growth_reason) for name, one in leaks(root, *texts).items()}


WAITING = f"void lose(void) {LOSE}int wait_one(struct pollfd *f) {{ WAIT }}\nvoid loop(struct pollfd *f) {{ LOOP }}\n"


@pytest.mark.parametrize(
    ("wait", "loop", "growth", "reason"),
    [
        # a loop that waits itself; one that does so through a function
        ("return 0;", "while (any()) { poll(f, 1, -1); lose(); }", MESSAGE, "waits for an event in poll()"),
        ("return poll(f, 1, 9);", "for (;;) { wait_one(f); lose(); }", MESSAGE, "an event in wait_one(), by poll()"),
        ("if (!f) return -1; return poll(f, 1, 9);", "for (;;) { wait_one(f); lose(); }", MESSAGE, "by poll()"),
        # trying again is one wait; going round for all that comes is not
        ("int n; do n = poll(f, 1, 9); while (n < 0); return n;", "for (;;) { wait_one(f); lose(); }", MESSAGE, "poll"),
        ("while (poll(f, 1, 9) > 0) put(1); return 0;", "for (;;) { wait_one(f); lose(); }", CALL, "how often lose()"),
        # not always; in no loop; not in this loop; not at all
        ("if (any()) poll(f, 1, 9); return 0;", "for (;;) { wait_one(f); lose(); }", CALL, "how often lose()"),
        ("return poll(f, 1, 9);", "wait_one(f); lose();", CALL, "how often lose()"),
        ("return poll(f, 1, 9);", "while (any()) lose(); while (any()) wait_one(f);", CALL, "how often lose()"),
        ("return 0;", "while (any()) lose();", CALL, "nothing tells how often lose() is called"),
        # a file that is read ends
        ("return 0;", "char b[9]; while (read(0, b, 9) > 0) lose();", CALL, "how often lose()"),
    ],
)
def test_what_is_called_in_a_loop_that_waits(tmp_path, wait, loop, growth, reason):
    found = classes(tmp_path, WAITING.replace("WAIT", wait).replace("LOOP", loop))
    assert found["lose"][0] is growth
    assert reason in found["lose"][1]


def test_the_loop_of_the_loss_itself(tmp_path):
    found = leaks(
        tmp_path,
        """
void in_it(struct pollfd *f)
{
	while (any()) { char *p = malloc(2); poll(f, 1, -1); if (any()) put(*p); else free(p); }
}
void after(struct pollfd *f) { char *p; while (any()) { p = malloc(2); poll(f, 1, -1); if (any()) return; free(p); } }
void before(struct pollfd *f) { char *p = malloc(2); while (any()) { poll(f, 1, -1); p = NULL; } free(p); }
void plain(int n) { while (n--) { char *p = malloc(2); if (any()) free(p); } }
""",
    )
    assert {name: one.growth for name, one in found.items()} == {
        "in_it": MESSAGE,
        "after": CALL,
        "before": CALL,
        "plain": CALL,
    }
    assert found["in_it"].growth_reason == "lost in a loop that waits for an event in poll()"
    assert found["plain"].growth_reason == "lost in a loop of which nothing tells how often it goes round"
    assert found["after"].growth_reason == "nothing tells how often after() is called"
    levels = {name: one.level for name, one in found.items()}
    assert (levels["in_it"], levels["plain"], levels["after"]) == (Level.ERROR, Level.ERROR, Level.WARNING)


def test_callbacks(tmp_path):
    found = classes(
        tmp_path,
        f"""
static void deep(void) {LOSE}
static int handle(struct nl_msg *m, void *a)
{{
	char *p = malloc(2); if (any()) return NL_OK; free(p); deep(); return NL_OK;
}}
static int compare(const void *a, const void *b) {{ char *p = malloc(2); if (any()) return 1; free(p); return 0; }}
void setup(struct nl_sock *sk) {{ nl_socket_modify_cb(sk, NL_CB_VALID, NL_CB_CUSTOM, handle, NULL); }}
void sort(void *v) {{ qsort(v, 2, 4, compare); }}
""",
    )
    assert found == {
        "handle": (MESSAGE, "nl_socket_modify_cb() has handle() called for each message"),
        "deep": (
            MESSAGE,
            "deep() is reached from handle(), which nl_socket_modify_cb() has called for each message",
        ),
        "compare": (CALL, "nothing tells how often compare() is called"),
    }


def test_what_runs_while_another_function_does_is_reached_from_there(tmp_path):
    found = classes(
        tmp_path,
        """
static int compare(const void *a, const void *b) { char *p = malloc(2); if (any()) return 1; free(p); return 0; }
void sort(void *v);
void events(struct pollfd *f, void *v) { for (;;) { poll(f, 1, -1); sort(v); } }
void sort(void *v) { qsort(v, 2, 4, compare); }
""",
    )
    assert found["compare"] == (
        MESSAGE,
        "compare() is reached from a loop of events() that waits for an event in poll()",
    )


def test_over_files(tmp_path):
    found = classes(
        tmp_path,
        f"void lose(void) {LOSE}",
        "void lose(void);\nvoid other(void) { lose(); }\n",
        "void other(void);\nvoid loop(int fd, char *b) { while (recv(fd, b, 1, 0) > 0) other(); }\n",
    )
    assert found["lose"] == (MESSAGE, "lose() is reached from a loop of loop() that waits for a message in recv()")


MAIN = f"static void lose(void) {LOSE}static void init(void) {{ INIT }}\nint main(void) {{ MAIN }}\n"


@pytest.mark.parametrize(
    ("init", "main", "more", "growth"),
    [
        ("lose();", "init();", "", ONCE),
        ("lose();", "if (any()) init(); lose();", "", ONCE),
        ("lose();", "while (any()) init();", "", CALL),
        ("while (any()) lose();", "init();", "", CALL),
        ("lose();", "init();", "void exported(void) { init(); }\n", CALL),
        ("lose();", "init();", "void (*kept)(void); void keep(void) { kept = init; }\n", CALL),
        ("lose(); if (any()) init();", "init();", "", CALL),
        ("lose();", "init();", "void loop(int fd) { for (;;) { accept(fd, 0, 0); init(); } }\n", MESSAGE),
    ],
)
def test_once(tmp_path, init, main, more, growth):
    found = leaks(tmp_path, MAIN.replace("INIT", init).replace("MAIN", main) + more)["lose"]
    assert found.growth is growth
    assert found.level is {ONCE: Level.NOTE, CALL: Level.WARNING, MESSAGE: Level.ERROR}[growth]
    if growth is ONCE:
        assert found.growth_reason == "lose() is only reached from main(), outside of loops"


def test_at_the_end_of_the_process(tmp_path):
    text = "int main(void) { char *p = malloc(8); if (any()) return 1; free(p); return 0; }\n"
    assert not leaks(tmp_path, text)
    (found,) = leaks(tmp_path, text, exit_leaks=True).values()
    assert (found.growth, found.growth_reason, found.level) == (ONCE, "the process ends there", Level.NOTE)


FAILING = "int f(int n, void *a) {{ char *p = malloc(16); int e = 0; if (!p) return 0; {} free(p); return 0; }}\n"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("if (put(n) < 0) return 0;", "lost only where put() has failed"),
        ("if ((e = put(n)) == -1) return 1;", "lost only where put() has failed"),
        ("e = put(n); if (e < 0) goto out; free(p); return 0; out: return e;", "lost only where put() has failed"),
        ("e = put(n); if (e) return e;", "lost only where put() has failed"),
        ("if (0 > put(n)) { put(0); return 1; }", "lost only where put() has failed"),
        ("void *q = malloc(3); if (!q) return 0; free(q);", "lost only where malloc() has failed"),
        ("if (any()) return -1;", "lost only where f() returns a negative number"),
        ("p = realloc(p, n);", "lost only where realloc() fails"),
        # no failure, or not only then
        ("if (put(n) > 0) return 0;", ""),
        ("if (put(n)) return 0;", ""),
        ("if (strchr(a, 'x') == NULL) return 0;", ""),
        ("e = put(n); if (e) return 1;", ""),
        ("if (any()) return 1; if (put(n) < 0) return 2;", ""),
        ("if (put(n) < 0) e = 1; if (any()) return 0;", ""),
        ("e = put(n); e = 3; if (e < 0 || any()) return 0;", ""),
    ],
)
def test_errors(tmp_path, body, reason):
    found = leaks(tmp_path, FAILING.format(body))["f"]
    if reason:
        assert (found.growth, found.growth_reason, found.level) == (ERROR, reason, Level.WARNING)
    else:
        assert found.growth is CALL


def test_an_error_on_the_way_that_another_way_mends_before_the_common_end(tmp_path):
    """`out:` is reached by both, but only what failed has not released."""
    body = "if (put(n) < 0) { e = 1; goto out; } free(p); p = NULL; out: return e;"
    found = leaks(tmp_path, f"int f(int n) {{ char *p = malloc(16); int e = 0; if (!p) return 0; {body} }}\n")["f"]
    assert (found.growth, found.growth_reason) == (ERROR, "lost only where put() has failed")


def test_an_error_in_a_loop_that_waits_is_an_error(tmp_path):
    loop = "while (recv(fd, b, 1, 0) > 0) { char *p = malloc(2); if (put(1) < 0) continue; free(p); }"
    text = f"void f(int fd, char *b) {{ {loop} }}\n"
    found = leaks(tmp_path, text)["f"]
    assert (found.growth, found.level) == (ERROR, Level.WARNING)


@pytest.mark.parametrize(("type_", "growth"), [("int", ERROR), ("long", CALL)])
def test_a_wide_result_that_is_handed_on_is_a_count(tmp_path, type_, growth):
    text = f"""
{type_} ask(void);
{type_} f(void) {{ char *p = malloc(2); {type_} n; if (!p) return 0; n = ask(); if (n) return n; free(p); return 0; }}
"""
    assert leaks(tmp_path, text)["f"].growth is growth


def test_what_a_function_does_not_take_when_it_fails(tmp_path):
    text = """
void f(int n) { FILE *stream = fdopen(dup(n), "r"); if (stream) fclose(stream); }
void g(int n) { dup(n); }
"""
    found = classes(tmp_path, text)
    assert found["f"] == (ERROR, "lost only where fdopen() does not take it")
    assert found["g"][0] is CALL


def test_what_a_function_of_the_program_returns_when_it_fails(tmp_path):
    """Its contract is inferred: it hands something out, or it has failed."""
    text = """
static char *make(int n) { char *q = malloc(n); if (q) *q = 0; return q; }
static char *find(char *t) { return any() ? t : NULL; }
int f(int n) { char *p = malloc(2), *q; if (!p) return 0; q = make(n); if (!q) return 0; free(q); free(p); return 0; }
int g(char *t) { char *p = malloc(2); if (!p) return 0; if (!find(t)) return 0; free(p); return 0; }
"""
    found = classes(tmp_path, text)
    assert found["f"] == (ERROR, "lost only where make() has failed")
    assert found["g"][0] is CALL


def test_the_worst_loss_point_counts_and_each_has_its_own(tmp_path):
    text = """
void f(int n, int fd, char *b) {
	while (recv(fd, b, 1, 0) > 0) {
		char *p = malloc(2);
		if (!p)
			return;
		if (n == 3)
			return;
		if (n == 4)
			continue;
		free(p);
	}
}
"""
    found = leaks(tmp_path, text)["f"]
    assert (found.growth, found.level) == (MESSAGE, Level.ERROR)
    assert sorted(point.growth.value for point in loss_points(found)) == ["per call", "per message"]


def test_costs(tmp_path):
    text = """
#define NEW(n) malloc(n)
void fixed(void) { char *p = malloc(16); if (any()) return; free(p); }
void counted(size_t n) { char *p = calloc(n + 1, 4); if (any()) return; free(p); }
void type(void) { struct { int a, b; } *p = calloc(1, sizeof(*p)); if (any()) return; free(p); }
void hidden(void) { char *p = NEW(16); if (any()) return; free(p); }
void asked(size_t len) { char *p = malloc(len); if (any()) return; free(p); }
void words(const char *t) { char *p = strdup(t); if (any()) return; free(p); }
void unknown(void) { int fd = socket(1, 1, 0); if (fd < 0 || any()) return; close(fd); }
"""
    assert {name: one.cost for name, one in leaks(tmp_path, text).items()} == {
        "fixed": "16 bytes",
        "counted": "`(n + 1) * 4` bytes",
        "type": "`sizeof(*p)` bytes",
        "hidden": "",
        "asked": "`len` bytes",
        "words": "as much as the string",
        "unknown": "",
    }


def test_the_projects_own_event_loop(tmp_path):
    rules = tmp_path / "own.yaml"
    rules.write_text(
        "library: own\ndeclare: |\n  typedef void (*handler_t)(int fd);\nborrows:\n"
        "  - int ev_wait(void)\n  - void ev_add(int fd, handler_t handler)\n"
        "waits: {ev_wait: event}\ncalls: {ev_add: {handler: event}}\n"
    )
    text = f"""
typedef void (*handler_t)(int fd);
int ev_wait(void);
void ev_add(int fd, handler_t handler);
static void on_read(int fd) {LOSE}
static void other(void) {LOSE}
void f(void) {{ ev_add(0, on_read); while (any()) {{ ev_wait(); other(); }} }}
"""
    assert {one.growth for one in leaks(tmp_path, text).values()} == {CALL}
    assert {one.growth for one in leaks(tmp_path, text, rules=(str(rules),)).values()} == {MESSAGE}


def test_other_checks_have_no_class(tmp_path):
    (tmp_path / "f.c").write_text(HEAD + "void f(void) { char *p = malloc(2); free(p); free(p); }\n")
    settings = Settings(root=str(tmp_path), jobs=1, prepass=False)
    (found,) = Workspace(settings).analyse([str(tmp_path)]).findings
    assert (found.check, found.growth, found.cost) == ("double-release", None, "")


def test_a_loop_elsewhere_changes_the_class_with_a_cache_too(tmp_path):
    cache = tmp_path / "cache"
    cache.mkdir()
    source = tmp_path / "src"
    source.mkdir()
    lose, call = f"void lose(void) {LOSE}", "void lose(void);\nvoid other(int fd) {{ {} }}\n"
    once, loop = call.format("accept(fd, 0, 0); lose();"), call.format("for (;;) { accept(fd, 0, 0); lose(); }")
    found = [leaks(source, lose, text, cache=str(cache))["lose"].growth for text in (once, loop, once, loop)]
    assert found == [CALL, MESSAGE, CALL, MESSAGE]


def test_the_same_for_any_number_of_workers(tmp_path):
    texts = [f"void lose{n}(void) {LOSE}void lose{n + 1}(void);void f{n}(void) {{ lose{n + 1}(); }}" for n in range(4)]
    texts.append("void f0(void); void f2(void); void loop(int fd) { for (;;) { accept(fd, 0, 0); f0(); f2(); } }")
    alone = leaks(tmp_path, *texts)
    assert alone == leaks(tmp_path, *texts, jobs=3)
    assert [alone[f"lose{n}"].growth for n in range(4)] == [CALL, MESSAGE, CALL, MESSAGE]


LOOP = """
typedef void (*handler_t)(int fd);
struct entry { handler_t handler; int fd; } table[8];
static void add(int n, handler_t handler, int fd) { table[n].handler = handler; table[n].fd = fd; }
void add_read(handler_t handler, int fd) { add(0, handler, fd); }
static void dispatch(int n) { table[n].handler(table[n].fd); }
void loop(struct pollfd *f) { for (;;) { WAIT; dispatch(0); } }
"""
HANDLERS = """
typedef void (*handler_t)(int fd);
void add_read(handler_t handler, int fd);
void ask(handler_t handler, int fd);
static void on_read(int fd) LOSE
static void asked(int fd) LOSE
static void other(long fd) LOSE
void (*kept)(long fd);
void start(void) { add_read(on_read, 0); ask(asked, 1); kept = other; }
"""


@pytest.mark.parametrize(("wait", "growth"), [("poll(f, 1, -1)", MESSAGE), ("any()", CALL)])
def test_handlers_that_the_program_keeps_itself(tmp_path, wait, growth):
    """Over two files and two functions, by the type that the loop calls."""
    ask = "void ask(handler_t handler, int fd) { if (handler) any(); }\n"
    found = classes(tmp_path, LOOP.replace("WAIT", wait) + ask, HANDLERS.replace("LOSE", LOSE))
    assert {name: one[0] for name, one in found.items()} == {"on_read": growth, "asked": CALL, "other": CALL}
    if growth is MESSAGE:
        assert found["on_read"][1] == (
            "on_read() may be called through a pointer in dispatch(); "
            "dispatch() is called in a loop of loop() that waits for an event in poll()"
        )


def test_a_function_of_the_program_that_calls_what_it_is_given(tmp_path):
    each = "typedef void (*visit_t)(int n);\nvoid each(int n, visit_t visit) { while (n--) visit(n); }\n"
    use = f"""
typedef void (*visit_t)(int n);
void each(int n, visit_t visit);
static void visit(int n) {LOSE}
static void unused(int n) {LOSE}
void loop(int fd, char *b) {{ while (recv(fd, b, 1, 0) > 0) walk(3); }}
void walk(int n) {{ each(n, visit); }}
"""
    found = classes(tmp_path, each, use.replace("void loop", "void walk(int n);\nvoid loop"))
    assert found["visit"] == (MESSAGE, "visit() is reached from a loop of loop() that waits for a message in recv()")
    assert found["unused"][0] is CALL
