/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Answers for people and for programs.  A view is built once, as JSON with
 * stable keys; a table is a choice of its keys with titles.
 */
#ifndef OVLY_OUT_H
#define OVLY_OUT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

enum out_format {
	OUT_PLAIN,
	OUT_STATE, /* up, active green; down red */
	OUT_COUNT, /* 1234567 as 1.2M */
	OUT_BYTES, /* as 1.2M */
	OUT_SINCE, /* milliseconds as 3d04h */
};

struct out_column {
	const char *key; /* "stats.rx-bytes" looks inside */
	const char *title; /* NULL ends the list */
	enum out_format format;
	bool right;
};

/* Rows are an array of objects; an absent key shows as "-". */
void out_table(json_t *rows, const struct out_column *columns);
/* One object as "key value" lines, keys aligned, to "width" at least. */
void out_pairs(json_t *object, const char *const *keys, int width);
/* Prints and drops the reference. */
void out_json(json_t *value);
/* Words from column "at" on, up to 80; what does not fit goes below. */
void out_words(const char *text, int at);
const char *out_since(uint64_t ms, char *buf, size_t size);
const char *out_short(uint64_t n, char *buf, size_t size);

#endif /* OVLY_OUT_H */
