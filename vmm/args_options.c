/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/jansson.h"
#include "vmm/args_parts.h"

/* clang-format off */
#define OTHER 0, NULL, NULL, NULL, { NULL }
#define QEMU_FDS { "fd", "fds", "vhostfd", "vhostfds" }
static const struct option_kind kinds[] = {
	{ VMM_QEMU, "netdev", READ_JSON, MAKES_NETDEV, "type", NULL, "id", QEMU_FDS },
	{ VMM_QEMU, "device", READ_JSON, MAKES_CARD, "driver", "mac", "netdev", { NULL } },
	{ VMM_QEMU, "nic", READ_KEYS, MAKES_BOTH, "type", "mac", NULL, QEMU_FDS },
	{ VMM_QEMU, "net", READ_KEYS, MAKES_BOTH, "type", "macaddr", NULL, QEMU_FDS },
	{ VMM_CROSVM, "net", READ_KEYS, MAKES_BOTH, NULL, "mac", NULL, { "tap-fd" } },
	{ VMM_CROSVM, "tap-fd mac", READ_PLAIN, MAKES_BOTH, NULL, "mac", NULL, { "tap-fd" } },
	{ VMM_CLOUD_HYPERVISOR, "net", READ_LIST, MAKES_BOTH, NULL, "mac", NULL, { "fd" } },
	{ VMM_LKVM, "network n", READ_KEYS, MAKES_BOTH, NULL, "guest_mac", NULL, { "fd" } },
	{ VMM_SOLO5, "net net-mac", READ_PLAIN, MAKES_BOTH, NULL, "net-mac", NULL, { "net" } },
	{ VMM_UML, "vec", READ_KEYS, MAKES_BOTH, NULL, "mac", NULL, { "fd" } },

	{ VMM_QEMU, "name", READ_NAME, 0, "guest", NULL, NULL, { NULL } },
	{ VMM_QEMU, "uuid", READ_NAME, 0, "guest", NULL, NULL, { NULL } },
	{ VMM_CROSVM, "name", READ_NAME, 0, "guest", NULL, NULL, { NULL } },
	{ VMM_LKVM, "name", READ_NAME, 0, "guest", NULL, NULL, { NULL } },
	{ VMM_FIRECRACKER, "id", READ_NAME, 0, "guest", NULL, NULL, { NULL } },
	{ VMM_UML, "umid", READ_NAME, 0, "guest", NULL, NULL, { NULL } },

	{ VMM_QEMU, "set", READ_SET, OTHER },
	{ VMM_QEMU, "global", READ_GLOBAL, OTHER },
	{ VMM_QEMU, "qmp qmp-pretty mon monitor", READ_MONITOR, OTHER },
	{ VMM_QEMU, "readconfig h help version", READ_UNCLEAR, OTHER },
	{ VMM_CROSVM, "cfg vhost-user vhost-user-net", READ_UNCLEAR, OTHER },
	{ VMM_CLOUD_HYPERVISOR, "restore", READ_UNCLEAR, OTHER },
	{ VMM_QEMU, "append kernel initrd fw_cfg smbios", READ_NOTHING, OTHER },
	{ VMM_CROSVM, "params p", READ_NOTHING, OTHER },
	{ VMM_CLOUD_HYPERVISOR, "cmdline", READ_NOTHING, OTHER },
	{ VMM_LKVM, "params p", READ_NOTHING, OTHER },
};
/* clang-format on */

const char *option_get(const struct option *option, const char *key)
{
	const char *value = NULL;

	for (const struct option_key *at = option->keys; key && at; at = at->next)
		if (strcmp(at->key, key) == 0)
			value = at->value;
	return value;
}

const char *option_mac(const struct option *option)
{
	return option_get(option, option->kind->mac);
}

static bool is_kind(const struct option *option, const char *name)
{
	return option->kind->vmm == VMM_QEMU && strcmp(option->kind->names, name) == 0;
}

static void add_key(struct option_table *table, struct option *option, const char *key,
		    const char *value)
{
	struct option_key *added = &table->keys[table->key_count++];

	*added = (struct option_key){ key, value, NULL };
	*option->end = added;
	option->end = &added->next;
}

static const char *keep_text(struct option_table *table, const char *text)
{
	const char *kept = table->text;

	table->text = stpcpy(table->text, text) + 1;
	return kept;
}

