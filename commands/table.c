/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "commands/command.h"

const struct command *const command_table[] = {
	&command_mac,	&command_add,	       &command_exec,	  &command_list,
	&command_check, &command_trace,	       &command_del,	  &command_attach,
	&command_pin,	&command_bridgehelper, &command_complete,
};

const size_t command_count = sizeof(command_table) / sizeof(*command_table);

const struct command *command_find(const char *name)
{
	for (size_t i = 0; i < command_count; i++)
		if (strcmp(command_table[i]->name, name) == 0)
			return command_table[i];
	return NULL;
}
