/* SPDX-License-Identifier: MIT */
/* Unit tests of the pure parts of holders, in TAP. */
#include <string.h>

#include "kernel/holders.h"
#include "tests/unit/unit.h"

static bool names(const char *fdinfo, const char *expected)
{
	char name[16] = "untouched";

	return holders_parse_fdinfo(name, fdinfo) ? strcmp(name, expected) == 0 :
						    !*expected && strcmp(name, "untouched") == 0;
}

static void test_fdinfo(void)
{
	ok(names("pos:\t0\nflags:\t0100002\nmnt_id:\t26\niff:\ttap52540084e362\n",
		 "tap52540084e362"),
	   "finds the name in a queue's fdinfo");
	ok(names("iff:tap0", "tap0"), "in the first line, without an end");
	ok(names("pos:\t0\nxiff:\ttap1\niff:\ttap0\n", "tap0"), "not in another line");
	ok(names("pos:\t0\niff:\t\n", ""), "finds none where none is attached");
	ok(names("pos:\t0\niff:\ttap52540084e3621\n", ""), "nor one that is too long");
	ok(names("pos:\t0\n", "") && names("", "") && names("iff", ""), "nor where there is none");
}

static void test_next(void)
{
	/* Without a number no copy is made of the last one, which would tell more. */
	struct holder list[] = {
		{ .pid = 7, .tap = "tap0" },	    { .pid = 7, .tap = "tap0" },
		{ .pid = 7, .tap = "tap1" },	    { .pid = 9, .tap = "tap0" },
		{ .pid = 9, .fd = -1, .rdev = 42 },
	};
	const struct holders holders = { .list = list, .count = sizeof(list) / sizeof(*list) };
	const struct holder *holder = holders_next(&holders, NULL, "tap0", 0);

	ok(holder == &list[0], "the first holder of a tap");
	holder = holders_next(&holders, holder, "tap0", 0);
	ok(holder == &list[3], "then the next process, however many queues the first has");
	ok(!holders_next(&holders, holder, "tap0", 0), "and no more");
	ok(holders_next(&holders, NULL, "tap1", 0) == &list[2], "another tap of the same process");
	ok(!holders_next(&holders, NULL, "tap", 0), "a part of a name is no name");
	ok(holders_next(&holders, NULL, "tap0", 42) == &list[4],
	   "a device number takes precedence over a name");
}

static void test_read(void)
{
	struct holders holders;

	ok(holders_read(&holders) == 0, "reads /proc");
	ok(!holders_next(&holders, NULL, "no such device", 0), "where no process has it open");
	holders_free(&holders);
	ok(!holders.list && holders.count == 0, "and lets go of it");
}

int main(void)
{
	test_fdinfo();
	test_next();
	test_read();
	return finish();
}
