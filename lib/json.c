/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/json.h"

/* The UTF-8 sequence at @s into @code, and its length; 0 when it is not one (RFC 3629: no overlong
 * form, no surrogate). */
static size_t read_utf8(const unsigned char *s, uint32_t *code)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t len = s[0] < 0x80 ? 1 : s[0] < 0xc0 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;

	if (len == 0 || s[0] > 0xf4)
		return 0;
	*code = len == 1 ? s[0] : s[0] & (0x7fU >> len);
	for (size_t i = 1; i < len; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		*code = *code << 6 | (s[i] & 0x3f);
	}
	if (*code < least[len] || *code > 0x10ffff || (*code >= 0xd800 && *code <= 0xdfff))
		return 0;
	return len;
}

/* Whether a terminal, or who reads it, would take it for more than a sign: controls, and what turns
 * the direction of the text or cannot be seen. */
static bool is_control(uint32_t code)
{
	static const struct {
		uint32_t first, last;
	} controls[] = {
		{ 0x00, 0x1f },	    { 0x7f, 0x9f },	{ 0xad, 0xad },	      { 0x61c, 0x61c },
		{ 0x180e, 0x180e }, { 0x200b, 0x200f }, { 0x2028, 0x202e },   { 0x2060, 0x206f },
		{ 0xfeff, 0xfeff }, { 0xfff0, 0xfffb }, { 0xe0000, 0xe0fff },
	};

	for (size_t i = 0; i < sizeof(controls) / sizeof(*controls); i++)
		if (code >= controls[i].first && code <= controls[i].last)
			return true;
	return false;
}

/* The length of what stands in JSON as it is. */
static size_t plain_length(const unsigned char *s)
{
	size_t len = 0;

	while (s[len] >= 0x20 && s[len] < 0x7f && s[len] != '"' && s[len] != '\\')
		len++;
	return len;
}

static void put_escaped(FILE *out, uint32_t code)
{
	if (code == '"' || code == '\\')
		fprintf(out, "\\%c", (int)code);
	else if (code < 0x10000)
		fprintf(out, "\\u%04x", code);
	else
		fprintf(out, "\\u%04x\\u%04x", 0xd7c0 + (code >> 10), 0xdc00 + (code & 0x3ff));
}

void json_string(FILE *out, const char *text)
{
	const unsigned char *s = (const unsigned char *)text;
	uint32_t code;

	putc('"', out);
	while (*s) {
		size_t len = plain_length(s);

		if (len) {
			fwrite(s, 1, len, out);
			s += len;
			continue;
		}
		len = read_utf8(s, &code);
		if (len == 0)
			put_escaped(out, 0xfffd);
		else if (is_control(code) || code == '"' || code == '\\')
			put_escaped(out, code);
		else
			fwrite(s, 1, len, out);
		s += len ? len : 1;
	}
	putc('"', out);
}

bool plain_is_utf8(void)
{
	static const char *const variables[] = { "LC_ALL", "LC_CTYPE", "LANG" };
	const char *locale = NULL;

	for (size_t i = 0; i < sizeof(variables) / sizeof(*variables) && !(locale && *locale); i++)
		locale = getenv(variables[i]);
	return locale && (strcasestr(locale, "UTF-8") || strcasestr(locale, "utf8"));
}

void plain_string(FILE *out, const char *text)
{
	const unsigned char *s = (const unsigned char *)text;
	uint32_t code;

	while (*s) {
		size_t len = *s >= ' ' && *s <= '~' ? 1 : read_utf8(s, &code);

		if (len == 0 || (len == 1 && (*s < ' ' || *s > '~')) ||
		    (len > 1 && (is_control(code) || !plain_is_utf8()))) {
			putc('?', out);
			s++;
			continue;
		}
		fwrite(s, 1, len, out);
		s += len;
	}
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
	fprintf(out, ",\"%s\":%s", key, value ? "true" : "false");
}

void json_member_number(FILE *out, const char *key, bool known, unsigned number)
{
	if (known)
		fprintf(out, ",\"%s\":%u", key, number);
	else
		fprintf(out, ",\"%s\":null", key);
}

void json_format(FILE *out, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	for (; *fmt; fmt++) {
		if (*fmt != '%')
			putc(*fmt == '\'' ? '"' : *fmt, out);
		else if (*++fmt == 's')
			json_string(out, va_arg(ap, const char *));
		else
			fprintf(out, "%d", va_arg(ap, int));
	}
	va_end(ap);
}
