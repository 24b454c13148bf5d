/* SPDX-License-Identifier: MIT */
/* Unit tests of json, in TAP. */
#include <stdlib.h>
#include <string.h>

#include "lib/json.h"
#include "tests/unit/unit.h"

/* Whether @print writes @expected for @text. */
static bool prints(void (*print)(FILE *, const char *), const char *text, const char *expected)
{
	char *out = NULL;
	size_t size;
	FILE *stream = open_memstream(&out, &size);
	bool same;

	print(stream, text);
	fclose(stream);
	same = strcmp(out, expected) == 0;
	if (!same)
		printf("# '%s' and not '%s'\n", out, expected);
	free(out);
	return same;
}

static void test_json(void)
{
	static const struct {
		const char *text, *json, *what;
	} cases[] = {
		{ "", "\"\"", "nothing" },
		{ "tap0", "\"tap0\"", "a name" },
		{ "a\"b\\c/", "\"a\\\"b\\\\c/\"", "quotes and backslashes" },
		{ "\x1b[31m\n\t\x7f", "\"\\u001b[31m\\u000a\\u0009\\u007f\"", "control bytes" },
		{ "\xc3\xbc\xe2\x82\xac\xf0\x9f\x90\xa7",
		  "\"\xc3\xbc\xe2\x82\xac\xf0\x9f\x90\xa7\"",
		  "UTF-8 of two, three and four bytes" },
		{ "\xc2\x85\xe2\x80\xae\xf3\xa0\x81\x81", "\"\\u0085\\u202e\\udb40\\udc41\"",
		  "controls of the second set and of direction" },
		{ "\xff", "\"\\ufffd\"", "a byte that never is in UTF-8" },
		{ "\xc3", "\"\\ufffd\"", "a sequence that ends early" },
		{ "\xe2\x82x", "\"\\ufffd\\ufffdx\"", "one that is broken off" },
		{ "\xc0\xaf", "\"\\ufffd\\ufffd\"", "an overlong form of two bytes" },
		{ "\xe0\x9f\xbf", "\"\\ufffd\\ufffd\\ufffd\"", "of three" },
		{ "\xf0\x8f\xbf\xbf", "\"\\ufffd\\ufffd\\ufffd\\ufffd\"", "of four" },
		{ "\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\"", "a surrogate" },
		{ "\xf4\x90\x80\x80", "\"\\ufffd\\ufffd\\ufffd\\ufffd\"", "beyond U+10FFFF" },
		{ "\xf4\x8f\xbf\xbf", "\"\xf4\x8f\xbf\xbf\"", "U+10FFFF itself" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		ok(prints(json_string, cases[i].text, cases[i].json), "JSON: %s", cases[i].what);
}

static void test_plain(void)
{
	ok(prints(plain_string, "tap 0~", "tap 0~"), "a terminal gets printable ASCII as it is");
	setenv("LC_ALL", "C", 1);
	ok(prints(plain_string, "\x1b[31m\r\n\x7f\xc3\xbc", "?[31m?????"),
	   "and a question mark for every other byte");
	setenv("LC_ALL", "de_DE.UTF-8", 1);
	ok(prints(plain_string,
		  "br\xc3\xbc"
		  "cke",
		  "br\xc3\xbc"
		  "cke"),
	   "one of UTF-8 gets signs");
	ok(prints(plain_string,
		  "a\xc2\x9b"
		  "31m\xe2\x80\xae\xff",
		  "a??31m????"),
	   "but no control of the second set, no turn of direction, no broken byte");
}

static void test_format(void)
{
	char *out = NULL;
	size_t size;
	FILE *stream = open_memstream(&out, &size);

	json_format(stream, "{'name':%s,'set':[%d,%d],'map':{}}", "it's \"so\"%s", -1, 4094);
	fclose(stream);
	ok(strcmp(out, "{\"name\":\"it's \\\"so\\\"%s\",\"set\":[-1,4094],\"map\":{}}") == 0,
	   "a format, with text that looks like one");
	free(out);
}

int main(void)
{
	test_json();
	test_format();
	test_plain();
	return finish();
}
