/* SPDX-License-Identifier: MIT */
/* Unit tests of compare, in TAP. */
#include <string.h>

#include "nic/compare.h"
#include "tests/unit/unit.h"

static const struct link bridge = { .ifindex = 7,
				    .name = "br0",
				    .kind = LINK_BRIDGE,
				    .bridge.filters = true };

/* A tap on br0 that is as its record has it. */
static struct link right_tap(void)
{
	return (struct link){
		.ifindex = 9,
		.name = "tap525400000001",
		.kind = LINK_TUN,
		.address = { 0xfe, 0x54, 0, 0, 0, 1 },
		.flags = IFF_UP,
		.mtu = 1400,
		.master = 7,
		.port = { .of_bridge = true, .locked = true, .isolated = true, .hairpin = true },
	};
}

static const struct record right = {
	.by = RECORD_BY_ADD,
	.guest = { 0x52, 0x54, 0, 0, 0, 1 },
	.parent = "br0",
	.mtu = 1400,
	.policy = { .locked = true,
		    .isolated = true,
		    .hairpin = true,
		    .vlan_count = 2,
		    .vlans = { 10, 20 } },
};

static unsigned compare(const struct link *link, const struct record *record)
{
	const struct compared compared = {
		.link = link,
		.record = record,
		.parent = &bridge,
		.port = { .known = true, .has_entry = true, .vlans = 2 },
	};

	return record_compare(&compared);
}

static void test_each(void)
{
	struct link tap = right_tap();

	ok(compare(&tap, &right) == 0, "nothing differs");
	tap.address[0] = 0x52;
	ok(compare(&tap, &right) == 1U << DIFFERS_HOST_IS_GUEST, "the guest's own address");
	tap.address[5] = 9;
	ok(compare(&tap, &right) == 1U << DIFFERS_ADDRESS, "another address");
	tap = right_tap();
	tap.flags = 0;
	ok(compare(&tap, &right) == 1U << DIFFERS_UP, "down");
	tap = right_tap();
	tap.mtu = 1500;
	ok(compare(&tap, &right) == 1U << DIFFERS_MTU, "the MTU");
	tap = right_tap();
	tap.port.learning = true;
	ok(compare(&tap, &right) == 1U << DIFFERS_LOCKED, "a locked port does not learn");
	tap = right_tap();
	tap.port.isolated = tap.port.hairpin = false;
	ok(compare(&tap, &right) == (1U << DIFFERS_ISOLATED | 1U << DIFFERS_HAIRPIN), "flags");
	tap = right_tap();
	tap.dormant = true;
	ok(compare(&tap, &right) == 1U << DIFFERS_DORMANT, "dormant");
	tap = right_tap();
	tap.master = 0;
	memset(&tap.port, 0, sizeof(tap.port));
	ok(compare(&tap, &right) == 1U << DIFFERS_PARENT,
	   "off: of its port there is no more to say");
	tap.master = 8;
	ok(compare(&tap, &right) == 1U << DIFFERS_PARENT, "elsewhere");
}

static void test_old(void)
{
	struct record old = { .by = RECORD_OLD, .guest = { 0x52, 0x54, 0, 0, 0, 1 } };
	struct link tap = right_tap();

	tap.master = 0;
	tap.mtu = 68;
	ok(compare(&tap, &old) == 0, "nothing is known of an old record's bridge and MTU");
	tap.address[5] = 9;
	ok(compare(&tap, &old) == 1U << DIFFERS_ADDRESS, "but the guest's address is");
}

static void test_unattached(void)
{
	struct record record = { .by = RECORD_BY_EXEC, .guest = { 0x52, 0x54, 0, 0, 0, 1 } };
	struct link tap = right_tap();

	ok(compare(&tap, &record) == 1U << DIFFERS_PARENT, "on a bridge, and made for none");
	tap.port.of_bridge = false;
	ok(compare(&tap, &record) == 0, "a master of another kind is somebody else's business");
}

static void test_vlans(void)
{
	const struct link tap = right_tap();
	struct port_state port = { .known = true };
	struct compared compared = {
		.link = &tap,
		.record = &right,
		.parent = &bridge,
		.port = { .known = true, .has_entry = true, .vlans = 2 },
	};

	compare_vlan(&port, &right, &(struct port_vlan){ 9, 10, 10, true, true });
	compare_vlan(&port, &right, &(struct port_vlan){ 9, 20, 20, false, false });
	ok(port.vlans == 2 && !port.other_vlan, "the first one untagged, the other tagged");
	compare_vlan(&port, &right, &(struct port_vlan){ 9, 20, 21, false, false });
	ok(port.other_vlan, "one more");
	port = (struct port_state){ .known = true };
	compare_vlan(&port, &right, &(struct port_vlan){ 9, 10, 10, false, true });
	ok(port.vlans == 0 && port.other_vlan, "the first one is the PVID");
	ok(record_compare(&compared) == 0, "the two that it was made for");
	compared.port.other_vlan = true;
	ok(record_compare(&compared) == 1U << DIFFERS_VLANS, "and another one");
}

int main(void)
{
	test_each();
	test_old();
	test_unattached();
	test_vlans();
	return finish();
}
