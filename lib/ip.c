/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>
#include <arpa/inet.h>

#include "lib/ip.h"
#include "lib/parse.h"

size_t ip_size(uint8_t family)
{
	return family == AF_INET ? 4 : 16;
}

bool ip_parse_span(struct ip_address *ip, const char *text, size_t len, bool alone)
{
	struct ip_address read = { .family = AF_INET };
	unsigned long length;
	char word[IP_STRLEN], *slash;

	if (len >= sizeof(word) || memchr(text, '\0', len))
		return false;
	memcpy(word, text, len);
	word[len] = '\0';
	if (strchr(word, ':'))
		read.family = AF_INET6;
	length = 8 * ip_size(read.family);
	slash = strchr(word, '/');
	if (slash ? !parse_number(&length, slash + 1, 0, length) : !alone)
		return false;
	if (slash)
		*slash = '\0';
	if (inet_pton(read.family, word, read.bytes) != 1)
		return false;
	read.length = (uint8_t)length;
	*ip = read;
	return true;
}

const char *ip_fault(const struct ip_address *ip)
{
	static const uint8_t zeros[16];
	uint32_t address, hosts;
	bool group = ip->family == AF_INET ? ip->bytes[0] >> 4 == 14 : ip->bytes[0] == 0xff;

	if (memcmp(ip->bytes, zeros, sizeof(zeros)) == 0)
		return "is all zeros";
	if (group)
		return "is a multicast address";
	if (ip->family == AF_INET && ip->bytes[0] == 255)
		return "is a broadcast address";
	/* A network of one or two addresses has no others (RFC 3021). */
	if (ip->family != AF_INET || ip->length < 1 || ip->length > 30)
		return NULL;
	memcpy(&address, ip->bytes, sizeof(address));
	hosts = UINT32_MAX >> ip->length;
	if (!(ntohl(address) & hosts))
		return "is the address of its network itself";
	return (ntohl(address) & hosts) == hosts ? "is its network's broadcast address" : NULL;
}

bool ip_equal(const struct ip_address *a, const struct ip_address *b)
{
	return a->family == b->family && a->length == b->length &&
	       memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

const char *ip_format(char text[static IP_STRLEN], const struct ip_address *ip)
{
	char address[INET6_ADDRSTRLEN];

	inet_ntop(ip->family, ip->bytes, address, sizeof(address));
	snprintf(text, IP_STRLEN, "%s/%u", address, ip->length);
	return text;
}
