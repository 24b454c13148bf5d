/* SPDX-License-Identifier: MIT */
/*
 * Who holds a tap or macvtap open: what /proc tells about the files of other processes.
 *
 * A tap's fd says the name of its device in /proc/PID/fdinfo (drivers/net/tun.c,
 * tun_chr_show_fdinfo), a macvtap's is known by its device number. Processes of others are seen
 * only by root.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "lib/report.h"

/* An open queue and the process that has it. */
struct holder {
	pid_t pid;
	char command[16]; /* /proc/PID/comm; may hold anything: print it with care */
	char tap[16]; /* a tap's name, or "" */
	dev_t rdev; /* a macvtap's device number when tap is "" */
	int fd; /* the process's own number of it */
};

/* All of them, those of one process one after the other, from one pass over /proc. */
struct holders {
	struct holder *list;
	size_t count;
	bool incomplete; /* there are processes that may not be looked into */
	bool nested; /* in a PID namespace: those outside of it are not seen at all */
};

/* Read /proc. Returns 0 or a negative errno with a line of error. Free with holders_free(). */
int holders_read(struct holders *holders);
void holders_free(struct holders *holders);

/*
 * The next process that holds the tap @name or, when @rdev is not 0, of the macvtap with that
 * device number, behind @after (NULL: the first). NULL: no more.
 */
const struct holder *holders_next(const struct holders *holders, const struct holder *after,
				  const char *name, dev_t rdev);

/*
 * Whether the queues of the macvtap @rdev disagree about vnet headers, as far as they may be
 * looked at: each has a flag of its own (drivers/net/tap.c).
 */
bool holders_disagree(const struct holders *holders, dev_t rdev);

/*
 * The name in a /proc/PID/fdinfo file's "iff:" line into @name. False when @text has none.
 */
bool holders_parse_fdinfo(char name[static 16], const char *text);
