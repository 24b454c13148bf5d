/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "lib/array.h"
#include "nic/record.h"
#include "kernel/holders.h"
#include "inspect/select.h"
#include "lib/parse.h"

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

/*
 * Dump once more when links came or went meanwhile: what was seen may lack one, but hardly the same
 * one each time. Where guests come and go all the while no dump is ever undisturbed.
 */
static int dump_whole(struct nl *nl, enum link_kind kind, nl_link_fn *each, void *data)
{
	int result = 1;

	for (int tries = 0; tries < 5 && result == 1; tries++)
		result = nl_link_dump(nl, kind, each, data);
	return result == 1 ? 0 : result;
}

/* Which guest a device of tapctl's is for. */
struct guest {
	uint8_t mac[MAC_LEN];
	int ifindex;
};

/* All of them, sorted: read once, when the first word that is an address asks for it. */
struct guests {
	struct guest *all;
	size_t count;
	bool known;
};

static int keep_guest(const struct link *link, void *data)
{
	struct guest guest = { .ifindex = link->ifindex }, *all;
	struct guests *guests = data;

	if (!record_guest(guest.mac, link))
		return 0;
	all = array_grow(guests->all, guests->count, sizeof(*all));
	if (!all)
		return -ENOMEM;
	guests->all = all;
	all[guests->count++] = guest;
	return 0;
}

static int compare_guests(const void *a, const void *b)
{
	const struct guest *left = a, *right = b;
	int order = memcmp(left->mac, right->mac, MAC_LEN);

	return order ? order : (left->ifindex > right->ifindex) - (left->ifindex < right->ifindex);
}

static int read_guests(struct nl *nl, struct guests *guests)
{
	int err;

	if (guests->known)
		return 0;
	err = dump_whole(nl, LINK_TUN, keep_guest, guests);
	if (!err)
		err = dump_whole(nl, LINK_MACVTAP, keep_guest, guests);
	if (!err && guests->count)
		qsort(guests->all, guests->count, sizeof(*guests->all), compare_guests);
	guests->known = !err;
	return err;
}

/* All devices for the guest @mac. -ENODEV: there is none. */
static int select_guest(struct nl *nl, struct selection *selection, const struct guests *guests,
			const uint8_t *mac)
{
	struct guest key = { .ifindex = 0 };
	int last = 0, result = -ENODEV;
	uint8_t now[MAC_LEN];
	struct link link;

	memcpy(key.mac, mac, MAC_LEN);
	for (size_t i = array_find(guests->all, guests->count, sizeof(key), &key, compare_guests);
	     i < guests->count && mac_equal(guests->all[i].mac, mac); i++) {
		int ifindex = guests->all[i].ifindex, err;

		/* Who was seen in several dumps stands there as often. */
		if (ifindex == last)
			continue;
		last = ifindex;
		err = nl_link_get(nl, NULL, ifindex, &link);
		/* That was a moment ago: it may be another's by now. */
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

static int select_word(struct nl *nl, struct selection *selection, struct guests *guests,
		       const char *word)
{
	bool name = !parse_name_fault(word, false);
	uint8_t guest[MAC_LEN];
	struct link link;
	int err = name ? nl_link_get(nl, word, 0, &link) : -ENODEV;

	if (!err) {
		err = select_link(selection, &link);
	} else if (err == -ENODEV && mac_parse(guest, word)) {
		err = read_guests(nl, guests);
		if (!err)
			err = select_guest(nl, selection, guests, guest);
		if (err == -ENODEV)
			return report_error(err,
					    "%s: there is no device of tapctl's for this guest "
					    "here: tapctl list shows all",
					    word);
	}
	if (err == -ENODEV)
		return report_error(
			err, "'%s': there is no such device here: tapctl list --all shows all",
			word);
	if (err)
		return report_error(err, "%s: cannot look it up: %s", word, nl_strerror(nl, err));
	return 0;
}

int select_words(struct nl *nl, struct selection *selection, const char **words)
{
	struct guests guests = { .count = 0 };
	int err = 0;

	for (; *words && !err; words++)
		err = select_word(nl, selection, &guests, *words);
	free(guests.all);
	return err;
}

static int select_ours(const struct link *link, void *data)
{
	uint8_t guest[MAC_LEN];

	return record_guest(guest, link) ? select_link(data, link) : 0;
}

int select_stale(struct nl *nl, struct selection *selection, bool force)
{
	struct selection macvtaps = { .count = 0 };
	struct holders holders = { .count = 0 };
	int err = dump_whole(nl, LINK_MACVTAP, select_ours, &macvtaps);

	if (err)
		report_error(err, "cannot list the macvtaps: %s", nl_strerror(nl, err));
	else
		err = holders_read(&holders);
	if (!err && macvtaps.count && !force && (holders.incomplete || holders.nested))
		err = report_error(
			-EPERM,
			"/proc: there may be processes that cannot be looked into from here, "
			"and one of them may hold a macvtap: run it as root and outside of "
			"containers, or with --force");
	for (size_t i = 0; i < macvtaps.count && !err; i++) {
		dev_t rdev = macvtap_rdev(&macvtaps.links[i]);

		if (!rdev)
			err = report_error(-ENODEV,
					   "%s: cannot find its character device, so nobody "
					   "knows who holds it",
					   macvtaps.links[i].name);
		else if (!holders_next(&holders, NULL, "", rdev))
			err = select_link(selection, &macvtaps.links[i]);
	}
	holders_free(&holders);
	free(macvtaps.links);
	return err;
}

static int find_group(const struct link *link, void *data)
{
	const uint32_t *group = data;

	return link->group == *group ? -EEXIST : 0;
}

/* A group that no link is in. The kernel's group is an int: stay positive. */
static int draw_group(struct nl *nl, uint32_t *group)
{
	int err = -EEXIST;

	for (int tries = 0; tries < 16 && err == -EEXIST; tries++) {
		if (getrandom(group, sizeof(*group), 0) != sizeof(*group))
			return -errno;
		*group = *group >> 1 | 1U << 30;
		err = dump_whole(nl, LINK_OTHER, find_group, group);
	}
	return err;
}

int select_delete(struct nl *nl, const struct selection *selection)
{
	uint32_t group;
	int err;

	if (selection->count == 1) {
		err = nl_link_delete(nl, selection->links[0].ifindex);
		if (err && err != -ENODEV)
			return report_error(err, "%s: cannot remove it: %s%s",
					    selection->links[0].name, nl_strerror(nl, err),
					    err == -EPERM ? ": run it with sudo" : "");
	} else if (selection->count > 1) {
		err = draw_group(nl, &group);
		if (!err)
			err = nl_links_delete(nl, selection->links, selection->count, group);
		if (err)
			return report_error(err, "%s and %zu more: cannot remove them: %s%s",
					    selection->links[0].name, selection->count - 1,
					    nl_strerror(nl, err),
					    err == -EPERM ? ": run it with sudo" : "");
	}
	for (size_t i = 0; i < selection->count; i++)
		report_tell(REPORT_STEP, "%s: removed", selection->links[i].name);
	return 0;
}
