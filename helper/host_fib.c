// SPDX-License-Identifier: GPL-2.0-only
/* Links, rules and routes of the host by rtnetlink. */
#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <stdio.h>
#include <string.h>

#include "host.h"
#include "parse.h"
#include "stage.h"

static bool get_u32(const struct nlattr *nla, uint32_t *out)
{
	if (nla_len(nla) < 4)
		return false;
	*out = nla_get_u32(nla);
	return true;
}

static void get_addr(const struct nlattr *nla, uint8_t family,
		     struct ovly_addr *out)
{
	struct ovly_addr a = { .family = family };

	if ((unsigned int)nla_len(nla) != addr_bits(&a) / 8)
		return;
	memcpy(a.b, nla_data(nla), (size_t)nla_len(nla));
	*out = a;
}

/* ---- links ---- */

static void read_link_data(const struct nlattr *info, struct host_link *out)
{
	struct nlattr *nla, *data;
	int rem, left;

	nla_for_each_nested(nla, (struct nlattr *)info, rem) {
		if (nla_type(nla) != IFLA_INFO_DATA)
			continue;
		nla_for_each_nested(data, nla, left) {
			if (!strcmp(out->link.kind, "xfrm") &&
			    nla_type(data) == IFLA_XFRM_IF_ID)
				get_u32(data, &out->xfrm_if_id);
			else if (!strcmp(out->link.kind, "vrf") &&
				 nla_type(data) == IFLA_VRF_TABLE)
				get_u32(data, &out->vrf_table);
		}
	}
}

bool host_link_parse(struct nlmsghdr *hdr, struct host_link *out)
{
	struct nlattr *nla;

	memset(out, 0, sizeof(*out));
	if (hdr->nlmsg_type != RTM_NEWLINK ||
	    !ovly_rtnl_link_parse(hdr, &out->link))
		return false;
	nla = nlmsg_find_attr(hdr, sizeof(struct ifinfomsg), IFLA_LINKINFO);
	if (nla)
		read_link_data(nla, out);
	return true;
}

static void on_link(struct nlmsghdr *hdr, void *arg)
{
	struct host *host = arg;
	struct host_link link, *new;

	if (!host_link_parse(hdr, &link))
		return;
	new = host_grow(host, &host->link, &host->links, sizeof(*new));
	if (new)
		*new = link;
}

bool host_read_links(struct host *host, struct err *e)
{
	struct ifinfomsg ifi = { .ifi_family = AF_UNSPEC };
	struct ovly_nl_error refusal;

	if (ovly_nl_request(host->nl->rtnl,
			    ovly_nl_raw(RTM_GETLINK, NLM_F_DUMP, &ifi,
					sizeof(ifi)),
			    on_link, host, &refusal))
		return true;
	return ovly_nl_err(e, &refusal, "cannot list the devices");
}

/* ---- rules ---- */

static void read_rule_attr(const struct nlattr *nla, struct host_rule *out)
{
	uint32_t n = 0;

	switch (nla_type(nla)) {
	case FRA_DST:
		get_addr(nla, out->family, &out->dst.addr);
		break;
	case FRA_SRC:
		get_addr(nla, out->family, &out->src.addr);
		break;
	case FRA_IIFNAME:
		nla_strlcpy(out->iifname, nla, sizeof(out->iifname));
		break;
	case FRA_OIFNAME:
		nla_strlcpy(out->oifname, nla, sizeof(out->oifname));
		break;
	case FRA_PRIORITY:
		get_u32(nla, &out->pref);
		break;
	case FRA_TABLE:
		get_u32(nla, &out->table);
		break;
	case FRA_GOTO:
		get_u32(nla, &out->target);
		break;
	case FRA_FWMARK:
		get_u32(nla, &out->mark);
		break;
	case FRA_FWMASK:
		get_u32(nla, &out->mask);
		break;
	case FRA_SUPPRESS_PREFIXLEN:
		if (get_u32(nla, &n))
			out->suppress = (int)n;
		break;
	case FRA_L3MDEV:
		out->l3mdev = nla_len(nla) >= 1 && nla_get_u8(nla);
		break;
	case FRA_UID_RANGE:
	case FRA_IP_PROTO:
	case FRA_SPORT_RANGE:
	case FRA_DPORT_RANGE:
		out->narrow = true;
		break;
	}
}

