/* SPDX-License-Identifier: GPL-2.0-only */
/* The files that apply writes: compared, staged beside, renamed into place. */
#ifndef OVLY_APPLY_FILES_H
#define OVLY_APPLY_FILES_H

#include <stdio.h>

#include "err.h"

struct apply_file {
	const char *path; /* NULL: there is no such file here */
	bool secret; /* mode 0600, and never shown */
	char *want; /* NULL: to be left as it is */
	char *have; /* NULL: it does not exist */
	bool changed;
	char *staged; /* path of the new text, until it is renamed */
};

/* Takes the wanted text over, and reads what is there.  Somebody else's file is
 * refused unless forced.
 */
bool apply_file_load(struct apply_file *f, char *want, bool force,
		     struct err *e);
/* Writes the text beside the file. */
bool apply_file_stage(struct apply_file *f, struct err *e);
/* Renames it into place; somebody else's old file is kept. */
bool apply_file_commit(struct apply_file *f, struct err *e);
/* Prints what would change, secrets hidden. */
void apply_file_diff(const struct apply_file *f);
/* Drops what was staged and not renamed, and frees. */
void apply_file_free(struct apply_file *f);

/* A whole file of at most "max" bytes; NULL with an error, or without one (and
 * errno ENOENT) if it does not exist.
 */
char *apply_slurp(const char *path, size_t max, size_t *len, struct err *e);

#endif /* OVLY_APPLY_FILES_H */
