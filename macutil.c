/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "macutil.h"

const uint8_t mac_qemu_default[MAC_LEN] = { 0x52, 0x54, 0x00, 0x12, 0x34, 0x56 };

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool mac_parse_span(uint8_t mac[static MAC_LEN], const char *text, size_t len)
{
	/* Each spelling: how many digits stand between two separators, and which separator. */
	static const struct {
		size_t len, group;
		char separator;
	} spellings[] = { { 17, 2, ':' }, { 17, 2, '-' }, { 14, 4, '.' }, { 12, 12, 0 } };

	for (size_t s = 0; s < sizeof(spellings) / sizeof(*spellings); s++) {
		uint8_t octets[MAC_LEN] = { 0 };
		size_t digits = 0, i;

		if (len != spellings[s].len)
			continue;
		for (i = 0; i < len; i++) {
			int digit = hex_digit(text[i]);

			if (i % (spellings[s].group + 1) == spellings[s].group) {
				if (text[i] != spellings[s].separator)
					break;
				continue;
			}
			if (digit < 0)
				break;
			octets[digits / 2] = (uint8_t)(octets[digits / 2] << 4 | digit);
			digits++;
		}
		if (i < len)
			continue;
		memcpy(mac, octets, MAC_LEN);
		return true;
	}
	return false;
}

bool mac_parse(uint8_t mac[static MAC_LEN], const char *text)
{
	return mac_parse_span(mac, text, strlen(text));
}

char *mac_format(char text[static MAC_STRLEN], const uint8_t mac[static MAC_LEN])
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < MAC_LEN; i++) {
		text[3 * i] = digits[mac[i] >> 4];
		text[3 * i + 1] = digits[mac[i] & 0xf];
		text[3 * i + 2] = i + 1 < MAC_LEN ? ':' : '\0';
	}
	return text;
}

bool mac_equal(const uint8_t a[static MAC_LEN], const uint8_t b[static MAC_LEN])
{
	return memcmp(a, b, MAC_LEN) == 0;
}

bool mac_is_zero(const uint8_t mac[static MAC_LEN])
{
	static const uint8_t zero[MAC_LEN];

	return mac_equal(mac, zero);
}

const char *mac_fault(const uint8_t mac[static MAC_LEN])
{
	if (mac[0] & 1)
		return "is a group address (the lowest bit of its first octet is set)";
	if (mac_is_zero(mac))
		return "is all zeros";
	return NULL;
}

void mac_derive_host(uint8_t host[static MAC_LEN], const uint8_t guest[static MAC_LEN])
{
	memmove(host, guest, MAC_LEN);
	host[0] = guest[0] == 0xfe ? 0xfa : 0xfe;
}

int mac_draw(uint8_t mac[static MAC_LEN])
{
	uint8_t drawn[3];

	/* Up to 256 bytes come whole and uninterrupted (random(7)). */
	if (getrandom(drawn, sizeof(drawn), 0) != sizeof(drawn))
		return -errno;
	memcpy(mac, mac_qemu_default, 3);
	memcpy(mac + 3, drawn, sizeof(drawn));
	return 0;
}

void mac_name(char name[static MAC_NAMELEN], const char prefix[static 4],
	      const uint8_t mac[static MAC_LEN])
{
	snprintf(name, MAC_NAMELEN, "%.3s%02x%02x%02x%02x%02x%02x", prefix, mac[0], mac[1], mac[2],
		 mac[3], mac[4], mac[5]);
}
