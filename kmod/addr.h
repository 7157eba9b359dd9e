/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _OVLY_ADDR_H
#define _OVLY_ADDR_H

#include <linux/in.h>
#include <linux/in6.h>
#include <linux/socket.h>
#include <linux/string.h>
#include <net/ipv6.h>

/**
 * struct ovly_ip - an address of either family
 * @family: AF_INET, AF_INET6, or 0 for none
 * @v4: the address, if AF_INET; the rest of the union is zero then
 * @v6: the address, if AF_INET6
 *
 * Has no padding and no undefined bytes, so that it can be a hash key and be
 * compared with memcmp().
 */
struct ovly_ip {
	u32 family;
	union {
		__be32 v4;
		struct in6_addr v6;
	};
};

static inline struct ovly_ip ovly_ip_v4(__be32 addr)
{
	struct ovly_ip ip = { .family = AF_INET };

	ip.v6 = in6addr_any;
	ip.v4 = addr;
	return ip;
}

static inline struct ovly_ip ovly_ip_v6(const struct in6_addr *addr)
{
	struct ovly_ip ip = { .family = AF_INET6 };

	ip.v6 = *addr;
	return ip;
}

static inline bool ovly_ip_eq(const struct ovly_ip *a, const struct ovly_ip *b)
{
	return !memcmp(a, b, sizeof(*a));
}

/* Bits of an address of @family: the longest prefix length. */
static inline u8 ovly_ip_bits(u32 family)
{
	return family == AF_INET ? 32 : 128;
}

/* Bytes of an address of @family. */
static inline u8 ovly_ip_len(u32 family)
{
	return family == AF_INET ? sizeof(struct in_addr) : sizeof(struct in6_addr);
}

/* The first @len bits of @ip, the others zero. */
static inline struct ovly_ip ovly_ip_prefix(const struct ovly_ip *ip, u8 len)
{
	struct ovly_ip prefix = { .family = ip->family };

	ipv6_addr_prefix(&prefix.v6, &ip->v6, len);
	return prefix;
}

/* Can a host have this address as its own overlay address? */
static inline bool ovly_ip_is_unicast(const struct ovly_ip *ip)
{
	if (ip->family == AF_INET)
		return !ipv4_is_zeronet(ip->v4) && !ipv4_is_loopback(ip->v4) &&
		       !ipv4_is_multicast(ip->v4) && !ipv4_is_lbcast(ip->v4);
	return !ipv6_addr_any(&ip->v6) && !ipv6_addr_loopback(&ip->v6) &&
	       !ipv6_addr_is_multicast(&ip->v6);
}

#endif /* _OVLY_ADDR_H */
