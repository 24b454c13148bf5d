/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands/command.h"
#include "lib/report.h"

bool command_wants_colour(void)
{
	const char *none = getenv("NO_COLOR"), *terminal = getenv("TERM");

	return isatty(STDOUT_FILENO) && !(none && *none) && terminal &&
	       strcmp(terminal, "dumb") != 0;
}

int command_flush_output(void)
{
	if (fflush(stdout) == 0 && !ferror(stdout) && close(STDOUT_FILENO) == 0)
		return 0;
	return report_failure("cannot-write", -EIO, "standard output: cannot write to it: %s",
			      strerror(errno));
}
