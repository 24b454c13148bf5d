/* SPDX-License-Identifier: MIT */
/*
 * IP addresses and prefixes, read strictly and written as inet_ntop(3) does. No I/O.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct prefix {
	bool is_ipv6;
	uint8_t length; /* in bits: 32 or 128 for one address */
	uint8_t bytes[16]; /* of IPv4 the first four; no bit behind the length is set */
};

#define PREFIXES_MAX 32 /* more than the record of a device holds */

struct prefixes {
	unsigned count;
	struct prefix list[PREFIXES_MAX];
};

/*
 * Read ADDR[/LEN][,ADDR[/LEN]...], each once, of addresses that a host may send from: not the
 * unspecified one, loopback or multicast. Returns NULL, or what is wrong, with what to write
 * instead, and @prefixes is then undefined.
 */
const char *prefixes_parse(struct prefixes *prefixes, const char *text);

/* "10.0.1.2" or "10.0.1.0/28". */
#define PREFIX_TEXT 50
const char *prefix_format(char text[static PREFIX_TEXT], const struct prefix *prefix);

bool prefixes_equal(const struct prefixes *a, const struct prefixes *b);
