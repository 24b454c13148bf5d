/* SPDX-License-Identifier: MIT */
/*
 * Lists of IP addresses and prefixes that a guest may send from. Pure.
 */
#pragma once

#include <stdbool.h>

#include "lib/ip.h"

#define PREFIXES_MAX 32 /* more than the record of a device holds */

struct prefixes {
	unsigned count;
	struct ip_address list[PREFIXES_MAX]; /* no bit behind the length is set */
};

/*
 * Read ADDR[/LEN][,ADDR[/LEN]...], each once, of addresses that a host may send from: not the
 * unspecified one, loopback or multicast. Returns NULL, or what is wrong; @prefixes then has those
 * before, and where @text is a prefix that is refused, that one behind them.
 */
const char *prefixes_parse(struct prefixes *prefixes, const char *text);

/* Clear the bits behind the length. Whether one was set. */
bool prefix_cut(struct ip_address *prefix);

/* "10.0.1.2" or "10.0.1.0/28". */
const char *prefix_format(char text[static IP_STRLEN], const struct ip_address *prefix);

bool prefixes_equal(const struct prefixes *a, const struct prefixes *b);
