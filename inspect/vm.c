/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>

#include "inspect/vm.h"
#include "vmm/args.h"

bool vm_name(char name[static VM_NAME], const struct holder *holder)
{
	char **words = holder_argv(holder);
	struct args *args = words ? args_read(words) : NULL;
	const char *own = args ? args_vm_name(args) : NULL;
	bool named = own && *own;

	if (named)
		snprintf(name, VM_NAME, "%s", own);
	args_free(args);
	free(words);
	return named;
}
