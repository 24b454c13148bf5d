/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <string.h>

#include "vmm/args.h"

/* A key is whole when no letter, digit or underscore stands before it: host_mac= is another key. */
static bool is_key_start(const char *word, const char *at)
{
	return at == word || !(isalnum((unsigned char)at[-1]) || at[-1] == '_');
}

/* The length of the value at @at that could be an address. */
static size_t value_length(const char *at)
{
	size_t len = 0;

	while (isxdigit((unsigned char)at[len]) || (at[len] && strchr(":-.", at[len])))
		len++;
	return len;
}

/* Behind a key: `=`, or what JSON has there. NULL when it is no key after all. */
static const char *skip_assignment(const char *at)
{
	if (*at == '=') {
		at++;
		return *at == '"' || *at == '\'' ? at + 1 : at;
	}
	if (*at++ != '"')
		return NULL;
	at += strspn(at, " \t");
	if (*at++ != ':')
		return NULL;
	at += strspn(at, " \t");
	return *at == '"' ? at + 1 : NULL;
}

/* What the next key in @word is given, behind *@at, which moves there. */
static const char *next_value(const char *word, const char **at)
{
	for (; (*at = strstr(*at, "mac")); (*at)++) {
		const char *end = *at + strlen(strncmp(*at, "macaddr", 7) == 0 ? "macaddr" : "mac");
		const char *value = is_key_start(word, *at) ? skip_assignment(end) : NULL;

		if (value)
			return *at = value;
	}
	return NULL;
}

/* The same for the next one that is an address. */
static bool next_mac(const char *word, const char **at, uint8_t mac[static MAC_LEN])
{
	while (next_value(word, at))
		if (mac_parse_span(mac, *at, value_length(*at)))
			return true;
	return false;
}

const char *args_find_fault(char *const words[])
{
	uint8_t mac[MAC_LEN];

	for (; *words; words++)
		for (const char *at = *words; next_value(*words, &at);)
			if (!mac_parse_span(mac, at, value_length(at)))
				return at;
	return NULL;
}

/* Whether @words name @mac before the place @end in the word @last. */
static bool is_named_before(char *const words[], char *const *last, const char *end,
			    const uint8_t *mac)
{
	uint8_t here[MAC_LEN];

	for (char *const *word = words; word <= last; word++)
		for (const char *at = *word; next_mac(*word, &at, here);) {
			if (word == last && at == end)
				return false;
			if (mac_equal(here, mac))
				return true;
		}
	return false;
}

size_t args_find_macs(char *const words[], uint8_t macs[][MAC_LEN], size_t max)
{
	uint8_t mac[MAC_LEN];
	size_t count = 0;

	for (char *const *word = words; *word; word++)
		for (const char *at = *word; next_mac(*word, &at, mac);) {
			if (is_named_before(words, word, at, mac))
				continue;
			if (count < max)
				memcpy(macs[count], mac, MAC_LEN);
			count++;
		}
	return count;
}

bool args_mention_mac(char *const words[], const uint8_t mac[static MAC_LEN])
{
	static const size_t lengths[] = { 17, 14, 12 };

	for (; *words; words++) {
		size_t left = strlen(*words);

		for (const char *at = *words; *at; at++, left--) {
			uint8_t here[MAC_LEN];

			for (size_t i = 0; i < 3; i++)
				if (left >= lengths[i] && mac_parse_span(here, at, lengths[i]) &&
				    mac_equal(here, mac))
					return true;
		}
	}
	return false;
}

static bool has_prefix_word(char *const words[], const char *prefix)
{
	for (; *words; words++)
		if (strncmp(*words, prefix, strlen(prefix)) == 0)
			return true;
	return false;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* A qemu that gets a network card by @words, and by no file, which is not seen here. */
static bool is_qemu_with_card(char *const words[])
{
	bool card = false;

	if (strncmp(base_name(words[0]), "qemu-system-", 12) != 0)
		return false;
	for (; *words; words++) {
		if (strstr(*words, "readconfig"))
			return false;
		card |= strstr(*words, "netdev=") ||
			(strcmp(*words, "-nic") == 0 && words[1] && strcmp(words[1], "none") != 0);
	}
	return card;
}

bool args_lack_mac(char *const words[])
{
	uint8_t mac[1][MAC_LEN];

	return is_qemu_with_card(words) && args_find_macs(words, mac, 1) == 0;
}

bool args_lack_fd(char *const words[])
{
	static const char *const keys[] = { "fd=", "fds=", "\"fd\"", "\"fds\"" };

	if (!is_qemu_with_card(words))
		return false;
	for (; *words; words++)
		for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
			if (strstr(*words, keys[i]))
				return false;
	return true;
}

const char *args_close_fds(char *const words[])
{
	static const char *const closing[] = {
		"sudo", "doas", "ssh", "systemd-run", "docker", "podman", "su", "pkexec", "run0",
	};
	const char *name = base_name(words[0]);

	for (size_t i = 0; i < sizeof(closing) / sizeof(*closing); i++) {
		if (strcmp(name, closing[i]) != 0)
			continue;
		if (strcmp(name, "podman") == 0 && has_prefix_word(words, "--preserve-fds"))
			return NULL;
		return closing[i];
	}
	return NULL;
}
