/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "lib/array.h"
#include "lib/jansson.h"
#include "vmm/args_options.h"

static const struct fd_keys qemu = { "fd", "fds", ":", "vhostfd", "vhostfds" };
static const struct fd_keys crosvm = { .fd = "tap-fd" };
static const struct fd_keys cloud_hypervisor = { .fd = "fd", .fds = "fd", .separator = "," };
static const struct fd_keys solo5 = { .fd = "net" };
static const struct fd_keys plain = { .fd = "fd" };

static const struct option_kind kinds[] = {
	{ VMM_QEMU, "netdev", MAKES_NETDEV, FORM_JSON, "type", NULL, &qemu },
	{ VMM_QEMU, "device", MAKES_CARD, FORM_JSON, "driver", "mac", NULL },
	{ VMM_QEMU, "nic", MAKES_BOTH, FORM_KEYS, "type", "mac", &qemu },
	{ VMM_QEMU, "net", MAKES_BOTH, FORM_KEYS, "type", "macaddr", &qemu },
	{ VMM_QEMU, "name", MAKES_NOTHING, FORM_KEYS, "guest", NULL, NULL },
	{ VMM_QEMU, "set", MAKES_NOTHING, FORM_KEYS, NULL, NULL, NULL },
	{ VMM_CROSVM, "net", MAKES_BOTH, FORM_KEYS, NULL, "mac", &crosvm },
	{ VMM_CROSVM, "tap-fd mac", MAKES_BOTH, FORM_PLAIN, NULL, "mac", &crosvm },
	{ VMM_CROSVM, "name", MAKES_NOTHING, FORM_KEYS, "guest", NULL, NULL },
	{ VMM_CLOUD_HYPERVISOR, "net", MAKES_BOTH, FORM_LIST, NULL, "mac", &cloud_hypervisor },
	{ VMM_LKVM, "network n", MAKES_BOTH, FORM_KEYS, NULL, "guest_mac", &plain },
	{ VMM_LKVM, "name", MAKES_NOTHING, FORM_KEYS, "guest", NULL, NULL },
	{ VMM_FIRECRACKER, "id", MAKES_NOTHING, FORM_KEYS, "guest", NULL, NULL },
	{ VMM_SOLO5, "net net-mac", MAKES_BOTH, FORM_PLAIN, NULL, "net-mac", &solo5 },
	{ VMM_UML, "vec", MAKES_BOTH, FORM_KEYS, NULL, "mac", &plain },
	{ VMM_UML, "umid", MAKES_NOTHING, FORM_KEYS, "guest", NULL, NULL },
};

/* Options of another kind that have to do with them. */
static const struct {
	const char *names;
	enum args_vmm vmm;
	enum {
		IS_TEXT, /* whatever its value looks like, it is not for us */
		IS_UNCLEAR, /* it brings what is not seen here, or no guest starts at all */
		IS_MONITOR,
		IS_GLOBAL,
	} meaning;
} others[] = {
	{ "append kernel initrd fw_cfg smbios", VMM_QEMU, IS_TEXT },
	{ "readconfig h help version", VMM_QEMU, IS_UNCLEAR },
	{ "qmp qmp-pretty mon monitor", VMM_QEMU, IS_MONITOR },
	{ "global", VMM_QEMU, IS_GLOBAL },
	{ "params p", VMM_CROSVM, IS_TEXT },
	{ "cfg vhost-user vhost-user-net", VMM_CROSVM, IS_UNCLEAR },
	{ "cmdline", VMM_CLOUD_HYPERVISOR, IS_TEXT },
	{ "restore", VMM_CLOUD_HYPERVISOR, IS_UNCLEAR },
	{ "params p", VMM_LKVM, IS_TEXT },
};

const struct fd_keys *option_fd_keys(enum args_vmm vmm)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (kinds[i].vmm == vmm && kinds[i].fds)
			return kinds[i].fds;
	return NULL;
}

const char *option_get(const struct option *option, const char *key)
{
	for (size_t i = option->key_count; key && i-- > 0;)
		if (strcmp(option->keys[i].key, key) == 0)
			return option->keys[i].value;
	return NULL;
}

