// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whole files: each test/conf/NAME.conf has to give what NAME.expect says.
 * OVLY_GOLDEN=write writes the latter anew, for people to read the difference.
 */
#include "test.h"

#include "conf_gen.h"
#include "conf_parse.h"

static char *slurp(const char *path)
{
	char *text = NULL;
	size_t size = 0;
	ssize_t n = -1;
	FILE *f = fopen(path, "r");

	if (f) {
		n = getdelim(&text, &size, '\0', f);
		fclose(f);
	}
	if (n < 0) {
		free(text);
		return NULL;
	}
	return text;
}

/* What the system would say of the devices. */
static void resolve(struct conf *conf)
{
	unsigned int i, k;

	for (i = 0; i < conf->overlays; i++) {
		for (k = 0; k < CONF_WANS; k++) {
			struct conf_wan *wan = &conf->overlay[i].wan[k];

			if (!strcmp(wan->bridge, "wan-br"))
				wan->local = test_addr("10.88.247.89");
			if (!strcmp(wan->bridge, "wan2-br"))
				wan->local = test_addr("198.51.100.2");
		}
	}
}

static void bird(FILE *out, const struct conf *conf, struct conf_gen *gen,
		 unsigned int major, int family, const char *title)
{
	struct err e;

	gen->bird = major;
	fprintf(out, "==> %s\n", title);
	if (!conf_gen_bird(out, conf, gen, family, &e))
		fprintf(out, "refused: %s\n", e.text);
}

static char *generate(const char *name, const char *text)
{
	struct conf_gen gen = { .source = "/etc/ovly/ovly.conf",
				.command = "/usr/sbin/ovlyhelper" };
	struct conf_diags diags;
	struct conf conf;
	char *got = NULL;
	size_t size;
	FILE *out;

	out = open_memstream(&got, &size);
	assert_non_null(out);
	assert_true(conf_read(text, strlen(text), &conf, &diags));
	resolve(&conf);
	fputs("==> messages\n", out);
	conf_diags_print(out, name, &diags);
	fputs("==> strongswan.conf\n", out);
	conf_gen_strongswan(out, &conf, &gen);
	fputs("==> swanctl\n", out);
	conf_gen_swanctl(out, &conf, &gen);
	fputs("==> secrets\n", out);
	conf_gen_secrets(out, &conf, &gen);
	bird(out, &conf, &gen, 1, AF_INET, "bird 1.6");
	bird(out, &conf, &gen, 1, AF_INET6, "bird6 1.6");
	bird(out, &conf, &gen, 2, 0, "bird 2 and 3");
	gen.hide_secrets = true;
	fputs("==> secrets, for people\n", out);
	conf_gen_secrets(out, &conf, &gen);
	fclose(out);
	conf_free(&conf);
	return got;
}

static void golden(void **state)
{
	const char *name = *state;
	const char *mode = getenv("OVLY_GOLDEN");
	char path[100];
	char *text, *want, *got;
	FILE *f;

	snprintf(path, sizeof(path), "test/conf/%s.conf", name);
	text = slurp(path);
	assert_non_null(text);
	got = generate(name, text);
	snprintf(path, sizeof(path), "test/conf/%s.expect", name);
	if (mode && !strcmp(mode, "write")) {
		f = fopen(path, "w");
		assert_non_null(f);
		fputs(got, f);
		fclose(f);
	}
	want = slurp(path);
	assert_non_null(want);
	assert_string_equal(got, want);
	free(text);
	free(want);
	free(got);
}

static void secrets_are_hidden_from_people(void **state)
{
	char *text = slurp("test/conf/several.conf");
	struct conf_gen gen = { .source = "x", .command = "y", .bird = 2,
				.hide_secrets = true };
	struct conf_diags diags;
	struct conf conf;
	char *got = NULL;
	struct err e;
	size_t size;
	FILE *out = open_memstream(&got, &size);

	(void)state;
	assert_true(conf_read(text, strlen(text), &conf, &diags));
	conf_gen_swanctl(out, &conf, &gen);
	conf_gen_secrets(out, &conf, &gen);
	conf_gen_bird(out, &conf, &gen, 0, &e);
	fclose(out);
	assert_null(strstr(got, "first\""));
	assert_null(strstr(got, "second"));
	assert_null(strstr(got, "\"secret\""));
	assert_null(strstr(got, "bgp-secret"));
	assert_non_null(strstr(got, CONF_PLACEHOLDER));
	free(got);
	free(text);
	conf_free(&conf);
}

#define GOLDEN(n) { .name = n, .test_func = golden, .initial_state = n }

int main(void)
{
	const struct CMUnitTest tests[] = {
		GOLDEN("reference"),
		GOLDEN("dual"),
		GOLDEN("learned"),
		GOLDEN("ipv6"),
		GOLDEN("several"),
		GOLDEN("headend"),
		GOLDEN("headend-any"),
		GOLDEN("headend-mixed"),
		GOLDEN("backup"),
		cmocka_unit_test(secrets_are_hidden_from_people),
	};

	return SUITE(tests);
}
