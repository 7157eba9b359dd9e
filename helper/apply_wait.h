/* SPDX-License-Identifier: GPL-2.0-only */
/* Waiting until overlays are up, and saying why one is not. */
#ifndef OVLY_APPLY_WAIT_H
#define OVLY_APPLY_WAIT_H

#include "apply_exec.h"
#include "conf_model.h"
#include "nl.h"

/* A peer before anything was changed, or now. */
struct apply_peer_state {
	bool up;
	uint32_t transitions;
};

struct apply_wait {
	struct ovly_nl *nl;
	const struct conf *conf;
	struct exec *x; /* for short commands */
	struct exec *log; /* charon's log, followed while we wait */
	unsigned int timeout_s;
	const char *have, *want; /* swanctl's file before, and now */
	const struct apply_peer_state *before; /* of each overlay's peer */
};

/* Starts to follow charon's log: before it is told to connect. */
void apply_wait_begin(struct apply_wait *w);
/* Waits for all branch overlays; those that are up already take no time.  A
 * head-end's come when their branch does: waited for, for a while, is one that
 * was up before.
 */
bool apply_wait_run(struct apply_wait *w, struct err *e);
/* The overlay's peer now. */
struct apply_peer_state apply_look(struct ovly_nl *nl,
				   const struct conf_overlay *o);

#endif /* OVLY_APPLY_WAIT_H */
