// SPDX-License-Identifier: GPL-2.0-only
#include "rtnl.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <stdio.h>
#include <string.h>

#include "msg.h"
#include "names.h"
#include "parse.h"

static bool full(struct nl_msg *msg, struct err *e)
{
	nlmsg_free(msg);
	return err_set(e, EXIT_REFUSED, "out of memory");
}

static void read_linkinfo(const struct nlattr *info, struct ovly_link *link)
{
	const struct nlattr *data = NULL;
	struct nlattr *nla;
	int rem;

	nla_for_each_nested(nla, (struct nlattr *)info, rem) {
		if (nla_type(nla) == IFLA_INFO_KIND)
			nla_strlcpy(link->kind, nla, sizeof(link->kind));
		else if (nla_type(nla) == IFLA_INFO_DATA)
			data = nla;
	}
	if (data && !strcmp(link->kind, "ovly"))
		ovly_msg_get(data, &dev_fields, &link->dev);
}

bool ovly_rtnl_link_parse(struct nlmsghdr *hdr, struct ovly_link *link)
{
	struct ifinfomsg *ifi = nlmsg_data(hdr);
	struct nlattr *nla;
	int rem;

	memset(link, 0, sizeof(*link));
	if (!nlmsg_valid_hdr(hdr, sizeof(*ifi)) || ifi->ifi_index <= 0)
		return false;
	link->ifindex = (uint32_t)ifi->ifi_index;
	link->flags = ifi->ifi_flags;
	nlmsg_for_each_attr(nla, hdr, sizeof(*ifi), rem) {
		switch (nla_type(nla)) {
		case IFLA_IFNAME:
			nla_strlcpy(link->name, nla, sizeof(link->name));
			break;
		case IFLA_MTU:
			if (nla_len(nla) >= 4)
				link->mtu = nla_get_u32(nla);
			break;
		case IFLA_MASTER:
			if (nla_len(nla) >= 4)
				link->master = nla_get_u32(nla);
			break;
		case IFLA_LINKINFO:
			read_linkinfo(nla, link);
			break;
		}
	}
	return true;
}

static void on_link(struct nlmsghdr *hdr, void *arg)
{
	if (hdr->nlmsg_type == RTM_NEWLINK)
		ovly_rtnl_link_parse(hdr, arg);
}

bool ovly_rtnl_link_get(struct ovly_nl *nl, const char *name,
			struct ovly_link *link, struct err *e)
{
	struct ifinfomsg ifi = { .ifi_family = AF_UNSPEC };
	struct ovly_nl_error refusal;
	struct nl_msg *msg;

	memset(link, 0, sizeof(*link));
	msg = ovly_nl_raw(RTM_GETLINK, 0, &ifi, sizeof(ifi));
	if (!msg || nla_put_string(msg, IFLA_IFNAME, name) < 0)
		return full(msg, e);
	if (ovly_nl_request(nl->rtnl, msg, on_link, link, &refusal) ||
	    refusal.error == ENODEV)
		return true;
	return ovly_nl_err(e, &refusal, "cannot look up device '%s'", name);
}

struct link_walk {
	ovly_rtnl_link_cb cb;
	void *arg;
};

static void on_links(struct nlmsghdr *hdr, void *arg)
{
	struct link_walk *walk = arg;
	struct ovly_link link;

	if (hdr->nlmsg_type == RTM_NEWLINK && ovly_rtnl_link_parse(hdr, &link))
		walk->cb(&link, walk->arg);
}

bool ovly_rtnl_link_dump(struct ovly_nl *nl, ovly_rtnl_link_cb cb, void *arg,
			 struct err *e)
{
	struct ifinfomsg ifi = { .ifi_family = AF_UNSPEC };
	struct link_walk walk = { .cb = cb, .arg = arg };
	struct ovly_nl_error refusal;
	struct nl_msg *msg;

	msg = ovly_nl_raw(RTM_GETLINK, NLM_F_DUMP, &ifi, sizeof(ifi));
	if (!msg)
		return full(msg, e);
	if (!ovly_nl_request(nl->rtnl, msg, on_links, &walk, &refusal))
		return ovly_nl_err(e, &refusal, "cannot list the devices");
	return true;
}

