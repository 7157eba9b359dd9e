// SPDX-License-Identifier: GPL-2.0
/*
 * The overlay netdev: its link kind, its operations and its end.
 *
 * A device is unregistered under RTNL, but what it owns is freed without: the
 * throw routes and the rule go through rtnetlink, and there may be a million
 * routes.  So .ndo_uninit marks the device dead and hands over to a work item
 * that holds a reference until all is gone; unregistration waits for it after
 * RTNL was dropped, as it waits for any other reference.
 */
#include "device.h"

#include <linux/ethtool.h>
#include <linux/if_arp.h>
#include <linux/inetdevice.h>
#include <linux/module.h>
#include <linux/rtnetlink.h>
#include <net/addrconf.h>
#include <net/ip_tunnels.h>
#include <net/rtnetlink.h>

#include "cell.h"
#include "compat.h"
#include "net.h"
#include "nl_attr.h"
#include "notify.h"
#include "path.h"
#include "peer.h"
#include "stats.h"
#include "tx.h"

/* What the field's appliances give their tunnel device; each packet is held to
 * the real path MTU when it is sent.
 */
#define OVLY_MTU_DEFAULT	9196

static struct workqueue_struct *ovly_wq;
static const struct net_device_ops ovly_netdev_ops;
static struct rtnl_link_ops ovly_link_ops;

bool ovly_device_is(const struct net_device *dev)
{
	return dev->netdev_ops == &ovly_netdev_ops;
}

/* Context: any. */
void ovly_device_queue_work(struct work_struct *work)
{
	queue_work(ovly_wq, work);
}

/* At once, also if it waits already.  Context: any. */
void ovly_device_hasten(struct delayed_work *work)
{
	mod_delayed_work(ovly_wq, work, 0);
}

/* Returns false if it is queued already.  Context: any. */
bool ovly_device_queue_delayed(struct delayed_work *work, unsigned long delay)
{
	return queue_delayed_work(ovly_wq, work, delay);
}

static void ovly_device_teardown(struct work_struct *work)
{
	struct ovly_dev *ovly = container_of(work, struct ovly_dev, teardown);
	struct ovly_net *at = ovly_net(dev_net(ovly->dev));
	struct ovly_net *on = ovly_net(ovly->net);

	mutex_lock(&ovly->lock);
	ovly_peer_del_all(ovly);
	mutex_unlock(&ovly->lock);
	/* Received packets and key manager events find the device by a path. */
	synchronize_net();
	/* Nobody is left to queue it: no peers, and no notifier after uninit. */
	cancel_delayed_work_sync(&ovly->sync.ipv6);
	cancel_work_sync(&ovly->sync.work);
	mutex_lock(&ovly->lock);
	ovly_sync_exit(ovly);
	mutex_unlock(&ovly->lock);
	dev_put(ovly->dev);
	/* The device may be freed now, and then the namespaces. */
	ovly_net_release(at);
	ovly_net_release(on);
}

static int ovly_device_init(struct net_device *dev)
{
	struct ovly_dev *ovly = netdev_priv(dev);
	int err;

	ovly->dev = dev;
	ovly->traffic = ovly_traffic_alloc();
	if (!ovly->traffic)
		return -ENOMEM;
	err = -ENOMEM;
	ovly->cells = ovly_cell_alloc(dev);
	if (!ovly->cells)
		goto err_traffic;
	err = ovly_peer_tables_init(ovly);
	if (err)
		goto err_cells;
	mutex_init(&ovly->lock);
	INIT_LIST_HEAD(&ovly->list);
	INIT_LIST_HEAD(&ovly->turned);
	INIT_WORK(&ovly->teardown, ovly_device_teardown);
	ovly->routes = RB_ROOT;
	ovly_sync_init(ovly);
	return 0;

err_cells:
	ovly_cell_free(ovly->cells);
err_traffic:
	free_percpu(ovly->traffic);
	return err;
}

/* Context: RTNL. */
static void ovly_device_uninit(struct net_device *dev)
{
	struct ovly_dev *ovly = netdev_priv(dev);

	list_del_init(&ovly->list);
	/* Also undoes a registration that failed: nothing was made then, and the
	 * caller frees the device without waiting for anybody.
	 */
	if (dev->reg_state != NETREG_UNREGISTERING)
		return;
	WRITE_ONCE(ovly->dead, true);
	/* For ovly_device_teardown(). */
	dev_hold(dev);
	ovly_net_hold(ovly_net(dev_net(dev)));
	ovly_net_hold(ovly_net(ovly->net));
	ovly_device_queue_work(&ovly->teardown);
}

