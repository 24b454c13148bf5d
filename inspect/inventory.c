/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/array.h"
#include "nic/record.h"
#include "inspect/inventory.h"

static int place_of(const struct link *link)
{
	if (link->master)
		return link->master;
	if (link->kind != LINK_MACVTAP && link->kind != LINK_MACVLAN)
		return 0;
	return link->lower_elsewhere ? 0 : link->lower;
}

static int keep_link(const struct link *link, void *data)
{
	struct survey *survey = data;
	struct surveyed *links = array_grow(survey->links, survey->count, sizeof(*links));

	if (!links)
		return -ENOMEM;
	survey->links = links;
	links[survey->count] = (struct surveyed){
		.link = *link,
		.place = place_of(link),
		.is_port = link->master,
	};
	links[survey->count].ours = device_guest(links[survey->count].guest, link);
	survey->count++;
	return 0;
}

/* --- order --- */

static int compare_numbers(int a, int b)
{
	return (a > b) - (a < b);
}

static int compare_places(const void *a, const void *b)
{
	const struct surveyed *left = a, *right = b;

	if (left->place != right->place)
		return compare_numbers(left->place, right->place);
	if (left->is_port != right->is_port)
		return compare_numbers(left->is_port, right->is_port);
	return compare_numbers(left->link.ifindex, right->link.ifindex);
}

static int compare_indexes(const void *a, const void *b)
{
	const struct surveyed *const *left = a, *const *right = b;

	return compare_numbers((*left)->link.ifindex, (*right)->link.ifindex);
}

static int compare_guests(const void *a, const void *b)
{
	const struct surveyed *const *left = a, *const *right = b;

	return memcmp((*left)->guest, (*right)->guest, MAC_LEN);
}

static int sort_links(struct survey *survey)
{
	if (!survey->count)
		return 0;
	qsort(survey->links, survey->count, sizeof(*survey->links), compare_places);
	survey->by_index = calloc(2 * survey->count, sizeof(*survey->by_index));
	if (!survey->by_index)
		return -ENOMEM;
	survey->by_guest = survey->by_index + survey->count;
	for (size_t i = 0; i < survey->count; i++) {
		survey->by_index[i] = &survey->links[i];
		if (survey->links[i].ours)
			survey->by_guest[survey->ours++] = &survey->links[i];
	}
	qsort(survey->by_index, survey->count, sizeof(*survey->by_index), compare_indexes);
	qsort(survey->by_guest, survey->ours, sizeof(*survey->by_guest), compare_guests);
	return 0;
}

struct surveyed *survey_find(const struct survey *survey, int ifindex)
{
	const struct surveyed wanted = { .link.ifindex = ifindex }, *key = &wanted;
	struct surveyed **found = NULL;

	if (survey->count)
		found = bsearch(&key, survey->by_index, survey->count, sizeof(*survey->by_index),
				compare_indexes);
	return found ? *found : NULL;
}

