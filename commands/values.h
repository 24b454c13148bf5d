/* SPDX-License-Identifier: MIT */
/*
 * Strict readers of the value of one option.
 *
 * Each reads @text, which the option was given, into @target, and returns 0, or a negative errno
 * with a line of error that says what to write instead; @target is then as it was.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct option_rule;

typedef int value_fn(void *target, const struct option_rule *rule, const char *text);

/* Everything about one option: commands/options.c has the rows. */
struct option_rule {
	const char *name;
	char letter; /* 0: none */
	const char *value, *help; /* NULL: it has no value */
	value_fn *read;
	unsigned min, max; /* as the reader below says */
	unsigned commands; /* FOR_MAC ...: which ones have it */
	unsigned kinds; /* bits of enum nic_kind that it goes with; 0: it is not about a NIC */
	bool open; /* an unprivileged caller may use it */
	size_t offset; /* where its value goes, in a struct nic_options or struct options */
};

value_fn value_flag; /* a bool: true */
value_fn value_number; /* an unsigned, a decimal number of @min to @max */
value_fn value_fd; /* an int, the number of a file descriptor, of @min to @max */
value_fn value_text; /* @max bytes of char: a string that is not empty, with its NUL */
value_fn value_bridge; /* IFNAMSIZ bytes of char: a device name */
value_fn value_name; /* a device name, which may contain one %d */

value_fn value_mac; /* a guest's address, or `random` */
value_fn value_parent; /* a struct nic_options: the parent's name, and @min is the kind */
value_fn value_kind; /* a struct nic_options: the kind @min, on no parent yet */
value_fn value_mode; /* an enum macvtap_mode */
value_fn value_vhost; /* an enum vhost_mode; NULL: the mode auto */
value_fn value_prefixes; /* a struct prefixes: the addresses of --ip */
value_fn value_rate; /* a struct rate: RATE[:BURST] */
value_fn value_iface_id; /* @max bytes of char: a word in ASCII */
value_fn value_seconds; /* an unsigned of @min to @max; NULL: 10 */
value_fn value_vlans; /* a struct port_policy: VID[,VID...] */

value_fn value_addresses; /* a struct ip_addresses: ADDR/LEN[,...] */

value_fn value_owner; /* a uid_t: a user by name or number */
value_fn value_group; /* a gid_t: the same of a group */
value_fn value_user; /* a struct privs_user: USER[:GROUP], GROUP for a uid without a user */
