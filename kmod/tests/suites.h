/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _OVLY_TESTS_SUITES_H
#define _OVLY_TESTS_SUITES_H

#include <linux/types.h>

/* KUnit runs the suites of a module before the module's init function, which
 * these need; so init runs them itself when it is done.
 */
#ifdef OVLY_KUNIT
struct kunit_suite;

extern struct kunit_suite ovly_addr_suite;
extern struct kunit_suite ovly_fib_suite;
extern struct kunit_suite ovly_mtu_suite;
extern struct kunit_suite ovly_netlink_suite;
extern struct kunit_suite ovly_path_suite;
extern struct kunit_suite ovly_peer_suite;
extern struct kunit_suite ovly_route_suite;

void ovly_tests_run(void);
void ovly_tests_done(void);
#else
static inline void ovly_tests_run(void)
{
}

static inline void ovly_tests_done(void)
{
}
#endif

#endif /* _OVLY_TESTS_SUITES_H */
