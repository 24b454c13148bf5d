/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stdio.h>

#include "lib/report.h"

int report_error(struct report *r, int err, const char *fmt, ...)
{
	va_list ap;

	if (r->error[0])
		return err;
	va_start(ap, fmt);
	vsnprintf(r->error, sizeof(r->error), fmt, ap);
	va_end(ap);
	return err;
}

void report_tell(const struct report *r, enum report_kind kind, const char *fmt, ...)
{
	char line[512];
	va_list ap;

	if (!r->tell)
		return;
	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	r->tell(kind, line);
}
