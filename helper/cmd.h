/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The subcommands: each in its own cmd_<name>.c, listed in main.c.
 *
 * The texts are what "--help" prints, at most 80 columns wide.  Completion reads
 * them: an option is a line of two blanks, its name, one word for its value, and
 * two blanks or more before the explanation.  The word is DEVICE, PEER, VRF,
 * LINK, PREFIX, IF-ID, PROTOCOL, FILE or DIR where the shell can offer something,
 * or the choices, as in "hold|withdraw".
 */
#ifndef OVLY_CMD_H
#define OVLY_CMD_H

#include "err.h"

struct command {
	const char *name;
	/* argv is what follows the name; false with the error filled */
	bool (*run)(int argc, char **argv, struct err *e);
	const struct command *sub; /* instead of run; ends with a NULL name */
	const char *summary;
	const char *synopsis; /* what follows the name, further lines indented */
	const char *usage; /* the lines of the options; NULL: none */
	const char *notes; /* what else there is to say; NULL: nothing */
	const char *examples; /* lines to type; NULL: none */
	const char *exits; /* of 0 and 1; NULL: "done", "refused or failed" */
};

extern const struct command cmd_updown, cmd_bridge, cmd_show, cmd_dev,
	cmd_peer, cmd_path, cmd_route, cmd_monitor, cmd_metrics, cmd_doctor,
	cmd_apply;

/* Runs the command or the one below it that the arguments name, or prints its
 * help.  Errors begin with the command's name.
 */
bool command_run(const struct command *command, int argc, char **argv,
		 struct err *e);
/* Help of the command or of the one below it that the arguments name. */
bool command_help(const struct command *command, int argc, char **argv,
		  struct err *e);

#endif /* OVLY_CMD_H */
