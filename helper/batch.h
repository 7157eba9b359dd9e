/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Changes to routes on their way to the module: gathered, the last word on a
 * route kept, sent as batches, every refusal told.  Pure but for the sender.
 */
#ifndef OVLY_BATCH_H
#define OVLY_BATCH_H

#include "model.h"
#include "nl.h"

/* Every refusal of a batch of this size fits into the module's report. */
#define BATCH_MAX OVLY_REFUSED_MAX

enum batch_outcome {
	BATCH_UNRESOLVED, /* no peer has the next hop */
	BATCH_LIMIT, /* the peer's route limit */
	BATCH_SYSTEM, /* the module owns this prefix */
	BATCH_TAKEN, /* the table has somebody else's route to it */
	BATCH_GONE, /* nothing was there to delete */
	BATCH_FAILED, /* anything else */
};

struct batch_op {
	uint32_t ifindex;
	bool del;
	bool replace; /* a route of the prefix may be there already */
	bool again; /* it was refused once, before what came with it was there */
	bool retry; /* it was beyond a limit while old routes counted */
	unsigned int known; /* the first so many owners have the next hop */
	unsigned int spare; /* owners behind those that are named */
	struct ovly_route route;
};

struct batch_ops {
	/* like ovly_ctl_routes() */
	bool (*send)(void *arg, bool del, uint32_t ifindex,
		     const struct ovly_route *routes, unsigned int n,
		     struct ovly_report *report, struct ovly_nl_error *refusal);
	/* one entry was refused */
	void (*refused)(void *arg, const struct batch_op *op,
			enum batch_outcome outcome, const char *why);
	/* the device is gone, or the module */
	void (*lost)(void *arg, uint32_t ifindex, const char *why);
};

struct batch {
	const struct batch_ops *ops;
	void *arg;
	unsigned int n;
	struct batch_op op[BATCH_MAX];
	uint64_t applied; /* counted on */
	uint64_t removed;
};

void batch_init(struct batch *b, const struct batch_ops *ops, void *arg);
/* Sends the batch first when it is full, but for the last one: a deletion may be
 * half of a change.
 */
void batch_add(struct batch *b, const struct batch_op *op);
void batch_flush(struct batch *b);
/* Is there one that what comes next may turn into a change? */
bool batch_deletes(const struct batch *b);
/* Until nothing is left: refusals may have added more. */
void batch_drain(struct batch *b);
/* Names fewer owners of a multipath route, one of which was refused: those that
 * have the next hop, else one after the other.  false: there are no fewer.  Pure.
 */
bool batch_narrow(struct batch_op *op);
enum batch_outcome batch_outcome(bool del, uint32_t error);

#endif /* OVLY_BATCH_H */
