// SPDX-License-Identifier: GPL-2.0-only
/* What the device does with a packet: peer, path, policy, SA, underlay. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "explain_steps.h"
#include "fields.h"
#include "out.h"
#include "parse.h"

/* ---- outer packet ---- */

static void judge_underlay(struct explain *x, const struct ovly_msg *peer,
			   const struct ovly_path *path,
			   const struct host_sa *sa, uint32_t mark)
{
	const struct host_flow outer = { .dst = sa->dst, .src = sa->src,
					 .oif = path->underlay,
					 .mark = mark };
	char src[ADDR_STRLEN], dst[ADDR_STRLEN], via[ADDR_STRLEN];
	struct host_route hop, match;
	const struct host_link *l;
	char name[IFNAMSIZ];
	json_t *step;
	int error;

	addr_str(&sa->src, src);
	addr_str(&sa->dst, dst);
	error = x->host->ops->route(x->host, &outer, &hop, &match);
	if (error) {
		explain_step(x, "underlay", "%s to %s: %s", src, dst,
			     error == EINVAL ?
				     "the SA's own address is not this host's any more" :
				     strerror(error));
		DROPPED(x, "tx-no-sa",
			"dropped with ICMP host unreachable: no way to the endpoint %s",
			dst);
		return;
	}
	host_link_name(x->host, hop.oif, name);
	l = host_link(x->host, hop.oif);
	step = explain_step(x, "underlay", "%s to %s by %s%s%s%s", src,
			    dst, name, hop.gateway.family ? " via " : "",
			    hop.gateway.family ?
				    addr_str(&hop.gateway, via) : "",
			    hop.guessed ? ": no route, so it is taken for a neighbour" :
					  "");
	explain_set_str(step, "dev", name);
	explain_set_addr(step, "via", &hop.gateway);
	if (l)
		explain_set_int(step, "mtu", l->link.mtu);
	if (host_dev(x->host, hop.oif))
		DROPPED(x, "tx-loop",
			"dropped: the outer packet would enter %s again; route the endpoint %s by the underlay",
			name, dst);
	else
		explain_verdict(x, "encrypted", NULL,
			"goes out encrypted: to peer %s, %s by %s",
			peer->peer.name, dst, name);
}

/* ---- SA and policy ---- */

static bool if_id_is_here(const struct host *host, uint32_t if_id)
{
	unsigned int i;

	for (i = 0; i < host->policies; i++)
		if (host->policy[i].if_id == if_id)
			return true;
	for (i = 0; i < host->sas; i++)
		if (host->sa[i].if_id == if_id)
			return true;
	return false;
}

static void judge_sa(struct explain *x, const struct ovly_msg *peer,
		     const struct ovly_path *path,
		     const struct host_policy *policy,
		     const struct host_flow *flow)
{
	const struct host_sa *sa;
	char dst[ADDR_STRLEN];
	json_t *step;

	sa = policy->tunnel ? host_sa_find(x->host, flow, policy,
					   &path->endpoint) : NULL;
	if (!sa) {
		explain_step(x, "sa", "none for if-id %u%s%s",
			     path->if_id_out,
			     path->endpoint.family ? " to " : "",
			     path->endpoint.family ?
				     addr_str(&path->endpoint, dst) : "");
		DROPPED(x, "tx-no-sa",
			"dropped with ICMP host unreachable: no SA; see swanctl --list-sas");
		return;
	}
	step = explain_step(x, "sa", "spi 0x%08x to %s%s, %s%s%s", sa->spi,
			    addr_str(&sa->dst, dst),
			    sa->udp ? " in UDP" : "",
			    sa->cipher[0] ? sa->cipher : "?",
			    sa->auth[0] ? " " : "", sa->auth);
	explain_set_int(step, "spi", sa->spi);
	explain_set_int(step, "reqid", sa->reqid);
	explain_set_addr(step, "src", &sa->src);
	explain_set_addr(step, "dst", &sa->dst);
	explain_set_int(step, "packets", sa->packets);
	judge_underlay(x, peer, path, sa,
		       sa->set_mask ? (flow->mark & ~sa->set_mask) |
				      (sa->set_mark & sa->set_mask) : 0);
}

