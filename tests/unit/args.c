/* SPDX-License-Identifier: MIT */
/* Unit tests of command, in TAP. */
#include "vmm/args.h"
#include "tests/unit/unit.h"

#define WORDS(...) ((char *[]){ __VA_ARGS__, NULL })

static const uint8_t first[MAC_LEN] = { 0x52, 0x54, 0x00, 0x84, 0xe3, 0x62 };

static size_t count(char *const words[])
{
	uint8_t macs[2][MAC_LEN];

	return args_find_macs(words, macs, 2);
}

static void test_find(void)
{
	static const char *const found[] = {
		"mac=52:54:00:84:e3:62",
		"virtio-net-pci,netdev=n0,mac=52:54:00:84:e3:62",
		"mac=52:54:00:84:E3:62,netdev=n0",
		"--net=fd=3,mac=52-54-00-84-e3-62",
		"nic,macaddr=52540084e362",
		"-device={\"driver\":\"e1000\",\"mac\":\"52:54:00:84:e3:62\"}",
		"{\"mac\" :\t\"5254.0084.e362\"}",
		"mac=\"52:54:00:84:e3:62\"",
	};
	static const char *const nothing[] = {
		"52:54:00:84:e3:62",
		"host_mac=52:54:00:84:e3:62",
		"imac=52:54:00:84:e3:62",
		"mac=52:54:00:84:e3",
		"mac=52:54:00:84:e3:62:00",
		"mac:52:54:00:84:e3:62",
		"mac",
		"mac=",
		"{\"mac\":",
		"{\"mac\" \"52:54:00:84:e3:62\"}",
		"",
	};
	uint8_t mac[1][MAC_LEN];

	for (size_t i = 0; i < sizeof(found) / sizeof(*found); i++)
		ok(args_find_macs(WORDS("vmm", (char *)found[i]), mac, 1) == 1 &&
			   mac_equal(mac[0], first),
		   "finds it in %s", found[i]);
	for (size_t i = 0; i < sizeof(nothing) / sizeof(*nothing); i++)
		ok(count(WORDS("vmm", (char *)nothing[i])) == 0, "finds none in '%s'", nothing[i]);
}

static void test_count(void)
{
	ok(count(WORDS("vmm", "mac=525400000001,mac=525400000002", "mac=5254.0000.0001")) == 2,
	   "counts an address once");
	ok(count(WORDS("vmm", "mac=525400000001", "mac=525400000002", "mac=525400000003",
		       "mac=525400000003")) == 3,
	   "also one that there was no room for");
	ok(args_find_macs(WORDS("vmm", "mac=525400000001"), NULL, 0) == 1,
	   "and counts without any room");
}

static void test_fault(void)
{
	char *const words[] = { "vmm", "mac=525400000001,mac=52:54:00:84:e3,id=n", NULL };

	ok(args_find_fault(words) == words[1] + 21, "a value that is no address is found");
	ok(!args_find_fault(WORDS("mac=525400000001", "imac=x", "mac")), "and nothing else");
}

static void test_mention(void)
{
	ok(args_mention_mac(WORDS("vmm", "x52:54:00:84:E3:62x"), first), "sees colons");
	ok(args_mention_mac(WORDS("vmm", "5254.0084.e362"), first), "sees dots");
	ok(args_mention_mac(WORDS("vmm-52540084e362"), first), "sees digits");
	ok(!args_mention_mac(WORDS("vmm", "52:54:00:84:e3", ":62"), first), "sees no two halves");
}

static void test_closing(void)
{
	ok(args_close_fds(WORDS("/usr/bin/sudo", "qemu")), "sudo closes fds");
	ok(args_close_fds(WORDS("podman", "run")), "podman does");
	ok(!args_close_fds(WORDS("podman", "run", "--preserve-fds=1")), "unless it is told");
	ok(!args_close_fds(WORDS("pseudo", "sudo")), "a name is the whole name");
}

static void test_lack(void)
{
	static const char *const fds[] = { "tap,id=n,fd=3", "tap,id=n,fds=3:4",
					   "{\"type\":\"tap\",\"fd\":\"3\"}", "-readconfig" };

	ok(args_lack_mac(WORDS("/bin/qemu-system-x86_64", "-device", "e1000,netdev=n")),
	   "a card without mac= lacks one");
	ok(!args_lack_mac(
		   WORDS("qemu-system-x86_64", "-device", "e1000,netdev=n,mac=525400000001")),
	   "one with it does not");
	ok(!args_lack_mac(
		   WORDS("qemu-system-x86_64", "-readconfig", "f", "-device", "e1000,netdev=n")),
	   "a file may say it");
	ok(!args_lack_mac(WORDS("qemu-system-x86_64", "-netdev", "tap,id=n,fd=3")),
	   "without a card there is no address");
	ok(!args_lack_mac(WORDS("sh", "qemu-system-x86_64", "netdev=n")), "sh is no qemu");
	ok(args_lack_mac(WORDS("qemu-system-x86_64", "-nic", "tap,fd=3")), "-nic is one, too");
	ok(!args_lack_mac(WORDS("qemu-system-x86_64", "-nic", "none")), "-nic none is none");
	ok(args_lack_fd(
		   WORDS("qemu-system-x86_64", "-netdev", "tap,id=n", "-device", "e1000,netdev=n")),
	   "a card without fd= lacks one");
	for (size_t i = 0; i < sizeof(fds) / sizeof(*fds); i++)
		ok(!args_lack_fd(WORDS("qemu-system-x86_64", (char *)fds[i], "netdev=n")),
		   "not with %s", fds[i]);
}

int main(void)
{
	test_find();
	test_count();
	test_fault();
	test_mention();
	test_closing();
	test_lack();
	return finish();
}
