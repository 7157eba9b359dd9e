// SPDX-License-Identifier: GPL-2.0-only
#include "apply_wake.h"

#include <stdio.h>
#include <string.h>

#include "apply_daemon.h"
#include "conf_gen.h"

/* No IKE SA, not even one that is trying, or one that has lost its only child. */
static bool is_asleep(const char *sas)
{
	return !sas[0] ||
	       (strstr(sas, "ESTABLISHED") && !strstr(sas, "reqid"));
}

unsigned int apply_wake(struct exec *x, const struct conf_overlay *o)
{
	char name[OVLY_NAME_MAX + 1];
	unsigned int wan, n = 0;

	for (wan = 0; wan < CONF_WANS; wan++) {
		if (!conf_has_connection(o, wan))
			continue;
		conf_connection(o, wan, name);
		if (!is_asleep(apply_charon_sas(x, name)))
			continue;
		apply_charon_initiate(x, name);
		n++;
	}
	return n;
}

bool apply_wake_run(struct apply *a, struct err *e)
{
	const struct conf *conf = a->conf;
	struct exec *x = &a->x;
	struct err busy;
	unsigned int i;

	if (!apply_lock(a, &busy))
		return true;
	if (apply_charon_state(x) != CHARON_ANSWERS)
		return err_set(e, EXIT_UNAVAILABLE,
			       "strongSwan does not answer: start it (systemctl start strongswan)");
	for (i = 0; i < conf->overlays; i++) {
		const struct conf_overlay *o = &conf->overlay[i];

		if (o->role != CONF_BRANCH || !apply_wake(x, o))
			continue;
		if (strstr(x->out, "not found"))
			return err_set(e, EXIT_REFUSED,
				       "strongSwan has no connection %s: apply the file first, without --wake",
				       o->name);
		printf("%-11s was asleep, strongSwan is told to connect\n",
		       o->name);
		fflush(stdout);
	}
	return true;
}
