/* SPDX-License-Identifier: GPL-2.0-only */
/* The devices that a configuration wants, as steps from what is there. */
#ifndef OVLY_APPLY_DEV_H
#define OVLY_APPLY_DEV_H

#include "conf_manifest.h"
#include "ctl.h"

enum apply_op {
	/* what is not wanted any more, first */
	STEP_PEER_DEL, STEP_DEV_DEL, STEP_ADDR_DEL,
	STEP_DEV_ADD, STEP_VRF, STEP_MTU, STEP_SRC_VALID, STEP_PEER_ADD,
	STEP_PEER_SET, STEP_UP, STEP_ADDR_ADD,
};

/* room for a step in words */
#define APPLY_STEP_MAX 800

struct apply_step {
	enum apply_op op;
	char dev[IFNAMSIZ];
	char name[OVLY_NAME_MAX + 1]; /* of a peer, or a VRF */
	struct ovly_dev settings;
	uint32_t mtu;
	struct ovly_addr addr;
	struct ovly_peer peer; /* what is to be said of it */
};

struct apply_steps {
	struct apply_step *step;
	unsigned int n;
};

/* "old" is what the last apply made. */
bool apply_dev_plan(struct ovly_nl *nl, const struct conf *conf,
		    const struct conf_manifest *old, struct apply_steps *steps,
		    struct err *e);
/* Does the steps of removal (or the others), telling each one. */
bool apply_dev_run(struct ovly_nl *nl, const struct apply_steps *steps,
		   bool removal, struct err *e);
const char *apply_step_str(const struct apply_step *s, char *buf, size_t size);
/* ---- between the parts of the plan ---- */

/* NULL: out of memory, and e says so */
struct apply_step *apply_steps_add(struct apply_steps *steps, enum apply_op op,
				   const char *dev, struct err *e);
bool apply_steps_have(const struct apply_steps *steps, enum apply_op op,
		      const char *dev, const char *name);
void apply_steps_free(struct apply_steps *steps);

#endif /* OVLY_APPLY_DEV_H */
