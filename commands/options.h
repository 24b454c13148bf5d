/* SPDX-License-Identifier: MIT */
/*
 * The words of the command line: popt's tables, and the strict reading of every value.
 *
 * Nothing is touched here but the user database and getrandom. What is wrong is told in one line
 * of error that says what to write instead.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <popt.h>

#include "nic/nic.h"
#include "lib/privs.h"
#include "lib/report.h"

/* Everything that options of any command can say. All zeros but fd (-1) is the beginning. */
struct options {
	bool json, verbose;
	char netns[256]; /* "": here */
	/* add, exec */
	struct nic_options *nics;
	size_t nic_count;
	/* exec */
	int fd; /* where the queues begin; -1: not said, so 3 */
	bool reuse, no_audit;
	struct privs_user user;
	/* bridge-helper */
	bool use_vnet;
	/* list, del, mac */
	bool all, holders, force, stale, random;
};

/* popt's tables, one a command. */
extern const struct poptOption options_mac[], options_add[], options_exec[], options_list[],
	options_del[], options_pin[], options_check[], options_bridgehelper[];

/* What a command makes: no device, those of add and exec, or the one of bridge-helper. */
enum options_nics { NICS_NONE, NICS_MANY, NICS_HELPER };

/*
 * Read all options of @context, which are those of @table, into @options, and the devices that they
 * want: @command is exec's COMMAND, whose words may name the guest's address. What a caller without
 * privilege of its own may not say is refused. 0 or -EINVAL, -EPERM or -ENOMEM. Free with
 * options_free().
 */
int options_read(struct options *options, poptContext context, const struct poptOption *table,
		 enum options_nics nics, char *const command[]);
void options_free(struct options *options);

/* VID[,VID...] into @policy; false when it is something else. */
bool option_vlans(struct port_policy *policy, const char *text);
