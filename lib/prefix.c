/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <sys/socket.h>

#include "lib/prefix.h"

bool prefix_cut(struct ip_address *prefix)
{
	bool has_bits = false;

	for (size_t bit = prefix->length; bit < 8 * ip_size(prefix->family); bit++) {
		uint8_t mask = 0x80 >> bit % 8;

		has_bits |= prefix->bytes[bit / 8] & mask;
		prefix->bytes[bit / 8] &= (uint8_t)~mask;
	}
	return has_bits;
}

static const char *fault_of(const struct ip_address *prefix)
{
	static const uint8_t zeros[16], mapped[12] = { [10] = 0xff, [11] = 0xff };
	const uint8_t *bytes = prefix->bytes;
	bool is_ipv6 = prefix->family == AF_INET6;
	unsigned first = is_ipv6 ? 0xff : 0xe0; /* of multicast, and IPv4's broadcast */
	struct ip_address whole = *prefix;

	if (prefix_cut(&whole))
		return "has bits behind its length";
	if (!prefix->length)
		return NULL;
	if (bytes[0] >= first)
		return "is a multicast or broadcast address, from which nobody sends";
	if (is_ipv6 && memcmp(bytes, mapped, sizeof(mapped)) == 0)
		return "is an IPv4 address in IPv6";
	if (memcmp(bytes, zeros, 15) == 0 && bytes[15] <= 1)
		return "is nobody's address";
	if (!is_ipv6 && bytes[0] == 127)
		return "is a loopback address, which stays inside the guest";
	return NULL;
}

const char *prefixes_parse(struct prefixes *prefixes, const char *text)
{
	const char *fault;

	prefixes->count = 0;
	for (;; text++) {
		size_t len = strcspn(text, ",");
		struct ip_address *prefix = &prefixes->list[prefixes->count];

		if (prefixes->count == PREFIXES_MAX)
			return "has too many addresses";
		if (!ip_parse_span(prefix, text, len, true))
			return "is not a list of IP addresses";
		fault = fault_of(prefix);
		if (fault)
			return fault;
		for (unsigned i = 0; i < prefixes->count; i++)
			if (ip_equal(&prefixes->list[i], prefix))
				return "has an address twice";
		prefixes->count++;
		text += len;
		if (!*text)
			return NULL;
	}
}

const char *prefix_format(char text[static IP_STRLEN], const struct ip_address *prefix)
{
	ip_format(text, prefix);
	if (prefix->length == 8 * ip_size(prefix->family))
		text[strcspn(text, "/")] = '\0';
	return text;
}

bool prefixes_equal(const struct prefixes *a, const struct prefixes *b)
{
	for (unsigned i = 0; i < a->count && i < b->count; i++)
		if (!ip_equal(&a->list[i], &b->list[i]))
			return false;
	return a->count == b->count;
}
