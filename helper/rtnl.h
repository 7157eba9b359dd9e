/* SPDX-License-Identifier: GPL-2.0-only */
/* Links and addresses by rtnetlink. */
#ifndef OVLY_RTNL_H
#define OVLY_RTNL_H

#include "model.h"
#include "nl.h"

struct ovly_link {
	uint32_t ifindex; /* 0: there is no such link */
	char name[IFNAMSIZ];
	char kind[16]; /* "ovly", empty for a physical device */
	uint32_t mtu;
	uint32_t flags; /* IFF_* */
	uint32_t master;
	struct ovly_dev dev; /* of kind "ovly" */
};

/* An address as "ip address" shows it: peer.family is 0 where it has none. */
struct ovly_ifaddr {
	struct ovly_addr local;
	struct ovly_addr peer;
	uint8_t len;
	/* IFA_RT_PRIORITY, the metric of the prefix' route, which a host's
	 * address does not have: whose the address is, 0: not said
	 */
	uint32_t tag;
};

/* A link that does not exist is no error: link->ifindex is 0. */
bool ovly_rtnl_link_get(struct ovly_nl *nl, const char *name,
			struct ovly_link *link, struct err *e);
typedef void (*ovly_rtnl_link_cb)(const struct ovly_link *link, void *arg);
bool ovly_rtnl_link_dump(struct ovly_nl *nl, ovly_rtnl_link_cb cb, void *arg,
			 struct err *e);
/* Reads an RTM_NEWLINK or RTM_DELLINK message. */
bool ovly_rtnl_link_parse(struct nlmsghdr *hdr, struct ovly_link *link);

/* *exists: somebody else made it in the meantime; no error then */
bool ovly_rtnl_link_add(struct ovly_nl *nl, const char *name,
			const struct ovly_dev *dev, bool *exists,
			struct err *e);
bool ovly_rtnl_link_del(struct ovly_nl *nl, uint32_t ifindex, struct err *e);
bool ovly_rtnl_link_up(struct ovly_nl *nl, const struct ovly_link *link,
		       struct err *e);
bool ovly_rtnl_link_set_mtu(struct ovly_nl *nl, const struct ovly_link *link,
			    uint32_t mtu, struct err *e);
bool ovly_rtnl_link_set_master(struct ovly_nl *nl, const struct ovly_link *link,
			       uint32_t master, struct err *e);

/* The device's addresses, at most "max", link-local ones left out. */
bool ovly_rtnl_addr_list(struct ovly_nl *nl, uint32_t ifindex,
			 struct ovly_ifaddr *list, unsigned int max,
			 unsigned int *n, struct err *e);
/* self_peer: "local peer local", as a point-to-point device shows it */
bool ovly_rtnl_addr_add(struct ovly_nl *nl, const struct ovly_link *link,
			const struct ovly_addr *local, bool self_peer,
			struct err *e);
/* The same with a tag, which replaces that of an address that is there. */
bool ovly_rtnl_addr_add_tagged(struct ovly_nl *nl, const struct ovly_link *link,
			       const struct ovly_addr *local, bool self_peer,
			       uint32_t tag, struct err *e);
bool ovly_rtnl_addr_del(struct ovly_nl *nl, const struct ovly_link *link,
			const struct ovly_addr *local, bool self_peer,
			struct err *e);

#endif /* OVLY_RTNL_H */
