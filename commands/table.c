/* SPDX-License-Identifier: MIT */
#include "commands/command.h"

const struct command *const command_table[] = {
	&command_mac,	&command_add,	       &command_exec,	  &command_list,
	&command_check, &command_trace,	       &command_del,	  &command_attach,
	&command_pin,	&command_bridgehelper, &command_complete,
};

const size_t command_count = sizeof(command_table) / sizeof(*command_table);