static void ovly_device_free(struct net_device *dev)
{
	struct ovly_dev *ovly = netdev_priv(dev);

	ovly_peer_tables_destroy(ovly);
	ovly_cell_free(ovly->cells);
	free_percpu(ovly->traffic);
}

static void ovly_device_get_stats64(struct net_device *dev, struct rtnl_link_stats64 *stats)
{
	struct ovly_dev *ovly = netdev_priv(dev);
	struct ovly_stats_sum sum;

	ovly_stats_add_up(ovly->traffic, &ovly->drops, &sum);
	stats->rx_packets = ovly_stats_get(&sum, OVLY_A_STATS_RX_PACKETS);
	stats->rx_bytes = ovly_stats_get(&sum, OVLY_A_STATS_RX_BYTES);
	stats->tx_packets = ovly_stats_get(&sum, OVLY_A_STATS_TX_PACKETS);
	stats->tx_bytes = ovly_stats_get(&sum, OVLY_A_STATS_TX_BYTES);
	stats->rx_errors = ovly_stats_get(&sum, OVLY_A_STATS_RX_ERROR);
	stats->rx_dropped = ovly_stats_get(&sum, OVLY_A_STATS_RX_SOURCE) +
			    ovly_stats_get(&sum, OVLY_A_STATS_RX_SELECTOR);
	stats->tx_carrier_errors = ovly_stats_get(&sum, OVLY_A_STATS_TX_NO_PEER) +
				   ovly_stats_get(&sum, OVLY_A_STATS_TX_NO_PATH) +
				   ovly_stats_get(&sum, OVLY_A_STATS_TX_NO_SA) +
				   ovly_stats_get(&sum, OVLY_A_STATS_TX_NO_POLICY);
	stats->collisions = ovly_stats_get(&sum, OVLY_A_STATS_TX_LOOP);
	stats->tx_errors = stats->tx_carrier_errors + stats->collisions +
			   ovly_stats_get(&sum, OVLY_A_STATS_TX_ERROR);
	stats->tx_dropped = ovly_stats_get(&sum, OVLY_A_STATS_TX_TOO_BIG);
}

static const struct net_device_ops ovly_netdev_ops = {
	.ndo_init = ovly_device_init,
	.ndo_uninit = ovly_device_uninit,
	.ndo_start_xmit = ovly_tx,
	.ndo_get_stats64 = ovly_device_get_stats64,
};

static void ovly_device_get_drvinfo(struct net_device *dev, struct ethtool_drvinfo *info)
{
	strscpy(info->driver, "ovly", sizeof(info->driver));
	strscpy(info->version, THIS_MODULE->version, sizeof(info->version));
}

static int ovly_device_get_sset_count(struct net_device *dev, int sset)
{
	return sset == ETH_SS_STATS ? OVLY_STATS_N : -EOPNOTSUPP;
}

static void ovly_device_get_strings(struct net_device *dev, u32 sset, u8 *data)
{
	if (sset == ETH_SS_STATS)
		memcpy(data, ovly_stats_names, sizeof(ovly_stats_names));
}

static void ovly_device_get_ethtool_stats(struct net_device *dev, struct ethtool_stats *stats,
					  u64 *data)
{
	struct ovly_dev *ovly = netdev_priv(dev);
	struct ovly_stats_sum sum;

	ovly_stats_add_up(ovly->traffic, &ovly->drops, &sum);
	memcpy(data, sum.v, sizeof(sum.v));
}

static const struct ethtool_ops ovly_ethtool_ops = {
	.get_drvinfo = ovly_device_get_drvinfo,
	.get_link = ethtool_op_get_link,
	.get_sset_count = ovly_device_get_sset_count,
	.get_strings = ovly_device_get_strings,
	.get_ethtool_stats = ovly_device_get_ethtool_stats,
};

