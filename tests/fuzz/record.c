/* SPDX-License-Identifier: MIT */
/* Aliases: what is read as a record says so, and is read the same when it is written again. */
#include "nic/record.h"
#include "tests/fuzz/fuzz.h"

static void check_again(const struct record *record)
{
	struct link link = { .kind = record->host ? LINK_MACVLAN : LINK_MACVTAP };
	struct record again;

	/* Addresses and rates may be: those that tapctl writes are in one form. */
	if (!record_write(link.alias, record)) {
		always(traffic_is_set(&record->traffic), "it is not longer when written");
		return;
	}
	always(record_read(&again, &link), "and is a record");
	always(again.host == record->host && mac_equal(again.guest, record->guest), "of the same");
	always(again.by == record->by && again.mtu == record->mtu, "with the same values");
	always(strcmp(again.parent, record->parent) == 0, "on the same parent");
	always(strcmp(again.ovs, record->ovs) == 0 && strcmp(again.iface_id, record->iface_id) == 0,
	       "on the same bridge of Open vSwitch");
	always(again.policy.locked == record->policy.locked &&
		       again.policy.isolated == record->policy.isolated &&
		       again.policy.hairpin == record->policy.hairpin,
	       "with the same policy");
	always(prefixes_equal(&again.traffic.ip, &record->traffic.ip) &&
		       rate_equal(&again.traffic.in, &record->traffic.in) &&
		       rate_equal(&again.traffic.out, &record->traffic.out),
	       "with the same traffic");
	always(again.policy.vlan_count == record->policy.vlan_count &&
		       memcmp(again.policy.vlans, record->policy.vlans,
			      again.policy.vlan_count * sizeof(*again.policy.vlans)) == 0,
	       "and the same VLANs");
	always(!again.has_unknown, "without unknown words");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = as_string(data, size);
	struct link link = { .kind = size % 2 ? LINK_MACVTAP : LINK_MACVLAN };
	uint8_t guest[MAC_LEN] = { 1, 2, 3, 4, 5, 6 };
	struct record record;

	snprintf(link.alias, sizeof(link.alias), "%s", text);
	if (!record_guest(guest, &link))
		always(guest[5] == 6, "a foreign alias leaves the result alone");
	if (record_read(&record, &link)) {
		always(strncmp(text, "tapctl ", 7) == 0, "a record says so");
		always(memchr(record.parent, '\0', sizeof(record.parent)), "a name ends");
		check_again(&record);
	}
	free(text);
	return 0;
}
