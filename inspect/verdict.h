/* SPDX-License-Identifier: MIT */
/*
 * What the counts of a trace tell: at which hop frames end, and what to do there.
 *
 * Pure. The first hop that did not see a frame is behind what took it: what comes in is seen before
 * tc and netfilter have it, and what goes out after them.
 */
#pragma once

#include "inspect/trace.h"

#define VERDICT_TEXT 320
struct verdict {
	const char *id; /* programs rely on it: it never changes */
	bool flows; /* frames went both ways */
	bool at_filter; /* frames from the guest end, or may end, where a filter of its device is */
	bool certain; /* the remedy is the one: check need not be asked */
	enum hop_role reach; /* the last hop that what explains it may be about */
	char where[VERDICT_TEXT]; /* frames end */
	char remedy[VERDICT_TEXT]; /* what to do */
	const struct dropped *dropped; /* what the kernel says of these frames, or NULL */
	char drop[VERDICT_TEXT]; /* the same, or "" */
};

void verdict_find(const struct trace *trace, struct verdict *verdict);