static void ovly_device_apply(struct ovly_dev *ovly, const struct ovly_dev_conf *conf)
{
	if (conf->has_src_valid)
		ovly->src_valid = conf->src_valid;
	if (conf->has_carrier_follows)
		ovly->carrier_follows = conf->carrier_follows;
}

static void ovly_device_setup(struct net_device *dev)
{
	dev->netdev_ops = &ovly_netdev_ops;
	dev->ethtool_ops = &ovly_ethtool_ops;
	dev->header_ops = &ip_tunnel_header_ops;
	dev->needs_free_netdev = true;
	dev->priv_destructor = ovly_device_free;
	dev->type = ARPHRD_NONE;
	dev->flags = IFF_NOARP;
	dev->mtu = OVLY_MTU_DEFAULT;
	/* Below, the kernel takes IPv6 away with all that is set for it.  Packets
	 * are held to the path MTU in any case, however small that is.
	 */
	dev->min_mtu = IPV6_MIN_MTU;
	dev->max_mtu = IP_MAX_MTU;
	dev->priv_flags |= IFF_NO_QUEUE;
	dev->features = NETIF_F_SG | NETIF_F_FRAGLIST | NETIF_F_GSO_SOFTWARE | NETIF_F_HW_CSUM;
	dev->hw_features = dev->features;
	ovly_compat_set_lltx(dev);
	/* The next hop is in the packet's dst. */
	netif_keep_dst(dev);
}

/* Defaults of a new device that live in its address families. */
static void ovly_device_configure_inet(struct net_device *dev)
{
	struct in_device *in_dev = __in_dev_get_rtnl(dev);
	struct inet6_dev *in6_dev = __in6_dev_get(dev);

	if (in_dev) {
		/* What rx.c lets in has been checked against its SA and peer. */
		IN_DEV_CONF_SET(in_dev, NOPOLICY, true);
		/* Out where it came in is a hub's work, not a detour.  The kernel
		 * sends redirects if either setting says so; other devices keep
		 * their own.
		 */
		IN_DEV_CONF_SET(in_dev, SEND_REDIRECTS, false);
		IPV4_DEVCONF_ALL(dev_net(dev), SEND_REDIRECTS) = false;
	}
	if (in6_dev) {
		in6_dev->cnf.disable_policy = 1;
		/* No link-local address that nobody asked for, nor the router
		 * solicitations it would send to every peer.
		 */
		in6_dev->cnf.addr_gen_mode = IN6_ADDR_GEN_MODE_NONE;
	}
}

static int ovly_device_validate(struct nlattr *tb[], struct nlattr *data[],
				struct netlink_ext_ack *extack)
{
	/* A layer 3 device has no link-layer address. */
	if (tb[IFLA_ADDRESS]) {
		NL_SET_ERR_MSG_ATTR(extack, tb[IFLA_ADDRESS],
				    "ovly: the device has no link-layer address");
		return -EOPNOTSUPP;
	}
	return ovly_nl_check_link(tb[IFLA_LINKINFO], extack);
}

/* A new device whose SAs are those of @net. */
static int ovly_device_new(struct net_device *dev, struct net *net, struct nlattr *data[],
			   struct netlink_ext_ack *extack)
{
	struct ovly_dev *ovly = netdev_priv(dev);
	struct ovly_dev_conf conf;
	int err;

	err = ovly_nl_parse_dev(data, &conf, extack);
	if (err)
		return err;
	ovly->net = net;
	ovly->mode = conf.mode_nla ? conf.mode : OVLY_MODE_P2P;
	ovly->table = conf.table_nla ? conf.table : OVLY_TABLE_DEFAULT;
	ovly_device_apply(ovly, &conf);
	if (ovly->mode == OVLY_MODE_P2P)
		dev->flags |= IFF_POINTOPOINT;

	err = register_netdevice(dev);
	if (err)
		return err;
	list_add_tail(&ovly->list, &ovly_net(net)->devs);
	if (ovly->carrier_follows)
		netif_carrier_off(dev);
	return 0;
}

static int ovly_device_newlink(OVLY_COMPAT_NEWLINK_ARGS)
{
	return ovly_device_new(dev, OVLY_COMPAT_NEWLINK_NET, OVLY_COMPAT_NEWLINK_DATA, extack);
}

