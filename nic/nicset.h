/* SPDX-License-Identifier: MIT */
/*
 * All devices of one command line together: every one of them is made, or none.
 */
#pragma once

#include <stddef.h>

#include "nic/nic.h"
#include "nic/watcher.h"

struct wire {
	struct nl nl;
	struct nic *nics;
	struct watcher *watchers; /* of each nic; in use for the macvtaps that exec makes */
	size_t count, tried; /* how many there are, and were reached by wire_make_open() */
};

/*
 * Begin in the present network namespace: check everything that can be known before making
 * anything. Whatever it returns, wire_end() comes last.
 */
int wire_begin(struct wire *wire, const struct nic_options *wants, size_t count);

/* Make devices that stay, for `add`. They belong to @owner where their options do not say
 * otherwise. */
int wire_make_lasting(struct wire *wire, uid_t owner);

/*
 * Make devices that go with their last fd and open all their queues, for `exec`; with @reuse, open
 * those that are there already.
 */
int wire_make_open(struct wire *wire, bool reuse);

/* Read every device back, see nic_verify(). */
int wire_verify(struct wire *wire);

/* Unmake whatever was made and is not to be there when the command has failed. */
void wire_unmake(struct wire *wire);

void wire_end(struct wire *wire);
