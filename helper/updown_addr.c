// SPDX-License-Identifier: GPL-2.0-only
/*
 * The device's own addresses.
 *
 * A configured address stays.  A virtual one is lent by the other side: it is
 * tagged with the if-id of the path that it came with, and goes when that path
 * has another or is gone.  One that several connections were given goes with the
 * last of all.  No other memory is needed, and a restart of anything loses
 * nothing.
 */
#include "updown_run.h"

#include <net/if.h>
#include <string.h>

#include "ctl.h"
#include "parse.h"

#define TAG_SHARED UINT32_MAX

static const struct ovly_ifaddr *find(const struct updown_run *r,
				      const struct ovly_addr *a)
{
	unsigned int i;

	for (i = 0; i < r->addrs; i++)
		if (addr_equal(&r->addr[i].local, a))
			return &r->addr[i];
	return NULL;
}

/* Does another connection have the path that the address came with? */
static bool is_others(struct updown_run *r, uint32_t tag)
{
	struct ovly_path path;
	struct err ignored;
	uint32_t ifindex;

	return tag == TAG_SHARED ||
	       (updown_path_get(r->nl, tag, &path, &ifindex, &ignored) &&
		ifindex && path.sa_out &&
		strcmp(path.label, r->env->connection));
}

bool updown_addrs_apply(struct updown_run *r, struct err *e)
{
	bool p2p = r->link.dev.mode == OVLY_MODE_P2P;
	uint32_t tag = r->want.is_virtual ? r->env->if_id_in : 0;
	unsigned int i;

	for (i = 0; i < r->want.local.n; i++) {
		const struct ovly_addr *a = &r->want.local.a[i];
		const struct ovly_ifaddr *have = find(r, a);
		uint32_t want = tag;

		if (tag && have && have->tag != tag && have->tag &&
		    is_others(r, have->tag))
			want = TAG_SHARED;
		/* one that somebody else put there stays his */
		if (have && (have->tag == want || !have->tag))
			continue;
		if (tag ? !ovly_rtnl_addr_add_tagged(r->nl, &r->link, a, p2p,
						     want, e) :
			  !ovly_rtnl_addr_add(r->nl, &r->link, a, p2p, e))
			return false;
		r->made_addr[i] = !have;
	}
	return true;
}

/* Whose path is gone, or has other addresses now. */
static bool is_stale(struct ovly_nl *nl, const struct ovly_dev *dev,
		     const struct ovly_ifaddr *addr, uint32_t if_id,
		     const struct ovly_addrs *keep)
{
	struct ovly_path path;
	struct err ignored;
	uint32_t ifindex;

	if (!addr->tag || (keep && addrs_contain(keep, &addr->local)))
		return false;
	if (addr->tag == TAG_SHARED)
		return !dev->peers_up;
	if (keep && addr->tag == if_id)
		return true;
	return updown_path_get(nl, addr->tag, &path, &ifindex, &ignored) &&
	       !ifindex;
}

/* With a device's last IPv4 address the kernel drops its IPv4 routes, and until
 * the module has put them back packets would leave in clear.
 */
static bool is_needed(const struct ovly_dev *dev,
		      const struct ovly_ifaddr *list, unsigned int n,
		      const struct ovly_ifaddr *addr)
{
	unsigned int v4 = 0;
	unsigned int i;

	for (i = 0; i < n; i++)
		v4 += list[i].local.family == AF_INET;
	return addr->local.family == AF_INET && v4 == 1 && dev->routes;
}

static void remove_stale(struct ovly_nl *nl, uint32_t ifindex, uint32_t if_id,
			 const struct ovly_addrs *keep)
{
	struct ovly_req req = { .ifindex = ifindex };
	struct ovly_ifaddr list[UPDOWN_ADDRS_MAX];
	struct ovly_link link = { .ifindex = ifindex };
	struct ovly_nl_error refusal;
	struct ovly_msg reply;
	struct err ignored;
	unsigned int n = 0;
	unsigned int i;

	if (!if_indextoname(ifindex, link.name) ||
	    !ovly_ctl_do(nl, OVLY_CMD_DEV_GET, 0, &req, &reply, &refusal) ||
	    !ovly_rtnl_addr_list(nl, ifindex, list, UPDOWN_ADDRS_MAX, &n,
				 &ignored))
		return;
	for (i = 0; i < n;) {
		if (!is_stale(nl, &reply.dev, &list[i], if_id, keep) ||
		    is_needed(&reply.dev, list, n, &list[i]) ||
		    !ovly_rtnl_addr_del(nl, &link, &list[i].local,
					reply.dev.mode == OVLY_MODE_P2P,
					&ignored)) {
			i++;
			continue;
		}
		memmove(&list[i], &list[i + 1], (--n - i) * sizeof(list[0]));
	}
}

void updown_addrs_settle(struct updown_run *r)
{
	unsigned int i;

	for (i = 0; i < r->addrs; i++) {
		if (!r->addr[i].tag ||
		    addrs_contain(&r->want.local, &r->addr[i].local))
			continue;
		remove_stale(r->nl, r->link.ifindex, r->env->if_id_in,
			     &r->want.local);
		return;
	}
}

void updown_addrs_sweep(struct ovly_nl *nl, uint32_t ifindex)
{
	remove_stale(nl, ifindex, 0, NULL);
}
