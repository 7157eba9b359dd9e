// SPDX-License-Identifier: GPL-2.0-only
/*
 * An address that charon lends to one peer and had lent to another before.
 *
 * Peers stay when they are down, and keep their addresses.  charon's leases do not:
 * after a restart it lends in the order in which peers come.  Whoever has gone gives
 * way to the one who was lent the address, with what he owned: he gets another one
 * when he comes back, and BGP teaches his prefixes anew.  Only of what charon lends
 * may that be said; a selector is the other side's word.  Gone is also who is up by
 * nothing but SAs that a killed charon has left.
 */
#include "updown_run.h"

#include <errno.h>
#include <string.h>

#include "ctl.h"
#include "log.h"
#include "parse.h"

#define PATHS_MAX 8

/* Who holds an address, and his paths that have SAs. */
struct holder {
	const struct ovly_peer *heir;
	const struct ovly_addr *addr;
	bool found;
	struct ovly_peer peer;
	unsigned int paths; /* more than PATHS_MAX: not all are here */
	struct ovly_path path[PATHS_MAX];
};

static void on_peer(const struct ovly_msg *msg, void *arg)
{
	struct holder *h = arg;

	if (h->found || !strcmp(msg->peer.name, h->heir->name) ||
	    !addrs_contain(&msg->peer.addr, h->addr))
		return;
	h->found = true;
	h->peer = msg->peer;
}

static void on_path(const struct ovly_msg *msg, void *arg)
{
	struct holder *h = arg;

	if (msg->path.peer_id != h->peer.id || !msg->path.sa_out)
		return;
	if (h->paths < PATHS_MAX)
		h->path[h->paths] = msg->path;
	h->paths++;
}

/* Has he nothing that a charon knows of?  With "remove" what is left of him goes. */
static bool is_gone(const struct holder *h, bool remove)
{
	static struct updown_orphans left;
	struct err e;
	unsigned int i;

	if (h->paths > PATHS_MAX)
		return false;
	for (i = 0; i < h->paths; i++) {
		if (!updown_orphans_find(&left, &h->path[i], &e) ||
		    left.out < h->path[i].sa_out ||
		    (remove && !updown_orphans_remove(&left, &e)))
			return false;
	}
	return true;
}

/* false: nobody has to give way for it, or he who has it must not. */
static bool find_holder(struct updown_run *r, struct holder *h)
{
	struct ovly_req req = { .ifindex = r->link.ifindex };
	struct ovly_nl_error refusal;

	if (!ovly_ctl_dump(r->nl, OVLY_CMD_PEER_GET, &req, on_peer, h,
			   &refusal) ||
	    !h->found)
		return false;
	return addrs_contain(&r->env->peer_sourceip, h->addr) &&
	       !(h->heir->has & HAS(OVLY_A_PEER_BACKUP_NAME) &&
		 !strcmp(h->peer.name, h->heir->backup_name)) &&
	       ovly_ctl_dump(r->nl, OVLY_CMD_PATH_GET, &req, on_path, h,
			     &refusal) &&
	       is_gone(h, false);
}

static bool take(struct updown_run *r, const struct holder *h)
{
	struct ovly_peer gone = { .has = HAS(OVLY_A_PEER_ID),
				  .id = h->peer.id };
	struct ovly_req req = { .ifindex = r->link.ifindex, .peer = &gone };
	struct ovly_nl_error refusal;
	char buf[ADDR_STRLEN];

	if (!is_gone(h, true) ||
	    (!ovly_ctl_do(r->nl, OVLY_CMD_PEER_DEL, 0, &req, NULL, &refusal) &&
	     refusal.error != ENOENT))
		return false;
	log_info("updown: peer '%s' has gone and its address %s is lent to '%s' now: deleted",
		 h->peer.name, addr_str(h->addr, buf), h->heir->name);
	return true;
}

bool updown_lease_take(struct updown_run *r, const struct ovly_peer *peer)
{
	static struct holder holders[OVLY_PEER_ADDRS_MAX];
	unsigned int i, n = 0;

	/* all that is in the way, or nobody */
	for (i = 0; i < peer->addr.n; i++) {
		struct holder *h = &holders[n];

		memset(h, 0, sizeof(*h));
		h->heir = peer;
		h->addr = &peer->addr.a[i];
		if (find_holder(r, h))
			n++;
		else if (h->found)
			return false;
	}
	for (i = 0; i < n; i++)
		if (!take(r, &holders[i]))
			return false;
	return n > 0;
}
