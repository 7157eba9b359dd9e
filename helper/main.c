// SPDX-License-Identifier: GPL-2.0-only
/* ovlyhelper: the table of subcommands */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "log.h"

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

	fputs("usage: ovlyhelper COMMAND [ARGUMENT...]\n\n", out);
	for (i = 0; i < COMMANDS; i++)
		fprintf(out, "  %-9s %s\n", commands[i]->name,
			commands[i]->summary);
	fputs("  help      this text, or that of a command: help COMMAND\n\n"
	      "Without a command, and with PLUTO_VERB in the environment, it is \"updown\".\n"
	      "See ovlyhelper(8).\n",
	      out);
}

static const struct command *find(const char *name)
{
	unsigned int i;

	for (i = 0; i < COMMANDS; i++)
		if (!strcmp(commands[i]->name, name))
			return commands[i];
	return NULL;
}

static int help(const char *name)
{
	const struct command *command = name ? find(name) : NULL;

	if (name && !command) {
		log_error("there is no command '%.40s', see 'ovlyhelper help'",
			  name);
		return EXIT_USAGE;
	}
	if (command)
		command_usage(command);
	else
		usage(stdout);
	return EXIT_OK;
}

static int run(const struct command *command, int argc, char **argv)
{
	struct err e = { .code = EXIT_REFUSED };

	if (argc && (!strcmp(argv[0], "--help") || !strcmp(argv[0], "-h") ||
		     !strcmp(argv[0], "help"))) {
		command_usage(command);
		return EXIT_OK;
	}
	if (command->run(argc, argv, &e)) {
		/* an answer that could not be written was not given */
		if (fflush(stdout) == EOF || ferror(stdout)) {
			log_error("cannot write the answer");
			return EXIT_REFUSED;
		}
		return e.verdict;
	}
	log_error("%s", e.text);
	return e.code ? e.code : EXIT_REFUSED;
}

int main(int argc, char **argv)
{
	const struct command *command;
	const char *name = argc > 1 ? argv[1] : NULL;

	log_init(false);
	/* charon's line may be the bare program, or only options of updown */
	if (getenv("PLUTO_VERB") && (!name || (!strncmp(name, "--", 2) &&
					       strcmp(name, "--version") &&
					       strcmp(name, "--help"))))
		return run(&cmd_updown, argc - 1, argv + 1);
	if (!name) {
		usage(stderr);
		return EXIT_USAGE;
	}
	if (!strcmp(name, "--version")) {
		puts("ovlyhelper " OVLY_VERSION);
		return EXIT_OK;
	}
	if (!strcmp(name, "help") || !strcmp(name, "--help") ||
	    !strcmp(name, "-h"))
		return help(argc > 2 ? argv[2] : NULL);
	command = find(name);
	if (!command) {
		log_error("there is no command '%.40s', see 'ovlyhelper help'",
			  name);
		return EXIT_USAGE;
	}
	return run(command, argc - 2, argv + 2);
}