const char *option_mac(const struct option *option)
{
	return option_get(option, option->kind->mac);
}

static bool is_kind(const struct option *option, const char *name)
{
	return option->kind->vmm == VMM_QEMU && strcmp(option->kind->names, name) == 0;
}

static int add_key(struct option *option, const char *key, const char *value)
{
	struct option_key *keys = array_grow(option->keys, option->key_count, sizeof(*keys));

	if (!keys)
		return -ENOMEM;
	option->keys = keys;
	keys[option->key_count++] = (struct option_key){ key, value };
	return 0;
}

/* The end of the value @at: a comma, but none that is doubled, which is how qemu writes one in a
 * value, and none in [3,4]. Doubled ones become one. */
static char *end_value(char *at, bool doubles)
{
	char *out = at;
	bool inside = false;

	for (; *at && (*at != ',' || inside || (doubles && at[1] == ',')); at++) {
		if (!doubles && (*at == '[' || *at == ']'))
			inside = *at == '[';
		at += doubles && *at == ',';
		*out++ = *at;
	}
	if (out < at && !*at)
		*out = '\0';
	else if (out < at)
		memset(out, '\0', (size_t)(at - out));
	return at;
}

/* Take option->text apart: KEY=VALUE,... */
static int read_keys(struct option *option)
{
	bool doubles = option->kind->vmm == VMM_QEMU, more = *option->text;
	int err = 0;

	for (char *at = option->text; more && !err;) {
		char *end = end_value(at, doubles), *equal;

		more = *end;
		*end = '\0';
		equal = strchr(at, '=');
		if (equal)
			*equal = '\0';
		if (equal)
			err = add_key(option, at, equal + 1);
		else if (at == option->text && option->kind->first)
			err = add_key(option, option->kind->first, at);
		else
			err = add_key(option, at, "on");
		at = end + 1;
	}
	return err;
}

/* The strings and truths of a JSON object as keys in option->text, which is as long as its text:
 * a key takes six more bytes there, in quotes and with a colon and a comma. */
static int copy_json(const struct json_library *json, struct option *option, json_t *object)
{
	char *out = option->text;
	int err = 0;

	for (void *iter = json->object_iter(object); iter && !err;
	     iter = json->object_iter_next(object, iter)) {
		const json_t *value = json->object_iter_value(iter);
		const char *key = out;

		if (!json_is_string(value) && !json_is_boolean(value))
			continue;
		out = stpcpy(out, json->object_iter_key(iter)) + 1;
		err = add_key(option, key, out);
		out = stpcpy(out, json_is_string(value) ? json->string_value(value) :
				  json_is_true(value)	? "on" :
							  "off") +
		      1;
	}
	return err;
}

/* What is not understood makes the table unclear. */
static int read_json(struct option_table *table, struct option *option)
{
	struct json_library json;
	json_error_t error;
	json_t *object = json_load(&json) ? json.loads(option->text, 0, &error) : NULL;
	int err = 0;

	if (json_is_object(object))
		err = copy_json(&json, option, object);
	else
		table->unclear = true;
	if (object)
		json.delete(object);
	return err;
}

/* A copy of @text that is the table's. */
static char *keep_text(struct option_table *table, const char *text)
{
	size_t size = strlen(text) + 1;
	struct option_text *kept = malloc(sizeof(*kept) + size);

	if (!kept)
		return NULL;
	kept->next = table->texts;
	table->texts = kept;
	return memcpy(kept->text, text, size);
}

static struct option *add_option(struct option_table *table, const struct option_kind *kind,
				 const char *word, const char *text)
{
	struct option *options = array_grow(table->options, table->count, sizeof(*options));
	struct option *option;

	if (!options)
		return NULL;
	table->options = options;
	option = &options[table->count++];
	*option = (struct option){ .kind = kind, .word = word };
	option->text = keep_text(table, text);
	return option->text ? option : NULL;
}

