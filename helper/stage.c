// SPDX-License-Identifier: GPL-2.0-only
#include "stage.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/socket.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

#include "parse.h"

static bool read_addr(const struct nlattr *nla, uint8_t family,
		      struct ovly_addr *out)
{
	struct ovly_addr a = { .family = family };

	if ((unsigned int)nla_len(nla) != addr_bits(&a) / 8)
		return false;
	memcpy(a.b, nla_data(nla), (size_t)nla_len(nla));
	*out = a;
	return true;
}

/* RTA_VIA: a gateway of the other family (RFC 8950) */
static bool read_via(const struct nlattr *nla, struct ovly_addr *out)
{
	const struct rtvia *via = nla_data(nla);
	struct ovly_addr a = { 0 };
	size_t len;

	if ((size_t)nla_len(nla) < sizeof(*via))
		return false;
	a.family = via->rtvia_family == AF_INET ? AF_INET : AF_INET6;
	len = addr_bits(&a) / 8;
	if ((size_t)nla_len(nla) != sizeof(*via) + len)
		return false;
	memcpy(a.b, via->rtvia_addr, len);
	*out = a;
	return true;
}

static bool read_gateway(const struct nlattr *nla, uint8_t family,
			 struct ovly_addr *out)
{
	return nla_type(nla) == RTA_VIA ? read_via(nla, out) :
					  read_addr(nla, family, out);
}

static bool read_multipath(const struct nlattr *nla, uint8_t family,
			   struct ovly_staged *out)
{
	const struct rtnexthop *nh = nla_data(nla);
	int len = nla_len(nla);
	bool any = false;

	out->hops = 0;
	while (len >= (int)sizeof(*nh) && nh->rtnh_len >= sizeof(*nh) &&
	       nh->rtnh_len <= len) {
		int rem = nh->rtnh_len - (int)sizeof(*nh);
		struct nlattr *sub = (struct nlattr *)(nh + 1);
		int step = NLMSG_ALIGN(nh->rtnh_len);
		struct stage_hop hop = { .oif = (uint32_t)nh->rtnh_ifindex };

		for (; nla_ok(sub, rem); sub = nla_next(sub, &rem))
			if (nla_type(sub) == RTA_GATEWAY ||
			    nla_type(sub) == RTA_VIA)
				read_gateway(sub, family, &hop.gateway);
		/* its link is down, which deletes a route that has no other */
		if ((out->del || !(nh->rtnh_flags & RTNH_F_DEAD)) &&
		    out->hops++ < OVLY_OWNERS_MAX)
			out->hop[out->hops - 1] = hop;
		any = true;
		len -= step;
		nh = (const struct rtnexthop *)((const char *)nh + step);
	}
	out->leads &= out->hops > 0;
	return any;
}

bool ovly_stage_parse(struct nlmsghdr *hdr, struct ovly_staged *out)
{
	struct rtmsg *rtm = nlmsg_data(hdr);
	struct nlattr *nla;
	bool ok = true;
	int rem;

	memset(out, 0, sizeof(*out));
	if (hdr->nlmsg_type != RTM_NEWROUTE && hdr->nlmsg_type != RTM_DELROUTE)
		return false;
	if (!nlmsg_valid_hdr(hdr, sizeof(*rtm)) ||
	    (rtm->rtm_family != AF_INET && rtm->rtm_family != AF_INET6) ||
	    rtm->rtm_flags & RTM_F_CLONED)
		return false;
	out->del = hdr->nlmsg_type == RTM_DELROUTE;
	out->replace = !out->del && hdr->nlmsg_flags & NLM_F_REPLACE;
	out->append = !out->del && hdr->nlmsg_flags & NLM_F_APPEND;
	out->leads = rtm->rtm_type == RTN_UNICAST;
	out->dst.addr.family = rtm->rtm_family;
	out->dst.len = rtm->rtm_dst_len;
	out->table = rtm->rtm_table;
	out->protocol = rtm->rtm_protocol;
	out->hops = 1;
	if (rtm->rtm_dst_len > addr_bits(&out->dst.addr))
		return false;
	nlmsg_for_each_attr(nla, hdr, sizeof(*rtm), rem) {
		switch (nla_type(nla)) {
		case RTA_DST:
			ok = read_addr(nla, rtm->rtm_family, &out->dst.addr);
			break;
		case RTA_GATEWAY:
		case RTA_VIA:
			ok = read_gateway(nla, rtm->rtm_family,
					  &out->hop[0].gateway);
			break;
		case RTA_TABLE:
			ok = nla_len(nla) == 4;
			if (ok)
				out->table = nla_get_u32(nla);
			break;
		case RTA_PRIORITY:
			ok = nla_len(nla) == 4;
			if (ok)
				out->metric = nla_get_u32(nla);
			break;
		case RTA_OIF:
			ok = nla_len(nla) == 4;
			if (ok)
				out->hop[0].oif = nla_get_u32(nla);
			break;
		case RTA_NH_ID:
			out->object = true;
			break;
		case RTA_MULTIPATH:
			ok = read_multipath(nla, rtm->rtm_family, out);
			break;
		}
		if (!ok)
			return false;
	}
	/* in IPv6 a next hop that joins others is told with them */
	out->replace |= !out->del && out->hops > 1 &&
			rtm->rtm_family == AF_INET6;
	prefix_mask(&out->dst);
	return true;
}

