/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "lib/suggest.h"

enum { LONGEST = 32 };

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* How many letters have to be changed, added, left out, or exchanged with their neighbour. */
static size_t distance(const char *a, const char *b)
{
	size_t rows[3][LONGEST + 1], la = strlen(a), lb = strlen(b);
	size_t *before = rows[0], *last = rows[1], *row = rows[2];

	for (size_t k = 0; k <= lb; k++)
		last[k] = k;
	for (size_t i = 1; i <= la; i++) {
		size_t *spare = before;

		row[0] = i;
		for (size_t k = 1; k <= lb; k++) {
			row[k] = least(least(last[k], row[k - 1]) + 1,
				       last[k - 1] + (a[i - 1] != b[k - 1]));
			if (i > 1 && k > 1 && a[i - 1] == b[k - 2] && a[i - 2] == b[k - 1])
				row[k] = least(row[k], before[k - 2] + 1);
		}
		before = last;
		last = row;
		row = spare;
	}
	return last[lb];
}

const char *suggest_word(const char *word, const char *const known[], size_t count)
{
	size_t len = strlen(word), nearest = len < 5 ? 2 : 3;
	const char *found = NULL;

	if (len < 2 || len > LONGEST)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		size_t far;

		if (strlen(known[i]) > LONGEST)
			continue;
		if (strncmp(known[i], word, len) == 0)
			return known[i];
		far = distance(word, known[i]);
		if (far < nearest) {
			nearest = far;
			found = known[i];
		}
	}
	return found;
}
