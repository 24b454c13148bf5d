/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/args_parts.h"

#define MAC_CHARACTERS "0123456789abcdefABCDEF:-."

struct args *args_read(char *const words[])
{
	struct args *args = calloc(1, sizeof(*args));
	bool enough;

	if (!args)
		return NULL;
	args->words = words;
	args_program_find(&args->program, words);
	enough = !args->program.no_memory;
	if (enough && args->program.words)
		enough = option_table_read(&args->table, args->program.vmm, args->program.words);
	if (enough)
		return args;
	args_free(args);
	return NULL;
}

void args_free(struct args *args)
{
	if (!args)
		return;
	free(args->table.options);
	free(args->table.memory);
	args_program_end(&args->program);
	free(args);
}

const char *args_vm_name(const struct args *args)
{
	return args->table.vm_name;
}

/* Add the address that is the @len bytes at @text. */
static void add_mac(struct args_guest *guest, const char *text, size_t len)
{
	uint8_t mac[MAC_LEN];

	if (!mac_parse_span(mac, text, len)) {
		if (!guest->text) {
			guest->text = text;
			guest->length = (int)strcspn(text, " ,\"'\\");
		}
		return;
	}
	for (size_t i = 0; i < guest->count; i++)
		if (mac_equal(guest->macs[i], mac))
			return;
	if (guest->count < ARGS_MACS)
		memcpy(guest->macs[guest->count++], mac, MAC_LEN);
}

/* Add those of the cards on @netdev, or of all cards. */
static void add_cards(struct args_guest *guest, const struct option_table *table,
		      const struct option *netdev)
{
	const struct option *card = NULL;

	while ((card = option_next_card(table, netdev, card)))
		if (option_mac(card))
			add_mac(guest, option_mac(card), strlen(option_mac(card)));
}

/* Those on @count descriptors from @first on. */
static void add_ours(struct args_guest *guest, const struct option_table *table, int first,
		     unsigned count)
{
	const struct option *last = NULL;
	unsigned left = 2 * count; /* that one is named twice needs no third */

	for (size_t i = 0; i < table->fd_count && left > 0; i++) {
		const struct option_fd *named = &table->fds[i];

		if (named->vhost || named->fd < first || named->fd - first >= (int)count)
			continue;
		if (named->option != last)
			add_cards(guest, table, named->option);
		last = named->option;
		left--;
		guest->named = true;
	}
}

/* Behind a key: `=`, or what JSON has there. NULL when it is no key after all. */
static const char *skip_assignment(const char *at)
{
	if (*at == '=')
		return at + 1 + (at[1] == '"' || at[1] == '\'');
	at += *at == '\\';
	if (*at++ != '"')
		return NULL;
	at += strspn(at, " \t");
	if (*at++ != ':')
		return NULL;
	at += strspn(at, " \t");
	at += *at == '\\';
	return *at == '"' ? at + 1 : NULL;
}

/* A key is whole when no letter, digit or underscore stands before it: host_mac= is another one. */
void args_search_words(struct args_guest *guest, char *const words[])
{
	for (; *words; words++) {
		for (const char *at = *words; (at = strstr(at, "mac")); at++) {
			size_t len = strncmp(at, "macaddr", 7) == 0 ? 7 : 3;
			bool whole = at == *words ||
				     !(isalnum((unsigned char)at[-1]) || at[-1] == '_');
			const char *value = whole ? skip_assignment(at + len) : NULL;

			if (value)
				add_mac(guest, value, strspn(value, MAC_CHARACTERS));
		}
	}
}

const char *args_next_mac(const char *at, uint8_t mac[static MAC_LEN])
{
	static const size_t lengths[] = { 17, 14, 12 };

	for (; *at; at++)
		for (size_t i = 0; i < 3; i++)
			if (strnlen(at, lengths[i]) == lengths[i] &&
			    mac_parse_span(mac, at, lengths[i]))
				return at;
	return NULL;
}

/*
 * The first address in @words that is spelt with six pairs of digits, whatever it is for, but not
 * the host's. Returns the word that says what it is for, the address's own or the option in front
 * of it; NULL: there is none.
 */
static const char *find_mentioned(char *const words[], uint8_t mac[static MAC_LEN])
{
	for (char *const *word = words; *word; word++) {
		for (const char *at = *word; (at = args_next_mac(at, mac)); at++) {
			bool behind = at == *word && word > words && word[-1][0] == '-';
			const char *key = behind ? word[-1] : *word;

			if (strspn(at, MAC_CHARACTERS) == MAC_STRLEN - 1 &&
			    (at == *word || !strchr(MAC_CHARACTERS, at[-1])) &&
			    strncmp(key + strspn(key, "-"), "host", 4) != 0)
				return key;
		}
	}
	return NULL;
}

void args_find_guest(const struct args *args, int first, unsigned count, struct args_guest *guest)
{
	const struct option_table *table = &args->table;
	bool unseen = !args->program.words || table->unclear;

	*guest = (struct args_guest){ .answer = ARGS_NONE };
	if (args->program.words)
		add_ours(guest, table, first, count);
	if (!guest->named && !unseen)
		add_cards(guest, table, NULL);
	if (unseen && guest->count == 0 && !guest->text)
		args_search_words(guest, args->words);
	if (guest->count > 0) {
		guest->answer = guest->count > 1 ? ARGS_SEVERAL : ARGS_ONE;
		guest->text = NULL;
	} else if (guest->text) {
		guest->answer = ARGS_INVALID;
	} else if (unseen) {
		guest->text = find_mentioned(args->words, guest->macs[0]);
		guest->answer = guest->text ? ARGS_MENTIONED : ARGS_NONE;
	}
}
