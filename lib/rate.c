/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/parse.h"
#include "lib/rate.h"

#define LEAST 1000 /* bytes a second: below it a burst lasts longer than the kernel counts */
#define MOST 125000000000 /* 1 Tbit/s */
#define BURST_SECONDS 250 /* what the kernel can count of a burst at its rate, with room */

/* Bits a second; tc(8) means bytes by "bps". The last four are those that are written. */
static const struct unit {
	const char *name;
	double bits;
} units[] = {
	{ "", 1 },
	{ "kibit", 1024 },
	{ "mibit", 1024 * 1024 },
	{ "gibit", 1024.0 * 1024 * 1024 },
	{ "tibit", 1024.0 * 1024 * 1024 * 1024 },
	{ "tbit", 1e12 },
	{ "bps", 8 },
	{ "kbps", 8e3 },
	{ "mbps", 8e6 },
	{ "gbps", 8e9 },
	{ "tbps", 8e12 },
	{ "kibps", 8 * 1024 },
	{ "mibps", 8 * 1024 * 1024 },
	{ "gibps", 8 * 1024.0 * 1024 * 1024 },
	{ "tibps", 8 * 1024.0 * 1024 * 1024 * 1024 },
	{ "bit", 1 },
	{ "kbit", 1e3 },
	{ "mbit", 1e6 },
	{ "gbit", 1e9 },
};

enum { UNITS = sizeof(units) / sizeof(*units), WRITTEN = UNITS - 4 };

/* The number before the unit, or a negative one. */
static double read_bits(const char *text)
{
	size_t len = strspn(text, "0123456789.");
	double number;
	char *end;

	if (!len || len > 15)
		return -1;
	number = strtod(text, &end);
	if (end != text + len)
		return -1;
	for (size_t i = 0; i < UNITS; i++)
		if (strcasecmp(end, units[i].name) == 0)
			return number * units[i].bits;
	return -1;
}

/* A size as tc(8) writes it: in bytes, KiB or MiB. */
static bool read_burst(unsigned long *burst, const char *text)
{
	static const struct {
		const char *name;
		unsigned long bytes;
	} sizes[] = {
		{ "", 1 },
		{ "b", 1 },
		{ "k", 1024 },
		{ "kb", 1024 },
		{ "m", 1024UL * 1024 },
		{ "mb", 1024UL * 1024 },
	};
	size_t len = strspn(text, "0123456789");
	char word[12];

	if (len >= sizeof(word))
		return false;
	memcpy(word, text, len);
	word[len] = '\0';
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		if (strcasecmp(text + len, sizes[i].name) != 0)
			continue;
		if (!parse_number(burst, word, 1, UINT32_MAX / sizes[i].bytes))
			return false;
		*burst *= sizes[i].bytes;
		return *burst >= BURST_LEAST;
	}
	return false;
}

const char *rate_parse(struct rate *rate, const char *text)
{
	const char *colon = strchrnul(text, ':');
	unsigned long burst = 0;
	char word[RATE_TEXT];
	double bytes;

	if (*colon && !read_burst(&burst, colon + 1))
		return "has a burst that is not a size from 128k to 4095m";
	if ((size_t)(colon - text) >= sizeof(word))
		return "is not a rate";
	memcpy(word, text, (size_t)(colon - text));
	word[colon - text] = '\0';
	bytes = read_bits(word) / 8;
	if (bytes < 0)
		return "is not a rate";
	if (bytes < LEAST || bytes > MOST)
		return "is not a rate from 8kbit to 1000gbit";
	if ((double)burst > bytes * BURST_SECONDS)
		return "has a burst of more than 250 seconds";
	rate->bytes = (uint64_t)bytes;
	rate->burst = (uint32_t)burst;
	return NULL;
}

const char *rate_format(char text[static RATE_TEXT], const struct rate *rate)
{
	unsigned long long bits = rate->bytes * 8;
	size_t unit = WRITTEN;

	for (; unit + 1 < UNITS && bits % 1000 == 0; unit++)
		bits /= 1000;
	if (rate->burst)
		snprintf(text, RATE_TEXT, "%llu%s:%u", bits, units[unit].name, rate->burst);
	else
		snprintf(text, RATE_TEXT, "%llu%s", bits, units[unit].name);
	return text;
}

uint32_t rate_burst(const struct rate *rate)
{
	uint64_t burst = rate->bytes / 100;

	if (rate->burst)
		return rate->burst;
	return burst < BURST_LEAST ? BURST_LEAST : (uint32_t)burst;
}

bool rate_equal(const struct rate *a, const struct rate *b)
{
	return a->bytes == b->bytes && a->burst == b->burst;
}
