/* SPDX-License-Identifier: MIT */
/* Unit tests of lib/ip, in TAP. */
#include <string.h>

#include "lib/ip.h"
#include "tests/unit/unit.h"

int main(void)
{
	static const char *const good[][2] = {
		{ "192.0.2.1/24", "192.0.2.1/24" },   { "169.254.1.1/32", "169.254.1.1/32" },
		{ "172.16.0.0/31", "172.16.0.0/31" }, { "172.16.0.0/32", "172.16.0.0/32" },
		{ "10.0.0.1/0", "10.0.0.1/0" },	      { "FD00:0:0::1/64", "fd00::1/64" },
		{ "fe80::1/128", "fe80::1/128" },
	};
	static const char *const bad[] = {
		"",	      "/24",	      "192.0.2.1",	 "192.0.2.1/",	   "192.0.2.1/33",
		"192.0.2/24", "192.0.2.1/+4", "192.0.2.1/ 24",	 "192.0.2.1/24/2", " 192.0.2.1/24",
		"fd00::1",    "fd00::1/129",  "fd00::1%eth0/64",
	};
	static const char *const useless[] = { "0.0.0.0/0",	     "::/0",
					       "224.0.0.1/4",	     "ff02::1/64",
					       "255.255.255.255/32", "172.16.0.0/30",
					       "172.16.0.3/30",	     "10.0.0.0/8" };
	struct ip_address ip, other;
	char text[IP_STRLEN];

	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		ok(ip_parse_span(&ip, good[i][0], strlen(good[i][0]), false) && !ip_fault(&ip) &&
			   strcmp(ip_format(text, &ip), good[i][1]) == 0,
		   "%s", good[i][0]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		ok(!ip_parse_span(&ip, bad[i], strlen(bad[i]), false), "'%s' is none", bad[i]);
	for (size_t i = 0; i < sizeof(useless) / sizeof(*useless); i++)
		ok(ip_parse_span(&ip, useless[i], strlen(useless[i]), false) && ip_fault(&ip),
		   "%s is no host's: %s", useless[i], ip_fault(&ip));
	ok(ip_parse_span(&ip, "10.0.0.1/24,", 11, false) &&
		   ip_parse_span(&other, "10.0.0.1/25", 11, false) && !ip_equal(&ip, &other) &&
		   ip_equal(&ip, &ip),
	   "only the span counts, and the length is part of it");
	return finish();
}
