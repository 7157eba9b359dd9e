// SPDX-License-Identifier: GPL-2.0-only
#include "batch.h"

#include <errno.h>
#include <string.h>

#include "parse.h"

void batch_init(struct batch *b, const struct batch_ops *ops, void *arg)
{
	memset(b, 0, sizeof(*b));
	b->ops = ops;
	b->arg = arg;
}

enum batch_outcome batch_outcome(bool del, uint32_t error)
{
	switch (error) {
	case ENOENT:
	case ESRCH:
		return del ? BATCH_GONE : BATCH_UNRESOLVED;
	case EHOSTUNREACH:
	case ENETUNREACH:
	case EADDRNOTAVAIL:
	case ENXIO:
	case EAFNOSUPPORT: /* the peer has no address of that family yet */
		return BATCH_UNRESOLVED;
	case ENOSPC:
		return BATCH_LIMIT;
	case EEXIST:
		return BATCH_TAKEN;
	case EBUSY:
		/* the module deletes it with the address only */
		return BATCH_SYSTEM;
	default:
		return BATCH_FAILED;
	}
}

static bool same_key(const struct batch_op *a, const struct batch_op *b)
{
	return a->ifindex == b->ifindex &&
	       a->route.prefixlen == b->route.prefixlen &&
	       a->route.metric == b->route.metric &&
	       addr_equal(&a->route.dst, &b->route.dst);
}

void batch_add(struct batch *b, const struct batch_op *op)
{
	unsigned int i;

	for (i = 0; i < b->n; i++) {
		struct batch_op *old = &b->op[i];
		bool replace;

		if (!same_key(old, op))
			continue;
		/* Deleted and added again is replaced: not one packet finds
		 * the route missing.
		 */
		replace = old->replace || old->del || op->replace;
		*old = *op;
		old->replace = replace;
		return;
	}
	if (b->n == BATCH_MAX) {
		const struct batch_op last = b->op[--b->n];

		batch_flush(b);
		batch_add(b, &last);
	}
	/* refusals may have filled it again */
	while (b->n == BATCH_MAX)
		batch_flush(b);
	b->op[b->n++] = *op;
}

bool batch_deletes(const struct batch *b)
{
	unsigned int i;

	for (i = 0; i < b->n; i++)
		if (b->op[i].del)
			return true;
	return false;
}

static void tell_refused(struct batch *b, const struct batch_op *op,
			 uint32_t error, const char *message)
{
	enum batch_outcome outcome = batch_outcome(op->del, error);

	if (outcome == BATCH_GONE)
		return;
	b->ops->refused(b->arg, op, outcome,
			message[0] ? message : strerror((int)error));
}

static void send_ops(struct batch *b, const struct batch_op **ops,
		     unsigned int n)
{
	struct ovly_route routes[BATCH_MAX] = { 0 };
	struct ovly_nl_error refusal = { 0 };
	static struct ovly_report report;
	unsigned int i;

	for (i = 0; i < n; i++)
		routes[i] = ops[i]->route;
	if (!b->ops->send(b->arg, ops[0]->del, ops[0]->ifindex, routes, n,
			  &report, &refusal)) {
		if (n > 1 && refusal.error != ENODEV && refusal.error != EPERM &&
		    refusal.error != ENOENT) {
			/* one malformed entry must not lose the others */
			for (i = 0; i < n; i++)
				send_ops(b, &ops[i], 1);
			return;
		}
		b->ops->lost(b->arg, ops[0]->ifindex,
			     refusal.text[0] ? refusal.text :
					       strerror(refusal.error));
		return;
	}
	if (ops[0]->del)
		b->removed += report.applied;
	else
		b->applied += report.applied;
	for (i = 0; i < report.n; i++)
		if (report.refused[i].index < n)
			tell_refused(b, ops[report.refused[i].index],
				     report.refused[i].error,
				     report.refused[i].message);
}

/* Deletions first: they make room below a limit. */
static void flush_dev(struct batch *b, const struct batch_op *ops,
		      unsigned int n, uint32_t ifindex)
{
	const struct batch_op *list[BATCH_MAX];
	unsigned int i, k;
	int del;

	for (del = 1; del >= 0; del--) {
		for (i = 0, k = 0; i < n; i++)
			if (ops[i].ifindex == ifindex && ops[i].del == !!del)
				list[k++] = &ops[i];
		if (k)
			send_ops(b, list, k);
	}
}

void batch_flush(struct batch *b)
{
	struct batch_op ops[BATCH_MAX];
	unsigned int n = b->n;
	unsigned int i, k;

	/* what a refusal adds goes into the next batch */
	memcpy(ops, b->op, n * sizeof(ops[0]));
	b->n = 0;
	for (i = 0; i < n; i++) {
		for (k = 0; k < i; k++)
			if (ops[k].ifindex == ops[i].ifindex)
				break;
		if (k == i)
			flush_dev(b, ops, n, ops[i].ifindex);
	}
}

void batch_drain(struct batch *b)
{
	while (b->n)
		batch_flush(b);
}

bool batch_narrow(struct batch_op *op)
{
	struct ovly_owners *more = &op->route.more;

	if (op->spare) {
		op->route.via = more->o[0].via;
		memmove(more->o, more->o + 1, --op->spare * sizeof(more->o[0]));
		return true;
	}
	if (!more->n)
		return false;
	if (op->known && op->known <= more->n) {
		more->n = op->known - 1;
	} else {
		op->spare = more->n;
		more->n = 0;
	}
	op->known = 0;
	return true;
}
