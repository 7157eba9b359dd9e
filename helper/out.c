// SPDX-License-Identifier: GPL-2.0-only
#include "out.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define CELL 160

static bool out_colours(void)
{
	static int colours = -1;

	if (colours < 0)
		colours = isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
	return colours;
}

const char *out_short(uint64_t n, char *buf, size_t size)
{
	static const char units[] = "kMGTPE";
	double v = (double)n;
	int unit = -1;

	while (v >= 1000 && unit < 5) {
		v /= 1000;
		unit++;
	}
	if (unit < 0)
		snprintf(buf, size, "%" PRIu64, n);
	else
		snprintf(buf, size, v < 9.95 ? "%.1f%c" : "%.0f%c", v,
			 units[unit]);
	return buf;
}

const char *out_since(uint64_t ms, char *buf, size_t size)
{
	uint64_t s = ms / 1000;

	if (s < 60)
		snprintf(buf, size, "%" PRIu64 "s", s);
	else if (s < 3600)
		snprintf(buf, size, "%" PRIu64 "m%02us", s / 60,
			 (unsigned int)(s % 60));
	else if (s < 86400)
		snprintf(buf, size, "%" PRIu64 "h%02um", s / 3600,
			 (unsigned int)(s % 3600 / 60));
	else
		snprintf(buf, size, "%" PRIu64 "d%02uh", s / 86400,
			 (unsigned int)(s % 86400 / 3600));
	return buf;
}

/* Columns of the terminal, 0: it is none, and a row is a line. */
static int out_room(void)
{
	struct winsize size;

	if (!isatty(STDOUT_FILENO))
		return 0;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) || !size.ws_col)
		return 80;
	return size.ws_col;
}

static json_t *lookup(json_t *object, const char *key)
{
	const char *dot = strchr(key, '.');
	char first[40];

	if (!dot || (size_t)(dot - key) >= sizeof(first))
		return json_object_get(object, key);
	memcpy(first, key, (size_t)(dot - key));
	first[dot - key] = '\0';
	return lookup(json_object_get(object, first), dot + 1);
}

static void cell(json_t *value, enum out_format format, char buf[CELL])
{
	uint64_t n = (uint64_t)json_integer_value(value);
	char part[CELL];
	json_t *item;
	size_t i;

	strcpy(buf, "-");
	if (json_is_string(value) && json_string_length(value)) {
		snprintf(buf, CELL, "%s", json_string_value(value));
	} else if (json_is_boolean(value)) {
		strcpy(buf, json_is_true(value) ? "yes" : "no");
	} else if (json_is_integer(value)) {
		if (format == OUT_SINCE)
			out_since(n, buf, CELL);
		else if (format == OUT_COUNT || format == OUT_BYTES)
			out_short(n, buf, CELL);
		else
			snprintf(buf, CELL, "%" PRIu64, n);
	} else if (json_is_array(value) && json_array_size(value)) {
		buf[0] = '\0';
		json_array_foreach(value, i, item) {
			cell(item, format, part);
			if (i)
				strncat(buf, ",", CELL - strlen(buf) - 1);
			strncat(buf, part, CELL - strlen(buf) - 1);
		}
	}
}

static const char *colour_of(const char *text, enum out_format format)
{
	if (format != OUT_STATE || !out_colours())
		return NULL;
	if (!strcmp(text, "up") || !strcmp(text, "active") ||
	    !strcmp(text, "Established") || !strcmp(text, "following"))
		return "\033[32m";
	return !strcmp(text, "standby") ? "\033[33m" : "\033[31m";
}

static void put_cell(const char *text, int width, const struct out_column *c,
		     bool last)
{
	const char *colour = colour_of(text, c->format);
	int pad = width - (int)strlen(text);

	if (pad < 0)
		pad = 0;
	if (c->right)
		printf("%*s", pad, "");
	printf("%s%s%s", colour ? colour : "", text, colour ? "\033[0m" : "");
	if (!last)
		printf("%*s", (c->right ? 0 : pad) + 2, "");
}

#define COLUMNS 24

struct table {
	const struct out_column *columns;
	unsigned int n;
	int room; /* 0: as much as it takes */
	int width[COLUMNS];
};

/* The longest cell of a column that is shorter than "below", the title at least. */
static int next_width(json_t *rows, const struct out_column *c, int below)
{
	int width = (int)strlen(c->title);
	char text[CELL];
	json_t *row;
	size_t i;

	json_array_foreach(rows, i, row) {
		int len;

		cell(lookup(row, c->key), c->format, text);
		len = (int)strlen(text);
		if (len < below && len > width)
			width = len;
	}
	return width;
}

/* Makes the widest columns of text narrower until a row has room: the fewer rows
 * do not fit, the better.
 */
static void shrink(struct table *t, json_t *rows)
{
	int total = 0;
	unsigned int k;

	for (k = 0; k < t->n; k++)
		total += t->width[k] + (k ? 2 : 0);
	while (total > t->room) {
		int best = -1;

		for (k = 0; k + 1 < t->n; k++)
			if (!t->columns[k].right &&
			    t->width[k] > (int)strlen(t->columns[k].title) &&
			    (best < 0 || t->width[k] > t->width[best]))
				best = (int)k;
		if (best < 0)
			return;
		total -= t->width[best];
		t->width[best] = next_width(rows, &t->columns[best],
					    t->width[best]);
		total += t->width[best];
	}
}

/* What is wider than its column has a line of its own, as df(1) does it. */
static void put_row(const struct table *t, json_t *row)
{
	char text[CELL];
	unsigned int k;
	int at = 0;

	for (k = 0; k < t->n; k++) {
		const struct out_column *c = &t->columns[k];
		const struct out_column title = { .right = c->right };
		bool last = k == t->n - 1;
		int len, wide;

		if (row)
			cell(lookup(row, c->key), c->format, text);
		else
			snprintf(text, sizeof(text), "%s", c->title);
		len = (int)strlen(text);
		wide = !last && len > t->width[k];
		if (wide && at && at + len > t->room)
			printf("\n%*s", len < t->room ? t->room - len : 0, "");
		put_cell(text, t->width[k], row ? c : &title, last || wide);
		at += t->width[k] + 2;
		if (wide)
			printf("\n%*s", at, "");
	}
	putchar('\n');
}

void out_table(json_t *rows, const struct out_column *columns)
{
	struct table t = { .columns = columns, .room = out_room() };
	json_t *row;
	size_t i;

	for (; columns[t.n].title && t.n < COLUMNS; t.n++)
		t.width[t.n] = next_width(rows, &columns[t.n], CELL);
	if (t.room)
		shrink(&t, rows);
	put_row(&t, NULL);
	json_array_foreach(rows, i, row)
		put_row(&t, row);
}

void out_pairs(json_t *object, const char *const *keys, int width)
{
	char text[CELL];
	int i;

	for (i = 0; keys[i]; i++)
		if ((int)strlen(keys[i]) > width)
			width = (int)strlen(keys[i]);
	for (i = 0; keys[i]; i++) {
		const struct out_column c = {
			.format = !strcmp(keys[i], "state") ? OUT_STATE :
							      OUT_PLAIN,
		};

		cell(lookup(object, keys[i]), OUT_PLAIN, text);
		printf("%-*s  ", width, keys[i]);
		put_cell(text, 0, &c, true);
		putchar('\n');
	}
}

void out_json(json_t *value)
{
	json_dumpf(value, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(value);
}
