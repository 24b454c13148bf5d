/* SPDX-License-Identifier: MIT */
/* Unit tests of prefix and rate, in TAP. */
#include <string.h>

#include "lib/prefix.h"
#include "lib/rate.h"
#include "tests/unit/unit.h"

static void test_prefixes(void)
{
	static const struct {
		const char *text, *written; /* NULL: is refused */
	} rows[] = {
		{ "10.0.1.2", "10.0.1.2" },
		{ "10.0.1.2/32", "10.0.1.2" },
		{ "10.0.1.0/24", "10.0.1.0/24" },
		{ "0.0.0.0/0", "0.0.0.0/0" },
		{ "FD00:0:0::2/128", "fd00::2" },
		{ "fe80::/64", "fe80::/64" },
		{ "::/0", "::/0" },
		{ "10.0.1.2/24", NULL },
		{ "10.0.1.2/33", NULL },
		{ "10.0.1.2/-1", NULL },
		{ "10.0.1.2/", NULL },
		{ "10.0.1", NULL },
		{ "0.0.0.0", NULL },
		{ "127.0.0.1", NULL },
		{ "224.0.0.1", NULL },
		{ "255.255.255.255", NULL },
		{ "::", NULL },
		{ "::1", NULL },
		{ "ff02::1", NULL },
		{ "::ffff:10.0.1.2", NULL },
		{ "fd00::1/127", NULL },
		{ "0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000", NULL },
		{ "", NULL },
	};
	struct prefixes prefixes, other;
	char text[IP_STRLEN];

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		bool is = !prefixes_parse(&prefixes, rows[i].text);

		ok(is == (rows[i].written != NULL) &&
			   (!is ||
			    strcmp(prefix_format(text, &prefixes.list[0]), rows[i].written) == 0),
		   "'%s' is %s", rows[i].text, rows[i].written ? rows[i].written : "refused");
	}
	ok(!prefixes_parse(&prefixes, "10.0.1.2,fd00::2") && prefixes.count == 2, "a list");
	ok(prefixes_parse(&other, "10.0.1.2,10.0.1.2/32") != NULL, "each once");
	ok(!prefixes_parse(&other, "10.0.1.2/32,fd00:0::2") && prefixes_equal(&prefixes, &other),
	   "written otherwise it is the same");
	ok(!prefixes_parse(&other, "fd00::2,10.0.1.2") && !prefixes_equal(&prefixes, &other),
	   "in another order it is not");
}

static void test_rates(void)
{
	static const struct {
		const char *text, *written; /* NULL: is refused */
	} rows[] = {
		{ "10mbit", "10mbit" },
		{ "10000kbit", "10mbit" },
		{ "1.5gbit", "1500mbit" },
		{ "125kbps", "1mbit" },
		{ "1Mibit", "1048576bit" },
		{ "8kbit", "8kbit" },
		{ "8000", "8kbit" },
		{ "40gbit", "40gbit" },
		{ "10mbit:131072", "10mbit:131072" },
		{ "10mbit:131072b", "10mbit:131072" },
		{ "1000kbps:256k", "8mbit:262144" },
		{ "10mbit:128KB", "10mbit:131072" },
		{ "10mbit:1m", "10mbit:1048576" },
		{ "1tbit:4095mb", "1000gbit:4293918720" },
		{ "1tbit", "1000gbit" },
		{ "7kbit", NULL },
		{ "2tbit", NULL },
		{ "", NULL },
		{ "mbit", NULL },
		{ "10 mbit", NULL },
		{ "-1mbit", NULL },
		{ "infmbit", NULL },
		{ "0x10mbit", NULL },
		{ "1..5mbit", NULL },
		{ "10mbit:", NULL },
		{ "10mbit:131071", NULL },
		{ "10mbit:127k", NULL },
		{ "10mbit:k", NULL },
		{ "10mbit:256kbit", NULL },
		{ "10mbit:1.5m", NULL },
		{ "1tbit:4096m", NULL },
		{ "1tbit:123456789012345678901k", NULL },
		{ "8kbit:262144", NULL },
	};
	struct rate rate;
	char text[RATE_TEXT];

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		bool is = !rate_parse(&rate, rows[i].text);

		ok(is == (rows[i].written != NULL) &&
			   (!is || strcmp(rate_format(text, &rate), rows[i].written) == 0),
		   "'%s' is %s", rows[i].text, rows[i].written ? rows[i].written : "refused");
	}
	rate_parse(&rate, "10mbit");
	ok(rate_burst(&rate) == BURST_LEAST, "a burst for two whole frames");
	rate_parse(&rate, "1gbit");
	ok(rate_burst(&rate) == 1250000, "or of 10 ms");
	rate_parse(&rate, "1gbit:200000");
	ok(rate_burst(&rate) == 200000, "or as it is given");
}

int main(void)
{
	test_prefixes();
	test_rates();
	return finish();
}
