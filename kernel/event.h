/* SPDX-License-Identifier: MIT */
/*
 * One event of rtnetlink's: the end of a link or of a numbered network namespace.
 *
 * Functions return 0 or a negative errno.
 */
#pragma once

struct nl;

/*
 * A socket that hears when the namespace with the number @number of this one ends, or the link with
 * @ifindex leaves this one, and nothing else. End with nl_close().
 */
int event_watch_netns(struct nl **watch, int number);
int event_watch_link(struct nl **watch, int ifindex);

/* Wait for it. -ENOBUFS: it may have come, and what was to be heard is lost. */
int event_wait(const struct nl *watch);
