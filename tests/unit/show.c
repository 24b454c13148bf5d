/* SPDX-License-Identifier: MIT */
/* Unit tests of show and of what a device refers to, in TAP. */
#include <stdlib.h>
#include <string.h>

#include "inspect/show.h"
#include "tests/unit/unit.h"

/* The VLANs of a port, as they come from the kernel in ranges: in the order of --vlan. */
static void test_vlans(void)
{
	struct port_vlan vlans[] = {
		{ .ifindex = 3, .first = 7, .last = 7, .pvid = true, .untagged = true },
		{ .ifindex = 5, .first = 10, .last = 12 },
		{ .ifindex = 5, .first = 20, .last = 20, .pvid = true, .untagged = true },
		{ .ifindex = 9, .first = 30, .last = 30 },
	};
	const struct link tap = { .ifindex = 5, .name = "tap", .kind = LINK_TUN, .master = 2 };
	struct show show = { .json = true };
	struct lookups lookups = { .whole = true,
				   .vlans_known = true,
				   .addresses_known = true,
				   .vlans = { .count = 4 } };
	struct device device;
	char *out = NULL;
	size_t size;

	show.out = open_memstream(&out, &size);
	lookups.parents[2] = (struct link){ .ifindex = 2, .name = "br0", .bridge.filters = true };
	lookups.vlans.list = vlans;
	device_look_up(&lookups, &tap, &device);
	show_device(&show, &device);
	show_end(&show);
	ok(lookups.err == 0, "nothing had to be looked up");
	fclose(show.out);
	ok(strstr(out, "\"bridge\":\"br0\"") && strstr(out, "\"vlans\":[20,10,11,12]"),
	   "a port has its own VLANs, the PVID first");
	free(out);
}

int main(void)
{
	test_vlans();
	return finish();
}
