/* SPDX-License-Identifier: MIT */
/* Unit tests of options, in TAP. */
#include <errno.h>
#include <string.h>

#include "commands/options.h"
#include "commands/values.h"
#include "tests/unit/unit.h"
#include "lib/parse.h"
#include "lib/report.h"

#define READ(result, command, tail, ...) \
	read_line(result, command, tail, (const char *[]){ "tapctl", __VA_ARGS__, NULL })

/* A command line read. The caller frees result->options. */
struct result {
	struct options options;
	int err;
};

static struct result *read_line(struct result *result, enum option_command command,
				char *const *tail, const char **words)
{
	struct option_tables tables = { .top[0].longName = NULL };
	int count = 0;
	poptContext context;

	while (words[count])
		count++;
	options_fill(&tables, command);
	context = poptGetContext("tapctl", count, words, tables.top, 0);
	report_forget();
	result->err = options_read(&result->options, context, command, tail);
	poptFreeContext(context);
	return result;
}

static void test_number(void)
{
	static const char *const bad[] = { "",
					   " 1",
					   "1 ",
					   "+1",
					   "-1",
					   "0x10",
					   "1e1",
					   "1.0",
					   "257",
					   "9x9",
					   "18446744073709551617",
					   "0" };
	unsigned long value = 7;

	ok(parse_number(&value, "1", 1, 256) && value == 1, "the least");
	ok(parse_number(&value, "256", 1, 256) && value == 256, "the most");
	ok(parse_number(&value, "00256", 1, 256) && value == 256, "zeros before it");
	ok(parse_number(&value, "18446744073709551615", 0, -1UL) && value == -1UL, "all bits");
	ok(parse_number(&value, "4", 0, 4) && !parse_number(&value, "5", 0, 4),
	   "a maximum of one digit");
	value = 7;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		ok(!parse_number(&value, bad[i], 1, 256) && value == 7,
		   "'%s' is not a number from 1 to 256", bad[i]);
}

static void test_name(void)
{
	static const char *const bad[] = {
		"", "0123456789abcdef", ".", "..", "a/b", "a b", "a:b", "a\nb", "a\x7f", "\xc3\xa0"
	};
	static const char *const no_patterns[] = {
		"%", "tap%", "tap%s", "%d%d", "tap%%d", "tap%5d"
	};

	ok(!parse_name_fault("tap52540084e362", false), "15 bytes are a name");
	ok(!parse_name_fault("a", false) && !parse_name_fault("...", true), "one is; dots are");
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		ok(parse_name_fault(bad[i], false) && parse_name_fault(bad[i], true),
		   "bad name %zu is not a name", i);
	ok(!parse_name_fault("tap%d", true) && parse_name_fault("tap%d", false),
	   "%%d is for patterns");
	for (size_t i = 0; i < sizeof(no_patterns) / sizeof(*no_patterns); i++)
		ok(parse_name_fault(no_patterns[i], true), "%s is not a pattern", no_patterns[i]);
}

static void test_vlans(void)
{
	static const char *const bad[] = { "",	  ",",	  "0",	   "4095", "10,",
					   ",10", "1,,2", "10,10", "1-5",  "00000100" };
	static const struct option_rule rule = { .name = "vlan" };
	struct port_policy policy = { .vlan_count = 9 };
	char many[65 * 5 + 1] = "";

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		ok(value_vlans(&policy, &rule, bad[i]) < 0 && policy.vlan_count == 9,
		   "'%s' are not VLANs", bad[i]);
	for (unsigned i = 0; i < 65; i++)
		snprintf(many + strlen(many), sizeof(many) - strlen(many), "%s%u", i ? "," : "",
			 1000 + i);
	ok(value_vlans(&policy, &rule, many) < 0, "65 are too many");
	*strrchr(many, ',') = '\0';
	ok(value_vlans(&policy, &rule, many) == 0 && policy.vlan_count == 64 &&
		   policy.vlans[63] == 1063,
	   "64 are not");
	ok(value_vlans(&policy, &rule, "4094,1") == 0 && policy.vlan_count == 2 &&
		   policy.vlans[0] == 4094 && policy.vlans[1] == 1,
	   "their order is kept");
}

