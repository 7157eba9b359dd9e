// SPDX-License-Identifier: GPL-2.0-only
/* Defaults, and what the overlays have to be together. */
#include <string.h>

#include "conf_parse.h"
#include "conf_words.h"
#include "fields.h"
#include "parse.h"

#define DEFAULT_CIPHER "aes256-sha512-modp4096"

static void set_defaults(struct conf_overlay *o)
{
	bool branch = o->role == CONF_BRANCH;

	if (!o->dev[0])
		strcpy(o->dev, branch ? "ipsec0" : "ovly0");
	if (!conf_given(o, CI_MODE))
		o->mode = branch ? OVLY_MODE_P2P : OVLY_MODE_MULTIPOINT;
	if (!conf_given(o, CI_MTU) && branch)
		o->mtu = 9196;
	if (!conf_given(o, CI_PRIORITY))
		o->wan[CONF_WAN].priority = 100;
	if (!conf_given(o, CI_DUAL_PRIORITY))
		o->wan[CONF_DUAL].priority = 200;
	if (!conf_given(o, CI_DPD))
		o->dpd = 60;
	if (!conf_given(o, CI_LIFETIME))
		o->lifetime = 28800;
	if (!o->ike[0])
		strcpy(o->ike, DEFAULT_CIPHER);
	if (!o->esp[0])
		strcpy(o->esp, DEFAULT_CIPHER);
	if (!conf_is_dual(o))
		return;
	if (!conf_given(o, CI_DUAL_REMOTE_ADDR))
		strcpy(o->wan[CONF_DUAL].remote, o->wan[CONF_WAN].remote);
	/* a head-end with one way out has branches with two */
	if (!conf_given(o, CI_DUAL_BRIDGE) &&
	    !conf_given(o, CI_DUAL_LOCAL_ADDR) && o->role == CONF_HEAD_END) {
		strcpy(o->wan[CONF_DUAL].bridge, o->wan[CONF_WAN].bridge);
		o->wan[CONF_DUAL].local = o->wan[CONF_WAN].local;
	}
}

/* *family is that of the first address seen, 0 before. */
static void same_family(const struct conf_overlay *o, enum conf_item item,
			const struct ovly_addr *a, int *family,
			struct conf_diags *diags)
{
	if (!a->family)
		return;
	if (*family && *family != a->family)
		conf_error(diags, o->item[item],
			   "the outer addresses of overlay '%s' are of different families",
			   o->name);
	*family = a->family;
}

static void check_wan(const struct conf_overlay *o, const struct conf_wan *wan,
		      enum conf_item local, enum conf_item remote,
		      struct conf_diags *diags)
{
	struct ovly_addr a = { 0 };
	char buf[ADDR_STRLEN];
	int family = 0;
	struct err e;
	unsigned int i;

	if (!parse_addr(wan->remote, &a, &e))
		a.family = 0;
	if (wan->local.family && !addr_is_unicast(&wan->local))
		conf_error(diags, o->item[local], "'%s' is no unicast address",
			   addr_str(&wan->local, buf));
	same_family(o, local, &wan->local, &family, diags);
	same_family(o, remote, &a, &family, diags);
	for (i = 0; i < o->remote_system.n; i++)
		if (addr_equal(&o->remote_system.a[i], &a))
			conf_error(diags, o->item[CI_REMOTE_SYSTEM],
				   "%s is the remote's outer address as well, the tunnel cannot lead to its own end",
				   addr_str(&a, buf));
}

