// SPDX-License-Identifier: GPL-2.0
#include "tests/fake.h"

#include <linux/netdevice.h>

#include "path.h"

static void ovly_fake_setup(struct net_device *dev)
{
}

struct ovly_dev *ovly_fake_dev(struct kunit *test, u32 mode)
{
	struct net_device *dev;
	struct ovly_dev *ovly;

	dev = alloc_netdev(sizeof(*ovly), "fake%d", NET_NAME_UNKNOWN, ovly_fake_setup);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dev);
	ovly = netdev_priv(dev);
	ovly->dev = dev;
	ovly->net = &init_net;
	ovly->mode = mode;
	ovly->table = OVLY_TABLE_DEFAULT;
	KUNIT_ASSERT_EQ(test, ovly_peer_tables_init(ovly), 0);
	mutex_init(&ovly->lock);
	INIT_LIST_HEAD(&ovly->turned);
	ovly->routes = RB_ROOT;
	ovly_sync_init(ovly);
	mutex_lock(&ovly->lock);
	return ovly;
}

void ovly_fake_dev_free(struct ovly_dev *ovly)
{
	ovly_peer_del_all(ovly);
	mutex_unlock(&ovly->lock);
	cancel_work_sync(&ovly->sync.work);
	ovly_sync_exit(ovly);
	synchronize_net();
	ovly_peer_tables_destroy(ovly);
	free_netdev(ovly->dev);
}

struct ovly_peer *ovly_fake_peer(struct kunit *test, struct ovly_dev *ovly, const char *name,
				 u8 host)
{
	struct ovly_peer_conf conf = {
		.name = name,
		.addrs = { ovly_fake_ip(10, 0, 0, host) },
		.n_addrs = 1,
		.has_addrs = true,
	};
	struct netlink_ext_ack extack = {};
	struct ovly_peer *peer;

	peer = ovly_peer_new(ovly, &conf, &extack);
	KUNIT_ASSERT_FALSE_MSG(test, IS_ERR(peer), "error %ld: %s", PTR_ERR(peer), extack._msg);
	return peer;
}
