// SPDX-License-Identifier: GPL-2.0-only
#include "suggest.h"

#include <stdbool.h>
#include <string.h>

/* Commands, options and keywords are shorter. */
#define WORD_MAX 40

static unsigned int min3(unsigned int a, unsigned int b, unsigned int c)
{
	if (b < a)
		a = b;
	return c < a ? c : a;
}

/* Letters to add, drop, change or swap with the next one. */
static unsigned int distance(const char *a, size_t n, const char *b, size_t m)
{
	unsigned int d[WORD_MAX + 1][WORD_MAX + 1];
	size_t i, k;

	for (i = 0; i <= n; i++)
		d[i][0] = (unsigned int)i;
	for (k = 0; k <= m; k++)
		d[0][k] = (unsigned int)k;
	for (i = 1; i <= n; i++) {
		for (k = 1; k <= m; k++) {
			bool same = a[i - 1] == b[k - 1];

			d[i][k] = min3(d[i - 1][k] + 1, d[i][k - 1] + 1,
				       d[i - 1][k - 1] + !same);
			if (!same && i > 1 && k > 1 && a[i - 1] == b[k - 2] &&
			    a[i - 2] == b[k - 1])
				d[i][k] = min3(d[i][k], d[i - 2][k - 2] + 1,
					       d[i][k]);
		}
	}
	return d[n][m];
}

void suggest_try(struct suggest *s, const char *candidate, size_t len)
{
	size_t n = strlen(s->given);
	unsigned int d;

	if (n < 2 || n > WORD_MAX || len > WORD_MAX)
		return;
	d = distance(s->given, n, candidate, len);
	/* a third of it may be wrong; "overlay" is near "secure-overlay" */
	if (d > (n + 1) / 3) {
		if (n < 4 || !memmem(candidate, len, s->given, n))
			return;
		d = WORD_MAX;
	}
	if (s->best && d >= s->distance)
		return;
	s->best = candidate;
	s->distance = d;
}
