// SPDX-License-Identifier: GPL-2.0-only
#include "apply_wan.h"

#include "parse.h"
#include "rtnl.h"

#define ADDRS_MAX 64

static bool resolve_wan(struct ovly_nl *nl, struct conf_wan *wan,
			const char **why, struct err *e)
{
	struct ovly_ifaddr addr[ADDRS_MAX];
	struct ovly_addr remote = { 0 };
	struct ovly_link link;
	struct err ignored;
	unsigned int n, i;

	if (!wan->bridge[0] || wan->local.family)
		return true;
	wan->absent = true;
	if (!ovly_rtnl_link_get(nl, wan->bridge, &link, e))
		return false;
	*why = "does not exist";
	if (!link.ifindex)
		return true;
	/* of a host name nothing is known */
	if (!parse_addr(wan->remote, &remote, &ignored))
		remote.family = AF_INET;
	*why = remote.family == AF_INET ? "has no IPv4 address" :
					  "has no IPv6 address";
	if (!ovly_rtnl_addr_list(nl, link.ifindex, addr, ADDRS_MAX, &n, e))
		return false;
	for (i = 0; i < n && wan->absent; i++) {
		if (addr[i].local.family != remote.family)
			continue;
		wan->local = addr[i].local;
		wan->absent = false;
	}
	return true;
}

bool apply_resolve(struct ovly_nl *nl, struct conf *conf,
		   struct conf_diags *diags, struct err *e)
{
	static const enum conf_item item[] = { CI_LOCAL_BRIDGE, CI_DUAL_BRIDGE };
	unsigned int i, k;

	for (i = 0; i < conf->overlays; i++) {
		struct conf_overlay *o = &conf->overlay[i];
		const char *why[CONF_WANS] = { NULL };
		bool any = false;

		for (k = 0; k < CONF_WANS; k++) {
			if (!resolve_wan(nl, &o->wan[k], &why[k], e))
				return false;
			any |= conf_has_connection(o, k);
		}
		for (k = 0; k < CONF_WANS; k++) {
			if (!o->wan[k].absent)
				continue;
			if (any)
				conf_warn(diags, o->item[item[k]],
					  "device '%s' %s, this path is left out for now",
					  o->wan[k].bridge, why[k]);
			else
				conf_error(diags, o->item[item[k]],
					   "device '%s' %s, and overlay '%s' has no other way out",
					   o->wan[k].bridge, why[k], o->name);
		}
	}
	return true;
}
