// SPDX-License-Identifier: GPL-2.0-only
#include "apply_peer.h"

#include <errno.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fields.h"
#include "log.h"
#include "parse.h"

/* ---- peers that are to go ---- */

struct removal {
	const struct conf_made *made;
	struct apply_steps *steps;
	struct err *e;
	bool failed;
};

/* Is the label that of a connection of the overlay? */
static bool is_label_of(const char *label, const char *overlay)
{
	size_t n = strlen(overlay);

	return !strncmp(label, overlay, n) &&
	       (!label[n] || !strcmp(label + n, CONF_DUAL_SUFFIX));
}

/* Peers are named after the overlay, or by who connected: then the connection
 * tells.
 */
static void collect_removal(const struct ovly_msg *msg, void *arg)
{
	const struct ovly_path *path = &msg->path;
	struct removal *r = arg;
	struct apply_step *s;

	if (!is_label_of(path->label, r->made->name) ||
	    apply_steps_have(r->steps, STEP_PEER_DEL, r->made->dev,
			     path->peer_name))
		return;
	s = apply_steps_add(r->steps, STEP_PEER_DEL, r->made->dev, r->e);
	if (s)
		strcpy(s->name, path->peer_name);
	else
		r->failed = true;
}

bool apply_peer_plan_removal(struct ovly_nl *nl, const struct ovly_link *link,
			     const struct conf_made *made,
			     struct apply_steps *steps, struct err *e)
{
	struct ovly_peer key = { .has = HAS(OVLY_A_PEER_NAME) };
	struct ovly_req req = { .ifindex = link->ifindex };
	struct removal r = { .made = made, .steps = steps, .e = e };
	struct ovly_nl_error refusal;
	struct apply_step *s;

	if (!ovly_ctl_dump(nl, OVLY_CMD_PATH_GET, &req, collect_removal, &r,
			   &refusal))
		return ovly_nl_err(e, &refusal, "cannot list paths");
	if (r.failed)
		return false;
	strcpy(key.name, made->name);
	req.peer = &key;
	if (!ovly_ctl_do(nl, OVLY_CMD_PEER_GET, 0, &req, NULL, &refusal) ||
	    apply_steps_have(steps, STEP_PEER_DEL, made->dev, made->name))
		return true;
	s = apply_steps_add(steps, STEP_PEER_DEL, made->dev, e);
	if (s)
		strcpy(s->name, made->name);
	return s;
}

/* ---- peers that are there ---- */

struct peer {
	struct ovly_peer p;
	const struct conf_overlay *overlay; /* that it belongs to, or NULL */
};

struct peers {
	struct peer *peer;
	unsigned int n, room;
	const struct conf *conf;
	const char *dev;
	struct apply_steps *steps;
	bool failed;
};

static void add_peer(struct peers *all, const struct ovly_peer *p,
		     const struct conf_overlay *o)
{
	struct peer *more;

	if (all->n == all->room) {
		all->room = all->room ? all->room * 2 : 16;
		more = reallocarray(all->peer, all->room, sizeof(*more));
		if (!more) {
			all->failed = true;
			all->room = all->n;
			return;
		}
		all->peer = more;
	}
	more = &all->peer[all->n++];
	more->p = *p;
	more->overlay = o;
}

/* Those that are to go make room. */
static void collect_peer(const struct ovly_msg *msg, void *arg)
{
	const struct conf_overlay *found = NULL;
	struct peers *all = arg;
	unsigned int i;

	if (apply_steps_have(all->steps, STEP_PEER_DEL, all->dev, msg->peer.name))
		return;
	for (i = 0; i < all->conf->overlays; i++) {
		const struct conf_overlay *o = &all->conf->overlay[i];

		if (!strcmp(o->dev, all->dev) && !conf_takes_anybody(o) &&
		    !strcmp(o->name, msg->peer.name))
			found = o;
	}
	add_peer(all, &msg->peer, found);
}

/* Who came by a connection that takes anybody. */
static void collect_path(const struct ovly_msg *msg, void *arg)
{
	struct peers *all = arg;
	unsigned int i, k;

	for (i = 0; i < all->conf->overlays; i++) {
		const struct conf_overlay *o = &all->conf->overlay[i];

		if (strcmp(o->dev, all->dev) || !conf_takes_anybody(o) ||
		    !is_label_of(msg->path.label, o->name))
			continue;
		for (k = 0; k < all->n; k++)
			if (all->peer[k].p.id == msg->path.peer_id)
				all->peer[k].overlay = o;
	}
}

static bool collect(struct ovly_nl *nl, const struct ovly_link *link,
		    struct peers *all, struct err *e)
{
	struct ovly_req req = { .ifindex = link->ifindex };
	struct ovly_nl_error refusal;

	return !link->ifindex || !nl->family ||
	       (ovly_ctl_dump(nl, OVLY_CMD_PEER_GET, &req, collect_peer, all,
			      &refusal) &&
		ovly_ctl_dump(nl, OVLY_CMD_PATH_GET, &req, collect_path, all,
			      &refusal)) ||
	       ovly_nl_err(e, &refusal, "cannot list peers and paths");
}