struct stage_walk {
	uint32_t table;
	ovly_stage_cb cb;
	void *arg;
};

static void on_route(struct nlmsghdr *hdr, void *arg)
{
	struct stage_walk *walk = arg;
	struct ovly_staged route;

	/* kernels without strict checks dump every table */
	if (ovly_stage_parse(hdr, &route) && route.table == walk->table)
		walk->cb(&route, walk->arg);
}

bool ovly_stage_dump(struct ovly_nl *nl, uint32_t table, ovly_stage_cb cb,
		     void *arg, bool *interrupted, struct err *e)
{
	static const uint8_t families[] = { AF_INET, AF_INET6 };
	struct stage_walk walk = { .table = table, .cb = cb, .arg = arg };
	struct ovly_nl_error refusal;
	unsigned int i;

	*interrupted = false;
	for (i = 0; i < 2; i++) {
		struct rtmsg rtm = { .rtm_family = families[i] };
		struct nl_msg *msg;

		msg = ovly_nl_raw(RTM_GETROUTE, NLM_F_DUMP, &rtm, sizeof(rtm));
		if (!msg || nla_put_u32(msg, RTA_TABLE, table) < 0) {
			nlmsg_free(msg);
			return err_set(e, EXIT_REFUSED, "out of memory");
		}
		/* ENOENT: no such table yet.  EAFNOSUPPORT, EOPNOTSUPP: a
		 * kernel without IPv6.
		 */
		if (!ovly_nl_request(nl->rtnl, msg, on_route, &walk,
				     &refusal) &&
		    refusal.error != ENOENT && refusal.error != EAFNOSUPPORT &&
		    refusal.error != EOPNOTSUPP)
			return ovly_nl_err(e, &refusal,
					   "cannot read routing table %u",
					   table);
		*interrupted |= refusal.interrupted;
	}
	return true;
}

bool ovly_stage_filter(struct nl_sock *sk, uint32_t table, struct err *e)
{
	const uint32_t type = offsetof(struct nlmsghdr, nlmsg_type);
	const uint32_t in = NLMSG_HDRLEN + offsetof(struct rtmsg, rtm_table);
	/* the socket filter reads what it loads as of network order */
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, type),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htons(RTM_NEWROUTE), 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htons(RTM_DELROUTE), 0, 2),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, in),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
			 table < 256 ? table : RT_TABLE_COMPAT, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	const struct sock_fprog program = {
		.len = sizeof(code) / sizeof(code[0]),
		.filter = code,
	};

	if (!setsockopt(nl_socket_get_fd(sk), SOL_SOCKET, SO_ATTACH_FILTER,
			&program, sizeof(program)))
		return true;
	return err_set(e, EXIT_REFUSED, "cannot filter what is told of routes: %s",
		       strerror(errno));
}
