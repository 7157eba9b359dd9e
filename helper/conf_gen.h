/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The model to the daemons' configuration files.  Pure: text goes to a stream,
 * and whatever depends on the system is in struct conf_gen or was put into the
 * model before.
 */
#ifndef OVLY_CONF_GEN_H
#define OVLY_CONF_GEN_H

#include <stdio.h>

#include "conf_model.h"
#include "err.h"

/* How the first line of each file begins. */
#define CONF_MARK "# written by ovlyhelper apply from "
#define CONF_PLACEHOLDER "(not shown)"

struct conf_gen {
	const char *source; /* the path of ovly.conf */
	const char *command; /* the path of ovlyhelper, for the updown line */
	bool hide_secrets;
	unsigned int bird; /* major version: 1, 2 or 3 */
};

/* connections, and pools */
void conf_gen_swanctl(FILE *out, const struct conf *conf,
		      const struct conf_gen *gen);
void conf_gen_secrets(FILE *out, const struct conf *conf,
		      const struct conf_gen *gen);
/* what charon itself has to be told */
void conf_gen_strongswan(FILE *out, const struct conf *conf,
			 const struct conf_gen *gen);
/* BIRD 1.6 has a daemon and a file for each family (AF_INET, AF_INET6); since
 * 2.0 there is one for both, and family is 0.  false: this BIRD cannot do it.
 */
bool conf_gen_bird(FILE *out, const struct conf *conf,
		   const struct conf_gen *gen, int family, struct err *e);

/* The name of the neighbour's protocol in bird.conf. */
const char *conf_gen_session(const struct conf_neighbor *n, char *buf,
			     size_t size);

/* One connection's section as it is in the file, for comparison. */
void conf_gen_connection(FILE *out, const struct conf_overlay *o,
			 unsigned int wan, const struct conf_gen *gen);

#endif /* OVLY_CONF_GEN_H */
