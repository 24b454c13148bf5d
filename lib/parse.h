/* SPDX-License-Identifier: MIT */
/*
 * Single words of the command line and of files: numbers and device names.
 *
 * Pure.
 */
#pragma once

#include <stdbool.h>

/* A decimal number from @min to @max, and nothing else in @text. */
bool parse_number(unsigned long *number, const char *text, unsigned long min, unsigned long max);

/* NULL when the kernel takes @name for a device (@pattern: it may contain one %d), or what is
 * wrong with it. */
const char *parse_name_fault(const char *name, bool pattern);
