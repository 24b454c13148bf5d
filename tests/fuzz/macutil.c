/* SPDX-License-Identifier: MIT */
/* Addresses: what is parsed survives being printed, in every spelling. */
#include <ctype.h>

#include "tests/fuzz/fuzz.h"
#include "macutil.h"
#include "lib/parse.h"

static const uint8_t untouched[MAC_LEN] = { 1, 2, 3, 4, 5, 6 };

/* @mac with @separator between groups of @group digits. */
static void spell(char text[static MAC_STRLEN], const uint8_t *mac, const char *digits,
		  unsigned group, char separator)
{
	for (unsigned i = 0; i < 2 * MAC_LEN; i++) {
		if (i && i % group == 0)
			*text++ = separator;
		*text++ = digits[mac[i / 2] >> (i % 2 ? 0 : 4) & 0xf];
	}
	*text = '\0';
}

static void check_spellings(const uint8_t *mac)
{
	static const struct {
		unsigned group;
		char separator;
	} spellings[] = { { 2, ':' }, { 2, '-' }, { 4, '.' }, { 12, 0 } };
	char text[MAC_STRLEN];
	uint8_t again[MAC_LEN];

	for (size_t i = 0; i < sizeof(spellings) / sizeof(*spellings); i++) {
		spell(text, mac, i % 2 ? "0123456789ABCDEF" : "0123456789abcdef",
		      spellings[i].group, spellings[i].separator);
		always(mac_parse(again, text) && mac_equal(again, mac), "every spelling is read");
	}
	mac_format(text, mac);
	always(strlen(text) == MAC_STRLEN - 1, "17 characters are printed");
	always(mac_parse(again, text) && mac_equal(again, mac), "what is printed is read");
	for (const char *c = text; *c; c++)
		always(!isupper((unsigned char)*c), "in lower case");
}

static void check_device(const uint8_t *guest)
{
	uint8_t host[MAC_LEN];
	char name[MAC_NAMELEN];

	mac_derive_host(host, guest);
	always(!mac_equal(host, guest), "the host side differs from the guest");
	always(!mac_fault(host), "the host side is an address that a device can have");
	always(memcmp(host + 1, guest + 1, MAC_LEN - 1) == 0, "and in the first octet only");
	mac_name(name, "tap", guest);
	always(strlen(name) == MAC_NAMELEN - 1, "a name is as long as a name can be");
	always(!parse_name_fault(name, false), "and one that the kernel takes");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = as_string(data, size);
	uint8_t mac[MAC_LEN], span[MAC_LEN];
	bool parses;

	memcpy(mac, untouched, MAC_LEN);
	memcpy(span, untouched, MAC_LEN);
	parses = mac_parse(mac, text);
	always(mac_parse_span(span, text, strlen(text)) == parses && mac_equal(mac, span),
	       "a span that is the whole is read as the whole");
	if (parses) {
		check_spellings(mac);
		check_device(mac);
	} else {
		always(mac_equal(mac, untouched), "what is no address leaves the result alone");
	}
	free(text);
	return 0;
}