bool host_rule_parse(struct nlmsghdr *hdr, struct host_rule *out)
{
	const struct fib_rule_hdr *frh = nlmsg_data(hdr);
	struct nlattr *nla;
	int rem;

	memset(out, 0, sizeof(*out));
	if (hdr->nlmsg_type != RTM_NEWRULE ||
	    !nlmsg_valid_hdr(hdr, sizeof(*frh)) ||
	    (frh->family != AF_INET && frh->family != AF_INET6))
		return false;
	out->family = frh->family;
	out->action = frh->action;
	out->table = frh->table;
	out->invert = frh->flags & FIB_RULE_INVERT;
	out->narrow = frh->tos;
	out->suppress = -1;
	out->src.addr.family = frh->family;
	out->dst.addr.family = frh->family;
	out->src.len = frh->src_len;
	out->dst.len = frh->dst_len;
	nlmsg_for_each_attr(nla, hdr, sizeof(*frh), rem)
		read_rule_attr(nla, out);
	return out->src.len <= addr_bits(&out->src.addr) &&
	       out->dst.len <= addr_bits(&out->dst.addr);
}

static void on_rule(struct nlmsghdr *hdr, void *arg)
{
	struct host *host = arg;
	struct host_rule rule, *new;

	if (!host_rule_parse(hdr, &rule))
		return;
	new = host_grow(host, &host->rule, &host->rules, sizeof(*new));
	if (new)
		*new = rule;
}

bool host_read_rules(struct host *host, struct err *e)
{
	static const uint8_t families[] = { AF_INET, AF_INET6 };
	struct ovly_nl_error refusal;
	unsigned int i;

	for (i = 0; i < 2; i++) {
		struct fib_rule_hdr frh = { .family = families[i] };

		/* the errors: a kernel without IPv6 */
		if (!ovly_nl_request(host->nl->rtnl,
				     ovly_nl_raw(RTM_GETRULE, NLM_F_DUMP, &frh,
						 sizeof(frh)),
				     on_rule, host, &refusal) &&
		    refusal.error != EAFNOSUPPORT &&
		    refusal.error != EOPNOTSUPP)
			return ovly_nl_err(e, &refusal,
					   "cannot list the rules");
	}
	return true;
}

/* ---- routes ---- */

bool host_route_parse(struct nlmsghdr *hdr, struct host_route *out)
{
	struct rtmsg *rtm = nlmsg_data(hdr);
	struct ovly_staged route;
	struct nlattr *nla;

	memset(out, 0, sizeof(*out));
	if (hdr->nlmsg_type != RTM_NEWROUTE ||
	    !nlmsg_valid_hdr(hdr, sizeof(*rtm)))
		return false;
	/* the answer to a lookup is marked like an entry of the cache */
	rtm->rtm_flags &= ~(unsigned int)RTM_F_CLONED;
	if (!ovly_stage_parse(hdr, &route))
		return false;
	out->dst = route.dst;
	out->table = route.table;
	out->metric = route.metric;
	out->protocol = route.protocol;
	out->hops = route.hops;
	if (route.hops) {
		out->oif = route.hop[0].oif;
		out->gateway = route.hop[0].gateway;
	}
	out->type = rtm->rtm_type;
	nla = nlmsg_find_attr(hdr, sizeof(*rtm), RTA_PREFSRC);
	if (nla)
		get_addr(nla, rtm->rtm_family, &out->prefsrc);
	return true;
}

static void on_answer(struct nlmsghdr *hdr, void *arg)
{
	host_route_parse(hdr, arg);
}

