// SPDX-License-Identifier: GPL-2.0-only
/* A refusal becomes a sentence and an exit code. */
#include <errno.h>

#include "test.h"

#include "../nl.h"

static void permission_without_words_says_what_is_needed(void **state)
{
	const struct ovly_nl_error refusal = { .error = EPERM };
	struct err e;

	(void)state;
	assert_false(ovly_nl_err(&e, &refusal, "no %s", "peer"));
	assert_int_equal(e.code, EXIT_PERMISSION);
	assert_string_equal(e.text,
			    "no peer: CAP_NET_ADMIN is needed, run it as root");
}

static void permission_with_words_passes_them_on(void **state)
{
	const struct ovly_nl_error refusal = {
		.error = EPERM,
		.text = "the SAs are elsewhere",
	};
	struct err e;

	(void)state;
	assert_false(ovly_nl_err(&e, &refusal, "no path"));
	assert_int_equal(e.code, EXIT_PERMISSION);
	assert_string_equal(e.text, "no path: the SAs are elsewhere");
}

static void other_refusals_name_the_attribute(void **state)
{
	const struct ovly_nl_error refusal = { .error = ENOENT,
					       .attr = "peer.name" };
	struct err e;

	(void)state;
	assert_false(ovly_nl_err(&e, &refusal, "no path"));
	assert_int_equal(e.code, EXIT_REFUSED);
	assert_string_equal(e.text,
			    "no path: No such file or directory (peer.name)");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(permission_without_words_says_what_is_needed),
		cmocka_unit_test(permission_with_words_passes_them_on),
		cmocka_unit_test(other_refusals_name_the_attribute),
	};

	return SUITE(tests);
}
