/* SPDX-License-Identifier: MIT */
/* Unit tests of record, in TAP. */
#include <string.h>

#include "nic/record.h"
#include "tests/unit/unit.h"

static struct link link_of(const char *alias, enum link_kind kind)
{
	struct link link = { .kind = kind, .tun.is_tap = kind == LINK_TUN };

	snprintf(link.alias, sizeof(link.alias), "%s", alias);
	return link;
}

/* Each is written as it was read. */
static void test_written(void)
{
	static const char *const aliases[] = {
		"tapctl guest 52:54:00:84:e3:62",
		"tapctl guest 52:54:00:84:e3:62 by=add",
		"tapctl guest 52:54:00:84:e3:62 by=exec on=br0 isolated locked hairpin mtu=9000",
		"tapctl guest 52:54:00:84:e3:62 by=exec on=br0 vlan=10,20-29",
		"tapctl guest 52:54:00:84:e3:62 by=add on=a=b",
		"tapctl guest 52:54:00:84:e3:62 by=add ip=10.0.1.2,10.0.2.0/28,fd00::2,fe80::/64",
		"tapctl guest 52:54:00:84:e3:62 by=exec ip=::/0 in=1500kbit out=1gbit:200000",
		"tapctl guest 52:54:00:84:e3:62 by=exec ovs=br-int iface-id=a=b:c vlan=10",
		"tapctl host by=add on=eth0",
	};
	char alias[LINK_ALIAS];

	for (size_t i = 0; i < sizeof(aliases) / sizeof(*aliases); i++) {
		enum link_kind kind = strstr(aliases[i], "host") ? LINK_MACVLAN : LINK_TUN;
		struct link link = link_of(aliases[i], kind);
		struct record record;

		ok(record_read(&record, &link) && !record.has_unknown &&
			   record_write(alias, &record) && strcmp(alias, aliases[i]) == 0,
		   "%s", aliases[i]);
	}
}

static void test_foreign(void)
{
	static const char *const aliases[] = {
		"",
		"tapctl",
		"tapctl guest",
		"tapctl guest 52:54:00:84:e3",
		"tapctl guest 52:54:00:84:e3:62x",
		"tapctl hosts",
		"a tapctl guest 52:54:00:84:e3:62",
	};
	struct link tap = link_of("tapctl host", LINK_TUN);
	struct record record;

	for (size_t i = 0; i < sizeof(aliases) / sizeof(*aliases); i++) {
		struct link link = link_of(aliases[i], LINK_TUN);

		ok(!record_read(&record, &link), "'%s' is not a record", aliases[i]);
	}
	for (enum link_kind kind = LINK_OTHER; kind <= LINK_BRIDGE; kind++) {
		struct link link = link_of("tapctl guest 52:54:00:84:e3:62 by=add", kind);

		ok(record_read(&record, &link) == (kind == LINK_TUN || kind == LINK_MACVTAP),
		   "only a tap or macvtap is a guest's: kind %d", kind);
	}
	ok(!record_read(&record, &tap), "a tap is not the host's");
}

static void test_words(void)
{
	struct link link = link_of(
		"tapctl guest 52:54:00:84:e3:62 by=add colour=blue locked on=br0", LINK_TUN);
	struct link bad = link_of("tapctl guest 52:54:00:84:e3:62 by=me vlan=0 vlan=5000 mtu=x "
				  "on=0123456789abcdef ip=10.0.1.2,x in=5 out=1mbit:",
				  LINK_TUN);
	struct record record;

	ok(record_read(&record, &link) && record.has_unknown && record.by == RECORD_BY_ADD &&
		   record.policy.locked && strcmp(record.parent, "br0") == 0,
	   "a word of a newer tapctl is skipped whole");
	ok(record_read(&record, &bad) && record.has_unknown && record.by == RECORD_OLD &&
		   !record.mtu && !record.parent[0] && !traffic_is_set(&record.traffic),
	   "values that are none are skipped");
}

static void test_length(void)
{
	struct record record = { .by = RECORD_BY_ADD, .parent = "br0", .policy.vlan_count = 64 };
	char alias[LINK_ALIAS];

	for (unsigned i = 0; i < 64; i++)
		record.policy.vlans[i] = (uint16_t)(1000 + i);
	ok(record_write(alias, &record), "64 neighbours are one range");
	for (unsigned i = 0; i < 64; i++)
		record.policy.vlans[i] = (uint16_t)(1000 + 2 * i);
	ok(!record_write(alias, &record), "what does not fit is told");
}

static void test_differences(void)
{
	static const struct {
		const char *is, *wanted, *lacks, *has;
	} cases[] = {
		{ "a b=1 c", "a b=1 c", "", "" },     { "a b=1 c", "c b=1 a", "", "" },
		{ "a b=1", "a b=1 c", "", "c" },      { "a b=1 c", "a b=1", "c", "" },
		{ "a b=1", "a b=12", "b=1", "b=12" }, { "", "a", "", "a" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char is[LINK_ALIAS], wanted[LINK_ALIAS];
		bool differs;

		snprintf(is, sizeof(is), "%s", cases[i].is);
		snprintf(wanted, sizeof(wanted), "%s", cases[i].wanted);
		differs = record_differs(is, wanted);
		ok(differs == (*cases[i].lacks || *cases[i].has) &&
			   strcmp(is, cases[i].lacks) == 0 && strcmp(wanted, cases[i].has) == 0,
		   "'%s' and '%s'", cases[i].is, cases[i].wanted);
	}
}

int main(void)
{
	test_written();
	test_foreign();
	test_words();
	test_length();
	test_differences();
	return finish();
}