static bool is_there(const struct peers *all, const char *name)
{
	unsigned int i;

	for (i = 0; i < all->n; i++)
		if (!strcmp(all->peer[i].p.name, name))
			return true;
	return false;
}

/* ---- peers that are to change ---- */

static void differ(uint32_t attr, uint32_t have, uint32_t want,
		   struct ovly_peer *diff, uint32_t *field)
{
	if (have == want)
		return;
	diff->has |= HAS(attr);
	*field = want;
}

bool apply_peer_differs(const struct conf_overlay *o,
			const struct ovly_peer *have, struct ovly_peer *d)
{
	memset(d, 0, sizeof(*d));
	differ(OVLY_A_PEER_ON_DOWN, have->on_down, o->on_down, d, &d->on_down);
	differ(OVLY_A_PEER_ROUTE_LIMIT, have->route_limit, o->limit, d,
	       &d->route_limit);
	differ(OVLY_A_PEER_LIMIT_ACTION, have->limit_action, o->limit_action,
	       d, &d->limit_action);
	differ(OVLY_A_PEER_MARK, have->mark, o->mark, d, &d->mark);
	differ(OVLY_A_PEER_PRIORITY, have->priority, o->packet_priority, d,
	       &d->priority);
	/* else they are learned */
	if (conf_knows_peer(o) && !addrs_equal(&o->remote_system, &have->addr)) {
		d->has |= HAS(OVLY_A_PEER_ADDR);
		d->addr = o->remote_system;
	}
	if (!strcmp(have->backup_name, o->backup))
		return d->has;
	strcpy(d->backup_name, o->backup);
	d->has |= o->backup[0] ? HAS(OVLY_A_PEER_BACKUP_NAME) :
				 HAS(OVLY_A_PEER_BACKUP_ID);
	return true;
}

/* Has another than @self one of the addresses?  Then it is routed, and the overlay's
 * own updown knows whether he may be told to go.
 */
static bool is_taken(const struct peers *all, const struct ovly_addrs *addrs,
		     const struct ovly_peer *self)
{
	unsigned int i, k;

	for (i = 0; i < all->n; i++)
		for (k = 0; &all->peer[i].p != self && k < addrs->n; k++)
			if (addrs_contain(&all->peer[i].p.addr, &addrs->a[k]))
				return true;
	return false;
}

/* Then its routes of that family are to go first, which updown sees to. */
static bool loses_family(const struct ovly_addrs *have,
			 const struct ovly_addrs *want)
{
	return (addrs_have(have, AF_INET) && !addrs_have(want, AF_INET)) ||
	       (addrs_have(have, AF_INET6) && !addrs_have(want, AF_INET6));
}

static bool plan_peer(const struct peers *all, const struct peer *peer,
		      struct err *e)
{
	struct apply_step *s;
	struct ovly_peer d;

	if (!apply_peer_differs(peer->overlay, &peer->p, &d))
		return true;
	/* of one with a tunnel they are its updown's */
	if (peer->p.paths || loses_family(&peer->p.addr, &d.addr) ||
	    is_taken(all, &d.addr, &peer->p))
		d.has &= ~HAS(OVLY_A_PEER_ADDR);
	/* a backup that is not there yet is made by the updown that names it */
	if (!is_there(all, d.backup_name))
		d.has &= ~HAS(OVLY_A_PEER_BACKUP_NAME);
	if (!d.has)
		return true;
	s = apply_steps_add(all->steps, STEP_PEER_SET, all->dev, e);
	if (!s)
		return false;
	strcpy(s->name, peer->p.name);
	s->peer = d;
	return true;
}

/* ---- peers that are to come ---- */

void apply_peer_new(const struct conf_overlay *o, struct ovly_peer *p)
{
	/* what the module takes for what is not said */
	static const struct ovly_peer fresh;

	apply_peer_differs(o, &fresh, p);
	p->has &= ~HAS(OVLY_A_PEER_BACKUP_NAME);
	p->backup_name[0] = '\0';
}

static bool plan_new(struct peers *all, const struct conf_overlay *o,
		     struct err *e)
{
	struct apply_step *s;
	struct ovly_peer p;

	if (is_there(all, o->name))
		return true;
	if (o->mode == OVLY_MODE_P2P && all->n)
		return err_set(e, EXIT_REFUSED,
			       "p2p device '%s' has its one peer already, which is not '%s': delete it with 'ovlyhelper peer del %s dev %s'",
			       o->dev, o->name, all->peer[0].p.name, o->dev);
	if (is_taken(all, &o->remote_system, NULL))
		return true;
	s = apply_steps_add(all->steps, STEP_PEER_ADD, all->dev, e);
	if (!s)
		return false;
	strcpy(s->name, o->name);
	apply_peer_new(o, &s->peer);
	/* from here on as if it were there already: others may name it */
	p = s->peer;
	strcpy(p.name, o->name);
	add_peer(all, &p, o);
	return true;
}

