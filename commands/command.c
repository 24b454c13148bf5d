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

int command_find_bridge(struct nl *nl, const char *name, struct link *bridge)
{
	int err = nl_link_get(nl, name, 0, bridge);

	if (err == -ENODEV)
		return report_failure("no-such-bridge", err,
				      "%s: there is no such bridge in this network namespace",
				      name);
	if (err)
		return report_error(err, "%s: cannot look it up: %s", name, nl_strerror(err));
	if (bridge->kind != LINK_BRIDGE)
		return report_failure("not-a-bridge", -EOPNOTSUPP, "%s: is not a bridge but a %s",
				      name, link_kind_word(bridge));
	return 0;
}

int command_flush_output(void)
{
	if (fflush(stdout) == 0 && !ferror(stdout) && close(STDOUT_FILENO) == 0)
		return 0;
	return report_failure("cannot-write", -EIO, "standard output: cannot write to it: %s",
			      strerror(errno));
}
