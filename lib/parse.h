/* SPDX-License-Identifier: MIT */
/*
 * What single words of the command line and of files may be: numbers and device names.
 *
 * Pure.
 */
#pragma once

#include <stdbool.h>

/* A decimal number of @min to @max, nothing before it and nothing behind. */
bool parse_number(unsigned long *number, const char *text, unsigned long min, unsigned long max);

/* A name that the kernel takes for a device; with @pattern it may hold one %d. NULL or what is
 * wrong. */
const char *parse_name_fault(const char *name, bool pattern);