/* -set GROUP.ID.KEY=VALUE becomes KEY=VALUE,id=ID with GROUP as its text. */
static int split_set(struct option *set)
{
	char *dot = strchr(set->text, '.'), *last = dot ? strchr(dot + 1, '.') : NULL;

	if (!last || set->key_count == 0)
		return 0;
	*dot = *last = '\0';
	set->keys[0].key = last + 1;
	return add_key(set, "id", dot + 1);
}

static int read_value(struct option_table *table, const struct option_kind *kind, const char *word,
		      const char *text)
{
	struct option *option = add_option(table, kind, word, text);
	int err;

	if (!option)
		return -ENOMEM;
	table->unclear |= *text == '$';
	if (*text == '{' && kind->form == FORM_JSON)
		return read_json(table, option);
	err = read_keys(option);
	/* A variable that a shell will put a key in the place of. */
	for (size_t i = 0; i < option->key_count; i++)
		table->unclear |= strchr(option->keys[i].key, '$') != NULL;
	return !err && is_kind(option, "set") ? split_set(option) : err;
}

/* An option of FORM_PLAIN is a key of the one that all of them are. One that comes again belongs to
 * another device, and what belongs to which is not known. */
static int read_plain(struct option_table *table, const struct option_kind *kind, const char *word,
		      const char *text)
{
	const char *name = word + strspn(word, "-");
	bool is_mac = strncmp(name, kind->mac, strlen(kind->mac)) == 0;
	const char *key = is_mac ? kind->mac : kind->fds->fd;
	struct option *option = NULL;

	for (size_t i = 0; i < table->count && !option; i++)
		if (table->options[i].kind == kind)
			option = &table->options[i];
	if (!option)
		option = add_option(table, kind, word, "");
	if (!option)
		return -ENOMEM;
	table->unclear |= option_get(option, key) != NULL;
	return add_key(option, key, text);
}

static const struct option_kind *find_kind(enum args_vmm vmm, const char *name, size_t len)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (kinds[i].vmm == vmm && args_listed(kinds[i].names, name, len))
			return &kinds[i];
	return NULL;
}

/* The options of @kind with the value @text, and, where it takes several, behind. Returns how many
 * words these take, or -ENOMEM. */
static int read_kind(struct option_table *table, const struct option_kind *kind, const char *word,
		     const char *text, char *const behind[])
{
	int err, taken = 0;

	if (kind->form == FORM_PLAIN)
		return read_plain(table, kind, word, text);
	err = read_value(table, kind, word, text);
	if (kind->form != FORM_LIST)
		return err;
	for (; !err && behind[taken] && *behind[taken] != '-'; taken++)
		err = read_value(table, kind, word, behind[taken]);
	return err ? err : taken;
}

/* Whether an option that makes no network device has a value, which is skipped. */
static bool read_other(struct option_table *table, enum args_vmm vmm, const char *name, size_t len,
		       const char *text)
{
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
		if (others[i].vmm != vmm || !args_listed(others[i].names, name, len))
			continue;
		table->unclear |= others[i].meaning == IS_UNCLEAR;
		if (text && others[i].meaning == IS_MONITOR)
			table->plugged |= strcmp(text, "none") != 0;
		if (text && others[i].meaning == IS_GLOBAL)
			table->unclear_macs |= strstr(text, "mac") != NULL;
		return text;
	}
	return false;
}

/* linux.uml has NAME=VALUE, and vecN:KEY=VALUE,... for its devices. */
static int read_uml(struct option_table *table, const char *word)
{
	size_t digits = strncmp(word, "vec", 3) == 0 ? strspn(word + 3, "0123456789") : 0;
	size_t len = strcspn(word, "=");
	bool vector = digits && word[3 + digits] == ':';
	const struct option_kind *kind = NULL;

	if (vector)
		kind = find_kind(VMM_UML, "vec", 3);
	else if (word[len])
		kind = find_kind(VMM_UML, word, len);
	return kind ? read_value(table, kind, word, word + (vector ? 4 + digits : len + 1)) : 0;
}

