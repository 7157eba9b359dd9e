// SPDX-License-Identifier: GPL-2.0-only
/* Checks of policies, paths, peers and their routes. */
#include <stdio.h>
#include <string.h>

#include "doctor.h"
#include "parse.h"

#define SHOWN 5

/* ---- plain policies ---- */

/* Does a plain policy touch packets at all? */
static bool interferes(const struct host_policy *p)
{
	return !p->if_id && (p->action != XFRM_POLICY_ALLOW ||
			     (p->tmpl && !p->optional)) &&
	       (p->dir == XFRM_POLICY_OUT || p->dir == XFRM_POLICY_IN ||
		p->dir == XFRM_POLICY_FWD);
}

static bool overlap(const struct ovly_prefix *a, const struct ovly_prefix *b)
{
	return prefix_contains(a, b) || prefix_contains(b, a);
}

/* Settings of the device that take it out of the stack's own checks. */
static bool is_exempt(struct doctor *d, const struct host_policy *p,
		      const char *dev)
{
	if (p->dir == XFRM_POLICY_OUT)
		return p->src.addr.family == AF_INET &&
		       doctor_sysctl(d, "ipv4/conf/%s/disable_xfrm", dev) == 1;
	return doctor_sysctl(d, "ipv%c/conf/%s/disable_policy",
			     p->src.addr.family == AF_INET ? '4' : '6',
			     dev) == 1;
}

struct plain {
	struct doctor *d;
	const struct host_policy *policy;
	struct ovly_prefix first;
	char dev[IFNAMSIZ];
	unsigned int n;
};

static void on_owned(const struct ovly_msg *msg, void *arg)
{
	struct plain *plain = arg;
	const struct ovly_prefix route = {
		.addr = msg->route.dst,
		.len = (uint8_t)msg->route.prefixlen,
	};
	const struct ovly_prefix *remote =
		plain->policy->dir == XFRM_POLICY_OUT ? &plain->policy->dst :
							&plain->policy->src;

	if (!overlap(&route, remote) || plain->n++)
		return;
	plain->first = route;
	host_link_name(plain->d->host, msg->ifindex, plain->dev);
}

static void say_plain(struct doctor *d, const struct plain *plain)
{
	char src[PREFIX_STRLEN], dst[PREFIX_STRLEN], route[PREFIX_STRLEN];
	const struct host_policy *p = plain->policy;
	char todo[160];

	prefix_str(&p->src, src);
	prefix_str(&p->dst, dst);
	prefix_str(&plain->first, route);
	if (p->dir == XFRM_POLICY_OUT) {
		doctor_say(d, DOCTOR_FAIL,
			   "give that child if_id_in and if_id_out, or other selectors",
			   "the policy %s to %s without if-id takes packets to %s before %s sees them",
			   src, dst, route, plain->dev);
	} else {
		snprintf(todo, sizeof(todo),
			 "sysctl -w net.ipv%c.conf.%s.disable_policy=1, as the module had set it",
			 p->src.addr.family == AF_INET ? '4' : '6', plain->dev);
		doctor_say(d, DOCTOR_FAIL, todo,
			   "the policy %s to %s without if-id drops what %s brings from %s",
			   src, dst, plain->dev, route);
	}
}

void check_plain_policy(struct doctor *d)
{
	struct plain plain = { .d = d };
	unsigned int i, n = 0;

	for (i = 0; i < d->host->policies && n < SHOWN; i++) {
		plain.policy = &d->host->policy[i];
		plain.n = 0;
		if (!interferes(plain.policy))
			continue;
		d->host->ops->owned(d->host, on_owned, &plain);
		if (!plain.n || is_exempt(d, plain.policy, plain.dev))
			continue;
		say_plain(d, &plain);
		n++;
	}
}

void check_if_id(struct doctor *d)
{
	unsigned int i, k;
	char todo[160];

	for (i = 0; i < d->host->links; i++) {
		const struct host_link *l = &d->host->link[i];

		for (k = 0; l->xfrm_if_id && k < d->host->paths; k++) {
			const struct ovly_path *path = &d->host->path[k].path;

			if (path->if_id_in != l->xfrm_if_id &&
			    path->if_id_out != l->xfrm_if_id)
				continue;
			snprintf(todo, sizeof(todo),
				 "ip link del %s, or give it another if_id",
				 l->link.name);
			doctor_say(d, DOCTOR_FAIL, todo,
				   "XFRM interface %s has if-id %u of a path of peer %s: one of the two gets no packets",
				   l->link.name, l->xfrm_if_id,
				   path->peer_name);
		}
	}
}

/* ---- peers and routes ---- */

static void judge_peer(struct doctor *d, const struct ovly_msg *peer)
{
	unsigned int i, n = 0;

	for (i = 0; i < d->host->paths; i++)
		n += host_path_of(&d->host->path[i], peer);
	if (peer->peer.via_backup)
		doctor_say(d, DOCTOR_WARN, "ovlyhelper show peers",
			   "peer %s is down, its backup carries its packets",
			   peer->peer.name);
	else if (!n)
		doctor_say(d, DOCTOR_WARN,
			   "swanctl --initiate --child NAME; see what updown said in charon's log",
			   "peer %s has no path: no tunnel is up, or its updown was refused",
			   peer->peer.name);
	else
		doctor_say(d, DOCTOR_WARN,
			   "swanctl --list-sas; a path comes up with an SA of its if-id and endpoint",
			   "peer %s is down: its paths have no SA",
			   peer->peer.name);
}

void check_peers(struct doctor *d)
{
	unsigned int i, n = 0;

	for (i = 0; i < d->host->peers; i++)
		if (d->host->peer[i].peer.state != OVLY_PEER_UP && ++n <= SHOWN)
			judge_peer(d, &d->host->peer[i]);
	if (n > SHOWN)
		doctor_say(d, DOCTOR_WARN, "ovlyhelper show peers",
			   "%u more peers are down", n - SHOWN);
}

struct missing {
	unsigned int n;
	struct ovly_prefix first;
	uint32_t error;
};

static void on_route(const struct ovly_msg *msg, void *arg)
{
	struct missing *m = arg;

	if (!msg->route.error || m->n++)
		return;
	m->first.addr = msg->route.dst;
	m->first.len = (uint8_t)msg->route.prefixlen;
	m->error = msg->route.error;
}

void check_routes(struct doctor *d)
{
	struct missing m = { 0 };
	char prefix[PREFIX_STRLEN];

	d->host->ops->owned(d->host, on_route, &m);
	if (m.n)
		doctor_say(d, DOCTOR_FAIL, "ovlyhelper dev resync NAME",
			   "%u routes are not in their table; the first is %s: %s",
			   m.n, prefix_str(&m.first, prefix),
			   strerror((int)m.error));
}
