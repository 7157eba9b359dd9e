// SPDX-License-Identifier: GPL-2.0-only
#include "cmd.h"

#include <stdio.h>
#include <string.h>

#include "suggest.h"

#define PATH_LEN 48

static bool is_help(const char *word)
{
	return !strcmp(word, "--help") || !strcmp(word, "-h");
}

static bool unknown(const struct command *group, const char *path,
		    const char *given, struct err *e)
{
	struct suggest s = { .given = given };
	const struct command *c;
	char list[160] = "";

	for (c = group->sub; c->name; c++) {
		suggest_try(&s, c->name, strlen(c->name));
		if (list[0])
			strncat(list, c[1].name ? ", " : " or ",
				sizeof(list) - strlen(list) - 1);
		strncat(list, c->name, sizeof(list) - strlen(list) - 1);
	}
	if (!given[0])
		return err_set(e, EXIT_USAGE, "%s what? One of %s", path, list);
	if (s.best)
		return err_set(e, EXIT_USAGE,
			       "there is no command '%s %.40s', did you mean '%s %s'?",
			       path, given, path, s.best);
	return err_set(e, EXIT_USAGE,
		       "there is no command '%s %.40s', give one of %s", path,
		       given, list);
}

/* Goes down to the command that the arguments name, and takes the words that
 * name it.  NULL with the error filled.
 */
static const struct command *descend(const struct command *c, int *argc,
				     char ***argv, char path[PATH_LEN],
				     struct err *e)
{
	const struct command *sub;
	size_t n;

	snprintf(path, PATH_LEN, "%s", c->name);
	while (c->sub && *argc && !is_help(**argv)) {
		for (sub = c->sub; sub->name; sub++)
			if (!strcmp(sub->name, **argv))
				break;
		if (!sub->name && !strcmp(**argv, "help"))
			break;
		if (!sub->name) {
			unknown(c, path, **argv, e);
			return NULL;
		}
		n = strlen(path);
		snprintf(path + n, PATH_LEN - n, " %s", sub->name);
		c = sub;
		--*argc;
		++*argv;
	}
	return c;
}

static void print_help(const struct command *c, const char *path)
{
	const struct command *sub;

	printf("ovlyhelper %s: %s\n\nusage: ovlyhelper %s %s\n", path,
	       c->summary ? c->summary : "", path,
	       c->sub ? "COMMAND [ARGUMENT...]" :
	       c->synopsis ? c->synopsis : "");
	if (c->sub) {
		puts("\ncommands:");
		for (sub = c->sub; sub->name; sub++)
			printf("  %-15s %s\n", sub->name,
			       sub->summary ? sub->summary : "");
	}
	if (c->usage)
		printf("\noptions, and after the semicolon their defaults:\n%s",
		       c->usage);
	if (c->notes)
		printf("\n%s", c->notes);
	if (c->examples)
		printf("\nexamples:\n%s", c->examples);
	if (c->sub)
		printf("\nEach has a help of its own: ovlyhelper %s COMMAND --help\n",
		       path);
	else
		printf("\nexit status:\n  %s\n"
		       "  2 an argument is not understood, 3 no module or daemon, 4 not permitted\n",
		       c->exits ? c->exits : "0 done, 1 refused or failed");
	/* a page is that of the first word */
	printf("\nmanual: ovlyhelper-%.*s(8)\n", (int)strcspn(path, " "), path);
}

bool command_help(const struct command *command, int argc, char **argv,
		  struct err *e)
{
	char path[PATH_LEN];

	command = descend(command, &argc, &argv, path, e);
	if (command)
		print_help(command, path);
	return command;
}

bool command_run(const struct command *command, int argc, char **argv,
		 struct err *e)
{
	char path[PATH_LEN];
	size_t n;
	int i;

	command = descend(command, &argc, &argv, path, e);
	if (!command)
		return false;
	for (i = 0; i < argc; i++) {
		/* "peer del help" may be about a peer */
		if (is_help(argv[i]) || (!i && !strcmp(argv[i], "help") &&
					 !strchr(path, ' '))) {
			print_help(command, path);
			return true;
		}
	}
	if (command->sub && argc) {
		print_help(command, path);
		return true;
	}
	if (command->sub)
		return unknown(command, path, "", e);
	if (command->run(argc, argv, e))
		return true;
	err_prefix(e, "%s", path);
	n = strlen(e->text);
	if (e->see_help)
		snprintf(e->text + n, sizeof(e->text) - n,
			 ", see 'ovlyhelper %s --help'", path);
	return false;
}