/* What the policies of an if_id do cover, for who is outside. */
static void list_selectors(struct explain *x, uint32_t if_id)
{
	char src[PREFIX_STRLEN], dst[PREFIX_STRLEN];
	unsigned int i, n = 0;

	for (i = 0; i < x->host->policies; i++) {
		const struct host_policy *p = &x->host->policy[i];

		if (p->dir != XFRM_POLICY_OUT || p->if_id != if_id ||
		    p->src.addr.family != x->flow.dst.family || ++n > 4)
			continue;
		explain_step(x, "policy", "does not cover it: %s to %s%s",
			     prefix_str(&p->src, src), prefix_str(&p->dst, dst),
			     p->proto || p->ports ? ", one protocol only" : "");
	}
	if (n > 4)
		explain_step(x, "policy", "and %u more do not", n - 4);
	if (!n)
		explain_step(x, "policy", "none has if-id %u", if_id);
}

static void judge_policy(struct explain *x, const struct ovly_msg *peer,
			 const struct ovly_path *path)
{
	char src[PREFIX_STRLEN], dst[PREFIX_STRLEN], from[ADDR_STRLEN];
	const struct host_policy *p;
	struct host_flow flow = x->flow;
	json_t *step;

	if (path->sa_out && !if_id_is_here(x->host, path->if_id_out)) {
		explain_step(x, "policy",
			     "if-id %u has none here: the SAs are in another network namespace",
			     path->if_id_out);
		explain_verdict(x, "unknown", "other-netns",
			"goes to peer %s; ask again where the device was made, the SAs are there",
			peer->peer.name);
		return;
	}
	flow.oif = path->underlay;
	if (peer->peer.mark)
		flow.mark = peer->peer.mark;
	p = host_policy_find(x->host, &flow, path->if_id_out);
	if (!p || !p->tmpl || p->action != XFRM_POLICY_ALLOW) {
		if (p)
			explain_step(x, "policy", "%s to %s %s",
				     prefix_str(&p->src, src),
				     prefix_str(&p->dst, dst),
				     p->action == XFRM_POLICY_ALLOW ?
					     "wants no IPsec" : "blocks it");
		else
			list_selectors(x, path->if_id_out);
		DROPPED(x, "tx-no-policy",
			"dropped with ICMP prohibited: no policy of if-id %u covers it from %s; see local_ts and remote_ts",
			path->if_id_out,
			flow.src.family ? addr_str(&flow.src, from) :
					  "an unknown source");
		return;
	}
	step = explain_step(x, "policy", "%s to %s, if-id %u",
			    prefix_str(&p->src, src), prefix_str(&p->dst, dst),
			    p->if_id);
	explain_set_str(step, "src", src);
	explain_set_str(step, "dst", dst);
	explain_set_int(step, "if-id", p->if_id);
	explain_set_int(step, "priority", p->priority);
	judge_sa(x, peer, path, p, &flow);
}

/* ---- path and peer ---- */

static void show_path(struct explain *x, const struct ovly_path *path)
{
	char addr[ADDR_STRLEN], since[24];
	json_t *step;

	step = explain_step(x, "path", "if-id %u%s%s%s%s, %s for %s",
			    path->if_id_in,
			    path->label[0] ? " " : "", path->label,
			    path->endpoint.family ? " to " : "",
			    path->endpoint.family ?
				    addr_str(&path->endpoint, addr) : "",
			    path->state == OVLY_PATH_DOWN ? "down without an SA" :
				    word_of(path_state_words, path->state),
			    out_since(path->since, since, sizeof(since)));
	explain_set_int(step, "if-id-in", path->if_id_in);
	explain_set_int(step, "if-id-out", path->if_id_out);
	explain_set_str(step, "state", word_of(path_state_words, path->state));
	explain_set_addr(step, "endpoint", &path->endpoint);
}