static void check_wans(const struct conf_overlay *o, struct conf_diags *diags)
{
	const struct conf_wan *wan = o->wan;

	if (!conf_given(o, CI_REMOTE_ADDR))
		conf_error(diags, o->at,
			   "overlay '%s' lacks remote-interface-ip-addr ADDRESS",
			   o->name);
	else if (o->role == CONF_BRANCH && conf_is_any(o, CONF_WAN))
		conf_error(diags, o->item[CI_REMOTE_ADDR],
			   "a branch connects to one address, 'any' is for 'role head-end'");
	check_wan(o, &wan[CONF_WAN], CI_LOCAL_ADDR, CI_REMOTE_ADDR, diags);
	if (!conf_is_dual(o))
		return;
	check_wan(o, &wan[CONF_DUAL], CI_DUAL_LOCAL_ADDR, CI_DUAL_REMOTE_ADDR,
		  diags);
	if (o->role == CONF_HEAD_END) {
		if (!conf_given(o, CI_DUAL_REMOTE_ADDR))
			conf_error(diags, o->at,
				   "overlay '%s' lacks dual-remote-interface-ip-addr, the branch's second outer address",
				   o->name);
		return;
	}
	if (!conf_given(o, CI_DUAL_BRIDGE) && !conf_given(o, CI_DUAL_LOCAL_ADDR))
		conf_error(diags, o->at,
			   "overlay '%s' lacks dual-local-bridge, the second way out",
			   o->name);
	else if (!conf_given(o, CI_LOCAL_BRIDGE) &&
		 !conf_given(o, CI_LOCAL_ADDR))
		conf_error(diags, o->at,
			   "overlay '%s' has a second way out, but lacks local-bridge for the first",
			   o->name);
	else if (wan[CONF_WAN].bridge[0] &&
		 !strcmp(wan[CONF_WAN].bridge, wan[CONF_DUAL].bridge))
		conf_error(diags, o->item[CI_DUAL_BRIDGE],
			   "'%s' is the local-bridge as well",
			   wan[CONF_DUAL].bridge);
	if (wan[CONF_WAN].priority == wan[CONF_DUAL].priority)
		conf_error(diags, o->item[CI_DUAL_PRIORITY].line ?
					  o->item[CI_DUAL_PRIORITY] :
					  o->item[CI_PRIORITY],
			   "both paths have priority %u, the lower one is preferred",
			   wan[CONF_WAN].priority);
}

/* Each address lies in a subnet of its family, where there are any. */
static void check_inside(const struct conf_overlay *o,
			 const struct ovly_addrs *addrs, enum conf_item item,
			 const struct conf_prefixes *nets, const char *net_name,
			 struct conf_diags *diags)
{
	char a[ADDR_STRLEN], p[PREFIX_STRLEN];
	unsigned int i, k;

	for (i = 0; i < addrs->n; i++) {
		const struct ovly_prefix *last = NULL;

		for (k = 0; k < nets->n; k++) {
			if (nets->p[k].addr.family != addrs->a[i].family)
				continue;
			last = &nets->p[k];
			if (prefix_covers(last, &addrs->a[i]))
				break;
		}
		if (last && k == nets->n)
			conf_error(diags, o->item[item],
				   "%s is not in the %s %s",
				   addr_str(&addrs->a[i], a), net_name,
				   prefix_str(last, p));
	}
}

static void check_system(const struct conf_overlay *o,
			 struct conf_diags *diags)
{
	char buf[ADDR_STRLEN];
	unsigned int i, k;

	check_inside(o, &o->local_system, CI_LOCAL_SYSTEM, &o->local_net,
		     "local-system-ip-subnet", diags);
	for (i = 0; i < o->local_system.n; i++)
		for (k = 0; k < o->remote_system.n; k++)
			if (addr_equal(&o->local_system.a[i],
				       &o->remote_system.a[k]))
				conf_error(diags, o->item[CI_REMOTE_SYSTEM],
					   "%s is the local-system-ip-addr as well",
					   addr_str(&o->remote_system.a[k],
						    buf));
	if (o->role == CONF_BRANCH) {
		if (conf_given(o, CI_POOL) || conf_given(o, CI_REMOTE_HOST))
			conf_error(diags,
				   o->item[conf_given(o, CI_POOL) ?
						   CI_POOL : CI_REMOTE_HOST],
				   "this is for 'role head-end' only");
		return;
	}
	/* a branch's address is what its traffic selector lets through */
	check_inside(o, &o->remote_system, CI_REMOTE_SYSTEM, &o->remote_net,
		     "remote-system-ip-subnet", diags);
	if (!conf_given(o, CI_LOCAL_SYSTEM))
		conf_error(diags, o->at,
			   "overlay '%s' lacks local-system-ip-addr, a head-end learns none",
			   o->name);
	if (conf_given(o, CI_REMOTE_HOST) && o->remote_net.n == 0)
		conf_error(diags, o->item[CI_REMOTE_HOST],
			   "this needs remote-system-ip-subnet");
	if (!conf_given(o, CI_REMOTE_SYSTEM) && !conf_given(o, CI_POOL) &&
	    !conf_given(o, CI_REMOTE_HOST))
		conf_error(diags, o->at,
			   "overlay '%s' lacks remote-system-ip-addr (or remote-system-ip-host, or address-pool), the branch's overlay address",
			   o->name);
	if (conf_given(o, CI_REMOTE_SYSTEM) && conf_takes_anybody(o))
		conf_error(diags, o->item[CI_REMOTE_SYSTEM],
			   "any branch may connect here, and all would have this address: give remote-id, or remote-system-ip-host instead");
}

