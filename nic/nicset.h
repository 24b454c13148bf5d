/* SPDX-License-Identifier: MIT */
/*
 * All NICs of one command line together: every device is made, or none.
 *
 * Functions return 0 or a negative errno with a line of error.
 */
#pragma once

#include <stddef.h>

#include "nic/nic.h"

struct nicset {
	struct nl *nl;
	struct ovs *ovs; /* where one of them is on Open vSwitch */
	struct nic *nics;
	size_t count, tried; /* how many there are, and were reached by nicset_make_open() */
};

/*
 * Begin in the present network namespace: check everything that can be known before making
 * anything. @by is who makes them, for their record. @wants stays the caller's and has to live as
 * long. Whatever it returns, nicset_end() comes last.
 */
int nicset_begin(struct nicset *set, const struct nic_options *wants, size_t count,
		 enum record_maker by);

/*
 * Make persistent devices, for `add`, and read back what protects them. Their owner is @owner where
 * the options give none. With @may_exist, those are left as they are that exist and are what is
 * wanted.
 */
int nicset_make_persistent(struct nicset *set, uid_t owner, bool may_exist);

/*
 * Make devices that are removed with their last fd, and open all their queues, for `exec`; with
 * @reuse, open those that exist. Each one is read back at the end: something on the host may have
 * changed it meanwhile.
 */
int nicset_make_open(struct nicset *set, bool reuse);

/*
 * Check all that can be without making anything, as the two above would be with these arguments;
 * @existing is "--may-exist", "--reuse" or NULL.
 */
int nicset_rehearse(struct nicset *set, uid_t owner, const char *existing);

/* Read every device into its nic->link once more. */
int nicset_read_back(struct nicset *set);

/* Unmake what was made, after a failure. */
void nicset_unmake(struct nicset *set);

void nicset_end(struct nicset *set);
