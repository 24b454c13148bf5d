/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "commands/command.h"
#include "lib/report.h"

int command_flush_output(void)
{
	if (fflush(stdout) == 0 && !ferror(stdout) && close(STDOUT_FILENO) == 0)
		return 0;
	return report_error(-EIO, "standard output: cannot write to it: %s", strerror(errno));
}
