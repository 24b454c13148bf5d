/* SPDX-License-Identifier: MIT */
/*
 * Addresses in words of which nothing else is known.
 *
 * Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "macutil.h"

/* Addresses as they are found; all zeros at first. */
struct args_found {
	uint8_t (*macs)[MAC_LEN]; /* for free(3) */
	size_t count;
	const char *invalid; /* the first value that is no address, of @invalid_length bytes */
	int invalid_length;
	int err;
};

/* Add the address that is the @len bytes at @text. */
void args_add_found(struct args_found *found, const char *text, size_t len);

/* Add what stands behind mac=, macaddr= and "mac": in @words. */
void args_search_words(struct args_found *found, char *const words[]);

/* Sort them, and keep each once. */
void args_sort_found(struct args_found *found);

/*
 * The first address in @words that is spelt with six pairs of digits, whatever it is for, but not
 * the host's. Returns the word that says what it is for, the address's own or the option in front
 * of it; NULL: there is none.
 */
const char *args_find_bare(char *const words[], uint8_t mac[static MAC_LEN]);

/* Whether @mac stands anywhere in @word, in any spelling. */
bool args_holds_mac(const char *word, const uint8_t mac[static MAC_LEN]);