bool ovly_rtnl_link_add(struct ovly_nl *nl, const char *name,
			const struct ovly_dev *dev, bool *exists, struct err *e)
{
	struct ifinfomsg ifi = { .ifi_family = AF_UNSPEC };
	struct nlattr *info, *data;
	struct ovly_nl_error refusal;
	struct nl_msg *msg;

	*exists = false;
	msg = ovly_nl_raw(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &ifi,
			  sizeof(ifi));
	if (!msg || nla_put_string(msg, IFLA_IFNAME, name) < 0)
		return full(msg, e);
	info = nla_nest_start(msg, IFLA_LINKINFO);
	if (!info || nla_put_string(msg, IFLA_INFO_KIND, "ovly") < 0)
		return full(msg, e);
	data = nla_nest_start(msg, IFLA_INFO_DATA);
	if (!data || !ovly_msg_put_fields(msg, &dev_fields, dev))
		return full(msg, e);
	nla_nest_end(msg, data);
	nla_nest_end(msg, info);
	if (ovly_nl_request(nl->rtnl, msg, NULL, NULL, &refusal))
		return true;
	if (refusal.error == EEXIST) {
		*exists = true;
		return true;
	}
	/* rtnetlink tried to load rtnl-link-ovly and found nothing */
	if (refusal.error == EOPNOTSUPP && !nl->family)
		return ovly_nl_no_module(e);
	return ovly_nl_err(e, &refusal, "cannot make device '%s'", name);
}

/* RTM_SETLINK (or RTM_DELLINK) by index with at most one u32 attribute. */
static bool link_change(struct ovly_nl *nl, int type, struct ifinfomsg *ifi,
			int attr, uint32_t value,
			struct ovly_nl_error *refusal)
{
	struct nl_msg *msg = ovly_nl_raw(type, 0, ifi, sizeof(*ifi));

	memset(refusal, 0, sizeof(*refusal));
	if (!msg || (attr && nla_put_u32(msg, attr, value) < 0)) {
		nlmsg_free(msg);
		refusal->error = ENOMEM;
		return false;
	}
	return ovly_nl_request(nl->rtnl, msg, NULL, NULL, refusal);
}

bool ovly_rtnl_link_del(struct ovly_nl *nl, uint32_t ifindex, struct err *e)
{
	struct ifinfomsg ifi = { .ifi_index = (int)ifindex };
	struct ovly_nl_error refusal;
	char name[IFNAMSIZ];

	if (link_change(nl, RTM_DELLINK, &ifi, 0, 0, &refusal))
		return true;
	return ovly_nl_err(e, &refusal, "cannot delete device '%s'",
			   ifindex_str(ifindex, name, sizeof(name)));
}

bool ovly_rtnl_link_up(struct ovly_nl *nl, const struct ovly_link *link,
		       struct err *e)
{
	struct ifinfomsg ifi = { .ifi_index = (int)link->ifindex,
				 .ifi_flags = IFF_UP, .ifi_change = IFF_UP };
	struct ovly_nl_error refusal;

	if (link_change(nl, RTM_SETLINK, &ifi, 0, 0, &refusal))
		return true;
	return ovly_nl_err(e, &refusal, "cannot bring device '%s' up",
			   link->name);
}

bool ovly_rtnl_link_set_mtu(struct ovly_nl *nl, const struct ovly_link *link,
			    uint32_t mtu, struct err *e)
{
	struct ifinfomsg ifi = { .ifi_index = (int)link->ifindex };
	struct ovly_nl_error refusal;

	if (link_change(nl, RTM_SETLINK, &ifi, IFLA_MTU, mtu, &refusal))
		return true;
	return ovly_nl_err(e, &refusal, "cannot set the mtu of '%s' to %u",
			   link->name, mtu);
}

bool ovly_rtnl_link_set_master(struct ovly_nl *nl, const struct ovly_link *link,
			       uint32_t master, struct err *e)
{
	struct ifinfomsg ifi = { .ifi_index = (int)link->ifindex };
	struct ovly_nl_error refusal;

	if (link_change(nl, RTM_SETLINK, &ifi, IFLA_MASTER, master, &refusal))
		return true;
	return ovly_nl_err(e, &refusal, "cannot put device '%s' into the VRF",
			   link->name);
}

struct addr_walk {
	uint32_t ifindex;
	struct ovly_ifaddr *list;
	unsigned int max;
	unsigned int n;
};

static void read_addr(const struct nlattr *nla, uint8_t family,
		      struct ovly_addr *out)
{
	struct ovly_addr a = { .family = family };

	if ((unsigned int)nla_len(nla) == addr_bits(&a) / 8) {
		memcpy(a.b, nla_data(nla), (size_t)nla_len(nla));
		*out = a;
	}
}

