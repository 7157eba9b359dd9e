// SPDX-License-Identifier: GPL-2.0-only
#include "conf_model.h"

#include <stdio.h>

#include "parse.h"

const char *conf_connection(const struct conf_overlay *o, unsigned int wan,
			    char buf[OVLY_NAME_MAX + 1])
{
	snprintf(buf, OVLY_NAME_MAX + 1, "%s%s", o->name,
		 wan == CONF_DUAL ? CONF_DUAL_SUFFIX : "");
	return buf;
}

bool conf_has_connection(const struct conf_overlay *o, unsigned int wan)
{
	return (wan == CONF_WAN || conf_is_dual(o)) && !o->wan[wan].absent;
}

bool conf_is_any(const struct conf_overlay *o, unsigned int wan)
{
	return !strcmp(o->wan[wan].remote, "any");
}

/* A strongSwan before 6.0.2 that is told the user's name does not ask for it,
 * and then the branch answers with its identity: so the two are the same.
 */
const char *conf_remote_id(const struct conf_overlay *o, unsigned int wan)
{
	if (o->remote_id[0])
		return strcmp(o->remote_id, "any") ? o->remote_id : NULL;
	if (o->auth.user[0] && o->role == CONF_HEAD_END)
		return o->auth.user;
	return conf_is_any(o, wan) ? NULL : o->wan[wan].remote;
}

const char *conf_local_id(const struct conf_overlay *o, unsigned int wan,
			  char buf[CONF_ID_MAX + 1])
{
	if (o->local_id[0])
		return o->local_id;
	if (o->auth.user[0] && o->role == CONF_BRANCH)
		return o->auth.user;
	return o->wan[wan].local.family ? addr_str(&o->wan[wan].local, buf) :
					  NULL;
}

bool conf_takes_anybody(const struct conf_overlay *o)
{
	return o->role == CONF_HEAD_END && !o->auth.user[0] &&
	       !conf_remote_id(o, CONF_WAN);
}

bool conf_knows_peer(const struct conf_overlay *o)
{
	return o->remote_system.n && !conf_takes_anybody(o);
}

bool conf_bgp_has_family(const struct conf *conf, int family)
{
	unsigned int i;

	for (i = 0; i < conf->bgp.neighbors; i++)
		if (conf->bgp.neighbor[i].prefix.addr.family == family)
			return true;
	return false;
}
