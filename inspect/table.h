/* SPDX-License-Identifier: MIT */
/*
 * A table for people: columns as wide as their content, and none for what is as usual everywhere.
 *
 * Cells may hold any bytes: what a terminal would act on is not printed.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#define TABLE_COLUMNS 8

enum colour { COLOUR_NONE, COLOUR_GOOD, COLOUR_PENDING, COLOUR_BAD };

/* A column: it is not shown where all its cells are @usual (NULL: it always is). */
struct table_column {
	const char *title, *usual;
};

/* With all zeros after @coloured it is a table without rows. */
struct table {
	const struct table_column *columns; /* ends with one without a title */
	int coloured; /* the column whose cells are, where a row has a colour */
	struct table_row *rows;
	size_t count;
	int err; /* -ENOMEM: a row is missing */
};

/* Add a row: a cell for each column; "" is shown as `-`. */
void table_add(struct table *table, const char *const cells[], enum colour colour);

/* Print it, sorted by the first column, with @colour or without, and free its rows. */
void table_print(struct table *table, FILE *out, bool colour);

/* How a colour begins and ends on a terminal; "" for none. */
const char *colour_begin(enum colour colour);
const char *colour_end(enum colour colour);
