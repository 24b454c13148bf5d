/* SPDX-License-Identifier: MIT */
/*
 * Which processes have a tap or macvtap open, by what /proc tells of their files.
 *
 * A tap's fd says the name of its device in /proc/PID/fdinfo (drivers/net/tun.c,
 * tun_chr_show_fdinfo), a macvtap's is known by its device number. Only root sees the files of
 * other users' processes.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "lib/report.h"

/* An open queue and the process that has it. */
struct holder {
	pid_t pid;
	char command[16]; /* /proc/PID/comm; any bytes: not to be printed as they are */
	char tap[16]; /* a tap's name, or "" */
	dev_t rdev; /* a macvtap's device number when tap is "" */
	int fd; /* its number in that process */
};

/* All of them, those of one process one after the other, from one pass over /proc. */
struct holders {
	struct holder *list;
	size_t count;
	bool incomplete; /* there are processes that may not be inspected */
	bool nested; /* in a PID namespace: processes outside of it are not seen at all */
};

/* Read /proc. Returns 0 or a negative errno with a line of error. Free with holders_free(). */
int holders_read(struct holders *holders);
void holders_free(struct holders *holders);

/*
 * The next process after @after (NULL: the first) that has the tap @name open or, when @rdev is not
 * 0, the macvtap with that device number. NULL: no more.
 */
const struct holder *holders_next(const struct holders *holders, const struct holder *after,
				  const char *name, dev_t rdev);

/*
 * The first process that has it open, by @format, for its command and its pid; "" when none is
 * seen. It reads /proc itself.
 */
#define HOLDER_TEXT 64
const char *holders_look_up(char words[static HOLDER_TEXT], const char *format, const char *name,
			    dev_t rdev);

/*
 * The words that the process was started with, which end with NULL: one block, which is the
 * caller's to free. NULL: it has ended, may not be looked into, or has more than a VMM needs.
 */
char **holder_argv(const struct holder *holder);

/*
 * Whether it is held, and by other tapctl alone: at work on it, or with a copy of a descriptor that
 * it looks at (list --holders), they let go of it soon.
 */
bool holders_are_passing(const struct holders *holders, const char *name, dev_t rdev);

/*
 * Whether some queues of the macvtap @rdev have vnet headers and some do not, as far as they may be
 * inspected: each has a flag of its own (drivers/net/tap.c).
 */
bool holders_disagree(const struct holders *holders, dev_t rdev);

/* The name in the "iff:" line of a /proc/PID/fdinfo file into @name. False when @text has none. */
bool holders_parse_fdinfo(char name[static 16], const char *text);
