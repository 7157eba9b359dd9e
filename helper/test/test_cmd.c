// SPDX-License-Identifier: GPL-2.0-only
#include "test.h"

#include <unistd.h>

#include "../cmd.h"
#include "../suggest.h"

static int ran;
static char last[32];

static bool leaf(int argc, char **argv, struct err *e)
{
	ran++;
	snprintf(last, sizeof(last), "%s", argc ? argv[0] : "");
	if (!argc)
		return err_usage(e, "the name is missing");
	return strcmp(argv[0], "bad") ? true :
		err_set(e, EXIT_REFUSED, "it is bad");
}

static const struct command subs[] = {
	{ .name = "add", .run = leaf, .summary = "make one",
	  .synopsis = "NAME", .usage = "  addr ADDR   an address; none\n",
	  .examples = "  ovlyhelper thing add x\n" },
	{ .name = "list", .run = leaf, .exits = "0 some, 1 none" },
	{ 0 },
};

static const struct command thing = { .name = "thing", .sub = subs,
				      .summary = "things" };
static const struct command alone = { .name = "alone", .run = leaf };

static bool go(const struct command *command, const char *line, struct err *e)
{
	static char buf[128];
	char *argv[8] = { NULL };
	int argc = 0;
	char *word;

	memset(e, 0, sizeof(*e));
	ran = 0;
	snprintf(buf, sizeof(buf), "%s", line);
	for (word = strtok(buf, " "); word && argc < 8;
	     word = strtok(NULL, " "))
		argv[argc++] = word;
	return command_run(command, argc, argv, e);
}

/* What the call prints, read back. */
static void printed(const char *line, char *text, size_t size)
{
	int saved = dup(STDOUT_FILENO);
	FILE *temp = tmpfile();
	struct err e;
	bool ok;

	fflush(stdout);
	dup2(fileno(temp), STDOUT_FILENO);
	ok = go(&thing, line, &e);
	fflush(stdout);
	dup2(saved, STDOUT_FILENO);
	close(saved);
	rewind(temp);
	text[fread(text, 1, size - 1, temp)] = '\0';
	fclose(temp);
	assert_true(ok);
	assert_int_equal(ran, 0);
}

static void words_lead_to_the_command_and_are_taken(void **state)
{
	struct err e;

	(void)state;
	assert_true(go(&thing, "add hub1", &e));
	assert_int_equal(ran, 1);
	assert_string_equal(last, "hub1");
	assert_true(go(&alone, "hub2", &e));
	assert_string_equal(last, "hub2");
	/* a name like any other, where a name is due */
	assert_true(go(&thing, "add help", &e));
	assert_string_equal(last, "help");
}

static void errors_begin_with_the_command(void **state)
{
	struct err e;

	(void)state;
	assert_false(go(&thing, "add bad", &e));
	assert_string_equal(e.text, "thing add: it is bad");
	assert_int_equal(e.code, EXIT_REFUSED);
	assert_false(go(&thing, "add", &e));
	assert_string_equal(e.text,
		"thing add: the name is missing, see 'ovlyhelper thing add --help'");
	assert_int_equal(e.code, EXIT_USAGE);
}

static void unknown_commands_name_those_there_are(void **state)
{
	struct err e;

	(void)state;
	assert_false(go(&thing, "", &e));
	assert_string_equal(e.text, "thing what? One of add or list");
	assert_false(go(&thing, "lsit", &e));
	assert_string_equal(e.text,
		"there is no command 'thing lsit', did you mean 'thing list'?");
	assert_false(go(&thing, "frobnicate", &e));
	assert_string_equal(e.text,
		"there is no command 'thing frobnicate', give one of add or list");
	assert_int_equal(e.code, EXIT_USAGE);
	assert_int_equal(ran, 0);
}

static void help_is_found_anywhere_and_runs_nothing(void **state)
{
	static const char *const lines[] = { "add --help", "add x --help",
					     "add x addr -h" };
	char text[2048], first[2048];
	size_t i;

	(void)state;
	printed(lines[0], first, sizeof(first));
	for (i = 1; i < 3; i++) {
		printed(lines[i], text, sizeof(text));
		assert_string_equal(text, first);
	}
	assert_non_null(strstr(first, "usage: ovlyhelper thing add NAME\n"));
	assert_non_null(strstr(first, "\n  addr ADDR   an address; none\n"));
	assert_non_null(strstr(first, "\n  ovlyhelper thing add x\n"));
	assert_non_null(strstr(first, "\n  0 done, 1 refused or failed\n"));
	assert_non_null(strstr(first, "\nmanual: ovlyhelper-thing(8)\n"));
	printed("list --help", text, sizeof(text));
	assert_non_null(strstr(text, "\n  0 some, 1 none\n"));
	printed("help", text, sizeof(text));
	assert_non_null(strstr(text, "\ncommands:\n  add             make one\n"));
	printed("--help", first, sizeof(first));
	assert_string_equal(text, first);
}

static void near_words_are_suggested(void **state)
{
	static const struct {
		const char *given, *want;
	} cases[] = {
		{ "brige", "bridge" }, { "birdge", "bridge" },
		{ "bridges", "bridge" }, { "overlay", "secure-overlay" },
		{ "xyzzy", NULL }, { "b", NULL }, { "", NULL },
		{ "peer", "peers" },
		{ "a-word-that-is-longer-than-any-command-there-is", NULL },
	};
	static const char *const words[] = { "bridge", "secure-overlay",
					     "peers" };
	size_t i, k;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct suggest s = { .given = cases[i].given };

		for (k = 0; k < 3; k++)
			suggest_try(&s, words[k], strlen(words[k]));
		if (cases[i].want)
			assert_string_equal(s.best, cases[i].want);
		else
			assert_null(s.best);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_lead_to_the_command_and_are_taken),
		cmocka_unit_test(errors_begin_with_the_command),
		cmocka_unit_test(unknown_commands_name_those_there_are),
		cmocka_unit_test(help_is_found_anywhere_and_runs_nothing),
		cmocka_unit_test(near_words_are_suggested),
	};

	return SUITE(tests);
}
