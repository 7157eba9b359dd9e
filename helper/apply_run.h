/* SPDX-License-Identifier: GPL-2.0-only */
/* From a configuration to what has to be done, and doing it. */
#ifndef OVLY_APPLY_RUN_H
#define OVLY_APPLY_RUN_H

#include "apply_dev.h"
#include "apply_exec.h"
#include "apply_files.h"
#include "apply_wait.h"
#include "conf_gen.h"

enum {
	FILE_STRONGSWAN, FILE_SECRETS, FILE_SWANCTL, FILE_BIRD, FILE_BIRD6,
	FILES,
};

struct apply {
	struct conf *conf;
	struct conf_gen gen;
	struct ovly_nl nl;
	struct apply_file file[FILES]; /* paths are set by the caller */
	struct conf_manifest old;
	struct apply_steps steps;
	struct exec x, log;
	struct apply_peer_state *before; /* of each overlay's peer */

	bool force;
	bool no_wait;
	uint32_t timeout_s;
	const char *bird_socket;
};

/* Says what would have to be done: files and steps are filled. */
bool apply_plan(struct apply *a, struct err *e);
/* Does anything differ from what the configuration wants? */
bool apply_differs(const struct apply *a);
bool apply_run(struct apply *a, struct err *e);
/* One apply at a time; the lock goes with the process. */
bool apply_lock(const struct apply *a, struct err *e);
void apply_free(struct apply *a);

#endif /* OVLY_APPLY_RUN_H */
