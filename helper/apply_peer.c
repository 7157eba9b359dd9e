// SPDX-License-Identifier: GPL-2.0-only
#include "apply_peer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fields.h"

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

/* ---- peers that are to change ---- */

struct peer {
	struct ovly_peer p;
	const struct conf_overlay *overlay; /* that it belongs to, or NULL */
};

struct peers {
	struct peer *peer;
	unsigned int n, room;
	const struct conf *conf;
	const char *dev;
	bool failed;
};

static void collect_peer(const struct ovly_msg *msg, void *arg)
{
	struct peers *all = arg;
	struct peer *more;
	unsigned int i;

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
	more->p = msg->peer;
	more->overlay = NULL;
	for (i = 0; i < all->conf->overlays; i++) {
		const struct conf_overlay *o = &all->conf->overlay[i];

		if (!strcmp(o->dev, all->dev) && !conf_takes_anybody(o) &&
		    !strcmp(o->name, more->p.name))
			more->overlay = o;
	}
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

static bool is_there(const struct peers *all, const char *name)
{
	unsigned int i;

	for (i = 0; i < all->n; i++)
		if (!strcmp(all->peer[i].p.name, name))
			return true;
	return false;
}

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
	if (!strcmp(have->backup_name, o->backup))
		return d->has;
	strcpy(d->backup_name, o->backup);
	d->has |= o->backup[0] ? HAS(OVLY_A_PEER_BACKUP_NAME) :
				 HAS(OVLY_A_PEER_BACKUP_ID);
	return true;
}

static bool plan_peer(const struct peers *all, const struct peer *peer,
		      struct apply_steps *steps, struct err *e)
{
	struct apply_step *s;
	struct ovly_peer d;

	if (!apply_peer_differs(peer->overlay, &peer->p, &d))
		return true;
	/* a backup that is not there yet is made by the updown that names it */
	if (!is_there(all, d.backup_name))
		d.has &= ~HAS(OVLY_A_PEER_BACKUP_NAME);
	if (!d.has)
		return true;
	s = apply_steps_add(steps, STEP_PEER_SET, all->dev, e);
	if (!s)
		return false;
	strcpy(s->name, peer->p.name);
	s->peer = d;
	return true;
}

bool apply_peer_plan(struct ovly_nl *nl, const struct ovly_link *link,
		     const struct conf *conf, struct apply_steps *steps,
		     struct err *e)
{
	struct peers all = { .conf = conf, .dev = link->name };
	struct ovly_req req = { .ifindex = link->ifindex };
	struct ovly_nl_error refusal;
	bool ok = false;
	unsigned int i;

	if (!ovly_ctl_dump(nl, OVLY_CMD_PEER_GET, &req, collect_peer, &all,
			   &refusal) ||
	    !ovly_ctl_dump(nl, OVLY_CMD_PATH_GET, &req, collect_path, &all,
			   &refusal)) {
		ovly_nl_err(e, &refusal, "cannot list peers and paths");
		goto out;
	}
	if (all.failed) {
		err_set(e, EXIT_REFUSED, "out of memory");
		goto out;
	}
	for (i = 0; i < all.n; i++)
		if (all.peer[i].overlay &&
		    !plan_peer(&all, &all.peer[i], steps, e))
			goto out;
	ok = true;
out:
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
	size_t n = 0;
	unsigned int i;

	buf[0] = '\0';
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
	/* gone in the meantime: its next updown makes it as it is to be */
	if (ovly_ctl_do(nl, OVLY_CMD_PEER_SET, 0, &req, NULL, &refusal) ||
	    refusal.error == ENOENT || refusal.error == ESRCH)
		return true;
	return ovly_nl_err(e, &refusal, "cannot change peer '%s'", s->name);
}
