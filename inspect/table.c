/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "inspect/table.h"
#include "lib/array.h"
#include "lib/json.h"

struct table_row {
	char *cells[TABLE_COLUMNS];
	enum colour colour;
};

const char *colour_begin(enum colour colour)
{
	static const char *const codes[] = {
		[COLOUR_NONE] = "",
		[COLOUR_GOOD] = "\033[32m",
		[COLOUR_PENDING] = "\033[33m",
		[COLOUR_BAD] = "\033[31m",
	};

	return codes[colour];
}

const char *colour_end(enum colour colour)
{
	return colour == COLOUR_NONE ? "" : "\033[0m";
}

/* As it is printed. */
static char *plain_copy(const char *text)
{
	char *copy = NULL;
	size_t size;
	FILE *out = open_memstream(&copy, &size);

	if (!out)
		return NULL;
	plain_string(out, text);
	return fclose(out) == 0 ? copy : NULL;
}

static void free_row(const struct table_row *row)
{
	for (size_t i = 0; i < TABLE_COLUMNS; i++)
		free(row->cells[i]);
}

void table_add(struct table *table, const char *const cells[], enum colour colour)
{
	struct table_row *rows = array_grow(table->rows, table->count, sizeof(*rows));
	struct table_row row = { .colour = colour };
	bool whole = rows;

	if (rows)
		table->rows = rows;
	for (size_t i = 0; table->columns[i].title && whole; i++) {
		row.cells[i] = plain_copy(cells[i]);
		whole = row.cells[i];
	}
	if (whole) {
		rows[table->count++] = row;
	} else {
		free_row(&row);
		table->err = -ENOMEM;
	}
}

/* In signs, not in bytes. */
static int width_of(const char *text)
{
	int width = 0;

	for (; *text; text++)
		width += (*text & 0xc0) != 0x80;
	return width;
}

/* 0: it is not shown. */
static int column_width(const struct table *table, size_t column)
{
	const char *usual = table->columns[column].usual;
	int width = width_of(table->columns[column].title), widest = width;
	bool shown = !usual;

	for (size_t i = 0; i < table->count; i++) {
		const char *cell = table->rows[i].cells[column];

		shown |= usual && strcmp(cell, usual) != 0;
		width = width_of(cell);
		widest = width > widest ? width : widest;
	}
	return shown ? widest : 0;
}

static void print_cell(FILE *out, const char *cell, int width, enum colour colour)
{
	const char *text = *cell ? cell : "-";

	fprintf(out, "%s%s%s", colour_begin(colour), text, colour_end(colour));
	if (width)
		fprintf(out, "%*s", width - width_of(text) + 2, "");
}

/* @row -1: the titles. */
static void print_row(const struct table *table, FILE *out, const int widths[], int last,
		      const struct table_row *row, bool colour)
{
	for (int i = 0; i <= last; i++) {
		bool coloured = colour && row && i == table->coloured;

		if (widths[i])
			print_cell(out, row ? row->cells[i] : table->columns[i].title,
				   i == last ? 0 : widths[i], coloured ? row->colour : COLOUR_NONE);
	}
	putc('\n', out);
}

static int compare_rows(const void *a, const void *b)
{
	const struct table_row *left = a, *right = b;

	return strcmp(left->cells[0], right->cells[0]);
}

void table_print(struct table *table, FILE *out, bool colour)
{
	int widths[TABLE_COLUMNS] = { 0 }, last = 0;

	for (int i = 0; table->columns[i].title; i++) {
		widths[i] = column_width(table, (size_t)i);
		last = widths[i] ? i : last;
	}
	if (table->count)
		qsort(table->rows, table->count, sizeof(*table->rows), compare_rows);
	print_row(table, out, widths, last, NULL, colour);
	for (size_t i = 0; i < table->count; i++) {
		print_row(table, out, widths, last, &table->rows[i], colour);
		free_row(&table->rows[i]);
	}
	free(table->rows);
	table->rows = NULL;
	table->count = 0;
}
