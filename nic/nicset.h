/* SPDX-License-Identifier: MIT */
/*
 * All devices of one command line together: every one of them is made, or none.
 */
#pragma once

#include <stddef.h>

#include "nic/nic.h"
#include "nic/watcher.h"

struct nicset {
	struct nl nl;
	struct nic *nics;
	struct watcher *watchers; /* of each nic; in use for the macvtaps that exec makes */
	size_t count, tried; /* how many there are, and were reached by nicset_make_open() */
};

/*
 * Begin in the present network namespace: check everything that can be known before making
 * anything. Whatever it returns, nicset_end() comes last.
 */
int nicset_begin(struct nicset *set, const struct nic_options *wants, size_t count);

/* Make devices that stay, for `add`. They belong to @owner where their options do not say
 * otherwise. */
int nicset_make_lasting(struct nicset *set, uid_t owner);

/*
 * Make devices that go with their last fd and open all their queues, for `exec`; with @reuse, open
 * those that are there already.
 */
int nicset_make_open(struct nicset *set, bool reuse);

/* Read every device back, see nic_verify(). */
int nicset_verify(struct nicset *set);

/* Unmake whatever was made and is not to be there when the command has failed. */
void nicset_unmake(struct nicset *set);

void nicset_end(struct nicset *set);
