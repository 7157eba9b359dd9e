/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a file that apply wrote has made: comment lines in swanctl's file, from
 * which the next apply knows what is there no more.  Pure.
 */
#ifndef OVLY_CONF_MANIFEST_H
#define OVLY_CONF_MANIFEST_H

#include <stddef.h>
#include <stdio.h>

#include "conf_model.h"

struct conf_made {
	char name[OVLY_NAME_MAX + 1];
	char dev[IFNAMSIZ];
	bool dual;
	char vrf[IFNAMSIZ];
	struct ovly_addrs addr; /* on the device */
};

struct conf_manifest {
	struct conf_made *made;
	unsigned int n;
};

void conf_manifest_write(FILE *out, const struct conf *conf);
/* A line that is not understood is left out. */
bool conf_manifest_read(const char *text, struct conf_manifest *manifest);
/* A connection's section in a file of ours, NULL if it has none. */
const char *conf_section(const char *text, const char *name, size_t *len);
/* Have both texts it, and the same? */
bool conf_same_section(const char *a, const char *b, const char *name);
void conf_manifest_free(struct conf_manifest *manifest);

#endif /* OVLY_CONF_MANIFEST_H */
