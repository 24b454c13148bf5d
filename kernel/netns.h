/* SPDX-License-Identifier: MIT */
/*
 * Network namespaces: enter the one that --netns names, and return.
 */
#pragma once

#include "lib/report.h"

/*
 * Move the process into the network namespace @which: a PID, a path (with a slash), or a name
 * of ip-netns(8). @previous gets an fd of the one it was in, for netns_leave().
 */
int netns_enter(const char *which, int *previous);

/* Go back to @previous and close it. */
int netns_leave(int previous);
