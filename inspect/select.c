/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>

#include "inspect/inventory.h"
#include "inspect/select.h"
#include "lib/array.h"
#include "lib/parse.h"
#include "lib/report.h"
#include "nic/lease.h"
#include "nic/record.h"

int select_link(struct selection *selection, const struct link *link)
{
	struct link *links;

	for (size_t i = 0; i < selection->count; i++)
		if (selection->links[i].ifindex == link->ifindex)
			return 0;
	links = array_grow(selection->links, selection->count, sizeof(*links));
	if (!links)
		return -ENOMEM;
	selection->links = links;
	selection->links[selection->count++] = *link;
	return 0;
}

/* All devices for the guest @mac. -ENODEV: there is none. */
static int select_guest(struct nl *nl, struct selection *selection,
			const struct inventory *inventory, const uint8_t *mac)
{
	int result = -ENODEV;
	uint8_t now[MAC_LEN];
	struct link link;

	for (size_t i = inventory_find_guest(inventory, mac);
	     i < inventory->ours && mac_equal(inventory->by_guest[i]->guest, mac); i++) {
		int err = nl_link_get(nl, NULL, inventory->by_guest[i]->link.ifindex, &link);

		/* It was read a moment ago: the index may be another link's by now. */
		if (!err && !(record_guest(now, &link) && mac_equal(now, mac)))
			err = -ENODEV;
		if (!err)
			err = select_link(selection, &link);
		if (err && err != -ENODEV)
			return err;
		if (!err)
			result = 0;
	}
	return result;
}

/* @inventory is read for the first word that is an address. */
static int select_word(struct nl *nl, struct selection *selection, struct inventory *inventory,
		       const char *word)
{
	bool name = !parse_name_fault(word, false);
	uint8_t guest[MAC_LEN];
	struct link link;
	int err = name ? nl_link_get(nl, word, 0, &link) : -ENODEV;

	if (!err) {
		err = select_link(selection, &link);
	} else if (err == -ENODEV && mac_parse(guest, word)) {
		err = inventory->links ? 0 : inventory_read(inventory, nl);
		if (!err)
			err = select_guest(nl, selection, inventory, guest);
		if (err == -ENODEV)
			return report_error(err,
					    "%s: there is no device of tapctl's for this guest "
					    "here\ntapctl list shows all",
					    word);
	}
	if (err == -ENODEV)
		return report_error(
			name ? err : -EINVAL,
			"'%s': there is no such device here\ntapctl list --all shows all", word);
	if (err)
		return report_error(err, "%s: cannot look it up: %s", word, nl_strerror(err));
	return 0;
}

static int select_each(struct nl *nl, struct selection *selection, const char **words,
		       bool may_lack)
{
	struct inventory inventory = { .count = 0 };
	int err = 0;

	for (; *words && !err; words++) {
		err = select_word(nl, selection, &inventory, *words);
		if (err != -ENODEV || !may_lack)
			continue;
		report_forget();
		err = 0;
	}
	inventory_free(&inventory);
	return err;
}

int select_words(struct nl *nl, struct selection *selection, const char **words)
{
	return select_each(nl, selection, words, false);
}

int select_existing(struct nl *nl, struct selection *selection, const char **words)
{
	return select_each(nl, selection, words, true);
}

struct search {
	struct selection *selection;
	const struct link *parent;
};

static int select_child(const struct link *link, void *data)
{
	const struct search *search = data;
	int parent = link->kind == LINK_TUN ? link->master :
		     link->lower_elsewhere  ? 0 :
					      link->lower;

	if (parent != search->parent->ifindex || !(link_is_tap(link) || record_is_host(link)))
		return 0;
	return select_link(search->selection, link);
}

int select_on(struct nl *nl, struct selection *selection, const struct link *parent)
{
	static const enum link_kind kinds[] = { LINK_TUN, LINK_MACVTAP, LINK_MACVLAN };
	struct search search = { .selection = selection, .parent = parent };
	int err = 0;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds) && err >= 0; i++)
		err = nl_link_dump_whole(nl, kinds[i], select_child, &search);
	return err < 0 ? report_error(err, "%s: cannot list what is on it: %s", parent->name,
				      nl_strerror(err)) :
			 0;
}

static int select_macvtap(const struct link *link, void *data)
{
	return select_link(data, link);
}

int select_stale(struct nl *nl, struct selection *selection)
{
	struct selection macvtaps = { .count = 0 };
	int err = nl_link_dump_whole(nl, LINK_MACVTAP, select_macvtap, &macvtaps);

	for (size_t i = 0; i < macvtaps.count && err >= 0; i++) {
		err = lease_is_stale(nl, &macvtaps.links[i]);
		if (err > 0)
			err = select_link(selection, &macvtaps.links[i]);
	}
	free(macvtaps.links);
	return err < 0 ? report_error(err, "cannot list the macvtaps: %s", nl_strerror(err)) : 0;
}