static int lookup(struct host *host, const struct host_flow *flow,
		  unsigned int flags, struct host_route *out)
{
	struct rtmsg rtm = { .rtm_family = flow->dst.family,
			     .rtm_flags = flags };
	int bytes = (int)addr_bits(&flow->dst) / 8;
	struct ovly_nl_error refusal;
	struct nl_msg *msg;

	memset(out, 0, sizeof(*out));
	/* IPv6 names the table unasked, and refuses to be asked */
	if (flow->dst.family == AF_INET)
		rtm.rtm_flags |= RTM_F_LOOKUP_TABLE;
	rtm.rtm_dst_len = (uint8_t)(bytes * 8);
	rtm.rtm_src_len = flow->src.family ? rtm.rtm_dst_len : 0;
	msg = ovly_nl_raw(RTM_GETROUTE, 0, &rtm, sizeof(rtm));
	if (!msg || nla_put(msg, RTA_DST, bytes, flow->dst.b) < 0 ||
	    (flow->src.family &&
	     nla_put(msg, RTA_SRC, bytes, flow->src.b) < 0) ||
	    (flow->in_if && nla_put_u32(msg, RTA_IIF, flow->in_if) < 0) ||
	    (flow->oif && nla_put_u32(msg, RTA_OIF, flow->oif) < 0) ||
	    (flow->mark && nla_put_u32(msg, RTA_MARK, flow->mark) < 0)) {
		nlmsg_free(msg);
		return ENOMEM;
	}
	if (!ovly_nl_request(host->nl->rtnl, msg, on_answer, out, &refusal))
		return refusal.error;
	return out->dst.addr.family ? 0 : EBADMSG;
}

int host_route_get(struct host *host, const struct host_flow *flow,
		   struct host_route *hop, struct host_route *match)
{
	int error = lookup(host, flow, 0, hop);

	if (!error && lookup(host, flow, RTM_F_FIB_MATCH, match)) {
		*match = *hop;
		hop->guessed = flow->oif;
	}
	return error;
}

struct walk {
	uint32_t table;
	void (*cb)(const struct host_route *route, void *arg);
	void *arg;
};

static void on_route(struct nlmsghdr *hdr, void *arg)
{
	struct walk *walk = arg;
	struct host_route route;

	/* kernels without strict checks dump every table */
	if (host_route_parse(hdr, &route) && route.table == walk->table)
		walk->cb(&route, walk->arg);
}

static bool walk_family(struct host *host, uint8_t family, struct walk *walk)
{
	struct rtmsg rtm = { .rtm_family = family };
	struct ovly_nl_error refusal;
	struct nl_msg *msg;

	msg = ovly_nl_raw(RTM_GETROUTE, NLM_F_DUMP, &rtm, sizeof(rtm));
	if (!msg || nla_put_u32(msg, RTA_TABLE, walk->table) < 0) {
		nlmsg_free(msg);
		return false;
	}
	/* ENOENT: there is no such table, so it is empty */
	return ovly_nl_request(host->nl->rtnl, msg, on_route, walk,
			       &refusal) ||
	       refusal.error == ENOENT;
}

bool host_route_walk(struct host *host, uint32_t table,
		     void (*cb)(const struct host_route *route, void *arg),
		     void *arg)
{
	struct walk walk = { .table = table, .cb = cb, .arg = arg };

	/* IPv6 may not be there */
	walk_family(host, AF_INET6, &walk);
	return walk_family(host, AF_INET, &walk);
}

struct longest {
	const struct ovly_addr *dst;
	struct host_route *best;
	bool found;
};

static void on_longer(const struct host_route *route, void *arg)
{
	struct longest *l = arg;

	if (!prefix_covers(&route->dst, l->dst))
		return;
	if (l->found && (route->dst.len < l->best->dst.len ||
			 (route->dst.len == l->best->dst.len &&
			  route->metric >= l->best->metric)))
		return;
	*l->best = *route;
	l->found = true;
}

bool host_route_longest(struct host *host, uint32_t table,
			const struct ovly_addr *dst, struct host_route *out)
{
	struct longest l = { .dst = dst, .best = out };
	struct walk walk = { .table = table, .cb = on_longer, .arg = &l };

	memset(out, 0, sizeof(*out));
	return walk_family(host, dst->family, &walk) && l.found;
}
