/* SPDX-License-Identifier: MIT */
/*
 * How devices are shown: a table for people, JSON for programs. It only prints.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "inspect/inventory.h"
#include "inspect/table.h"
#include "kernel/holders.h"

struct show {
	FILE *out;
	bool json, colour;
	const struct holders *holders; /* NULL: do not show them */
	size_t count; /* of devices shown so far */
	struct table table; /* show_end() prints it */
};

/*
 * Before the first device; each device; after the last one, also when there was none. 0 or -ENOMEM:
 * a device is missing.
 */
void show_begin(struct show *show);
void show_device(struct show *show, const struct device *device);
int show_end(struct show *show);
