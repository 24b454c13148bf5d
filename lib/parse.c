/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <linux/if.h>

#include "lib/parse.h"

bool parse_number(unsigned long *number, const char *text, unsigned long min, unsigned long max)
{
	unsigned long value = 0;

	if (!*text)
		return false;
	for (; *text; text++) {
		unsigned long digit = (unsigned long)*text - '0';

		if (digit > 9 || digit > max || value > (max - digit) / 10)
			return false;
		value = value * 10 + digit;
	}
	if (value < min)
		return false;
	*number = value;
	return true;
}

/* The kernel's rule (net/core/dev.c, dev_valid_name), and no control character. */
const char *parse_name_fault(const char *name, bool pattern)
{
	const char *percent = strchr(name, '%');

	if (!*name)
		return "a device name cannot be empty";
	if (strlen(name) >= IFNAMSIZ)
		return "a device name has 15 bytes at most";
	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return "is not a device name";
	for (const char *c = name; *c; c++)
		if ((*c >= '\0' && *c <= ' ') || *c == 0x7f || *c == '/' || *c == ':')
			return "a device name contains no slash, colon, space or control character";
	if (strchr(name, 0xa0))
		return "a device name contains no byte 0xa0: the kernel takes it for a space";
	if (percent && (!pattern || percent[1] != 'd' || strchr(percent + 1, '%')))
		return pattern ? "a device name contains % only once, as %d" :
				 "a device name contains no %";
	return NULL;
}