/* Read the option at @words. Returns how many words it takes, or -ENOMEM. */
static int read_option(struct option_table *table, enum args_vmm vmm, char *const words[])
{
	const char *name = words[0], *text = words[1];
	size_t len;
	int taken = text ? 2 : 1, more;
	const struct option_kind *kind;

	table->unclear |= *name == '$';
	if (vmm == VMM_UML) {
		more = read_uml(table, name);
		return more < 0 ? more : 1;
	}
	if (*name != '-' || !name[1])
		return 1;
	name += 1 + (name[1] == '-');
	len = strlen(name);
	if (vmm != VMM_QEMU && name[strcspn(name, "=")]) {
		len = strcspn(name, "=");
		text = name + len + 1;
		taken = 1;
	}
	if (vmm == VMM_SOLO5)
		len = strcspn(name, ":=");
	kind = text ? find_kind(vmm, name, len) : NULL;
	if (!kind)
		return read_other(table, vmm, name, len, text) ? taken : 1;
	more = read_kind(table, kind, words[0], text, words + taken);
	return more < 0 ? more : taken + more;
}

/* What it makes, and which end of which wire it is. */
static void link_option(struct option_table *table, struct option *option)
{
	const char *type = option_get(option, option->kind->first);
	const char *id = option_get(option, "id"), *netdev = option_get(option, "netdev");
	bool nothing = type && args_listed("none help ?", type, strlen(type));

	option->netdev = !nothing && option->kind->makes & MAKES_NETDEV;
	option->card = !nothing && option->kind->makes & MAKES_CARD;
	if (is_kind(option, "net")) {
		option->card = type && strcmp(type, "nic") == 0;
		option->netdev &= !option->card;
		option->link = option->card && netdev ? netdev : ""; /* one hub for all */
	} else if (is_kind(option, "device")) {
		option->card &= netdev || option_mac(option);
		option->link = netdev;
	} else if (is_kind(option, "netdev")) {
		option->link = id;
		table->unclear |= type && strcmp(type, "hubport") == 0;
	} else if (option->kind->first && strcmp(option->kind->first, "guest") == 0) {
		table->vm_name = type;
	}
}

/* By id, those of -set last, and otherwise as they stand. */
static int compare_ids(const void *a, const void *b)
{
	const struct option *one = *(struct option *const *)a, *two = *(struct option *const *)b;
	const char *id = option_get(one, "id"), *other = option_get(two, "id");
	int order = strcmp(id ? id : "", other ? other : "");

	if (order == 0)
		order = is_kind(one, "set") - is_kind(two, "set");
	return order ? order : (one > two) - (one < two);
}

/* Tell each option what -set says of it. Of one id there are few, one in each group. */
static int apply_sets(struct option_table *table)
{
	enum { GROUPS = 4 };
	struct option **by_id = calloc(table->count + 1, sizeof(struct option *));
	size_t first = 0;
	int err = by_id ? 0 : -ENOMEM;

	for (size_t i = 0; i < table->count && !err; i++)
		by_id[i] = &table->options[i];
	if (!err)
		qsort(by_id, table->count, sizeof(struct option *), compare_ids);
	for (size_t i = 0; i < table->count && !err; i++) {
		const char *id = option_get(by_id[i], "id"),
			   *other = option_get(by_id[first], "id");

		if (!id || !other || strcmp(id, other) != 0)
			first = i;
		for (size_t k = first; k < i && k < first + GROUPS && is_kind(by_id[i], "set");
		     k++) {
			if (err || !is_kind(by_id[k], by_id[i]->text))
				continue;
			by_id[k]->is_set = true;
			err = add_key(by_id[k], by_id[i]->keys[0].key, by_id[i]->keys[0].value);
		}
	}
	free(by_id);
	return err;
}

static int add_fd(struct option_table *table, int fd, bool vhost, struct option *option)
{
	struct option_fd *fds = array_grow(table->fds, table->fd_count, sizeof(*fds));

	if (!fds)
		return -ENOMEM;
	table->fds = fds;
	fds[table->fd_count++] = (struct option_fd){ fd, vhost, option };
	return 0;
}

