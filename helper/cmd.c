// SPDX-License-Identifier: GPL-2.0-only
#include "cmd.h"

#include <stdio.h>
#include <string.h>

bool command_dispatch(const struct command *table, const char *what, int argc,
		      char **argv, struct err *e)
{
	const struct command *c;
	char list[160] = "";

	for (c = table; c->name; c++) {
		if (argc && !strcmp(c->name, argv[0])) {
			if (c->run(argc - 1, argv + 1, e))
				return true;
			return err_prefix(e, "%s %s", what, c->name);
		}
		if (list[0])
			strncat(list, ", ", sizeof(list) - strlen(list) - 1);
		strncat(list, c->name, sizeof(list) - strlen(list) - 1);
	}
	if (!argc)
		return err_set(e, EXIT_USAGE, "%s what? one of %s", what, list);
	return err_set(e, EXIT_USAGE, "%s: '%.40s' is not one of %s", what,
		       argv[0], list);
}

void command_usage(const struct command *command)
{
	printf("ovlyhelper %s: %s\n\n%s", command->name, command->summary,
	       command->usage);
}
