/* SPDX-License-Identifier: MIT */
/*
 * Bandwidths, as tc(8) writes them: "10mbit", "1.5gbit", "125kbps". No I/O.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Room for two frames of 64 KiB, which are segmented later. */
#define BURST_LEAST 131072

struct rate {
	uint64_t bytes; /* a second; 0: no limit */
	uint32_t burst; /* in bytes, at least BURST_LEAST; 0: not given */
};

/*
 * Read RATE[:BURST], of at least 8kbit; BURST in bytes, KiB ("256k") or MiB ("1m"). Returns NULL,
 * or what is wrong, and @rate is then unchanged.
 */
const char *rate_parse(struct rate *rate, const char *text);

/* As it is read, in the largest unit that gives a whole number. */
#define RATE_TEXT 48
const char *rate_format(char text[static RATE_TEXT], const struct rate *rate);

/* The burst in bytes: that of @rate, else 10 ms of it. */
uint32_t rate_burst(const struct rate *rate);

bool rate_equal(const struct rate *a, const struct rate *b);
