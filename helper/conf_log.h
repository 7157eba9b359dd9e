/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What charon's log says of a connection that comes up: how far it has got, and
 * what stopped it.  Pure.
 */
#ifndef OVLY_CONF_LOG_H
#define OVLY_CONF_LOG_H

#include <stdbool.h>
#include <stddef.h>

enum conf_stage {
	STAGE_START,
	STAGE_IKE, /* the other end is asked */
	STAGE_AUTH, /* it answers */
	STAGE_CHILD, /* both ends are who they say */
	STAGE_UPDOWN, /* the tunnel is there, the module is told */
};

struct conf_progress {
	enum conf_stage stage;
	unsigned int retransmits;
	bool stopped; /* by something that another try does not mend */
	char why[256]; /* the line that tells why, or the latest problem */
	const char *hint; /* the way out, NULL if none is known */
};

/* One event of "swanctl --log --raw": connection and message; false if the
 * line is none.
 */
bool conf_log_split(const char *line, char *connection, size_t size,
		    char *message, size_t message_size);
void conf_log_follow(struct conf_progress *p, const char *message);
/* What is waited for, for people. */
const char *conf_log_stage(const struct conf_progress *p);

#endif /* OVLY_CONF_LOG_H */
