/* SPDX-License-Identifier: GPL-2.0-only */
/* What the parts of explain() share. */
#ifndef OVLY_EXPLAIN_STEPS_H
#define OVLY_EXPLAIN_STEPS_H

#include <jansson.h>
#include <stdarg.h>

#include "host.h"

struct explain {
	struct host *host;
	struct host_flow flow;
	json_t *out;
	json_t *steps;
	uint32_t passed; /* table that the last rule passed over, 0: none */
};

/* Where the rules end. */
struct explain_end {
	bool route_found;
	struct host_route route;
	bool refuses; /* a rule itself says unreachable or the like */
};

/* Appends a step and returns it, borrowed. */
json_t *explain_step(struct explain *x, const char *name, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void explain_set_str(json_t *step, const char *key, const char *value);
void explain_set_int(json_t *step, const char *key, uint64_t value);
/* leaves an address that is none out */
void explain_set_addr(json_t *step, const char *key,
		      const struct ovly_addr *a);
/* The last word. */
void explain_verdict(struct explain *x, const char *word, const char *reason,
		     const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
#define DROPPED(x, reason, ...)                                               \
	explain_verdict(x, "dropped", reason, __VA_ARGS__)

/* explain_rules.c */
/* "throw", "unreachable", ...; NULL for a route that leads somewhere */
const char *explain_type(uint8_t type);
/* "main" and the like, or the number */
const char *explain_table(uint32_t table, char buf[12]);
/* Walks the rules.  table: that the kernel took, 0: it refused. */
void explain_rules(struct explain *x, uint32_t table, struct explain_end *end);

/* explain_peer.c: a packet that was routed to the device "dev" */
void explain_device(struct explain *x, const struct ovly_msg *dev,
		    const struct host_route *hop);

#endif /* OVLY_EXPLAIN_STEPS_H */
