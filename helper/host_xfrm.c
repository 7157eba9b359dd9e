// SPDX-License-Identifier: GPL-2.0-only
/* XFRM policies and SAs of the host, by netlink.  Keys are not kept. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/netlink.h>
#include <linux/xfrm.h>
#include <netinet/in.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <stdio.h>
#include <string.h>

#include "host.h"
#include "parse.h"

static struct ovly_addr from_xfrm(const xfrm_address_t *x, uint16_t family)
{
	struct ovly_addr a = { .family = (uint8_t)family };

	if (family != AF_INET && family != AF_INET6)
		a.family = 0;
	else
		memcpy(a.b, x, addr_bits(&a) / 8);
	return a;
}

static bool from_selector(const struct xfrm_selector *sel,
			  struct ovly_prefix *src, struct ovly_prefix *dst)
{
	src->addr = from_xfrm(&sel->saddr, sel->family);
	dst->addr = from_xfrm(&sel->daddr, sel->family);
	src->len = sel->prefixlen_s;
	dst->len = sel->prefixlen_d;
	return src->addr.family && src->len <= addr_bits(&src->addr) &&
	       dst->len <= addr_bits(&dst->addr);
}

static void get_u32(const struct nlattr *nla, uint32_t *out)
{
	if (nla_len(nla) >= 4)
		*out = nla_get_u32(nla);
}

static void read_mark(const struct nlattr *nla, uint32_t *value, uint32_t *mask)
{
	const struct xfrm_mark *mark = nla_data(nla);

	if ((size_t)nla_len(nla) < sizeof(*mark))
		return;
	*value = mark->v;
	*mask = mark->m;
}

static void read_tmpl(const struct nlattr *nla, struct host_policy *out)
{
	const struct xfrm_user_tmpl *t = nla_data(nla);

	if ((size_t)nla_len(nla) < sizeof(*t))
		return;
	out->tmpl = true;
	out->optional = t->optional;
	out->tunnel = t->mode == XFRM_MODE_TUNNEL;
	out->reqid = t->reqid;
	/* outside tunnel mode the addresses are the flow's */
	if (!out->tunnel)
		return;
	out->tmpl_src = from_xfrm(&t->saddr, t->family);
	out->tmpl_dst = from_xfrm(&t->id.daddr, t->family);
}

bool host_policy_parse(struct nlmsghdr *hdr, struct host_policy *out)
{
	const struct xfrm_userpolicy_info *info = nlmsg_data(hdr);
	struct nlattr *nla;
	int rem;

	memset(out, 0, sizeof(*out));
	if (hdr->nlmsg_type != XFRM_MSG_NEWPOLICY ||
	    !nlmsg_valid_hdr(hdr, sizeof(*info)) ||
	    !from_selector(&info->sel, &out->src, &out->dst))
		return false;
	out->proto = info->sel.proto;
	out->ports = info->sel.sport_mask || info->sel.dport_mask;
	out->ifindex = (uint32_t)info->sel.ifindex;
	out->dir = info->dir;
	out->action = info->action;
	out->priority = info->priority;
	nlmsg_for_each_attr(nla, hdr, sizeof(*info), rem) {
		switch (nla_type(nla)) {
		case XFRMA_TMPL:
			read_tmpl(nla, out);
			break;
		case XFRMA_MARK:
			read_mark(nla, &out->mark, &out->mask);
			break;
		case XFRMA_IF_ID:
			get_u32(nla, &out->if_id);
			break;
		case XFRMA_POLICY_TYPE:
			/* sub policies are for Mobile IPv6 */
			if (nla_len(nla) >= 1 &&
			    nla_get_u8(nla) != XFRM_POLICY_TYPE_MAIN)
				return false;
			break;
		}
	}
	return true;
}

/* All kinds of algorithms start with a name of 64 bytes. */
static void read_name(const struct nlattr *nla, char out[64])
{
	size_t len = (size_t)nla_len(nla);

	if (len > 63)
		len = 63;
	memcpy(out, nla_data(nla), len);
	out[len] = '\0';
}

bool host_sa_parse(struct nlmsghdr *hdr, struct host_sa *out)
{
	const struct xfrm_usersa_info *info = nlmsg_data(hdr);
	struct nlattr *nla;
	int rem;

	memset(out, 0, sizeof(*out));
	if (hdr->nlmsg_type != XFRM_MSG_NEWSA ||
	    !nlmsg_valid_hdr(hdr, sizeof(*info)))
		return false;
	out->src = from_xfrm(&info->saddr, info->family);
	out->dst = from_xfrm(&info->id.daddr, info->family);
	out->spi = ntohl(info->id.spi);
	out->reqid = info->reqid;
	out->esp = info->id.proto == IPPROTO_ESP;
	out->tunnel = info->mode == XFRM_MODE_TUNNEL;
	out->packets = info->curlft.packets;
	out->added = info->curlft.add_time;
	nlmsg_for_each_attr(nla, hdr, sizeof(*info), rem) {
		switch (nla_type(nla)) {
		case XFRMA_ALG_AEAD:
		case XFRMA_ALG_CRYPT:
			read_name(nla, out->cipher);
			break;
		case XFRMA_ALG_AUTH:
			read_name(nla, out->auth);
			break;
		case XFRMA_ENCAP:
			out->udp = true;
			break;
		case XFRMA_MARK:
			read_mark(nla, &out->mark, &out->mask);
			break;
		case XFRMA_SET_MARK:
			get_u32(nla, &out->set_mark);
			break;
		case XFRMA_SET_MARK_MASK:
			get_u32(nla, &out->set_mask);
			break;
		case XFRMA_IF_ID:
			get_u32(nla, &out->if_id);
			break;
		}
	}
	return out->src.family;
}

static void on_policy(struct nlmsghdr *hdr, void *arg)
{
	struct host *host = arg;
	struct host_policy policy, *new;

	if (!host_policy_parse(hdr, &policy))
		return;
	new = host_grow(host, &host->policy, &host->policies, sizeof(*new));
	if (new)
		*new = policy;
}

static void on_sa(struct nlmsghdr *hdr, void *arg)
{
	struct host *host = arg;
	struct host_sa sa, *new;

	if (!host_sa_parse(hdr, &sa))
		return;
	new = host_grow(host, &host->sa, &host->sas, sizeof(*new));
	if (new)
		*new = sa;
}

static bool list(struct host *host, int type, ovly_nl_cb cb, const char *what,
		 struct err *e)
{
	struct ovly_nl_error refusal;
	struct nl_msg *msg = nlmsg_alloc_simple(type, NLM_F_DUMP);

	if (ovly_nl_request(host->xfrm, msg, cb, host, &refusal))
		return true;
	return ovly_nl_err(e, &refusal, "cannot list the %s", what);
}

bool host_read_xfrm(struct host *host, struct err *e)
{
	host->xfrm = ovly_nl_socket(NETLINK_XFRM, e);
	return host->xfrm &&
	       list(host, XFRM_MSG_GETPOLICY, on_policy, "IPsec policies", e) &&
	       list(host, XFRM_MSG_GETSA, on_sa, "SAs", e);
}