static bool one_way_keys(const struct conf_overlay *o)
{
	return conf_given(o, CI_PSK) &&
	       strcmp(o->auth.local_psk, o->auth.remote_psk) != 0;
}

/* One name for two devices. */
static void check_names(const struct conf_overlay *o, struct conf_diags *diags)
{
	static const struct {
		enum conf_item item;
		const char *what;
	} others[] = {
		{ CI_LOCAL_BRIDGE, "local-bridge" },
		{ CI_DUAL_BRIDGE, "dual-local-bridge" },
		{ CI_VRF, "vrf" },
	};
	const char *name[] = { o->wan[CONF_WAN].bridge,
			       o->wan[CONF_DUAL].bridge, o->vrf };
	unsigned int i;

	for (i = 0; i < sizeof(name) / sizeof(name[0]); i++)
		if (conf_given(o, others[i].item) && !strcmp(name[i], o->dev))
			conf_error(diags, o->item[others[i].item],
				   "'%s' is the overlay's own device, which apply makes: expected another one for %s, or another name in 'device'",
				   o->dev, others[i].what);
	if (o->vrf[0] && (!strcmp(o->vrf, name[0]) || !strcmp(o->vrf, name[1])))
		conf_error(diags, o->item[CI_VRF],
			   "'%s' is a bridge of the overlay, and a VRF is another device",
			   o->vrf);
}

static void check_auth(const struct conf_overlay *o, struct conf_diags *diags)
{
	const struct conf_auth *a = &o->auth;
	bool eap = conf_given(o, CI_EAP);

	if (eap && conf_given(o, CI_PSK)) {
		conf_error(diags, o->item[CI_EAP],
			   "overlay '%s' has both 'psk' and 'eap', one of them authenticates",
			   o->name);
		return;
	}
	if (!eap && !conf_given(o, CI_PSK))
		conf_error(diags, o->at,
			   "overlay '%s' lacks 'psk local-psk SECRET remote-psk SECRET', or 'eap ...'",
			   o->name);
	/* or the one key would be tried for every remote */
	if (!eap && one_way_keys(o) && !o->local_id[0] &&
	    !o->wan[CONF_WAN].bridge[0] && !o->wan[CONF_WAN].local.family)
		conf_error(diags, o->item[CI_PSK],
			   "different keys each way need local-id, local-bridge or local-interface-ip-addr");
	if (!eap)
		return;
	if (o->role == CONF_BRANCH) {
		if (!a->cacert[0] == !a->remote_psk[0])
			conf_error(diags, o->item[CI_EAP],
				   "the head-end proves itself by one of 'cacert FILE' and 'remote-psk SECRET'");
		if (a->cert[0] || a->local_psk[0])
			conf_error(diags, o->item[CI_EAP],
				   "'cert' and 'local-psk' are for 'role head-end'");
	} else {
		if (!a->cert[0] == !a->local_psk[0])
			conf_error(diags, o->item[CI_EAP],
				   "the head-end proves itself by one of 'cert FILE' and 'local-psk SECRET'");
		if (a->cacert[0] || a->remote_psk[0])
			conf_error(diags, o->item[CI_EAP],
				   "'cacert' and 'remote-psk' are for 'role branch'");
	}
}

