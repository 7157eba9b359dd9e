// SPDX-License-Identifier: GPL-2.0-only
#include "names.h"

#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/route/route.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <linux/ovly.h>

#include "parse.h"

/* What every kernel and daemon agrees on, so that a system without iproute2's
 * files shows names too.
 */
static const struct {
	uint32_t number;
	const char *name;
} known[] = {
	{ RTPROT_REDIRECT, "redirect" }, { RTPROT_KERNEL, "kernel" },
	{ RTPROT_BOOT, "boot" },	 { RTPROT_STATIC, "static" },
	{ RTPROT_RA, "ra" },		 { RTPROT_ZEBRA, "zebra" },
	{ RTPROT_BIRD, "bird" },	 { RTPROT_DHCP, "dhcp" },
	{ RTPROT_BABEL, "babel" },	 { RTPROT_BGP, "bgp" },
	{ RTPROT_ISIS, "isis" },	 { RTPROT_OSPF, "ospf" },
	{ RTPROT_RIP, "rip" },		 { RTPROT_EIGRP, "eigrp" },
	{ OVLY_RTPROT, "ovly" },	 { RTPROT_OVLY_BRIDGE, "ovly-bridge" },
};

#define KNOWN (sizeof(known) / sizeof(known[0]))

/* libnl drops its own names when it is told to read a file that is not there */
static void read_files(void)
{
	static const char *const files[] = { "/etc/iproute2/rt_protos",
					     "/usr/share/iproute2/rt_protos",
					     "/usr/lib/iproute2/rt_protos" };
	static bool done;
	unsigned int i;

	for (i = 0; !done && i < 3; i++)
		if (!access(files[i], R_OK))
			done = rtnl_route_read_protocol_names(files[i]) >= 0;
	done = true;
}

bool proto_parse(const char *s, uint32_t *out, struct err *e)
{
	unsigned int i;
	int number;

	if (s[0] >= '0' && s[0] <= '9') {
		if (!parse_u32(s, 1, 255, out, e))
			return err_prefix(e, "route protocol");
		return true;
	}
	for (i = 0; i < KNOWN; i++) {
		if (!strcmp(known[i].name, s)) {
			*out = known[i].number;
			return true;
		}
	}
	read_files();
	number = rtnl_route_str2proto(s);
	if (number < 1 || number > 255)
		return err_set(e, EXIT_USAGE,
			       "'%.40s' is not a route protocol, give a number or a name of rt_protos",
			       s);
	*out = (uint32_t)number;
	return true;
}

const char *proto_str(uint32_t protocol, char *buf, size_t size)
{
	unsigned int i;

	for (i = 0; i < KNOWN; i++) {
		if (known[i].number == protocol) {
			snprintf(buf, size, "%s", known[i].name);
			return buf;
		}
	}
	read_files();
	return rtnl_route_proto2str((int)protocol, buf, size);
}

const char *ifindex_str(uint32_t ifindex, char *buf, size_t size)
{
	char name[IFNAMSIZ];

	if (ifindex && if_indextoname(ifindex, name))
		snprintf(buf, size, "%s", name);
	else
		snprintf(buf, size, ifindex ? "if%u" : "-", ifindex);
	return buf;
}
