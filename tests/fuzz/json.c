/* SPDX-License-Identifier: MIT */
/* Untrusted strings: JSON keeps all that is UTF-8, a terminal nothing that acts. */
#include "tests/fuzz/fuzz.h"
#include "lib/json.h"

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

/* The shortest UTF-8 for @code into @utf8; 0 when it is not a character. */
static size_t encode(char utf8[static 4], unsigned code)
{
	size_t len = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;

	if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
		return 0;
	for (size_t i = len; i-- > 1; code >>= 6)
		utf8[i] = (char)(0x80 | (code & 0x3f));
	utf8[0] = (char)(len == 1 ? code : (0xf00U >> len & 0xff) | code);
	return len;
}

/* The length of the character at @s, or 0: what its bits say has to be encoded as just these bytes.
 */
static size_t character(const char *s)
{
	unsigned char lead = (unsigned char)*s;
	size_t len = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
	unsigned code = len == 1 ? lead : lead & (0x7fU >> len);
	char again[4];

	for (size_t i = 1; i < len; i++) {
		if (!s[i])
			return 0;
		code = code << 6 | ((unsigned char)s[i] & 0x3f);
	}
	return encode(again, code) == len && memcmp(again, s, len) == 0 ? len : 0;
}

/* What a reader of JSON makes of the string; the caller frees it. */
static char *decode_json(const char *json, size_t size)
{
	char *text = malloc(size), *to = text;
	const char *end = json + size - 1;

	always(text, "there is memory");
	always(size >= 2 && *json == '"' && *end == '"', "it is in quotes");
	for (json++; json < end; json++) {
		unsigned code = 0;

		always((unsigned char)*json >= 0x20 && *json != 0x7f, "no control byte is raw");
		always(*json != '"', "no quote is bare");
		if (*json != '\\') {
			*to++ = *json;
			continue;
		}
		if (*++json != 'u') {
			always(*json == '"' || *json == '\\', "an escape is one of JSON's");
			*to++ = *json;
			continue;
		}
		always(end - json > 4 && sscanf(json + 1, "%4x", &code) == 1,
		       "\\u has four digits");
		json += 4;
		/* A pair of surrogates is one character. */
		if (code >= 0xd800 && code < 0xdc00) {
			unsigned low = 0;

			always(end - json > 6 && sscanf(json + 1, "\\u%4x", &low) == 1 &&
				       low >= 0xdc00 && low < 0xe000,
			       "a surrogate has its other half");
			code = 0x10000 + ((code & 0x3ff) << 10) + (low & 0x3ff);
			json += 6;
		}
		to += encode(to, code);
	}
	always(json == end, "the last quote is no escaped one");
	*to = '\0';
	return text;
}

/* The string with U+FFFD for each byte that is not part of a character; the caller frees it. */
static char *repaired(const char *text)
{
	char *copy = malloc(3 * strlen(text) + 1), *to = copy;

	always(copy, "there is memory");
	while (*text) {
		size_t len = character(text);

		memcpy(to, len ? text : REPLACEMENT, len ? len : 3);
		to += len ? len : 3;
		text += len ? len : 1;
	}
	*to = '\0';
	return copy;
}

/* What @print writes for @text; the caller frees it. */
static char *printed(void (*print)(FILE *, const char *), const char *text, size_t *size)
{
	char *out = NULL;
	FILE *stream = open_memstream(&out, size);

	always(stream, "there is memory");
	print(stream, text);
	fclose(stream);
	return out;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = as_string(data, size), *expected = repaired(text), *json, *plain, *decoded;
	size_t json_size, plain_size;

	json = printed(json_string, text, &json_size);
	decoded = decode_json(json, json_size);
	always(strcmp(decoded, expected) == 0, "JSON says what the string says");
	plain = printed(plain_string, text, &plain_size);
	always(plain_size == strlen(text), "a terminal gets a character for each byte");
	for (size_t i = 0; i < plain_size; i++)
		always(plain[i] == '?' ||
			       (plain[i] == text[i] && ((unsigned char)plain[i] >= 0x80 ||
							(plain[i] >= ' ' && plain[i] <= '~'))),
		       "and no control character");
	for (size_t i = 0; i + 1 < plain_size; i++)
		always(plain[i] != '\xc2' || (unsigned char)plain[i + 1] > 0x9f,
		       "of the second set neither");
	free(decoded);
	free(plain);
	free(json);
	free(expected);
	free(text);
	return 0;
}
