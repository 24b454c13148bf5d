/* SPDX-License-Identifier: MIT */
/*
 * Findings: what is wrong, and what to do, told only when it is so at a second look.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "inspect/inventory.h"

struct finding {
	const char *name; /* of the link that it is about */
	const char *id; /* programs rely on it: it never changes */
	bool error; /* nothing gets through; else something may not, or not always */
	const char *problem, *remedy;
};

/* As the next object of a JSON array; the first one begins it. */
void finding_print_json(FILE *out, const struct finding *finding, bool first);

typedef void finding_fn(const struct finding *finding, void *data);

enum severity { WARNING, ERROR };

/* One check: what was read for the present look, and what was found at the first. */
struct check {
	struct inventory inventory;
	finding_fn *tell; /* NULL: at the first look */
	void *data;
	struct seen *seen;
	size_t count;
	size_t next; /* of seen: most are found again in the same order */
	int err; /* -ENOMEM: not all were kept */
	/* of Open vSwitch, where a device is on it, or was: */
	struct ovs_ports rows;
	bool rows_known, no_ovs; /* no_ovs: nobody listens where its database would */
};

/*
 * Something is wrong with @link. The problem and the remedy are the two lines of @fmt. Kept at the
 * first look, told at the second when it was seen at the first.
 */
void find(struct check *check, const struct link *link, enum severity severity, const char *id,
	  const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/* Whether a setting in /proc/sys/net, which shows the caller's network namespace, is not 0. */
bool setting_is_on(const char *setting);
