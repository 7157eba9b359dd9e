// SPDX-License-Identifier: GPL-2.0-only
#include "conf_diag.h"

#include <stdarg.h>
#include <stdlib.h>

static void add(struct conf_diags *diags, struct conf_pos at, bool warning,
		const char *fmt, va_list ap)
{
	struct conf_diag *d;

	diags->errors += !warning;
	if (diags->n == CONF_DIAGS_MAX) {
		diags->left_out++;
		return;
	}
	d = &diags->d[diags->n++];
	d->at = at;
	d->warning = warning;
	vsnprintf(d->text, sizeof(d->text), fmt, ap);
}

bool conf_error(struct conf_diags *diags, struct conf_pos at, const char *fmt,
		...)
{
	va_list ap;

	va_start(ap, fmt);
	add(diags, at, false, fmt, ap);
	va_end(ap);
	return false;
}

void conf_warn(struct conf_diags *diags, struct conf_pos at, const char *fmt,
	       ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(diags, at, true, fmt, ap);
	va_end(ap);
}

static int by_position(const void *a, const void *b)
{
	const struct conf_diag *x = a, *y = b;

	if (x->at.line != y->at.line)
		return x->at.line < y->at.line ? -1 : 1;
	return x->at.col < y->at.col ? -1 : x->at.col > y->at.col;
}

void conf_diags_print(FILE *out, const char *file, struct conf_diags *diags)
{
	unsigned int i;

	qsort(diags->d, diags->n, sizeof(diags->d[0]), by_position);
	for (i = 0; i < diags->n; i++) {
		const struct conf_diag *d = &diags->d[i];

		if (d->at.line)
			fprintf(out, "%s:%u:%u: %s%s\n", file, d->at.line,
				d->at.col, d->warning ? "warning: " : "",
				d->text);
		else
			fprintf(out, "%s: %s%s\n", file,
				d->warning ? "warning: " : "", d->text);
	}
	if (diags->left_out)
		fprintf(out, "%s: and %u more\n", file, diags->left_out);
}
