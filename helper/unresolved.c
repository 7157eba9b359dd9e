// SPDX-License-Identifier: GPL-2.0-only
#include "unresolved.h"

#include <string.h>
#include <sys/socket.h>

#include "parse.h"

static int compare(const struct stage_hop *a, const struct stage_hop *b)
{
	if (a->oif != b->oif)
		return a->oif < b->oif ? -1 : 1;
	return addr_compare(&a->gateway, &b->gateway);
}

/* The index of the first that is not before "hop". */
static unsigned int position(const struct unresolved *u,
			     const struct stage_hop *hop)
{
	unsigned int low = 0, high = u->n;

	while (low < high) {
		unsigned int mid = (low + high) / 2;

		if (compare(&u->hop[mid].hop, hop) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

struct unresolved_hop *unresolved_find(struct unresolved *u,
				       const struct stage_hop *hop)
{
	unsigned int i = position(u, hop);

	return i < u->n && !compare(&u->hop[i].hop, hop) ? &u->hop[i] : NULL;
}

void unresolved_note(struct unresolved *u, const struct stage_hop *hop,
		     uint64_t now)
{
	unsigned int i = position(u, hop);

	if (i < u->n && !compare(&u->hop[i].hop, hop)) {
		u->hop[i].seen = true;
		return;
	}
	if (u->n == UNRESOLVED_MAX) {
		u->more = true;
		return;
	}
	memmove(&u->hop[i + 1], &u->hop[i], (u->n - i) * sizeof(u->hop[0]));
	u->n++;
	u->hop[i] = (struct unresolved_hop){ .hop = *hop, .since = now,
					     .seen = true };
}

void unresolved_begin(struct unresolved *u)
{
	unsigned int i;

	for (i = 0; i < u->n; i++)
		u->hop[i].seen = false;
	u->more = false;
}

void unresolved_end(struct unresolved *u)
{
	unsigned int i, kept = 0;

	for (i = 0; i < u->n; i++)
		if (u->hop[i].seen)
			u->hop[kept++] = u->hop[i];
	u->n = kept;
}

bool unresolved_within(const struct unresolved *u,
		       const struct ovly_prefix *prefix)
{
	struct ovly_prefix hop = { 0 };
	unsigned int i;

	for (i = 0; i < u->n; i++) {
		hop.addr = u->hop[i].hop.gateway;
		hop.len = hop.addr.family == AF_INET6 ? 128 : 32;
		if (hop.addr.family && prefix_contains(prefix, &hop))
			return true;
	}
	return u->more;
}
