/* SPDX-License-Identifier: MIT */
/*
 * What the unit tests share: TAP.
 */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

static unsigned number, failures;

/* One test: whether it passed, and what it says. */
__attribute__((format(printf, 2, 3))) static void ok(bool passed, const char *what, ...)
{
	va_list ap;

	printf("%sok %u ", passed ? "" : "not ", ++number);
	va_start(ap, what);
	vprintf(what, ap);
	va_end(ap);
	putchar('\n');
	failures += !passed;
}

/* The end of main: the plan, and the exit status. */
static int finish(void)
{
	printf("1..%u\n", number);
	return failures != 0;
}