/* What two overlays on one device have in common, or must not. */
static void check_device(const struct conf_overlay *o,
			 const struct conf_overlay *p,
			 struct conf_diags *diags)
{
	struct conf_pos at = conf_given(o, CI_DEVICE) ? o->item[CI_DEVICE] :
							o->at;
	char buf[ADDR_STRLEN];
	unsigned int i, k;

	if (o->mode != p->mode)
		conf_error(diags, at,
			   "device '%s' has mode %s by overlay '%s' (line %u), not %s",
			   o->dev, word_of(mode_words, p->mode), p->name,
			   p->at.line, word_of(mode_words, o->mode));
	else if (o->mode == OVLY_MODE_P2P)
		conf_error(diags, at,
			   "device '%s' is that of overlay '%s' (line %u), and a p2p device has one peer: give 'device NAME', or 'mode multipoint' to both",
			   o->dev, p->name, p->at.line);
	if (o->table != p->table || strcmp(o->vrf, p->vrf) ||
	    o->mtu != p->mtu || o->src_valid != p->src_valid)
		conf_error(diags, at,
			   "table, vrf, mtu and source-validation of device '%s' are not as overlay '%s' (line %u) has them",
			   o->dev, p->name, p->at.line);
	for (i = 0; i < o->remote_system.n; i++)
		for (k = 0; k < p->remote_system.n; k++)
			if (addr_equal(&o->remote_system.a[i],
				       &p->remote_system.a[k]))
				conf_error(diags, o->item[CI_REMOTE_SYSTEM],
					   "%s is the remote-system-ip-addr of overlay '%s' (line %u) already",
					   addr_str(&o->remote_system.a[i],
						    buf),
					   p->name, p->at.line);
}

static bool same_local(const struct conf_overlay *o,
		       const struct conf_overlay *p)
{
	if (o->local_id[0] || p->local_id[0])
		return !strcmp(o->local_id, p->local_id);
	return !strcmp(o->wan[CONF_WAN].bridge, p->wan[CONF_WAN].bridge) &&
	       addr_equal(&o->wan[CONF_WAN].local, &p->wan[CONF_WAN].local);
}

static bool same_id(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : !a && !b;
}

/* strongSwan picks connection and key by the identities. */
static void check_ids(const struct conf_overlay *o,
		      const struct conf_overlay *p, struct conf_diags *diags)
{
	if (!same_local(o, p))
		return;
	if (conf_takes_anybody(o) != conf_takes_anybody(p) && conf_given(o, CI_PSK) &&
	    conf_given(p, CI_PSK))
		conf_warn(diags, conf_takes_anybody(o) ? o->at : p->at,
			  "whoever has the key of overlay '%s' can pose as the remote of overlay '%s'",
			  conf_takes_anybody(o) ? o->name : p->name,
			  conf_takes_anybody(o) ? p->name : o->name);
	if (same_id(conf_remote_id(o, CONF_WAN), conf_remote_id(p, CONF_WAN)) &&
	    !strcmp(o->auth.user, p->auth.user) &&
	    !strcmp(o->wan[CONF_WAN].remote, p->wan[CONF_WAN].remote))
		conf_error(diags, o->at,
			   "overlay '%s' cannot be told from '%s' (line %u): same local end, same remote end, same identities",
			   o->name, p->name, p->at.line);
	else if (one_way_keys(o) || one_way_keys(p))
		/* the key that proves us to one would be taken from another */
		conf_error(diags, o->item[CI_PSK].line ? o->item[CI_PSK] : o->at,
			   "overlays '%s' and '%s' (line %u) share a local identity: then local-psk and remote-psk have to be the same, or each needs a local-id of its own",
			   o->name, p->name, p->at.line);
}

/* The names of an overlay's connections must not be another's. */
static bool names_clash(const struct conf_overlay *o,
			const struct conf_overlay *p)
{
	size_t n = strlen(p->name);

	return conf_is_dual(p) && !strncmp(o->name, p->name, n) &&
	       !strcmp(o->name + n, CONF_DUAL_SUFFIX);
}

