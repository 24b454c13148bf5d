/* SPDX-License-Identifier: MIT */
/*
 * Which devices a command is about: those of some names or guest addresses, or those that nobody
 * holds; and their removal, all at once.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "netlink.h"
#include "lib/report.h"

/* Devices, each once. The caller frees @links. */
struct selection {
	struct link *links;
	size_t count;
};

/* Add one. -ENOMEM. */
int select_link(struct selection *selection, const struct link *link);

/* Add the link of that name, or all of tapctl's for that guest, for each of @words (ends with
 * NULL). */
int select_words(struct nl *nl, struct selection *selection, const char **words);

/*
 * Add the macvtaps of tapctl's that no process has open. -EPERM when that cannot be known, as there
 * are processes that are not seen, unless @force.
 */
int select_stale(struct nl *nl, struct selection *selection, bool force);

/* Remove them, in one transaction as far as that goes, see nl_links_delete(). */
int select_delete(struct nl *nl, const struct selection *selection);
