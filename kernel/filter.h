/* SPDX-License-Identifier: MIT */
/*
 * What a guest may send, as a classic BPF program for cls_bpf, in direct action. Pure.
 *
 * The program passes frames from the guest's MAC address without a VLAN tag, and of these only what
 * the man page lists under "The guest's addresses"; the headers' checksums are part of that, since
 * a guest that leaves checksums to the host can have two bytes written behind the filter. It begins
 * with a jump over the listed addresses, which are kept as data: a BPF_LD | BPF_IMM with the family
 * (4 or 6) in jt, the length in jf, and 32 bits in k; of IPv6 four of them.
 *
 * A load beyond a frame's end would end the program with 0, which passes the frame (net/core/
 * filter.c, bpf_convert_filter; net/sched/cls_bpf.c, TC_ACT_OK): every length is checked first.
 */
#pragma once

#include "kernel/bpf.h"
#include "lib/prefix.h"
#include "macutil.h"

/* Write the program for a guest. */
void filter_write(struct program *program, const uint8_t guest[static MAC_LEN],
		  const struct prefixes *allowed);
