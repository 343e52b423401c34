"""The sentence about a function that was replaced by one with another duty."""

import pytest

from analyzer.report.summary import shown_findings

OLD = """#include <stdio.h>
#include <stdlib.h>
int odd(int n);
void f(int n)
{
	char text[80];

	snprintf(text, sizeof(text), "%d", n);
	if (odd(n))
		return;
	puts(text);
}
"""
NEW = """#include <stdio.h>
#include <stdlib.h>
int odd(int n);
void f(int n)
{
	char *text;

	if (asprintf(&text, "%d", n) < 0)
		return;
	if (odd(n))
		return;
	puts(text);
	free(text);
}
"""
SENTENCE = "this change replaced snprintf(), which writes into memory of the caller, by asprintf(), whose caller must"


def sentences(report):
    return [
        finding.change if "replaced" in finding.change else "" for finding in shown_findings(report, everything=False)
    ]


def test_a_replaced_function_is_named(changed):
    assert sentences(changed(OLD, NEW)) == [SENTENCE]


def test_it_is_named_when_the_call_moved_to_another_file(changed):
    stays = "int keep;\n"
    assert sentences(changed({"a.c": OLD, "b.c": stays}, {"a.c": stays, "b.c": "\n" + NEW})) == [SENTENCE]


@pytest.mark.parametrize(
    "before",
    [
        OLD.replace("snprintf(text, sizeof(text),", "print(text,"),
        OLD.replace("snprintf(", "my_snprintf("),
        OLD.replace('snprintf(text, sizeof(text), "%d", n)', "/* snprintf( */ ;"),
        OLD.replace('snprintf(text, sizeof(text), "%d", n)', 'puts("\\"snprintf(")'),
        OLD.replace('snprintf(text, sizeof(text), "%d", n)', 'puts("snprintf(")'),
    ],
    ids=["another function", "longer name", "comment", "quoted text", "text"],
)
def test_other_changes_have_no_such_sentence(changed, before):
    assert sentences(changed(before, NEW)) == [""]


def test_the_old_function_must_have_lost_calls(changed):
    after = NEW.replace("\tputs(text);", '\tchar more[80];\n\tsnprintf(more, sizeof(more), "%d", n);\n\tputs(text);')
    assert sentences(changed(OLD, after)) == [""]


def test_an_old_acquisition_was_not_replaced(changed):
    before = NEW.replace("\tif (odd(n))\n\t\treturn;\n", '\tchar more[80];\n\tsnprintf(more, sizeof(more), "%d", n);\n')
    assert sentences(changed(before, NEW)) == [""]


SENT = """#include <netlink/netlink.h>
#include <netlink/msg.h>
int ask(struct nl_sock *sk, int type)
{
	struct nl_msg *msg = nlmsg_alloc_simple(type, 0);

	if (!msg)
		return -1;
	return nl_send_sync(sk, msg);
}
"""


def test_a_function_that_released_what_it_got(changed):
    sentence = "this change replaced nl_send_sync(), which frees the message, by nl_send_auto(), which does not"
    assert sentences(changed(SENT, SENT.replace("nl_send_sync", "nl_send_auto"))) == [sentence]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (SENT.replace("nl_send_sync", "nl_send"), SENT.replace("nl_send_sync", "nl_send_auto")),  # lost before
        (SENT, SENT.replace("nl_send_sync(sk, msg)", "nl_wait_for_ack(sk)")),
        (SENT, SENT.replace("nl_send_sync(sk, msg)", "nl_wait_for_ack(sk); /* nl_send_auto(sk, msg) */")),
        # The message is sent as before; something else is lost.
        (
            SENT,
            SENT.replace("int type)\n{", "int type)\n{\n\tvoid *p = malloc(1);\n").replace(
                "<net", "<stdlib.h>\n#include <net", 1
            ),
        ),
    ],
)
def test_other_changes_of_a_sender_have_no_such_sentence(changed, before, after):
    assert not any(sentences(changed(before, after)))


def test_a_function_that_took_over_what_it_got(changed):
    before = """#include <jansson.h>
int put(json_t *object)
{
	return json_object_set_new(object, "n", json_integer(1));
}
"""
    found = sentences(changed(before, before.replace("json_object_set_new", "json_object_set")))
    assert found == [
        "this change replaced json_object_set_new(), which takes the value over, by json_object_set(), which does not"
    ]
