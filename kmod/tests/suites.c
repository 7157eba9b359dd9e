// SPDX-License-Identifier: GPL-2.0
#include "tests/suites.h"

#include <kunit/test.h>

static struct kunit_suite * const ovly_suites[] = {
	&ovly_addr_suite,
	&ovly_path_suite,
	&ovly_peer_suite,
	&ovly_route_suite,
	&ovly_fib_suite,
	&ovly_mtu_suite,
	&ovly_netlink_suite,
};

void ovly_tests_run(void)
{
	__kunit_test_suites_init(ovly_suites, ARRAY_SIZE(ovly_suites));
}

void ovly_tests_done(void)
{
	__kunit_test_suites_exit((struct kunit_suite **)ovly_suites, ARRAY_SIZE(ovly_suites));
}
