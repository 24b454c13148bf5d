/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>
#include <arpa/inet.h>

#include "lib/parse.h"
#include "lib/prefix.h"

static unsigned bits_of(const struct prefix *prefix)
{
	return prefix->is_ipv6 ? 128 : 32;
}

/* Whether a bit behind the length is set. */
static bool has_bits_behind(const struct prefix *prefix)
{
	for (unsigned bit = prefix->length; bit < bits_of(prefix); bit++)
		if (prefix->bytes[bit / 8] & 0x80 >> bit % 8)
			return true;
	return false;
}

static const char *fault_of(const struct prefix *prefix)
{
	static const uint8_t zeros[16], mapped[12] = { [10] = 0xff, [11] = 0xff };
	const uint8_t *bytes = prefix->bytes;
	unsigned first = prefix->is_ipv6 ? 0xff : 0xe0; /* of multicast, and IPv4's broadcast */

	if (has_bits_behind(prefix))
		return "has bits behind its length: write the address alone, or the prefix with "
		       "zeros behind it, like 10.0.1.0/24";
	if (!prefix->length)
		return NULL;
	if (bytes[0] >= first)
		return "is a multicast or broadcast address, from which nobody sends";
	if (prefix->is_ipv6 && memcmp(bytes, mapped, sizeof(mapped)) == 0)
		return "is an IPv4 address in IPv6: write it like 10.0.1.2";
	if (memcmp(bytes, zeros, prefix->is_ipv6 ? 15 : 4) == 0 && bytes[15] <= 1)
		return "is nobody's: write the guest's address, like 10.0.1.2 or fd00::2";
	return !prefix->is_ipv6 && bytes[0] == 127 ? "is a loopback address, which stays inside "
						     "the guest" :
						     NULL;
}

/* One of them, which is taken apart in place. */
static const char *parse(struct prefix *prefix, char *word)
{
	char *slash = strchr(word, '/');
	unsigned long length;

	*prefix = (struct prefix){ .is_ipv6 = strchr(word, ':') };
	if (slash)
		*slash = '\0';
	if (inet_pton(prefix->is_ipv6 ? AF_INET6 : AF_INET, word, prefix->bytes) != 1)
		return "is not a list of IP addresses: write ADDR[/LEN][,ADDR...], like "
		       "10.0.1.2,fd00::2";
	length = bits_of(prefix);
	if (slash && !parse_number(&length, slash + 1, 0, bits_of(prefix)))
		return "has a prefix length that does not exist: 0 to 32 for IPv4, to 128 for IPv6";
	prefix->length = (uint8_t)length;
	return fault_of(prefix);
}

const char *prefixes_parse(struct prefixes *prefixes, const char *text)
{
	char word[PREFIX_TEXT];
	const char *fault;

	prefixes->count = 0;
	for (;; text++) {
		size_t len = strcspn(text, ",");
		struct prefix *prefix = &prefixes->list[prefixes->count];

		if (prefixes->count == PREFIXES_MAX)
			return "has too many addresses: write prefixes, like 10.0.1.0/28";
		snprintf(word, sizeof(word), "%.*s", (int)(len < sizeof(word) ? len : 0), text);
		fault = parse(prefix, word);
		if (fault)
			return fault;
		for (unsigned i = 0; i < prefixes->count; i++)
			if (memcmp(&prefixes->list[i], prefix, sizeof(*prefix)) == 0)
				return "has an address twice";
		prefixes->count++;
		text += len;
		if (!*text)
			return NULL;
	}
}

const char *prefix_format(char text[static PREFIX_TEXT], const struct prefix *prefix)
{
	size_t len;

	inet_ntop(prefix->is_ipv6 ? AF_INET6 : AF_INET, prefix->bytes, text, PREFIX_TEXT);
	len = strlen(text);
	if (prefix->length != bits_of(prefix))
		snprintf(text + len, PREFIX_TEXT - len, "/%u", prefix->length);
	return text;
}

bool prefixes_equal(const struct prefixes *a, const struct prefixes *b)
{
	return a->count == b->count && memcmp(a->list, b->list, a->count * sizeof(*a->list)) == 0;
}