static void test_nics(void)
{
	struct result r;
	const struct nic_options *nics;

	READ(&r, FOR_ADD, NULL, "--bridge", "br0", "--mtu", "1400", "-m", "525400000001", "-m",
	     "525400000002", "--mtu=9000", "-l", "eth0");
	nics = r.options.nics;
	ok(!r.err && r.options.nic_count == 2, "each --mac begins a NIC");
	ok(nics[0].kind == NIC_BRIDGED && strcmp(nics[0].parent, "br0") == 0 && nics[0].mtu == 1400,
	   "what comes before the first is for all");
	ok(nics[1].kind == NIC_MACVTAP && strcmp(nics[1].parent, "eth0") == 0 &&
		   nics[1].mtu == 9000,
	   "what comes after one is for that one");
	ok(nics[0].queues == 1 && nics[0].owner == (uid_t)-1 && r.options.fd == -1,
	   "what is not given has its default");
	options_free(&r.options);
	READ(&r, FOR_ADD, NULL, "-b", "br0", "-m", "525400000001", "-m", "525400000002",
	     "--unattached");
	ok(!r.err && r.options.nics[1].kind == NIC_UNATTACHED && !r.options.nics[1].parent[0],
	   "one on no bridge, beside one on a bridge");
	options_free(&r.options);
	READ(&r, FOR_ADD, NULL, "--host", "--link", "eth0");
	ok(!r.err && r.options.nics[0].kind == NIC_HOST, "--host before what it is on");
	options_free(&r.options);
}

/* For the kernel it is nobody. */
static void test_owner(void)
{
	static const struct option_rule rule = { .name = "owner" };
	unsigned id = 7;

	ok(value_owner(&id, &rule, "4294967295") < 0 && value_group(&id, &rule, "4294967295") < 0,
	   "the number of no user or group");
	ok(value_owner(&id, &rule, "4294967294") == 0 && id == 4294967294, "the last one");
}

static void test_command(void)
{
	char *one[] = { "vmm", "mac=525400000001", NULL }, *none[] = { "vmm", NULL };
	char *two[] = { "vmm", "mac=525400000001,mac=525400000002", NULL };
	struct result r;

	READ(&r, FOR_EXEC, one, "-b", "br0");
	ok(!r.err && r.options.nic_count == 1 && r.options.nics[0].guest[5] == 1,
	   "the address is COMMAND's");
	options_free(&r.options);
	READ(&r, FOR_EXEC, none, "-b", "br0");
	ok(r.err == -EINVAL && strstr(report_line(), "52:54:00:12:34:56"), "which has to name one");
	options_free(&r.options);
	READ(&r, FOR_EXEC, two, "-b", "br0");
	ok(r.err == -EINVAL && strstr(report_line(), "name several addresses"), "and only one");
	options_free(&r.options);
	READ(&r, FOR_EXEC, two, "-b", "br0", "-m", "525400000002");
	ok(!r.err && r.options.nics[0].guest[5] == 2, "unless --mac gives it");
	options_free(&r.options);
}

static void test_errors(void)
{
	static const struct {
		const char *words[6], *error;
	} cases[] = {
		{ { "-m", "525400000001" }, "no place for the device" },
		{ { "-b", "br0" }, "no guest address: give --mac MAC" },
		{ { "-b", "br0", "-l", "eth0" }, "give one of them" },
		{ { "-b", "br0", "-b", "br1" }, "--bridge: given twice" },
		{ { "-jj" }, "--json: given twice" },
		{ { "-b", "br0", "-m525400000001", "-m", "525400000001" }, "given twice" },
		{ { "--unattached", "-m525400000001", "-m525400000002", "-m525400000001" },
		  "--mac 52:54:00:00:00:01: given twice" },
		{ { "--unattached", "-m525400000001", "--name=x", "-m525400000002", "--name=x" },
		  "--name x: two NICs" },
		{ { "--ovs=b", "--iface-id=a%b", "-m525400000001", "-m525400000002" },
		  "--iface-id a%b: a logical port is one NIC's" },
		{ { "-b", "br0", "-m", "015400000001" }, "group address" },
		{ { "--unattached", "-m", "525400000001", "--isolated" },
		  "--isolated: is for a bridge port" },
		{ { "-b", "br0", "-m", "525400000001", "--mode=vepa" },
		  "--mode: is for a macvtap" },
		{ { "-b", "br0", "-m", "525400000001", "--mtu=65535" }, "--mtu 65535" },
		{ { "-b", "br0", "-m", "525400000001", "--owner=no such user" }, "no such user" },
		{ { "-b", "br0", "-m", "525400000001", "--owner=root:root" },
		  "'root:root': there is no such user: give the group by --group" },
		{ { "--host" },
		  "--host: is a macvlan in mode bridge on a lower device: give --link" },
		{ { "--nonsense" }, "--nonsense: unknown option" },
		{ { "-b" }, "-b: missing argument" },
	};
	struct result r;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const char *const *w = cases[i].words;

		READ(&r, FOR_ADD, NULL, w[0], w[1], w[2], w[3], w[4], w[5]);
		ok(r.err == -EINVAL && strstr(report_line(), cases[i].error), "%s: %s", w[0],
		   report_line());
		options_free(&r.options);
	}
}

int main(void)
{
	test_number();
	test_name();
	test_vlans();
	test_nics();
	test_owner();
	test_command();
	test_errors();
	return finish();
}