static void on_addr(struct nlmsghdr *hdr, void *arg)
{
	struct ifaddrmsg *ifa = nlmsg_data(hdr);
	struct ovly_addr local = { 0 }, address = { 0 };
	struct addr_walk *walk = arg;
	struct nlattr *nla;
	uint32_t tag = 0;
	int rem;

	if (hdr->nlmsg_type != RTM_NEWADDR ||
	    !nlmsg_valid_hdr(hdr, sizeof(*ifa)) ||
	    ifa->ifa_index != walk->ifindex || walk->n >= walk->max ||
	    (ifa->ifa_family != AF_INET && ifa->ifa_family != AF_INET6) ||
	    ifa->ifa_scope >= RT_SCOPE_LINK)
		return;
	nlmsg_for_each_attr(nla, hdr, sizeof(*ifa), rem) {
		if (nla_type(nla) == IFA_LOCAL)
			read_addr(nla, ifa->ifa_family, &local);
		else if (nla_type(nla) == IFA_ADDRESS)
			read_addr(nla, ifa->ifa_family, &address);
		else if (nla_type(nla) == IFA_RT_PRIORITY && nla_len(nla) == 4)
			tag = nla_get_u32(nla);
	}
	/* IPv6 gives IFA_LOCAL only where there is a peer */
	if (!local.family) {
		local = address;
		address.family = 0;
	}
	if (!local.family)
		return;
	walk->list[walk->n].local = local;
	walk->list[walk->n].peer = address;
	walk->list[walk->n].len = ifa->ifa_prefixlen;
	walk->list[walk->n].tag = tag;
	walk->n++;
}

bool ovly_rtnl_addr_list(struct ovly_nl *nl, uint32_t ifindex,
			 struct ovly_ifaddr *list, unsigned int max,
			 unsigned int *n, struct err *e)
{
	struct addr_walk walk = { .ifindex = ifindex, .list = list,
				  .max = max };
	struct ifaddrmsg ifa = { .ifa_index = ifindex };
	struct ovly_nl_error refusal;
	struct nl_msg *msg;

	msg = ovly_nl_raw(RTM_GETADDR, NLM_F_DUMP, &ifa, sizeof(ifa));
	if (!msg)
		return full(msg, e);
	if (!ovly_nl_request(nl->rtnl, msg, on_addr, &walk, &refusal) &&
	    refusal.error != ENODEV)
		return ovly_nl_err(e, &refusal, "cannot list addresses");
	*n = walk.n;
	return true;
}

static bool addr_change(struct ovly_nl *nl, int type, int flags,
			const struct ovly_link *link,
			const struct ovly_addr *local, bool self_peer,
			uint32_t tag, struct ovly_nl_error *refusal)
{
	int bytes = (int)addr_bits(local) / 8;
	struct ifaddrmsg ifa = { .ifa_family = local->family,
				 .ifa_prefixlen = (uint8_t)(bytes * 8),
				 .ifa_index = link->ifindex };
	struct nl_msg *msg = ovly_nl_raw(type, flags, &ifa, sizeof(ifa));
	/* In IPv6 an address is its own peer as soon as IFA_ADDRESS is given,
	 * and duplicate address detection makes no sense on this device.
	 */
	bool v6 = local->family == AF_INET6;

	memset(refusal, 0, sizeof(*refusal));
	if (!msg || nla_put(msg, IFA_LOCAL, bytes, local->b) < 0 ||
	    ((self_peer || !v6) &&
	     nla_put(msg, IFA_ADDRESS, bytes, local->b) < 0) ||
	    (v6 && nla_put_u32(msg, IFA_FLAGS, IFA_F_NODAD) < 0) ||
	    (tag && nla_put_u32(msg, IFA_RT_PRIORITY, tag) < 0)) {
		nlmsg_free(msg);
		refusal->error = ENOMEM;
		return false;
	}
	return ovly_nl_request(nl->rtnl, msg, NULL, NULL, refusal);
}

bool ovly_rtnl_addr_add(struct ovly_nl *nl, const struct ovly_link *link,
			const struct ovly_addr *local, bool self_peer,
			struct err *e)
{
	struct ovly_nl_error refusal;
	char buf[ADDR_STRLEN];

	/* already there is what was wanted */
	if (addr_change(nl, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, link,
			local, self_peer, 0, &refusal) ||
	    refusal.error == EEXIST)
		return true;
	return ovly_nl_err(e, &refusal, "cannot put address %s on device '%s'",
			   addr_str(local, buf), link->name);
}

bool ovly_rtnl_addr_add_tagged(struct ovly_nl *nl, const struct ovly_link *link,
			       const struct ovly_addr *local, bool self_peer,
			       uint32_t tag, struct err *e)
{
	struct ovly_nl_error refusal;
	char buf[ADDR_STRLEN];

	if (addr_change(nl, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, link,
			local, self_peer, tag, &refusal))
		return true;
	return ovly_nl_err(e, &refusal, "cannot put address %s on device '%s'",
			   addr_str(local, buf), link->name);
}

bool ovly_rtnl_addr_del(struct ovly_nl *nl, const struct ovly_link *link,
			const struct ovly_addr *local, bool self_peer,
			struct err *e)
{
	struct ovly_nl_error refusal;
	char buf[ADDR_STRLEN];

	if (addr_change(nl, RTM_DELADDR, 0, link, local, self_peer, 0,
			&refusal) ||
	    refusal.error == EADDRNOTAVAIL)
		return true;
	return ovly_nl_err(e, &refusal,
			   "cannot take address %s from device '%s'",
			   addr_str(local, buf), link->name);
}
