/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One problem, told once: what went wrong, which item, and the way out.
 *
 * Functions that can fail take a struct err, fill it and return false (or
 * NULL); whoever owns the command prints it.  The code becomes the exit code.
 */
#ifndef OVLY_ERR_H
#define OVLY_ERR_H

#include <stdbool.h>

/* exit codes, documented in ovlyhelper(8) */
enum {
	EXIT_OK,
	EXIT_REFUSED, /* the kernel refused, or something failed at run time */
	EXIT_USAGE, /* an argument or a PLUTO_* variable is not understood */
	EXIT_UNAVAILABLE, /* the module is not loaded, a daemon cannot be reached */
	EXIT_PERMISSION, /* CAP_NET_ADMIN is missing */
};

struct err {
	int code;
	char text[768];
	bool see_help; /* the way out is the command's --help */
	int verdict; /* exit code of a bad answer to a good question */
};

/* always false, so that "return err_set(...)" reads well */
bool err_set(struct err *e, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* EXIT_USAGE, and whoever prints it points to --help */
bool err_usage(struct err *e, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* puts "prefix: " before what is there already; always false */
bool err_prefix(struct err *e, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif /* OVLY_ERR_H */
