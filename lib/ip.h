/* SPDX-License-Identifier: MIT */
/*
 * IP addresses with the length of their network, as ip(8) writes them: 192.0.2.1/24, fd00::1/64.
 *
 * Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ip_address {
	uint8_t family; /* AF_INET, of which @bytes has 4, or AF_INET6 */
	uint8_t length; /* of its network, in bits */
	uint8_t bytes[16];
};

#define IP_STRLEN 50 /* INET6_ADDRSTRLEN and /128 */

/* The bytes of an address, and its bits. */
size_t ip_size(uint8_t family);

/*
 * "ADDRESS/LENGTH" in the first @len bytes of @text, and nothing else; @alone: or "ADDRESS", with
 * all of its bits for the length.
 */
bool ip_parse_span(struct ip_address *ip, const char *text, size_t len, bool alone);

/* NULL when a host can have it, or what is wrong. */
const char *ip_fault(const struct ip_address *ip);

bool ip_equal(const struct ip_address *a, const struct ip_address *b);

const char *ip_format(char text[static IP_STRLEN], const struct ip_address *ip);
