/* SPDX-License-Identifier: MIT */
/*
 * Frames that the kernel drops, and why: its drop monitor (generic netlink, family NET_DM).
 *
 * The monitor is one switch for the whole machine, in the first network namespace alone, and may be
 * on for somebody else, whose settings then hold. What tapctl switches on, a process of its own
 * switches off again, also when tapctl is killed (net/core/drop_monitor.c). It needs CAP_NET_ADMIN,
 * and on newer kernels CAP_SYS_ADMIN, over the first user namespace.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define DROP_TEXT 64

struct nl;

struct dropmon {
	struct nl *nl; /* NULL: it is closed */
	int keeper; /* the monitor is kept on as long as this socket is open */
	pid_t pid;
};

struct drop {
	size_t len; /* of @bytes */
	const uint8_t *bytes; /* of the frame, from its Ethernet header on, until the next call */
	int in_port; /* ifindex of where it came in last, in whichever namespace; 0: it did not */
	char function[DROP_TEXT]; /* of the kernel's: "nf_hook_slow", or "" */
	char reason[DROP_TEXT]; /* "NETFILTER_DROP", or "": not told (before Linux 5.18) */
};

/*
 * Listen to what is dropped from now on. 0 or a negative errno, which is -ENOENT where there is no
 * drop monitor. Close with dropmon_close(), which waits until it is as it was before.
 */
int dropmon_open(struct dropmon *monitor);
void dropmon_close(struct dropmon *monitor);

/* For poll(2). */
int dropmon_fd(const struct dropmon *monitor);

/* The next frame that was dropped. False: there is none now. */
bool dropmon_next(const struct dropmon *monitor, struct drop *drop);
