/* SPDX-License-Identifier: GPL-2.0-only */
/* What every test program includes: cmocka wants these first, in this order. */
#ifndef OVLY_TEST_H
#define OVLY_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../parse.h"

/* the program's name is the suite's */
#define SUITE(tests) cmocka_run_group_tests_name(__FILE__, tests, NULL, NULL)

static inline struct ovly_addr test_addr(const char *s)
{
	struct ovly_addr a = { 0 };
	struct err e;

	if (s[0] && !parse_addr(s, &a, &e))
		fail_msg("%s", e.text);
	return a;
}

static inline struct ovly_prefix test_prefix(const char *s)
{
	struct ovly_prefix p = { 0 };
	struct err e;

	if (!parse_net(s, &p, &e))
		fail_msg("%s", e.text);
	return p;
}

static inline void assert_addr(const struct ovly_addr *a, const char *want)
{
	char buf[ADDR_STRLEN];

	assert_string_equal(addr_str(a, buf), want);
}

/* A refusal names the item. */
static inline void assert_names(const struct err *e, const char *item)
{
	if (!strstr(e->text, item))
		fail_msg("'%s' does not name '%s'", e->text, item);
}

#endif /* OVLY_TEST_H */
