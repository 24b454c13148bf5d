/* SPDX-License-Identifier: MIT */
/*
 * Which devices a command is about: those of some names or guest addresses, or those that exec
 * left behind.
 *
 * Functions return 0 or a negative errno with a line of error.
 */
#pragma once

#include <stddef.h>

#include "netlink.h"

/* Links, each once. The caller frees @links. */
struct selection {
	struct link *links;
	size_t count;
};

/* Add one link, unless it is there. 0 or -ENOMEM, without a line of error. */
int select_link(struct selection *selection, const struct link *link);

/* Add the link of that name, or all of tapctl's for that guest, for each of @words (ends with
 * NULL). */
int select_words(struct nl *nl, struct selection *selection, const char **words);

/* The same, where there may be nothing for a word. */
int select_existing(struct nl *nl, struct selection *selection, const char **words);

/* Add the taps, macvtaps and macvlans of this host's that are on @parent, a bridge or lower device,
 * also those that tapctl did not make. */
int select_on(struct nl *nl, struct selection *selection, const struct link *parent);

/* Add the macvtaps of exec's that have no lease any more: nobody has them open, and nothing else
 * would remove them. */
int select_stale(struct nl *nl, struct selection *selection);
