// SPDX-License-Identifier: GPL-2.0
#include <linux/module.h>
#include <linux/ovly.h>
#include <net/genetlink.h>
#include <net/rtnetlink.h>

#include "coexist.h"
#include "device.h"
#include "net.h"
#include "netlink.h"
#include "route.h"
#include "rx.h"
#include "sa_watch.h"
#include "tests/suites.h"
#include "underlay.h"

static int __init ovly_init(void)
{
	int err;

	err = ovly_route_cache_init();
	if (err)
		return err;
	err = ovly_device_wq_init();
	if (err)
		goto err_route_cache;
	err = ovly_net_register();
	if (err)
		goto err_wq;
	/* From here on paths learn of their SAs ... */
	err = ovly_sa_watch_register();
	if (err)
		goto err_net;
	err = ovly_underlay_register();
	if (err)
		goto err_sa;
	err = ovly_coexist_register();
	if (err)
		goto err_underlay;
	err = ovly_netlink_register();
	if (err)
		goto err_coexist;
	err = ovly_rx_register();
	if (err)
		goto err_netlink;
	/* ... so devices can be made last. */
	err = ovly_device_register();
	if (err)
		goto err_rx;
	ovly_tests_run();
	return 0;

err_rx:
	ovly_rx_unregister();
err_netlink:
	ovly_netlink_unregister();
err_coexist:
	ovly_coexist_unregister();
err_underlay:
	ovly_underlay_unregister();
err_sa:
	ovly_sa_watch_unregister();
err_net:
	ovly_net_unregister();
err_wq:
	ovly_device_wq_exit();
err_route_cache:
	ovly_route_cache_exit();
	return err;
}

static void __exit ovly_exit(void)
{
	ovly_tests_done();
	/* Deletes every device and waits until all of them are gone. */
	ovly_device_unregister();
	ovly_rx_unregister();
	ovly_netlink_unregister();
	ovly_coexist_unregister();
	ovly_underlay_unregister();
	ovly_sa_watch_unregister();
	ovly_net_unregister();
	ovly_device_wq_exit();
	/* call_rcu() callbacks are this module's code. */
	rcu_barrier();
	ovly_route_cache_exit();
}

module_init(ovly_init);
module_exit(ovly_exit);

MODULE_DESCRIPTION("Virtual-IP overlay device for many IPsec peers");
MODULE_AUTHOR("The ovly developers");
MODULE_LICENSE("GPL");
MODULE_VERSION("0.1.0");
MODULE_ALIAS_RTNL_LINK("ovly");
MODULE_ALIAS_GENL_FAMILY(OVLY_GENL_NAME);