/* KEY=VALUE,... A comma of a value's is doubled for qemu, and stands in brackets for others. */
static void read_keys(struct option_table *table, struct option *option, const char *text)
{
	bool doubles = option->kind->vmm == VMM_QEMU, inside = false;
	char *out = table->text;

	while (*text) {
		const char *key = out, *value = NULL;

		for (; *text && (*text != ',' || inside || (doubles && text[1] == ',')); text++) {
			inside = !doubles && (*text == '[' || (inside && *text != ']'));
			text += doubles && *text == ',';
			*out++ = *text;
			if (*text == '=' && !value) {
				out[-1] = '\0';
				value = out;
			}
		}
		*out++ = '\0';
		text += *text == ',';
		table->unclear |= strchr(key, '$') != NULL;
		if (!value && !option->keys && option->kind->first)
			add_key(table, option, option->kind->first, key);
		else
			add_key(table, option, key, value ? value : "on");
	}
	table->text = out;
}

/* The strings and truths of a JSON object. What is not understood makes the table unclear. */
static void read_json(struct option_table *table, struct option *option, const char *text)
{
	struct json_library json;
	json_error_t error;
	json_t *object = json_load(&json) ? json.loads(text, 0, &error) : NULL;

	table->unclear |= !json_is_object(object);
	for (void *iter = json_is_object(object) ? json.object_iter(object) : NULL; iter;
	     iter = json.object_iter_next(object, iter)) {
		const json_t *value = json.object_iter_value(iter);

		if (json_is_string(value) || json_is_boolean(value))
			add_key(table, option, keep_text(table, json.object_iter_key(iter)),
				!json_is_string(value) ?
					(json_is_true(value) ? "on" : "off") :
					keep_text(table, json.string_value(value)));
	}
	if (object)
		json.delete(object);
}

/* As qemu takes it apart, which wants the option to stand before. Where there are more of them
 * than anybody writes, they are not understood. */
static void read_set(struct option_table *table, const char *text)
{
	enum { SETS_MAX = 64 };
	char group[64], name[64], key[64];
	int len = 0;

	if (sscanf(text, "%63[^.].%63[^.].%63[^=]=%n", group, name, key, &len) != 3 || len == 0)
		return;
	table->unclear |= ++table->set_count > SETS_MAX;
	for (struct option *option = table->options; !table->unclear && option->kind; option++) {
		const char *id = option_get(option, "id");

		if (!is_kind(option, group) || !id || strcmp(id, name) != 0)
			continue;
		option->is_set = true;
		add_key(table, option, keep_text(table, key), text + len);
		return;
	}
}

static struct option *add_option(struct option_table *table, const struct option_kind *kind,
				 const char *word)
{
	struct option *option = &table->options[table->count++];

	*option = (struct option){ .kind = kind, .word = word, .end = &option->keys };
	return option;
}

/* All of the kind are one device. What comes again belongs to another, and what belongs to which
 * is not known. */
static void read_plain(struct option_table *table, const struct option_kind *kind, const char *word,
		       const char *text)
{
	bool is_mac = strncmp(word + strspn(word, "-"), kind->mac, strlen(kind->mac)) == 0;
	const char *key = is_mac ? kind->mac : kind->fds[0];
	struct option *option = table->options;

	while (option->kind && option->kind != kind)
		option++;
	if (!option->kind)
		option = add_option(table, kind, word);
	table->unclear |= option_get(option, key) != NULL;
	if (!table->unclear)
		add_key(table, option, key, text);
}

static void read_value(struct option_table *table, const struct option_kind *kind, const char *word,
		       const char *text)
{
	table->unclear |= *text == '$';
	switch (kind->how) {
	case READ_PLAIN:
		read_plain(table, kind, word, text);
		break;
	case READ_SET:
		read_set(table, text);
		break;
	case READ_GLOBAL:
		table->unclear |= strstr(text, "mac") != NULL;
		break;
	case READ_MONITOR:
		table->plugged |= strcmp(text, "none") != 0;
		break;
	case READ_UNCLEAR:
	case READ_NOTHING:
		break;
	default:
		if (kind->how == READ_JSON && *text == '{')
			read_json(table, add_option(table, kind, word), text);
		else
			read_keys(table, add_option(table, kind, word), text);
	}
}

static const struct option_kind *find_kind(enum args_vmm vmm, const char *name, size_t len)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (kinds[i].vmm == vmm && args_listed(kinds[i].names, name, len))
			return &kinds[i];
	return NULL;
}

/* Read the option at @words. Returns the words behind it. qemu's value is the next word; others
 * also take --NAME=VALUE, solo5 --NAME:DEVICE=VALUE, and linux.uml NAME=VALUE and vecN:VALUE. */
