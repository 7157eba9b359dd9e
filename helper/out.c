// SPDX-License-Identifier: GPL-2.0-only
#include "out.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

	if (c->right)
		printf("%*s", pad, "");
	printf("%s%s%s", colour ? colour : "", text, colour ? "\033[0m" : "");
	if (!last)
		printf("%*s", (c->right ? 0 : pad) + 2, "");
}

void out_table(json_t *rows, const struct out_column *columns)
{
	int width[24] = { 0 };
	char text[CELL];
	unsigned int n;
	unsigned int k;
	json_t *row;
	size_t i;

	for (n = 0; columns[n].title && n < 24; n++)
		width[n] = (int)strlen(columns[n].title);
	json_array_foreach(rows, i, row) {
		for (k = 0; k < n; k++) {
			cell(lookup(row, columns[k].key), columns[k].format,
			     text);
			if ((int)strlen(text) > width[k])
				width[k] = (int)strlen(text);
		}
	}
	for (k = 0; k < n; k++) {
		const struct out_column title = { .right = columns[k].right };

		put_cell(columns[k].title, width[k], &title, k == n - 1);
	}
	putchar('\n');
	json_array_foreach(rows, i, row) {
		for (k = 0; k < n; k++) {
			cell(lookup(row, columns[k].key), columns[k].format,
			     text);
			put_cell(text, width[k], &columns[k], k == n - 1);
		}
		putchar('\n');
	}
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