/* The numbers in the value of one key, with whatever stands between. Where a shell puts them in,
 * or the monitor has given them names, they are not known. */
static int add_fds(struct option_table *table, struct option *option, const char *key, bool vhost)
{
	const char *text = option_get(option, key);
	int err = 0;

	while (text && *text && !err) {
		char *end;
		unsigned long fd = strtoul(text, &end, 10);

		if (*text >= '0' && *text <= '9' && fd <= INT_MAX)
			err = add_fd(table, (int)fd, vhost, option);
		else if (!strchr(":,[]@", *text))
			table->unclear_fds = true;
		text = end > text ? end : text + 1;
	}
	return err;
}

static int add_all_fds(struct option_table *table, struct option *option)
{
	const struct fd_keys *keys = option->kind->fds;
	int err = 0;

	if (!option->netdev || !keys)
		return 0;
	err = add_fds(table, option, keys->fd, false);
	if (!err && keys->fds != keys->fd)
		err = add_fds(table, option, keys->fds, false);
	if (!err)
		err = add_fds(table, option, keys->vhostfd, true);
	return err ? err : add_fds(table, option, keys->vhostfds, true);
}

/* What is on no other's wire is alone, whatever else there is. */
static int compare_links(const void *a, const void *b)
{
	const struct option *one = *(struct option *const *)a, *two = *(struct option *const *)b;

	if (!one->link || !two->link)
		return one->link || two->link ? (one->link ? 1 : -1) : (one > two) - (one < two);
	return strcmp(one->link, two->link);
}

static int compare_fds(const void *a, const void *b)
{
	const struct option_fd *one = a, *two = b;

	if (one->fd != two->fd)
		return one->fd < two->fd ? -1 : 1;
	return one->vhost - two->vhost;
}

/* From the options to what is asked of them. */
static int finish(struct option_table *table)
{
	int err = apply_sets(table);

	table->cards = calloc(table->count + 1, sizeof(struct option *));
	if (!table->cards)
		return -ENOMEM;
	for (size_t i = 0; i < table->count && !err; i++) {
		struct option *option = &table->options[i];

		link_option(table, option);
		table->netdev_count += option->netdev;
		if (option->card)
			table->cards[table->card_count++] = option;
		err = add_all_fds(table, option);
	}
	if (err)
		return err;
	qsort(table->cards, table->card_count, sizeof(struct option *), compare_links);
	if (table->fd_count)
		qsort(table->fds, table->fd_count, sizeof(*table->fds), compare_fds);
	return 0;
}

int option_table_read(struct option_table *table, enum args_vmm vmm, char *const words[])
{
	*table = (struct option_table){ 0 };
	for (words++; *words;) {
		int taken = read_option(table, vmm, words);

		if (taken < 0)
			return taken;
		words += taken;
	}
	return finish(table);
}

void option_table_free(struct option_table *table)
{
	while (table->texts) {
		struct option_text *text = table->texts;

		table->texts = text->next;
		free(text);
	}
	for (size_t i = 0; i < table->count; i++)
		free(table->options[i].keys);
	free(table->options);
	free(table->cards);
	free(table->fds);
}

struct option *const *option_cards(const struct option_table *table, const struct option *netdev,
				   size_t *count)
{
	size_t first = array_find(table->cards, table->card_count, sizeof(*table->cards), &netdev,
				  compare_links);

	for (*count = 0; first + *count < table->card_count; ++*count)
		if (compare_links(&table->cards[first + *count], &netdev) != 0)
			break;
	return table->cards + first;
}

const struct option_fd *option_fds(const struct option_table *table, int fd, bool vhost,
				   size_t *count)
{
	struct option_fd key = { fd, vhost, NULL };
	size_t first = array_find(table->fds, table->fd_count, sizeof(key), &key, compare_fds);

	for (*count = 0; first + *count < table->fd_count; ++*count)
		if (compare_fds(&table->fds[first + *count], &key) != 0)
			break;
	return *count ? table->fds + first : NULL;
}
