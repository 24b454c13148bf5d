/* SPDX-License-Identifier: MIT */
/* Unit tests of macutil, in TAP. */
#include <string.h>

#include "macutil.h"
#include "tests/unit/unit.h"

static void test_parse(void)
{
	static const uint8_t expected[MAC_LEN] = { 0x52, 0x54, 0x00, 0x84, 0xe3, 0x62 };
	static const char *const good[] = {
		"52:54:00:84:e3:62", "52-54-00-84-e3-62", "5254.0084.e362", "52540084e362",
		"52:54:00:84:E3:62", "5254.0084.E362",	  "52540084E362",
	};
	static const char *const bad[] = {
		"",
		"52",
		"52:54:00:84:e3",
		"52:54:00:84:e3:62:",
		"52:54:00:84:e3:6",
		"52:54:00:84:e3:6g",
		"52:54:00-84:e3:62",
		"5254:0084:e362",
		"52.54.00.84.e3.62",
		"5254.0084-e362",
		"52540084e36",
		"52540084e3622",
		" 52540084e362",
		"52540084e362 ",
		"52:54:00:84:e3:62\n",
		"0x540084e362",
		"5:254:00:84:e3:62",
		":52:54:00:84:e362",
		"::::::::::::::::",
		"-2:54:00:84:e3:62",
	};
	uint8_t mac[MAC_LEN], untouched[MAC_LEN] = { 1, 2, 3, 4, 5, 6 };

	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		memset(mac, 0, sizeof(mac));
		ok(mac_parse(mac, good[i]) && mac_equal(mac, expected), "parses %s", good[i]);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		memcpy(mac, untouched, sizeof(mac));
		ok(!mac_parse(mac, bad[i]) && mac_equal(mac, untouched),
		   "refuses %.*s and leaves the result alone", (int)strcspn(bad[i], "\n"), bad[i]);
	}
	ok(mac_parse_span(mac, "52540084e362,netdev", 12) && mac_equal(mac, expected),
	   "parses a span with more behind it");
	ok(!mac_parse_span(mac, "52540084e362", 11), "refuses a span that is too short");
}

static void test_format(void)
{
	static const uint8_t mac[MAC_LEN] = { 0xFE, 0x0A, 0x00, 0xff, 0x01, 0x10 };
	char text[MAC_STRLEN], name[MAC_NAMELEN];

	ok(strcmp(mac_format(text, mac), "fe:0a:00:ff:01:10") == 0,
	   "formats lower case with colons");
	mac_name(name, "tap", mac);
	ok(strcmp(name, "tapfe0a00ff0110") == 0, "a name is the prefix and twelve digits");
}

static void test_fault(void)
{
	static const uint8_t group[MAC_LEN] = { 0x01, 0, 0x5e, 0, 0, 1 }, zero[MAC_LEN] = { 0 },
			     broadcast[MAC_LEN] = { 255, 255, 255, 255, 255, 255 },
			     local[MAC_LEN] = { 0x02, 0, 0, 0, 0, 0 },
			     low[MAC_LEN] = { 0, 0, 0, 0, 0, 1 };

	ok(mac_fault(group), "a group address has a fault");
	ok(mac_fault(broadcast), "the broadcast address has a fault");
	ok(mac_fault(zero), "all zeros have a fault");
	ok(!mac_fault(local) && !mac_fault(low), "other addresses have none");
}

static void test_derive(void)
{
	uint8_t guest[MAC_LEN] = { 0, 0x54, 0x00, 0x84, 0xe3, 0x62 }, host[MAC_LEN];
	bool differ = true, rest = true, prefix = true;

	for (unsigned first = 0; first < 256; first += 2) {
		guest[0] = (uint8_t)first;
		mac_derive_host(host, guest);
		differ &= !mac_equal(host, guest);
		rest &= memcmp(host + 1, guest + 1, MAC_LEN - 1) == 0;
		prefix &= host[0] == (first == 0xfe ? 0xfa : 0xfe);
	}
	ok(differ, "the host side differs from every guest");
	ok(rest, "in the first octet alone");
	ok(prefix, "which is fe, and fa for an fe guest");
	mac_derive_host(guest, guest);
	ok(guest[0] == 0xfa, "in place, too");
}

static void test_draw(void)
{
	uint8_t a[MAC_LEN], b[MAC_LEN];

	ok(mac_draw(a) == 0 && mac_draw(b) == 0, "draws");
	ok(a[0] == 0x52 && a[1] == 0x54 && a[2] == 0x00, "with qemu's prefix");
	ok(!mac_equal(a, b) || (mac_draw(b) == 0 && !mac_equal(a, b)), "another one each time");
}

int main(void)
{
	test_parse();
	test_format();
	test_fault();
	test_derive();
	test_draw();
	return finish();
}
