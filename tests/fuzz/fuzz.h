/* SPDX-License-Identifier: MIT */
/*
 * What the fuzzers share: properties that are asserted, and bytes as strings.
 *
 * A fuzzer is one function of libFuzzer's, run with the bytes that it makes up. It has to assert
 * what its module promises, which is more than not to crash.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline void always(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "a property does not hold: %s\n", what);
	abort();
}

/* The bytes as a string of their own, so that reading past its end is seen. The caller frees it. */
static inline char *as_string(const uint8_t *data, size_t size)
{
	char *text = calloc(1, size + 1);

	always(text, "there is memory");
	return size ? memcpy(text, data, size) : text;
}

/* The lines of @text as words, at most @max, and NULL behind them. @text is taken apart. */
static inline size_t as_words(char *words[], size_t max, char *text)
{
	size_t count = 0;

	while (count < max && text)
		words[count++] = strsep(&text, "\n");
	words[count] = NULL;
	return count;
}
