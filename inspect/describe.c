/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "inspect/describe.h"
#include "inspect/vm.h"
#include "nic/record.h"

static bool is_off_bridge(const struct device *device)
{
	const struct link *parent = device->parent;
	struct record record;
	struct compared compared = { .link = device->link, .record = &record };

	if (!record_read(&record, device->link))
		return false;
	if (parent && strcmp(parent->name, record.parent) == 0)
		compared.parent = parent;
	return record_compare(&compared) & 1U << DIFFERS_PARENT;
}

enum state device_state(const struct device *device, const struct holders *holders)
{
	const struct link *link = device->link;

	if (!(link->flags & IFF_UP))
		return STATE_DOWN;
	if (is_off_bridge(device))
		return STATE_OFF_BRIDGE;
	if (link->kind == LINK_MACVLAN)
		return link->carrier ? STATE_UP : STATE_NO_CARRIER;
	if (device->use == USE_NONE)
		return holders && holders_next(holders, NULL, link->name, device->rdev) ?
			       STATE_NO_CARRIER :
			       STATE_WAITING;
	if (!link->carrier)
		return STATE_NO_CARRIER;
	return device->use == USE_HELD ? STATE_RUNNING : STATE_UP;
}

static const struct {
	const char *word;
	enum colour colour;
} states[] = {
	[STATE_RUNNING] = { "running", COLOUR_GOOD },
	[STATE_WAITING] = { "waiting", COLOUR_PENDING },
	[STATE_UP] = { "up", COLOUR_GOOD },
	[STATE_NO_CARRIER] = { "no carrier", COLOUR_BAD },
	[STATE_DOWN] = { "down", COLOUR_BAD },
	[STATE_OFF_BRIDGE] = { "off its bridge", COLOUR_BAD },
};

const char *state_word(enum state state)
{
	return states[state].word;
}

enum colour state_colour(enum state state)
{
	return states[state].colour;
}

bool device_has_usual_address(const struct link *link)
{
	uint8_t address[MAC_LEN];

	if (record_is_host(link))
		return true;
	if (!record_guest(address, link))
		return false;
	if (link->kind == LINK_TUN)
		mac_derive_host(address, address);
	return mac_equal(address, link->address);
}

char *device_holders(const struct device *device, const struct holders *holders, bool full)
{
	const struct holder *holder = NULL;
	char name[VM_NAME], *text = NULL;
	const char *separator = "";
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	while ((holder = holders_next(holders, holder, device->link->name, device->rdev))) {
		bool named = vm_name(name, holder);

		fprintf(out, "%s%s[%d]%s%s", separator, named && !full ? name : holder->command,
			(int)holder->pid, named && full ? " " : "", named && full ? name : "");
		separator = ", ";
	}
	return fclose(out) == 0 ? text : NULL;
}
