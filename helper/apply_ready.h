/* SPDX-License-Identifier: GPL-2.0-only */
/* What a head-end has to have before a branch can come: its devices up, and BIRD
 * listening.  The connections are strongSwan's answer to loading them.
 */
#ifndef OVLY_APPLY_READY_H
#define OVLY_APPLY_READY_H

#include "bird.h"
#include "conf_gen.h"
#include "nl.h"

struct apply_ready {
	struct ovly_nl *nl;
	const struct conf *conf;
	unsigned int bird; /* its major version, 0: do not ask it */
	const char *bird_socket; /* NULL: the usual one */
	unsigned int timeout_s;
};

/* Waits for it, and says which part is missing.  Nothing without a head-end. */
bool apply_ready_run(struct apply_ready *r, struct err *e);
/* Can the neighbour reach this session of BIRD's?  Pure. */
bool apply_ready_listens(const struct conf_neighbor *n,
			 const struct bird_bgp *bgp);

#endif /* OVLY_APPLY_READY_H */
