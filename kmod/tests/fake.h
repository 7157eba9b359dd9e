/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _OVLY_TESTS_FAKE_H
#define _OVLY_TESTS_FAKE_H

#include <kunit/test.h>

#include "device.h"
#include "peer.h"

/* An overlay device that is down and not registered: what it owns never gets
 * into a routing table.  It is locked for the length of the test case.
 */
struct ovly_dev *ovly_fake_dev(struct kunit *test, u32 mode);
void ovly_fake_dev_free(struct ovly_dev *ovly);

/* A peer of it with one IPv4 system address, 10.0.0.@host. */
struct ovly_peer *ovly_fake_peer(struct kunit *test, struct ovly_dev *ovly, const char *name,
				 u8 host);

static inline struct ovly_ip ovly_fake_ip(u8 a, u8 b, u8 c, u8 d)
{
	return ovly_ip_v4(htonl(a << 24 | b << 16 | c << 8 | d));
}

#endif /* _OVLY_TESTS_FAKE_H */
