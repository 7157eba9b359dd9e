/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _OVLY_NL_ATTR_H
#define _OVLY_NL_ATTR_H

#include <linux/ovly.h>
#include <net/netlink.h>

#include "addr.h"

struct ovly_dev;
struct ovly_dev_conf;
struct ovly_path;
struct ovly_peer;
struct ovly_route;

extern const struct nla_policy ovly_nl_dev_policy[OVLY_A_DEV_MAX + 1];
extern const struct nla_policy ovly_nl_peer_policy[OVLY_A_PEER_MAX + 1];
extern const struct nla_policy ovly_nl_peer_ref_policy[OVLY_A_PEER_MAX + 1];
extern const struct nla_policy ovly_nl_path_policy[OVLY_A_PATH_MAX + 1];
extern const struct nla_policy ovly_nl_path_ref_policy[OVLY_A_PATH_MAX + 1];
extern const struct nla_policy ovly_nl_route_policy[OVLY_A_ROUTE_MAX + 1];
extern const struct nla_policy ovly_nl_route_key_policy[OVLY_A_ROUTE_MAX + 1];
extern const struct nla_policy ovly_nl_route_get_policy[OVLY_A_ROUTE_MAX + 1];
extern const struct nla_policy ovly_nl_route_filter_policy[OVLY_A_ROUTE_MAX + 1];

int ovly_nl_parse_dev(struct nlattr *tb[], struct ovly_dev_conf *conf,
		      struct netlink_ext_ack *extack);
int ovly_nl_check_link(const struct nlattr *linkinfo, struct netlink_ext_ack *extack);
struct ovly_ip ovly_nl_get_ip(const struct nlattr *nla);

size_t ovly_nl_dev_size(void);
int ovly_nl_put_dev(struct sk_buff *skb, const struct ovly_dev *ovly);
int ovly_nl_put_peer(struct sk_buff *skb, const struct ovly_peer *peer);
int ovly_nl_put_path(struct sk_buff *skb, const struct ovly_path *path,
		     const struct ovly_ip *previous);
int ovly_nl_put_route(struct sk_buff *skb, struct ovly_route *route);
int ovly_nl_put_ip(struct sk_buff *skb, int type, const struct ovly_ip *ip);

#endif /* _OVLY_NL_ATTR_H */