static void check_pair(const struct conf_overlay *o,
		       const struct conf_overlay *p, struct conf_diags *diags)
{
	if (!strcmp(o->name, p->name)) {
		conf_error(diags, o->at,
			   "overlay '%s' is described in line %u already, expected another name",
			   o->name, p->at.line);
		return;
	}
	if (names_clash(o, p) || names_clash(p, o)) {
		conf_error(diags, o->at,
			   "'%s' and '%s' (line %u) are names of one overlay's two connections, expected another name",
			   o->name, p->name, p->at.line);
		return;
	}
	if (!strcmp(o->dev, p->dev))
		check_device(o, p, diags);
	check_ids(o, p, diags);
	if (o->if_id && p->if_id && o->if_id <= p->if_id + conf_is_dual(p) &&
	    p->if_id <= o->if_id + conf_is_dual(o))
		conf_error(diags, o->item[CI_IF_ID],
			   "if-id %u is that of overlay '%s' (line %u)",
			   o->if_id, p->name, p->at.line);
}

/* The backup's peer has to be one that the module can name: on the same device,
 * and one at most.
 */
static void check_backup(const struct conf *conf, const struct conf_overlay *o,
			 struct conf_diags *diags)
{
	struct conf_pos at = o->item[CI_BACKUP];
	const struct conf_overlay *p = NULL;
	const char *names[CONF_OVERLAYS_MAX + 1];
	char hint[80], buf[64];
	unsigned int i;

	if (!o->backup[0])
		return;
	for (i = 0; i < conf->overlays; i++) {
		names[i] = conf->overlay[i].name;
		if (!strcmp(names[i], o->backup))
			p = &conf->overlay[i];
	}
	names[i] = NULL;
	if (!p)
		conf_error(diags, at,
			   "there is no overlay '%s' in this file%s",
			   conf_shown(o->backup, buf, sizeof(buf)),
			   conf_hint(o->backup, names, hint, sizeof(hint)));
	else if (p == o)
		conf_error(diags, at,
			   "an overlay is not its own backup, expected the name of another one");
	else if (o->mode == OVLY_MODE_P2P)
		conf_error(diags, at,
			   "device '%s' is p2p and has no room for a second peer: give 'mode multipoint' to both overlays",
			   o->dev);
	else if (strcmp(o->dev, p->dev))
		conf_error(diags, at,
			   "overlay '%s' is on device '%s', and a backup is on the same device, '%s': see 'device' and 'mode'",
			   p->name, p->dev, o->dev);
	else if (conf_takes_anybody(p))
		conf_error(diags, at,
			   "overlay '%s' (line %u) takes many branches, and a backup is one peer",
			   p->name, p->at.line);
}

void conf_check(struct conf *conf, struct conf_diags *diags)
{
	unsigned int i, k;

	for (i = 0; i < conf->overlays; i++) {
		struct conf_overlay *o = &conf->overlay[i];

		set_defaults(o);
		check_wans(o, diags);
		check_names(o, diags);
		check_system(o, diags);
		check_auth(o, diags);
		if (conf_given(o, CI_VRF) && conf_given(o, CI_TABLE))
			conf_error(diags, o->item[CI_TABLE],
				   "in a VRF the device has the VRF's table");
		if (o->if_id == UINT32_MAX && conf_is_dual(o))
			conf_error(diags, o->item[CI_IF_ID],
				   "the second path takes the next number, and there is none");
		/* every pair is told once; a file full of errors is not
		 * compared to the end
		 */
		for (k = 0; k < i && diags->errors < CONF_DIAGS_MAX; k++)
			check_pair(o, &conf->overlay[k], diags);
	}
	/* with the defaults of all */
	for (i = 0; i < conf->overlays; i++)
		check_backup(conf, &conf->overlay[i], diags);
	if (!conf->overlays && !conf->bgp.at.line && !diags->errors)
		conf_warn(diags, (struct conf_pos){ 0 },
			  "there is no overlay in this file, those that an earlier one described are removed");
}
