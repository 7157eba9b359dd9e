/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which way a packet goes, step by step: rule, route, device, peer, path,
 * policy, SA, underlay; or where it ends and why.
 */
#ifndef OVLY_EXPLAIN_H
#define OVLY_EXPLAIN_H

#include <jansson.h>

#include "host.h"

struct explain_question {
	struct ovly_prefix to; /* its first host, if it is no host itself */
	struct ovly_addr from; /* family 0: this host, as the kernel chooses */
	uint32_t vrf; /* ifindex, 0: none */
	uint32_t mark;
};

/* An object: to, from, steps (array of step, text, and what the step is about),
 * verdict, reason (null where it is encrypted) and text.
 */
json_t *explain(struct host *host, const struct explain_question *q);
/* Does it leave encrypted to a peer? */
bool explain_is_good(const json_t *answer);

#endif /* OVLY_EXPLAIN_H */
