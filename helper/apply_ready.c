// SPDX-License-Identifier: GPL-2.0-only
#include "apply_ready.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "parse.h"
#include "rtnl.h"

#define POLL_MS 200
#define BIRD6_SOCKET "/run/bird/bird6.ctl"

static bool is_head_end(const struct conf_overlay *o)
{
	return o->role == CONF_HEAD_END;
}

/* ---- devices ---- */

static bool devices_are_up(const struct apply_ready *r, struct err *e)
{
	const char *last = "";
	unsigned int i;

	for (i = 0; i < r->conf->overlays; i++) {
		const struct conf_overlay *o = &r->conf->overlay[i];
		struct ovly_link link;

		/* thousands of branches share a device */
		if (!is_head_end(o) || !strcmp(o->dev, last))
			continue;
		last = o->dev;
		if (!ovly_rtnl_link_get(r->nl, o->dev, &link, e))
			return false;
		if (!link.ifindex)
			return err_set(e, EXIT_REFUSED,
				       "device '%s' is gone, somebody deleted it",
				       o->dev);
		if (!(link.flags & IFF_UP))
			return err_set(e, EXIT_REFUSED,
				       "device '%s' is down, somebody set it so",
				       o->dev);
	}
	return true;
}

/* ---- BGP ---- */

/* A range is passive and nothing else; a neighbour may be between two tries, or
 * shut down for a reason of its own.
 */
bool apply_ready_listens(const struct conf_neighbor *n,
			 const struct bird_bgp *bgp)
{
	return n->range ? !strcmp(bgp->state, "Passive") :
			  !strstr(bgp->info, "listening socket");
}

struct sessions {
	const struct conf *conf;
	int family; /* 0: both */
	bool *found; /* of each neighbour */
	struct err *e; /* what is missing */
	bool missing;
	bool given; /* the socket's path is the user's */
	bool unknown; /* nobody can tell */
};

static const char *neighbor_str(const struct conf_neighbor *n,
				char buf[PREFIX_STRLEN])
{
	return n->range ? prefix_str(&n->prefix, buf) :
			  addr_str(&n->prefix.addr, buf);
}

static bool is_asked(const struct sessions *s, const struct conf_neighbor *n)
{
	return is_head_end(n->overlay) &&
	       (!s->family || s->family == n->prefix.addr.family);
}

static void look(const struct bird_bgp *bgp, void *arg)
{
	struct sessions *s = arg;
	char name[96], buf[PREFIX_STRLEN];
	unsigned int i;

	for (i = 0; i < s->conf->bgp.neighbors; i++) {
		const struct conf_neighbor *n = &s->conf->bgp.neighbor[i];

		if (strcmp(conf_gen_session(n, name, sizeof(name)), bgp->name) ||
		    !is_asked(s, n))
			continue;
		s->found[i] = true;
		if (apply_ready_listens(n, bgp) || s->missing)
			return;
		s->missing = true;
		err_set(s->e, EXIT_REFUSED,
			"BIRD does not listen for %s (%s is %s%s%s): is another router at TCP port 179? 'ss -ltnp' tells",
			neighbor_str(n, buf), bgp->name,
			bgp->state[0] ? bgp->state : "down",
			bgp->info[0] ? ", " : "", bgp->info);
		return;
	}
}

static bool ask(const char *path, struct sessions *s)
{
	const struct conf_bgp *bgp = &s->conf->bgp;
	struct bird bird;
	const char *reply;
	char name[96];
	unsigned int i;

	memset(s->found, 0, bgp->neighbors * sizeof(*s->found));
	if (!bird_open(&bird, path, s->e)) {
		/* birdc knows another place than this one */
		s->unknown = !s->given;
		return false;
	}
	reply = bird_ask(&bird, "show protocols all", s->e);
	if (reply)
		bird_parse_protocols(reply, look, s);
	bird_close(&bird);
	if (!reply || s->missing)
		return false;
	for (i = 0; i < bgp->neighbors; i++)
		if (is_asked(s, &bgp->neighbor[i]) && !s->found[i])
			return err_set(s->e, EXIT_REFUSED,
				       "BIRD on %s has no session %s: does it read the file that was written?",
				       path,
				       conf_gen_session(&bgp->neighbor[i], name,
							sizeof(name)));
	return true;
}

static bool bgp_listens(const struct apply_ready *r, bool *found,
			struct err *e)
{
	struct sessions s = { .conf = r->conf, .found = found, .e = e,
			      .given = r->bird_socket };

	if (!r->bird || !r->conf->bgp.neighbors)
		return true;
	if (r->bird == 1) {
		/* two daemons */
		s.family = AF_INET6;
		if (conf_bgp_has_family(r->conf, AF_INET6) && !ask(BIRD6_SOCKET, &s))
			return s.unknown;
		s.family = AF_INET;
		if (!conf_bgp_has_family(r->conf, AF_INET))
			return true;
	}
	return ask(r->bird_socket ? r->bird_socket : BIRD_SOCKET, &s) ||
	       s.unknown;
}

/* ---- together ---- */

static void tell_ready(const struct apply_ready *r)
{
	unsigned int i, overlays = 0, sessions = 0;

	for (i = 0; i < r->conf->overlays; i++)
		overlays += is_head_end(&r->conf->overlay[i]);
	for (i = 0; r->bird && i < r->conf->bgp.neighbors; i++)
		sessions += is_head_end(r->conf->bgp.neighbor[i].overlay);
	printf("head-end    ready for %u overlay%s", overlays,
	       overlays == 1 ? "" : "s");
	if (sessions)
		printf(" and %u BGP session%s or range%s", sessions,
		       sessions == 1 ? "" : "s", sessions == 1 ? "" : "s");
	puts("");
	fflush(stdout);
}

bool apply_ready_run(struct apply_ready *r, struct err *e)
{
	uint64_t end = log_now_ms() + r->timeout_s * 1000ull;
	char told[sizeof(e->text)] = "";
	bool *found, ready, any = false;
	unsigned int i;

	for (i = 0; i < r->conf->overlays; i++)
		any |= is_head_end(&r->conf->overlay[i]);
	if (!any)
		return true;
	found = calloc(r->conf->bgp.neighbors + 1, sizeof(*found));
	if (!found)
		return err_set(e, EXIT_REFUSED, "out of memory");
	while (!(ready = devices_are_up(r, e) && bgp_listens(r, found, e)) &&
	       log_now_ms() < end) {
		if (strcmp(e->text, told)) {
			printf("head-end    waiting: %s ...\n", e->text);
			fflush(stdout);
			strcpy(told, e->text);
		}
		usleep(POLL_MS * 1000);
	}
	free(found);
	if (!ready)
		return err_prefix(e, "the head-end is not ready");
	tell_ready(r);
	return true;
}
