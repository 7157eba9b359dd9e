// SPDX-License-Identifier: GPL-2.0-only
/* The files of strongSwan and BIRD, as far as the doctor reads them. */
#include <fnmatch.h>

#include "test.h"

#include "../doctor.h"
#include "../doctor_conf.h"
#include "fake_host.h"

static char seen[1024];

static void on_setting(const char *key, const char *value, void *arg)
{
	size_t len = strlen(seen);

	(void)arg;
	snprintf(seen + len, sizeof(seen) - len, "%s=%s;", key, value);
}

static void on_table(uint32_t table, void *arg)
{
	size_t len = strlen(seen);

	(void)arg;
	snprintf(seen + len, sizeof(seen) - len, "%u;", table);
}

static void expand(const char *pattern,
		   void (*cb)(const char *path, void *arg), void *arg)
{
	unsigned int i, n = fake.files;

	for (i = 0; i < n; i++)
		if (!fnmatch(pattern, fake.file[i].path, FNM_PATHNAME))
			cb(fake.file[i].path, arg);
}

static const struct doctor_ops ops = { .glob = expand };
static struct doctor doctor = { .host = &fake.host, .ops = &ops };

static const char *strongswan(const char *text)
{
	if (text)
		fake_file("/r/etc/strongswan.conf", text);
	seen[0] = '\0';
	assert_true(conf_strongswan(&doctor, "/r", "/etc/strongswan.conf",
				    on_setting, NULL));
	return seen;
}

static const char *bird(const char *text)
{
	if (text)
		fake_file("/r/etc/bird.conf", text);
	seen[0] = '\0';
	assert_true(conf_bird(&doctor, "/r", "/etc/bird.conf", on_table,
			      NULL));
	return seen;
}

static void strongswan_syntax(void **state)
{
	static const struct { const char *text, *want; } cases[] = {
		{ "", "" },
		{ "a = 1", "a=1;" },
		{ "a { b = yes }", "a.b=yes;" },
		{ "a {\n b {\n c = x y # comment\n }\n d = 2\n}\ne=3\n",
		  "a.b.c=x y;a.d=2;e=3;" },
		{ "a\n{\n b=1\n}\n", "a.b=1;" },
		{ "# a { b = 1 }\nc = \"# } \\\" {\"\n", "c=# } \" {;" },
		{ "a : other { b = 1 }", "a.b=1;" },
		{ "a =\nb = 1\n", "a=;b=1;" },
		{ "} } a = 1", "a=1;" },
		{ "a {", "" },
		{ "\"", "" },
		{ "= { = } include", "=;.=;" },
		{ "a { b = 1", "a.b=1;" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		fake_setup();
		assert_string_equal(strongswan(cases[i].text), cases[i].want);
	}
}

static void strongswan_includes_where_the_daemon_sees_them(void **state)
{
	(void)state;
	fake_setup();
	fake_file("/r/etc/strongswan.d/x.conf", "b = 2\n");
	fake_file("/r/etc/strongswan.d/y.conf", "c = 3\n");
	fake_file("/r/abs.conf", "d = 4\ninclude /abs.conf\n");
	fake_file("/etc/strongswan.d/z.conf", "wrong = 1\n");
	/* one that includes itself ends */
	assert_memory_equal(strongswan("a { include strongswan.d/*.conf\n }\ninclude /abs.conf\n"),
			    "a.b=2;a.c=3;d=4;", 16);
	assert_null(strstr(seen, "wrong"));
	assert_false(conf_strongswan(&doctor, "", "/none", on_setting, NULL));
}

static void bird_syntax(void **state)
{
	static const struct { const char *text, *want; } cases[] = {
		{ "", "" },
		{ "protocol kernel { }", "254;" },
		{ "protocol kernel { kernel table 220; }", "220;" },
		{ "protocol kernel k1 {\n ipv4 { export all; };\n kernel table 0xdc;\n}",
		  "220;" },
		{ "protocol kernel k1 from t { table x; kernel table 7; } protocol kernel { }",
		  "7;254;" },
		{ "define T = 220;\nprotocol kernel { kernel table T; }", "220;" },
		{ "define A = 5; define T = A;\nprotocol kernel { kernel table T; }",
		  "5;" },
		{ "# protocol kernel { }\n/* protocol kernel { } */", "" },
		{ "protocol bgp { description \"protocol kernel { }\"; }", "" },
		{ "protocol kernel { disabled; kernel table 220; }", "" },
		{ "protocol kernel { disabled no; kernel table 220; }", "220;" },
		{ "protocol device { } table kernel; protocol static { }", "" },
		{ "protocol kernel { kernel table", "254;" },
		{ "protocol kernel { /* open", "254;" },
		{ "protocol kernel { \"open", "254;" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		fake_setup();
		assert_string_equal(bird(cases[i].text), cases[i].want);
	}
}

static void bird_includes(void **state)
{
	(void)state;
	fake_setup();
	fake_file("/r/etc/b.d/x.conf", "protocol kernel { kernel table T; }");
	fake_file("/r/abs.conf", "protocol kernel { kernel table 9; }");
	assert_string_equal(bird("define T = 8;\ninclude \"b.d/*.conf\";\ninclude \"/abs.conf\";"),
			    "8;9;");
}

/* Long words and deep files are cut, and nothing is written beyond. */
static void long_input_is_cut(void **state)
{
	char text[10000], value[3000];
	unsigned int i;

	(void)state;
	fake_setup();
	memset(value, 'x', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	snprintf(text, sizeof(text), "%s = %s\ninclude %s\n", value, value,
		 value);
	strongswan(text);
	fake_setup();
	snprintf(text, sizeof(text),
		 "define %s = 7; include \"%s\"; protocol kernel %s { kernel table 3; }",
		 value, value, value);
	assert_string_equal(bird(text), "3;");
	fake_setup();
	text[0] = '\0';
	for (i = 0; i < 300; i++)
		strcat(text, "section {\n");
	strongswan(text);
	fake_setup();
	assert_string_equal(bird("include \"bird.conf\"; protocol kernel { }"),
			    "254;254;254;254;254;254;254;254;");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(strongswan_syntax),
		cmocka_unit_test(strongswan_includes_where_the_daemon_sees_them),
		cmocka_unit_test(bird_syntax),
		cmocka_unit_test(bird_includes),
		cmocka_unit_test(long_input_is_cut),
	};

	return SUITE(tests);
}
