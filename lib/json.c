/* SPDX-License-Identifier: MIT */
#include <stdint.h>

#include "lib/json.h"

/* The length of the UTF-8 sequence at @s, or 0 when it is not one (RFC 3629: no overlong form, no
 * surrogate). */
static size_t utf8_length(const unsigned char *s)
{
	uint32_t code;
	size_t len;

	if (s[0] < 0x80)
		return 1;
	if (s[0] >= 0xc2 && s[0] <= 0xdf)
		len = 2;
	else if ((s[0] & 0xf0) == 0xe0)
		len = 3;
	else if (s[0] >= 0xf0 && s[0] <= 0xf4)
		len = 4;
	else
		return 0;
	code = s[0] & (0x7fU >> len);
	for (size_t i = 1; i < len; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (s[i] & 0x3f);
	}
	if ((len == 3 && (code < 0x800 || (code >= 0xd800 && code <= 0xdfff))) ||
	    (len == 4 && (code < 0x10000 || code > 0x10ffff)))
		return 0;
	return len;
}

/* The length of what stands in JSON as it is. */
static size_t plain_length(const unsigned char *s)
{
	size_t len = 0;

	while (s[len] >= 0x20 && s[len] < 0x7f && s[len] != '"' && s[len] != '\\')
		len++;
	return len;
}

void json_string(FILE *out, const char *text)
{
	const unsigned char *s = (const unsigned char *)text;

	putc('"', out);
	while (*s) {
		size_t plain = plain_length(s), len = plain ? plain : utf8_length(s);

		if (len == 0)
			fputs("\\ufffd", out);
		else if (!plain && (*s == '"' || *s == '\\'))
			fprintf(out, "\\%c", *s);
		else if (!plain && (*s < 0x20 || *s == 0x7f))
			fprintf(out, "\\u%04x", *s);
		else
			fwrite(s, 1, len, out);
		s += len ? len : 1;
	}
	putc('"', out);
}

void plain_string(FILE *out, const char *text)
{
	for (; *text; text++)
		putc(*text >= ' ' && *text <= '~' ? *text : '?', out);
}

void json_member(FILE *out, const char *key, const char *text)
{
	fprintf(out, ",\"%s\":", key);
	if (text)
		json_string(out, text);
	else
		fputs("null", out);
}

void json_member_bool(FILE *out, const char *key, bool value)
{
	putc(',', out);
	json_string(out, key);
	fputs(value ? ":true" : ":false", out);
}

void json_member_number(FILE *out, const char *key, bool known, unsigned number)
{
	if (known)
		fprintf(out, ",\"%s\":%u", key, number);
	else
		fprintf(out, ",\"%s\":null", key);
}
