/* SPDX-License-Identifier: MIT */
/*
 * How devices are shown: a table for people, JSON for programs.
 *
 * Names and aliases come from the kernel, commands from /proc: whatever bytes they hold, the JSON
 * stays valid and a terminal sees none of them raw.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "kernel/holders.h"
#include "netlink.h"

#define SHOW_OTHERS 16 /* devices of a few bridges come in any order */

struct show {
	FILE *out;
	bool json;
	const struct holders *holders; /* NULL: do not show them */
	struct nl *nl; /* for what a device refers to: bridges, lower devices, VLANs */
	size_t count; /* of devices shown so far */
	/* What was looked up last, each in the place that its index gives. */
	struct link others[SHOW_OTHERS];
	struct port_vlan *vlans; /* of all ports, sorted */
	size_t vlan_count;
	bool vlans_known;
	int err; /* the first look-up that failed */
};

/*
 * Before the first device; each device; behind the last one, also when there was none: returns 0,
 * or the negative errno of a look-up that failed, so that what was shown lacks something.
 */
void show_begin(struct show *show);
void show_link(struct show *show, const struct link *link);
int show_end(struct show *show);

/* A string as JSON, in quotes. Bytes that are no UTF-8 become U+FFFD. */
void show_json_string(FILE *out, const char *text);

/* A string for a terminal: bytes that are not printable ASCII become question marks. */
void show_plain_string(FILE *out, const char *text);
