/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/array.h"
#include "vmm/args_search.h"

/* The length of the value at @at that could be an address. */
static size_t value_length(const char *at)
{
	size_t len = 0;

	while (isxdigit((unsigned char)at[len]) || (at[len] && strchr(":-.", at[len])))
		len++;
	return len;
}

/* Behind a key: `=`, or what JSON has there. NULL when it is no key after all. */
static const char *skip_assignment(const char *at)
{
	if (*at == '=') {
		at++;
		return *at == '"' || *at == '\'' ? at + 1 : at;
	}
	at += *at == '\\';
	if (*at++ != '"')
		return NULL;
	at += strspn(at, " \t");
	if (*at++ != ':')
		return NULL;
	at += strspn(at, " \t");
	at += *at == '\\';
	return *at == '"' ? at + 1 : NULL;
}

/* What the next key in @word is given, behind *@at, which moves there. A key is whole when no
 * letter, digit or underscore stands before it: host_mac= is another one. */
static const char *next_value(const char *word, const char **at)
{
	for (; (*at = strstr(*at, "mac")); (*at)++) {
		const char *end = *at + strlen(strncmp(*at, "macaddr", 7) == 0 ? "macaddr" : "mac");
		bool whole = *at == word ||
			     !(isalnum((unsigned char)(*at)[-1]) || (*at)[-1] == '_');
		const char *value = whole ? skip_assignment(end) : NULL;

		if (value)
			return *at = value;
	}
	return NULL;
}

/* Where in @word the first such address is, or NULL. */
static const char *find_in(const char *word, uint8_t mac[static MAC_LEN])
{
	for (; *word; word += *word != '\0') {
		size_t len = value_length(word);

		if (len == MAC_STRLEN - 1 && mac_parse_span(mac, word, len))
			return word;
		word += len;
	}
	return NULL;
}

const char *args_find_bare(char *const words[], uint8_t mac[static MAC_LEN])
{
	for (char *const *word = words; *word; word++) {
		const char *at = find_in(*word, mac);
		const char *key = at == *word && word > words && word[-1][0] == '-' ? word[-1] :
										      *word;

		if (at && strncmp(key + strspn(key, "-"), "host", 4) != 0)
			return key;
	}
	return NULL;
}

bool args_holds_mac(const char *word, const uint8_t mac[static MAC_LEN])
{
	static const size_t lengths[] = { 17, 14, 12 };
	size_t left = strlen(word);
	uint8_t here[MAC_LEN];

	for (; left > 0; word++, left--)
		for (size_t i = 0; i < 3; i++)
			if (left >= lengths[i] && mac_parse_span(here, word, lengths[i]) &&
			    mac_equal(here, mac))
				return true;
	return false;
}

void args_add_found(struct args_found *found, const char *text, size_t len)
{
	uint8_t mac[MAC_LEN], (*macs)[MAC_LEN];

	if (!mac_parse_span(mac, text, len)) {
		if (!found->invalid) {
			found->invalid = text;
			found->invalid_length = (int)strcspn(text, ",\"'\\");
		}
		return;
	}
	macs = array_grow(found->macs, found->count, sizeof(*macs));
	if (!macs) {
		found->err = -ENOMEM;
		return;
	}
	found->macs = macs;
	memcpy(macs[found->count++], mac, MAC_LEN);
}

void args_search_words(struct args_found *found, char *const words[])
{
	for (; *words && !found->err; words++)
		for (const char *at = *words; !found->err && next_value(*words, &at);)
			args_add_found(found, at, value_length(at));
}

static int compare_macs(const void *a, const void *b)
{
	return memcmp(a, b, MAC_LEN);
}

void args_sort_found(struct args_found *found)
{
	size_t count = 0;

	if (found->count)
		qsort(found->macs, found->count, MAC_LEN, compare_macs);
	for (size_t i = 0; i < found->count; i++)
		if (count == 0 || !mac_equal(found->macs[count - 1], found->macs[i]))
			memmove(found->macs[count++], found->macs[i], MAC_LEN);
	found->count = count;
}