static bool plan_all(struct peers *all, struct err *e)
{
	unsigned int i;

	for (i = 0; i < all->conf->overlays && !all->failed; i++) {
		const struct conf_overlay *o = &all->conf->overlay[i];

		if (!strcmp(o->dev, all->dev) && conf_knows_peer(o) &&
		    !plan_new(all, o, e))
			return false;
	}
	if (all->failed)
		return err_set(e, EXIT_REFUSED, "out of memory");
	for (i = 0; i < all->n; i++)
		if (all->peer[i].overlay && !plan_peer(all, &all->peer[i], e))
			return false;
	return true;
}

bool apply_peer_plan(struct ovly_nl *nl, const struct ovly_link *link,
		     const char *dev, const struct conf *conf,
		     struct apply_steps *steps, struct err *e)
{
	struct peers all = { .conf = conf, .dev = dev, .steps = steps };
	bool ok = collect(nl, link, &all, e) && plan_all(&all, e);

	free(all.peer);
	return ok;
}

/* ---- doing it ---- */

const char *apply_peer_str(const struct ovly_peer *p, char *buf, size_t size)
{
	static const char *const names[] = { "on-down", "limit", "limit-action",
					     "mark", "priority" };
	static const uint32_t attrs[] = {
		OVLY_A_PEER_ON_DOWN, OVLY_A_PEER_ROUTE_LIMIT,
		OVLY_A_PEER_LIMIT_ACTION, OVLY_A_PEER_MARK,
		OVLY_A_PEER_PRIORITY,
	};
	char addr[ADDR_STRLEN];
	size_t n = 0;
	unsigned int i;

	buf[0] = '\0';
	for (i = 0; p->has & HAS(OVLY_A_PEER_ADDR) && i < p->addr.n && n < size; i++)
		n += (size_t)snprintf(buf + n, size - n, "%s%s", n ? " " : "",
				      addr_str(&p->addr.a[i], addr));
	for (i = 0; i < sizeof(attrs) / sizeof(attrs[0]); i++) {
		const struct field *f = field_find(&peer_fields, attrs[i]);
		uint32_t v;

		if (!(p->has & HAS(attrs[i])) || n >= size)
			continue;
		memcpy(&v, (const char *)p + f->off, sizeof(v));
		n += (size_t)snprintf(buf + n, size - n, "%s%s ",
				      n ? ", " : "", names[i]);
		if (n < size)
			n += f->words ?
				(size_t)snprintf(buf + n, size - n, "%s",
						 word_of(f->words, v)) :
				(size_t)snprintf(buf + n, size - n, "%u", v);
	}
	if (p->has & (HAS(OVLY_A_PEER_BACKUP_ID) |
		      HAS(OVLY_A_PEER_BACKUP_NAME)) && n < size)
		snprintf(buf + n, size - n, "%sbackup %s", n ? ", " : "",
			 p->backup_name[0] ? p->backup_name : "none");
	return buf;
}

static bool del(struct ovly_nl *nl, const struct ovly_req *req,
		const char *name, struct err *e)
{
	struct ovly_nl_error refusal;

	if (ovly_ctl_do(nl, OVLY_CMD_PEER_DEL, 0, req, NULL, &refusal) ||
	    refusal.error == ENOENT || refusal.error == ESRCH)
		return true;
	return ovly_nl_err(e, &refusal, "cannot delete peer '%s'", name);
}

static bool add(struct ovly_nl *nl, const struct ovly_req *req,
		const char *name, struct err *e)
{
	struct ovly_nl_error refusal;

	if (ovly_ctl_do(nl, OVLY_CMD_PEER_NEW, NLM_F_CREATE | NLM_F_EXCL, req,
			NULL, &refusal))
		return true;
	if (refusal.error != EEXIST)
		return ovly_nl_err(e, &refusal, "cannot make peer '%s'", name);
	/* an updown has been faster: its own, or of somebody who is about to go */
	log_warn("peer '%s' is left to its updown: %s", name, refusal.text);
	return true;
}

bool apply_peer_run(struct ovly_nl *nl, const struct ovly_link *link,
		    const struct apply_step *s, struct err *e)
{
	struct ovly_peer peer = s->peer;
	struct ovly_req req = { .ifindex = link->ifindex, .peer = &peer };
	struct ovly_nl_error refusal;

	peer.has |= HAS(OVLY_A_PEER_NAME);
	strcpy(peer.name, s->name);
	if (s->op == STEP_PEER_DEL)
		return del(nl, &req, s->name, e);
	if (s->op == STEP_PEER_ADD)
		return add(nl, &req, s->name, e);
	/* gone in the meantime: its next updown makes it as it is to be */
	if (ovly_ctl_do(nl, OVLY_CMD_PEER_SET, 0, &req, NULL, &refusal) ||
	    refusal.error == ENOENT || refusal.error == ESRCH)
		return true;
	return ovly_nl_err(e, &refusal, "cannot change peer '%s'", s->name);
}