/* The first of ours for @guest in by_guest, or the end of it. */
static size_t find_guest(const struct survey *survey, const uint8_t *guest)
{
	size_t low = 0, high = survey->ours;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (memcmp(survey->by_guest[middle]->guest, guest, MAC_LEN) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const struct surveyed *survey_twin(const struct survey *survey, const struct surveyed *device)
{
	for (size_t i = find_guest(survey, device->guest);
	     i < survey->ours && mac_equal(survey->by_guest[i]->guest, device->guest); i++)
		if (survey->by_guest[i] != device)
			return survey->by_guest[i];
	return NULL;
}

bool survey_next(const struct survey *survey, struct group *group)
{
	const struct surveyed *end = survey->links + survey->count;

	group->members = group->members ? group->members + group->count : survey->links;
	if (group->members == end)
		return false;
	group->count = 1;
	while (group->members + group->count != end &&
	       group->members[group->count].place == group->members->place &&
	       group->members[group->count].is_port == group->members->is_port)
		group->count++;
	group->place = survey_find(survey, group->members->place);
	return true;
}

/* Taps have no lower device, and a macvtap is a guest's. A veth calls its other end so. */
static void mark_legs(const struct survey *survey)
{
	for (size_t i = 0; i < survey->count; i++) {
		const struct link *link = &survey->links[i].link;
		struct surveyed *lower = NULL;

		if (link->lower && !link->lower_elsewhere && link->kind != LINK_MACVTAP)
			lower = survey_find(survey, link->lower);
		if (lower)
			lower->has_leg = true;
	}
}

static int read_links(struct survey *survey, struct nl *nl)
{
	int err = nl_link_dump(nl, LINK_OTHER, keep_link, survey);

	if (err >= 0)
		err = sort_links(survey);
	if (!err)
		mark_legs(survey);
	return err;
}

/* --- what is known about the links elsewhere --- */

static int keep_address(int ifindex, int family, void *data)
{
	struct surveyed *link = survey_find(data, ifindex);

	if (link) {
		link->has_ip = true;
		link->has_ipv4 |= family == AF_INET;
	}
	return 0;
}

static int keep_fdb_entry(const struct fdb_entry *entry, void *data)
{
	const struct survey *survey = data;
	struct surveyed *port = survey_find(survey, entry->port);

	if (port)
		port->sends |= entry->learned;
	if (port && port->ours && mac_equal(entry->mac, port->guest)) {
		port->heard = true;
	} else if (port && entry->learned) {
		port->has_stranger = true;
		memcpy(port->stranger, entry->mac, MAC_LEN);
	}
	for (size_t i = find_guest(survey, entry->mac);
	     i < survey->ours && mac_equal(survey->by_guest[i]->guest, entry->mac); i++)
		if (survey->by_guest[i]->link.master == entry->bridge &&
		    survey->by_guest[i] != port)
			survey->by_guest[i]->elsewhere = entry->port;
	return 0;
}

static int keep_vlan(const struct port_vlan *vlan, void *data)
{
	struct survey *survey = data;
	struct surveyed *port = survey_find(survey, vlan->ifindex);
	struct port_vlan *vlans;

	if (port && vlan->pvid)
		port->pvid = vlan->first;
	/* Thousands of guests have a VLAN each, and nobody asks for it again. */
	if (!port || device_is_tap(&port->link))
		return 0;
	vlans = array_grow(survey->vlans, survey->vlan_count, sizeof(*vlans));
	if (!vlans)
		return -ENOMEM;
	survey->vlans = vlans;
	survey->vlans[survey->vlan_count++] = *vlan;
	return 0;
}

/* Choose a device, or all devices that are on a bridge or lower device. False: there is none. */
static bool choose(struct survey *survey, const struct link *link)
{
	bool device = device_is_tap(link), any = false;

	for (size_t i = 0; i < survey->count; i++) {
		struct surveyed *other = &survey->links[i];

		if (device ? other->link.ifindex != link->ifindex :
			     other->place != link->ifindex || !device_is_tap(&other->link))
			continue;
		other->chosen = any = true;
	}
	return any || device;
}

static int choose_all(struct survey *survey, const struct selection *selection)
{
	for (size_t i = 0; i < survey->count && !selection; i++)
		survey->links[i].chosen = survey->links[i].ours &&
					  device_is_tap(&survey->links[i].link);
	for (size_t i = 0; selection && i < selection->count; i++)
		if (!choose(survey, &selection->links[i]))
			return report_error(-ENODEV,
					    "%s: it is no tap and no macvtap, and none is on it: "
					    "tapctl list --all shows all of them",
					    selection->links[i].name);
	return 0;
}

int survey_read(struct survey *survey, struct nl *nl, const struct selection *selection)
{
	int err;

	*survey = (struct survey){ .count = 0 };
	err = read_links(survey, nl);
	if (err >= 0)
		err = nl_address_dump(nl, keep_address, survey);
	if (err >= 0)
		err = nl_fdb_dump(nl, keep_fdb_entry, survey);
	if (err >= 0)
		err = nl_vlan_dump(nl, keep_vlan, survey);
	if (err < 0)
		return report_error(err, "cannot look at the links: %s", nl_strerror(nl, err));
	err = choose_all(survey, selection);
	return err ? err : holders_read(&survey->holders);
}

void survey_free(struct survey *survey)
{
	free(survey->links);
	free(survey->by_index);
	free(survey->vlans);
	holders_free(&survey->holders);
	*survey = (struct survey){ .count = 0 };
}
