/* SPDX-License-Identifier: GPL-2.0-only */
/* The module's objects as OpenMetrics text.  No netlink. */
#ifndef OVLY_METRICS_H
#define OVLY_METRICS_H

#include <stdio.h>

#include "model.h"

struct metrics_list {
	const struct ovly_msg *msg;
	unsigned int n;
};

struct metrics_in {
	struct metrics_list dev, peer, path;
	const char *module; /* its version, NULL: unknown */
	uint64_t now; /* milliseconds since 1970, when the module was asked */
};

void metrics_write(FILE *out, const struct metrics_in *in);
/* A label's value: quoted and escaped, and UTF-8 in any case. */
void metrics_label(FILE *out, const char *value);

#endif /* OVLY_METRICS_H */
