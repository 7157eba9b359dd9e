// SPDX-License-Identifier: GPL-2.0-only
/* ovlyhelper: the table of subcommands */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "log.h"
#include "suggest.h"

#ifndef OVLY_VERSION
#define OVLY_VERSION "unknown"
#endif

static const struct command *const commands[] = {
	&cmd_updown, &cmd_bridge, &cmd_show,  &cmd_dev,
	&cmd_peer,   &cmd_path,	  &cmd_route, &cmd_monitor,
	&cmd_metrics, &cmd_doctor, &cmd_apply,
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void usage(FILE *out)
{
	unsigned int i;

	fputs("usage: ovlyhelper COMMAND [ARGUMENT...]\n\ncommands:\n", out);
	for (i = 0; i < COMMANDS; i++)
		fprintf(out, "  %-9s %s\n", commands[i]->name,
			commands[i]->summary);
	fputs("  help      this text, or that of a command: help peer set\n"
	      "\n"
	      "An option is written \"--name value\", \"--name=value\" or \"name value\".\n"
	      "Without a command, and with PLUTO_VERB in the environment, it is \"updown\".\n"
	      "\n"
	      "examples:\n"
	      "  ovlyhelper doctor                    is anything in the way?\n"
	      "  ovlyhelper apply ovly.conf --diff    what one file would set up\n"
	      "  ovlyhelper show peers                how it goes\n"
	      "  ovlyhelper show route 81.81.81.1     which way a packet takes, and why\n"
	      "\n"
	      "exit status:\n"
	      "  0 done, 1 refused or failed, 2 an argument is not understood,\n"
	      "  3 the module is not loaded or a daemon does not answer, 4 not permitted\n"
	      "\n"
	      "manual: ovlyhelper(8), and one page a command, as in ovlyhelper-peer(8);\n"
	      "ovly(7) for how it all works\n",
	      out);
}

/* NULL with the error filled */
static const struct command *find(const char *name, struct err *e)
{
	struct suggest s = { .given = name };
	unsigned int i;

	for (i = 0; i < COMMANDS; i++) {
		if (!strcmp(commands[i]->name, name))
			return commands[i];
		suggest_try(&s, commands[i]->name, strlen(commands[i]->name));
	}
	if (s.best)
		err_set(e, EXIT_USAGE,
			"there is no command '%.40s', did you mean '%s'?",
			name, s.best);
	else
		err_set(e, EXIT_USAGE,
			"there is no command '%.40s', see 'ovlyhelper help'",
			name);
	return NULL;
}

static bool help(int argc, char **argv, struct err *e)
{
	const struct command *command;

	if (!argc) {
		usage(stdout);
		return true;
	}
	command = find(argv[0], e);
	return command && command_help(command, argc - 1, argv + 1, e);
}

static bool run(int argc, char **argv, struct err *e)
{
	const struct command *command;
	const char *name = argv[0];

	/* charon's line may be the bare program, or only options of updown */
	if (getenv("PLUTO_VERB") && (!name || (!strncmp(name, "--", 2) &&
					       strcmp(name, "--version") &&
					       strcmp(name, "--help"))))
		return command_run(&cmd_updown, argc, argv, e);
	if (!name) {
		usage(stderr);
		e->verdict = EXIT_USAGE;
		return true;
	}
	if (!strcmp(name, "--version")) {
		puts("ovlyhelper " OVLY_VERSION);
		return true;
	}
	if (!strcmp(name, "help") || !strcmp(name, "--help") ||
	    !strcmp(name, "-h"))
		return help(argc - 1, argv + 1, e);
	command = find(name, e);
	return command && command_run(command, argc - 1, argv + 1, e);
}

int main(int argc, char **argv)
{
	struct err e = { .code = EXIT_REFUSED };

	log_init(false);
	if (!run(argc ? argc - 1 : 0, argc ? argv + 1 : argv, &e)) {
		log_error("%s", e.text);
		return e.code ? e.code : EXIT_REFUSED;
	}
	/* an answer that could not be written was not given */
	if (fflush(stdout) == EOF || ferror(stdout)) {
		log_error("cannot write the answer");
		return EXIT_REFUSED;
	}
	return e.verdict;
}
