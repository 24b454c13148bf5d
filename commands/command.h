/* SPDX-License-Identifier: MIT */
/*
 * What a command is: each has a file of its own, with its row for the table in tapctl.c.
 */
#pragma once

#include <stdbool.h>

#include "commands/options.h"
#include "netlink.h"

/* One run: the command line, taken apart. */
struct run {
	struct options options;
	const char **words; /* what is not an option; ends with NULL */
	char **command; /* after the --; NULL when there is none */
	struct nl *nl; /* for a command that wants one */
};

enum {
	EXIT_USAGE = 2,
	/* of exec, as env(1) has them */
	EXIT_EXEC_FAILED = 125,
	EXIT_CANNOT_RUN = 126,
	EXIT_NOT_FOUND = 127,
};

struct command {
	const char *name, *words, *summary;
	const char *notes; /* what its --help ends with, or NULL */
	enum option_command options;
	int min_words, max_words; /* -1: any number */
	bool hidden; /* for programs: not in --help */
	bool wants_netlink;
	bool takes_command;
	bool unprivileged; /* safe for every caller, or asks the access file */
	int failure, misuse; /* the exit status of a failure and of a wrong command line */
	/* The exit status, or a negative errno with a line of error; such a line is printed. */
	int (*run)(struct run *run);
};

/* All of them, in the order of --help. */
extern const struct command *const command_table[];
extern const size_t command_count;

/* That of one name, or NULL. */
const struct command *command_find(const char *name);

extern const struct command command_mac, command_add, command_exec, command_list, command_check,
	command_trace, command_del, command_attach, command_pin, command_bridgehelper,
	command_complete;

/* Whether standard output is a terminal, and its user has nothing against colours (NO_COLOR). */
bool command_wants_colour(void);

/* Look up the bridge that a command is about. 0 or a negative errno with a line of error. */
int command_find_bridge(struct nl *nl, const char *name, struct link *bridge);

/*
 * Close standard output: a full disk or a closed pipe is a failure, and some file systems tell only
 * then. Call it last, while everything can still be unmade. 0 or -EIO with a line of error.
 */
int command_flush_output(void);
