/* SPDX-License-Identifier: MIT */
/*
 * What the parts of the filter's program have in common, for kernel/filter*.c alone.
 */
#pragma once

#include <stddef.h>
#include <linux/pkt_cls.h>

#include "kernel/bpf.h"
#include "lib/prefix.h"

#define PASS ((uint32_t)TC_ACT_UNSPEC) /* what comes behind this filter sees the frame, too */
#define DROP TC_ACT_SHOT

#define NET 14 /* where the network header begins in a frame */

/* The word at @offset of the frame into a cell. A has it, too. */
void filter_load(struct program *p, uint32_t offset, uint32_t cell);

/* Jump when the address in the cells from @cell on is in @prefix, or in one of its family that is
 * @allowed. A is overwritten. */
void filter_match(struct program *p, struct jumps *found, uint32_t cell,
		  const struct ip_address *prefix);
void filter_match_all(struct program *p, struct jumps *found, uint32_t cell,
		      const struct prefixes *allowed, uint8_t family);

/* Add the word in A to the sum in X; go on only when that is right. A is overwritten. */
void filter_add(struct program *p);
void filter_require_sum(struct program *p);

/* The part for an IPv6 frame: it returns on every way. */
void filter_put_ipv6(struct program *p, const uint8_t *guest, const struct prefixes *allowed);
