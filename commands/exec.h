/* SPDX-License-Identifier: MIT */
/*
 * exec as a whole: from the options to COMMAND with its file descriptors, its environment and no
 * more privilege than it is to have.
 */
#pragma once

#include "commands/options.h"
#include "lib/report.h"

/*
 * A device or socket that got the number of a closed standard stream would be sent what is printed
 * there. Take the place of each, until the exec; writing to it fails as before. 0 or a negative
 * errno.
 */
int fds_keep_streams(void);

/* Why there is no COMMAND; the line of error is kept, and nothing is left behind. */
enum exec_end {
	EXEC_FAILED, /* before it came to that */
	EXEC_CANNOT_RUN,
	EXEC_NOT_FOUND,
};

/* Make the devices and become COMMAND. Returns only when that failed. */
enum exec_end exec_run(const struct options *options, char *const command[]);
