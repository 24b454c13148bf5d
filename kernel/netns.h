/* SPDX-License-Identifier: MIT */
/*
 * Network namespaces: enter the one that --netns names, and come back; make one, and know it by the
 * number (nsid) that another one has for it.
 *
 * Descriptors of namespaces are close-on-exec and the caller's to close.
 */
#pragma once

struct nl;

/*
 * Move the process into the network namespace @which: a PID, a path (with a slash), or a name
 * of ip-netns(8). @previous gets an fd of the one it was in, for netns_leave().
 */
int netns_enter(const char *which, int *previous);

/* Go back to @previous and close it. */
int netns_leave(int previous);

/*
 * Make a network namespace that nothing but the descriptor which is returned holds, and stay in the
 * one of @nl. It needs CAP_SYS_ADMIN or, failing that, a user namespace, in which a child makes it.
 * -EPERM: neither is to be had; -ENOSPC: there are as many as user.max_net_namespaces allows.
 */
int netns_make(const struct nl *nl);

/*
 * Run @work in the network namespace @ns of netns_make(), by a child that shares memory and
 * descriptors where that takes a user namespace, and come back to the one of @nl. Returns what
 * @work returned, or a negative errno.
 */
typedef int netns_fn(void *data);
int netns_run(const struct nl *nl, int ns, netns_fn *work, void *data);

/* Let @ns have the number @number in the namespace of @nl. -EEXIST: another one has it. */
int netns_set_number(struct nl *nl, int ns, int number);

/* Whether a namespace that is alive has the number @number in that of @nl: 0, or -ENOENT. */
int netns_find_number(struct nl *nl, int number);
