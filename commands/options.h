/* SPDX-License-Identifier: MIT */
/*
 * The command line, taken apart by rules, one for each option.
 *
 * It reads nothing but the user database and getrandom(2). What is wrong becomes the line of error,
 * which says what to write instead.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <popt.h>

#include "lib/privs.h"
#include "nic/nic.h"

/* The commands, as far as options are concerned. */
enum option_command {
	FOR_MAC = 1 << 0,
	FOR_ADD = 1 << 1,
	FOR_EXEC = 1 << 2,
	FOR_LIST = 1 << 3,
	FOR_CHECK = 1 << 4,
	FOR_DEL = 1 << 5,
	FOR_PIN = 1 << 6,
	FOR_HELPER = 1 << 7,
	FOR_ATTACH = 1 << 8,
	FOR_TRACE = 1 << 9,
};

/* The options of all commands. It begins as all zeros but fd (-1). */
struct options {
	bool json, verbose;
	bool help, usage; /* is all that is wanted */
	char netns[256]; /* "": here */
	/* add, exec, bridge-helper */
	struct nic_options *nics;
	size_t nic_count;
	/* exec, bridge-helper */
	int fd; /* where the queues begin, or the socket; -1: not given */
	bool reuse, no_audit, use_vnet;
	struct privs_user user;
	char bridge[IFNAMSIZ]; /* attach: where to; "": where the record says */
	/* add, exec */
	bool dry_run;
	/* add */
	bool may_exist;
	/* list, del, mac */
	bool all, holders, tree, force, stale, if_exists, random;
	/* trace */
	unsigned seconds; /* 0: not given */
};

struct option_rule;

/* The rules of the options that @command has, one after the other: that after @after (NULL: the
 * first), or NULL. */
const struct option_rule *options_next(enum option_command command,
				       const struct option_rule *after);

/* popt's tables for one command. */
#define OPTION_ROWS 24
struct option_tables {
	struct poptOption top[OPTION_ROWS], device[OPTION_ROWS], port[OPTION_ROWS];
	struct poptOption general[OPTION_ROWS], help[OPTION_ROWS];
};

/* Fill in, from zeros, those of the options that @command has. They refer to each other: do not
 * move them. */
void options_fill(struct option_tables *tables, enum option_command command);

/*
 * Read all options of @context, whose table is options_fill()'s, and the NICs that they want:
 * @tail is exec's COMMAND, whose words may name the guest's address, else NULL. What an
 * unprivileged caller may not use is refused. 0 or -EINVAL, -EPERM or -ENOMEM. Free with
 * options_free().
 */
int options_read(struct options *options, poptContext context, enum option_command command,
		 char *const tail[]);
void options_free(struct options *options);