/* Shows the peer and its paths; returns the active one. */
static const struct ovly_path *show_peer(struct explain *x, const char *name,
					 const struct ovly_msg *peer)
{
	const struct ovly_path *active = NULL;
	unsigned int i, n = 0;
	char since[24];
	json_t *step;

	step = explain_step(x, name, "%s, %s for %s", peer->peer.name,
			    word_of(peer_state_words, peer->peer.state),
			    out_since(peer->peer.since, since, sizeof(since)));
	explain_set_str(step, "name", peer->peer.name);
	explain_set_str(step, "state",
			word_of(peer_state_words, peer->peer.state));
	for (i = 0; i < x->host->paths; i++) {
		const struct ovly_msg *path = &x->host->path[i];

		if (!host_path_of(path, peer))
			continue;
		if (path->path.state == OVLY_PATH_ACTIVE && !active)
			active = &path->path;
		if (++n <= 8)
			show_path(x, &path->path);
	}
	if (!n)
		explain_step(x, "path", "none: strongSwan has no tunnel up, or did not run updown");
	return active;
}

static const struct ovly_msg *find_backup(const struct explain *x,
					  const struct ovly_msg *peer)
{
	unsigned int i;

	for (i = 0; peer->peer.backup_id && i < x->host->peers; i++)
		if (x->host->peer[i].ifindex == peer->ifindex &&
		    x->host->peer[i].peer.id == peer->peer.backup_id)
			return &x->host->peer[i];
	return NULL;
}

static void judge_peer(struct explain *x, const struct ovly_msg *peer)
{
	const struct ovly_path *active = show_peer(x, "peer", peer);
	const struct ovly_msg *backup = active ? NULL : find_backup(x, peer);

	if (backup)
		active = show_peer(x, "backup", backup);
	if (active)
		judge_policy(x, backup ? backup : peer, active);
	else
		DROPPED(x, "tx-no-path",
			"dropped with ICMP host unreachable: peer %s %s down",
			peer->peer.name, backup ? "and its backup are" : "is");
}

static const struct ovly_msg *find_peer(const struct explain *x,
					const struct ovly_msg *dev,
					const struct ovly_addr *nexthop)
{
	unsigned int i, k;

	for (i = 0; i < x->host->peers; i++) {
		const struct ovly_msg *peer = &x->host->peer[i];

		if (peer->ifindex != dev->ifindex)
			continue;
		/* the one peer of a p2p device takes every packet */
		if (dev->dev.mode == OVLY_MODE_P2P)
			return peer;
		for (k = 0; k < peer->peer.addr.n; k++)
			if (addr_equal(&peer->peer.addr.a[k], nexthop))
				return peer;
	}
	return NULL;
}

void explain_device(struct explain *x, const struct ovly_msg *dev,
		    const struct host_route *hop)
{
	const struct ovly_addr *nexthop =
		hop->gateway.family ? &hop->gateway : &x->flow.dst;
	bool p2p = dev->dev.mode == OVLY_MODE_P2P;
	const struct ovly_msg *peer = find_peer(x, dev, nexthop);
	char addr[ADDR_STRLEN], name[IFNAMSIZ];
	json_t *step;

	addr_str(nexthop, addr);
	host_link_name(x->host, dev->ifindex, name);
	step = explain_step(x, "device", "%s, %s%s%s", name,
			    word_of(mode_words, dev->dev.mode),
			    p2p ? "" : ", next hop ", p2p ? "" : addr);
	explain_set_str(step, "dev", name);
	explain_set_str(step, "mode", word_of(mode_words, dev->dev.mode));
	explain_set_addr(step, "next-hop", nexthop);
	if (peer) {
		judge_peer(x, peer);
		return;
	}
	if (p2p)
		explain_step(x, "peer", "%s has none", name);
	else
		explain_step(x, "peer", "none of %s has the address %s", name,
			     addr);
	DROPPED(x, "tx-no-peer",
		"dropped with ICMP host unreachable: no peer has the next hop");
}
