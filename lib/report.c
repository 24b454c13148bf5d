/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stdio.h>

#include "lib/report.h"

static char error_line[512];
static report_fn *listener;

int report_error(int err, const char *fmt, ...)
{
	va_list ap;

	if (error_line[0])
		return err;
	va_start(ap, fmt);
	vsnprintf(error_line, sizeof(error_line), fmt, ap);
	va_end(ap);
	return err;
}

const char *report_line(void)
{
	return error_line;
}

void report_forget(void)
{
	error_line[0] = '\0';
}

void report_to(report_fn *tell)
{
	listener = tell;
}

void report_tell(enum report_kind kind, const char *fmt, ...)
{
	char line[512];
	va_list ap;

	if (!listener)
		return;
	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	listener(kind, line);
}
