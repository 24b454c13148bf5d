/* SPDX-License-Identifier: MIT */
/* /proc/PID/fdinfo: the name is that of the first line "iff:", found here line by line. */
#include "tests/fuzz/fuzz.h"
#include "kernel/holders.h"

static const char *find_name(char *text)
{
	char *line;

	while ((line = strsep(&text, "\n")))
		if (strncmp(line, "iff:", 4) == 0)
			return line + 4 + strspn(line + 4, " \t");
	return NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = as_string(data, size), name[16] = "untouched";
	bool found = holders_parse_fdinfo(name, text);
	const char *expected = find_name(text);

	if (expected && *expected && strlen(expected) < sizeof(name))
		always(found && strcmp(name, expected) == 0, "a name of 1 to 15 bytes is found");
	else
		always(!found && strcmp(name, "untouched") == 0, "and without one nothing is");
	free(text);
	return 0;
}
