/* SPDX-License-Identifier: MIT */
/* Unit tests of lib/suggest, in TAP. */
#include <string.h>

#include "lib/suggest.h"
#include "tests/unit/unit.h"

int main(void)
{
	static const char *const known[] = { "add", "list", "bridge", "no-vnet-hdr", "may-exist" };
	static const char *const cases[][2] = {
		{ "brdige", "bridge" },
		{ "bridg", "bridge" },
		{ "bridges", "bridge" },
		{ "ad", "add" },
		{ "dad", "add" },
		{ "lsit", "list" },
		{ "no-vnet", "no-vnet-hdr" },
		{ "mayexist", "may-exist" },
		{ "frob", NULL },
		{ "x", NULL },
		{ "", NULL },
		{ "ls", NULL },
		{ "a-word-that-is-much-too-long-for-this", NULL },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const char *is = suggest_word(cases[i][0], known, sizeof(known) / sizeof(*known));

		ok(is ? cases[i][1] && strcmp(is, cases[i][1]) == 0 : !cases[i][1], "'%s': %s",
		   cases[i][0], is ? is : "nothing");
	}
	return finish();
}
