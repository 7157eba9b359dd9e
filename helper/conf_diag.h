/* SPDX-License-Identifier: GPL-2.0-only */
/* What is wrong with a configuration file, where, and what was expected. */
#ifndef OVLY_CONF_DIAG_H
#define OVLY_CONF_DIAG_H

#include <stdbool.h>
#include <stdio.h>

#define CONF_DIAGS_MAX 20

/* Counted from 1; line 0 is "nowhere", an item that was not given. */
struct conf_pos {
	unsigned int line;
	unsigned int col;
};

struct conf_diag {
	struct conf_pos at;
	bool warning;
	char text[320];
};

struct conf_diags {
	unsigned int n;
	unsigned int errors; /* also those that found no room */
	unsigned int left_out;
	struct conf_diag d[CONF_DIAGS_MAX];
};

/* always false, so that "return conf_error(...)" reads well */
bool conf_error(struct conf_diags *diags, struct conf_pos at, const char *fmt,
		...) __attribute__((format(printf, 3, 4)));
void conf_warn(struct conf_diags *diags, struct conf_pos at, const char *fmt,
	       ...) __attribute__((format(printf, 3, 4)));
/* One line each, in the order of the file: "FILE:LINE:COLUMN: text". */
void conf_diags_print(FILE *out, const char *file, struct conf_diags *diags);

#endif /* OVLY_CONF_DIAG_H */
