/* SPDX-License-Identifier: GPL-2.0-only */
/* The subcommands: each in its own cmd_<name>.c, listed in main.c. */
#ifndef OVLY_CMD_H
#define OVLY_CMD_H

#include "err.h"

struct command {
	const char *name;
	/* argv is what follows the name; false with the error filled */
	bool (*run)(int argc, char **argv, struct err *e);
	const char *summary;
	const char *usage; /* the lines of "--help" */
};

extern const struct command cmd_updown, cmd_bridge, cmd_show, cmd_dev,
	cmd_peer, cmd_path, cmd_route, cmd_monitor, cmd_metrics, cmd_doctor,
	cmd_apply;

/* Runs the entry of a table that argv[0] names; "what" is for the error. */
bool command_dispatch(const struct command *table, const char *what, int argc,
		      char **argv, struct err *e);
void command_usage(const struct command *command);

#endif /* OVLY_CMD_H */