static int ovly_device_changelink(struct net_device *dev, struct nlattr *tb[],
				  struct nlattr *data[], struct netlink_ext_ack *extack)
{
	struct ovly_dev_conf conf;
	int err;

	err = ovly_nl_parse_dev(data, &conf, extack);
	if (err)
		return err;
	return ovly_device_change(netdev_priv(dev), &conf, NULL, extack);
}

/**
 * ovly_device_sa_capable() - may the caller decide about the device's SAs?
 * @ovly: the device, which may have moved to somebody else's namespace, and may move
 *	at any time: what counts is where the request was allowed
 * @skb: the netlink request, whose socket's opener is asked, too; rtnetlink keeps
 *	it to itself, and NULL, under RTNL, means the caller alone
 */
bool ovly_device_sa_capable(const struct ovly_dev *ovly, const struct sk_buff *skb)
{
	struct user_namespace *user_ns = ovly->net->user_ns;

	if (net_eq(ovly->net, skb ? sock_net(skb->sk) : dev_net(ovly->dev)))
		return true;
	return skb ? netlink_ns_capable(skb, user_ns, CAP_NET_ADMIN) :
		     ns_capable(user_ns, CAP_NET_ADMIN);
}

/**
 * ovly_device_change() - change what may change of a device
 * @ovly: the device
 * @conf: what the request says
 * @skb: the request, or NULL, see ovly_device_sa_capable()
 * @extack: says why not
 *
 * Context: process; fields of their own, so no lock is needed.
 * Return: 0, or -EPERM or -EOPNOTSUPP with nothing changed
 */
int ovly_device_change(struct ovly_dev *ovly, const struct ovly_dev_conf *conf,
		       const struct sk_buff *skb, struct netlink_ext_ack *extack)
{
	const struct nlattr *fixed = NULL;

	if (!ovly_device_sa_capable(ovly, skb)) {
		NL_SET_ERR_MSG_MOD(extack, "the device's SAs are in another network namespace");
		return -EPERM;
	}
	if (conf->mode_nla && conf->mode != ovly->mode)
		fixed = conf->mode_nla;
	else if (conf->table_nla && conf->table != ovly->table)
		fixed = conf->table_nla;
	if (fixed) {
		NL_SET_ERR_MSG_ATTR(extack, fixed,
				    "ovly: mode and table of a device do not change; delete it and add it anew");
		return -EOPNOTSUPP;
	}
	if (conf->has_src_valid)
		WRITE_ONCE(ovly->src_valid, conf->src_valid);
	if (conf->has_carrier_follows) {
		WRITE_ONCE(ovly->carrier_follows, conf->carrier_follows);
		if (!READ_ONCE(ovly->dead))
			ovly_sync_queue(ovly);
	}
	ovly_net_changed(ovly->dev);
	return 0;
}

static void ovly_device_dellink(struct net_device *dev, struct list_head *queue)
{
	unregister_netdevice_queue(dev, queue);
}

static size_t ovly_device_get_size(const struct net_device *dev)
{
	return ovly_nl_dev_size();
}

static int ovly_device_fill_info(struct sk_buff *skb, const struct net_device *dev)
{
	return ovly_nl_put_dev(skb, netdev_priv(dev));
}

static struct net *ovly_device_get_link_net(const struct net_device *dev)
{
	const struct ovly_dev *ovly = netdev_priv(dev);

	return READ_ONCE(ovly->net);
}

static struct rtnl_link_ops ovly_link_ops __read_mostly = {
	.kind = "ovly",
	.priv_size = sizeof(struct ovly_dev),
	.maxtype = OVLY_A_DEV_MAX,
	.policy = ovly_nl_dev_policy,
	.setup = ovly_device_setup,
	.validate = ovly_device_validate,
	.newlink = ovly_device_newlink,
	.changelink = ovly_device_changelink,
	.dellink = ovly_device_dellink,
	.get_size = ovly_device_get_size,
	.fill_info = ovly_device_fill_info,
	.get_link_net = ovly_device_get_link_net,
};

/**
 * ovly_device_unregister_all() - delete the devices of a namespace that ends
 * @net: the namespace
 * @queue: for unregister_netdevice_many()
 *
 * Context: RTNL.
 */
