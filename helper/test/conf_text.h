/* SPDX-License-Identifier: GPL-2.0-only */
/* Texts of ovly.conf, and what has to be said of them. */
#ifndef OVLY_TEST_CONF_TEXT_H
#define OVLY_TEST_CONF_TEXT_H

#include "test.h"

#include "conf_parse.h"

#define GOOD                                             \
	"secure-overlay a\n"                             \
	" local-bridge wan-br\n"                         \
	" local-system-ip-addr 10.0.0.1\n"               \
	" remote-interface-ip-addr 192.0.2.1\n"          \
	" remote-system-ip-addr 10.0.1.1\n"              \
	" psk local-psk k remote-psk k\n"
#define GOOD_HUB                                         \
	"secure-overlay h\n role head-end\n"             \
	" local-system-ip-addr 10.0.0.1\n"               \
	" remote-interface-ip-addr 192.0.2.9\n"          \
	" remote-system-ip-addr 10.0.1.9\n"              \
	" psk local-psk k remote-psk k\n"

static inline char *messages(const char *text, size_t len, struct conf *conf)
{
	struct conf_diags diags;
	char *got = NULL;
	size_t size;
	FILE *out = open_memstream(&got, &size);

	assert_non_null(out);
	conf_read(text, len, conf, &diags);
	conf_diags_print(out, "f", &diags);
	fclose(out);
	return got;
}

/* The text is refused with a line that has this. */
static inline void refused(const char *text, const char *want)
{
	struct conf conf;
	char *got = messages(text, strlen(text), &conf);

	if (!strstr(got, want))
		fail_msg("expected '%s' in:\n%s", want, got);
	free(got);
	conf_free(&conf);
}

static inline void accepted(const char *text, struct conf *conf)
{
	char *got = messages(text, strlen(text), conf);

	assert_string_equal(got, "");
	free(got);
}

#endif /* OVLY_TEST_CONF_TEXT_H */
