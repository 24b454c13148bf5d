/* SPDX-License-Identifier: MIT */
/*
 * What a process is called that has a device open: a person knows a VM by its own name.
 */
#pragma once

#include <stdbool.h>

#include "kernel/holders.h"

#define VM_NAME 64

/*
 * The name of the VM that @holder is, by the words that it was started with: any bytes, cut where
 * they are longer. False: it has none, or may not be looked into.
 */
bool vm_name(char name[static VM_NAME], const struct holder *holder);
