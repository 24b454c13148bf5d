/* SPDX-License-Identifier: MIT */
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>
#include <sys/stat.h>

#include "kernel/udev.h"

/* How often it is looked, every 5 ms: an event may not have reached it yet. */
#define BUSY_TRIES 2000
#define IDLE_TRIES 200

/* It hears of the links of its own network namespace, which is that of the host's init. */
static bool is_here(void)
{
	struct stat init, own;

	return access("/run/udev/control", F_OK) == 0 &&
	       (stat("/proc/1/ns/net", &init) < 0 || stat("/proc/thread-self/ns/net", &own) < 0 ||
		init.st_ino == own.st_ino);
}

void udev_wait(int ifindex)
{
	unsigned busy = 0, idle = 0;
	char path[48];

	if (!is_here())
		return;
	/* Written when all rules have been followed; the queue is there while it has events. */
	snprintf(path, sizeof(path), "/run/udev/data/n%d", ifindex);
	while (access(path, F_OK) < 0 && busy < BUSY_TRIES && idle < IDLE_TRIES) {
		if (access("/run/udev/queue", F_OK) == 0)
			busy++;
		else
			idle++;
		poll(NULL, 0, 5);
	}
}