static char *const *read_option(struct option_table *table, enum args_vmm vmm, char *const words[])
{
	const char *word = *words++, *name = word + (*word == '-') + (*word && word[1] == '-');
	size_t len = strlen(name);
	const struct option_kind *kind;
	const char *text = NULL;

	table->unclear |= *word == '$';
	if (vmm != VMM_UML && (*word != '-' || !len))
		return words;
	if (vmm != VMM_QEMU) {
		len = strcspn(name, vmm == VMM_UML   ? "=:0123456789" :
				    vmm == VMM_SOLO5 ? "=:" :
						       "=");
		text = strpbrk(name + len, vmm == VMM_UML ? "=:" : "=");
	}
	kind = find_kind(vmm, name, len);
	table->unclear |= kind && kind->how == READ_UNCLEAR;
	if (!kind || (!text && (!*words || vmm == VMM_UML)))
		return words;
	read_value(table, kind, word, text ? text + 1 : *words++);
	while (kind->how == READ_LIST && *words && **words != '-')
		read_value(table, kind, word, *words++);
	return words;
}

/* What it makes, and which end of which wire it is. */
static void link_option(struct option_table *table, struct option *option)
{
	const char *type = option_get(option, option->kind->first);
	bool nothing = type && args_listed("none help ?", type, strlen(type));

	option->netdev = !nothing && option->kind->makes & MAKES_NETDEV;
	option->card = !nothing && option->kind->makes & MAKES_CARD;
	option->link = option_get(option, option->kind->link);
	if (is_kind(option, "net")) {
		const char *netdev = option_get(option, "netdev");

		option->card = type && strcmp(type, "nic") == 0;
		option->netdev &= !option->card;
		option->link = option->card && netdev ? netdev : ""; /* one hub for all */
	} else if (is_kind(option, "device")) {
		option->card &= option->link || option_mac(option);
	} else if (option->kind->how == READ_NAME && !(table->vm_name && is_kind(option, "uuid"))) {
		table->vm_name = type;
	}
	table->networks |= option->netdev || option->card;
}

/* The numbers in the value of a key. Where a shell puts them in, or the monitor has given them
 * names, they are not known. */
static void add_fds(struct option_table *table, struct option *option, const char *text, bool vhost)
{
	for (;;) {
		char *end;
		unsigned long fd;

		text += strspn(text, ":,[]@");
		if (!*text)
			return;
		fd = strtoul(text, &end, 10);
		table->unclear |= !isdigit((unsigned char)*text) || fd > INT_MAX;
		if (table->unclear)
			return;
		table->fds[table->fd_count++] = (struct option_fd){ (int)fd, vhost, option };
		text = end;
	}
}

static void add_all_fds(struct option_table *table, struct option *option)
{
	for (size_t i = 0; i < KEYS_OF_FDS; i++) {
		const char *text = option_get(option, option->kind->fds[i]);

		if (text)
			add_fds(table, option, text, i >= KEYS_OF_FDS / 2);
	}
}

/* Keys and descriptors have something between them that is no letter or digit, or a word's end. */
bool option_table_read(struct option_table *table, enum args_vmm vmm, char *const words[])
{
	size_t count = 1, parts = 1, length = 0;

	for (char *const *word = words; *word; word++, count++, parts++)
		for (const char *at = *word; *at; at++, length++)
			parts += !isalnum((unsigned char)*at);
	table->options = calloc(count, sizeof(*table->options));
	table->memory = malloc(parts * (sizeof(*table->fds) + sizeof(*table->keys) + 1) + length);
	if (!table->options || !table->memory)
		return false;
	table->fds = table->memory;
	table->keys = (void *)(table->fds + parts);
	table->text = (void *)(table->keys + parts);
	for (words++; *words;)
		words = read_option(table, vmm, words);
	for (struct option *option = table->options; option->kind; option++) {
		link_option(table, option);
		if (option->netdev)
			add_all_fds(table, option);
	}
	return true;
}

bool option_is_linked(const struct option *card, const struct option *netdev)
{
	return card == netdev ||
	       (card->link && netdev->link && strcmp(card->link, netdev->link) == 0);
}

struct option *option_next_card(const struct option_table *table, const struct option *netdev,
				const struct option *last)
{
	size_t first = last ? (size_t)(last - table->options) + 1 : 0;

	for (struct option *card = table->options + first; card->kind; card++)
		if (card->card && (!netdev || option_is_linked(card, netdev)))
			return card;
	return NULL;
}