void ovly_device_unregister_all(struct net *net, struct list_head *queue)
{
	struct net_device *dev, *next;
	struct ovly_dev *ovly;

	list_for_each_entry(ovly, &ovly_net(net)->devs, list)
		if (!net_eq(dev_net(ovly->dev), net))
			unregister_netdevice_queue(ovly->dev, queue);
	for_each_netdev_safe(net, dev, next)
		if (ovly_device_is(dev))
			unregister_netdevice_queue(dev, queue);
}

/* Context: RTNL. */
static int ovly_device_event(struct notifier_block *nb, unsigned long event, void *ptr)
{
	const struct netdev_notifier_changeupper_info *changeupper;
	struct net_device *dev = netdev_notifier_info_to_dev(ptr);
	struct ovly_dev *ovly;

	if (!ovly_device_is(dev))
		return NOTIFY_DONE;
	ovly = netdev_priv(dev);
	if (READ_ONCE(ovly->dead))
		return NOTIFY_DONE;

	switch (event) {
	case NETDEV_REGISTER:
		/* New, or new in this namespace with new address family parts. */
		ovly_device_configure_inet(dev);
		ovly_net_changed(dev);
		ovly_sync_dropped(ovly);
		ovly_notify_dev(dev, OVLY_EVENT_DEV_NEW);
		break;
	case NETDEV_DOWN:
		ovly_sync_dropped(ovly);
		ovly_notify_dev(dev, OVLY_EVENT_DEV_DOWN);
		break;
	case NETDEV_CHANGEUPPER:
		/* Of a device on top, as a VXLAN is, the tables know nothing. */
		changeupper = ptr;
		if (changeupper->upper_dev && netif_is_l3_master(changeupper->upper_dev))
			ovly_sync_dropped(ovly);
		break;
	case NETDEV_UP:
		ovly_notify_dev(dev, OVLY_EVENT_DEV_UP);
		ovly_sync_lost(ovly);
		break;
	case NETDEV_CHANGENAME:
		ovly_net_changed(dev);
		break;
	case NETDEV_UNREGISTER:
		/* Deleted, or gone to another namespace. */
		ovly_net_changed(dev);
		ovly_notify_dev(dev, OVLY_EVENT_DEV_DEL);
		break;
	}
	return NOTIFY_DONE;
}

/* The kernel flushes a device's routes when its last IPv4 address goes.
 * Context: RTNL.
 */
static int ovly_device_inetaddr_event(struct notifier_block *nb, unsigned long event, void *ptr)
{
	const struct in_ifaddr *ifa = ptr;
	struct net_device *dev = ifa->ifa_dev->dev;

	if (event == NETDEV_DOWN && ovly_device_is(dev) &&
	    !rtnl_dereference(ifa->ifa_dev->ifa_list)) {
		struct ovly_dev *ovly = netdev_priv(dev);

		if (!READ_ONCE(ovly->dead) && netif_running(dev))
			ovly_sync_lost(ovly);
	}
	return NOTIFY_DONE;
}

static struct notifier_block ovly_device_nb = {
	.notifier_call = ovly_device_event,
};

static struct notifier_block ovly_device_inetaddr_nb = {
	.notifier_call = ovly_device_inetaddr_event,
};

int ovly_device_wq_init(void)
{
	ovly_wq = alloc_workqueue("ovly", WQ_UNBOUND, 0);
	return ovly_wq ? 0 : -ENOMEM;
}

void ovly_device_wq_exit(void)
{
	destroy_workqueue(ovly_wq);
}

int ovly_device_register(void)
{
	int err;

	err = register_netdevice_notifier(&ovly_device_nb);
	if (err)
		return err;
	err = register_inetaddr_notifier(&ovly_device_inetaddr_nb);
	if (err)
		goto err_netdev;
	err = rtnl_link_register(&ovly_link_ops);
	if (err)
		goto err_inetaddr;
	return 0;

err_inetaddr:
	unregister_inetaddr_notifier(&ovly_device_inetaddr_nb);
err_netdev:
	unregister_netdevice_notifier(&ovly_device_nb);
	return err;
}

void ovly_device_unregister(void)
{
	rtnl_link_unregister(&ovly_link_ops);
	unregister_inetaddr_notifier(&ovly_device_inetaddr_nb);
	unregister_netdevice_notifier(&ovly_device_nb);
	flush_workqueue(ovly_wq);
}
