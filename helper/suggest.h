/* SPDX-License-Identifier: GPL-2.0-only */
/* "did you mean": the word of a list that is nearest to one that is not in it. */
#ifndef OVLY_SUGGEST_H
#define OVLY_SUGGEST_H

#include <stddef.h>

struct suggest {
	const char *given;
	const char *best; /* NULL: none is near */
	unsigned int distance; /* of the best */
};

/* Looks at one more candidate, which stays the caller's. */
void suggest_try(struct suggest *s, const char *candidate, size_t len);

#endif /* OVLY_SUGGEST_H */
