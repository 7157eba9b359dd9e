// SPDX-License-Identifier: GPL-2.0-only
#include "apply_dev.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apply_peer.h"
#include "fields.h"
#include "parse.h"
#include "rtnl.h"

#define ADDRS_MAX 64

struct apply_step *apply_steps_add(struct apply_steps *steps, enum apply_op op,
				   const char *dev, struct err *e)
{
	struct apply_step *all = reallocarray(steps->step, steps->n + 1,
					      sizeof(*all));

	if (!all) {
		err_set(e, EXIT_REFUSED, "out of memory");
		return NULL;
	}
	steps->step = all;
	all += steps->n++;
	memset(all, 0, sizeof(*all));
	all->op = op;
	strcpy(all->dev, dev);
	return all;
}

bool apply_steps_have(const struct apply_steps *steps, enum apply_op op,
		      const char *dev, const char *name)
{
	unsigned int i;

	for (i = 0; i < steps->n; i++)
		if (steps->step[i].op == op &&
		    !strcmp(steps->step[i].dev, dev) &&
		    !strcmp(steps->step[i].name, name))
			return true;
	return false;
}

static const struct conf_overlay *first_on(const struct conf *conf,
					   const char *dev)
{
	unsigned int i;

	for (i = 0; i < conf->overlays; i++)
		if (!strcmp(conf->overlay[i].dev, dev))
			return &conf->overlay[i];
	return NULL;
}

static bool wants_addr(const struct conf *conf, const char *dev,
		       const struct ovly_addr *a)
{
	unsigned int i;

	for (i = 0; i < conf->overlays; i++)
		if (!strcmp(conf->overlay[i].dev, dev) &&
		    addrs_contain(&conf->overlay[i].local_system, a))
			return true;
	return false;
}

/* Is the overlay still on this device? */
static bool stays(const struct conf *conf, const struct conf_made *made)
{
	unsigned int i;

	for (i = 0; i < conf->overlays; i++)
		if (!strcmp(conf->overlay[i].name, made->name))
			return !strcmp(conf->overlay[i].dev, made->dev);
	return false;
}

/* What the last apply made and nobody wants any more. */
static bool plan_removal(struct ovly_nl *nl, const struct conf *conf,
			 const struct conf_made *made,
			 struct apply_steps *steps, struct err *e)
{
	struct ovly_ifaddr have[ADDRS_MAX];
	struct ovly_link link;
	struct apply_step *s;
	unsigned int n, i;
	bool learned;

	if (!ovly_rtnl_link_get(nl, made->dev, &link, e))
		return false;
	if (!link.ifindex || strcmp(link.kind, "ovly"))
		return true;
	if (!first_on(conf, made->dev))
		return apply_steps_have(steps, STEP_DEV_DEL, made->dev, "") ||
		       apply_steps_add(steps, STEP_DEV_DEL, made->dev, e);
	if (!stays(conf, made) && nl->family &&
	    !apply_peer_plan_removal(nl, &link, made, steps, e))
		return false;
	if (!ovly_rtnl_addr_list(nl, link.ifindex, have, ADDRS_MAX, &n, e))
		return false;
	/* it had a learned address, and is to have a given one */
	learned = !made->addr.n && first_on(conf, made->dev)->local_system.n;
	for (i = 0; i < n; i++) {
		if ((!learned && !addrs_contain(&made->addr, &have[i].local)) ||
		    wants_addr(conf, made->dev, &have[i].local))
			continue;
		s = apply_steps_add(steps, STEP_ADDR_DEL, made->dev, e);
		if (!s)
			return false;
		s->addr = have[i].local;
	}
	return true;
}

/* Was the device put into a VRF by an apply?  Somebody else's VRF stays. */
static bool had_vrf(const struct conf_manifest *old, const char *dev)
{
	unsigned int i;

	for (i = 0; i < old->n; i++)
		if (!strcmp(old->made[i].dev, dev) && old->made[i].vrf[0])
			return true;
	return false;
}

static bool plan_settings(struct ovly_nl *nl, const struct conf_overlay *o,
			  const struct conf_manifest *old,
			  const struct ovly_link *link,
			  struct apply_steps *steps, struct err *e)
{
	struct ovly_link vrf = { 0 };
	struct apply_step *s;

	if (o->vrf[0]) {
		if (!ovly_rtnl_link_get(nl, o->vrf, &vrf, e))
			return false;
		if (!vrf.ifindex || strcmp(vrf.kind, "vrf"))
			return err_set(e, EXIT_REFUSED,
				       "there is no VRF '%s', make it with 'ip link add %s type vrf table N'",
				       o->vrf, o->vrf);
	}
	if (vrf.ifindex ? link->master != vrf.ifindex :
			  link->master && had_vrf(old, o->dev)) {
		s = apply_steps_add(steps, STEP_VRF, o->dev, e);
		if (!s)
			return false;
		strcpy(s->name, o->vrf);
	}
	if (o->mtu && link->mtu != o->mtu) {
		s = apply_steps_add(steps, STEP_MTU, o->dev, e);
		if (!s)
			return false;
		s->mtu = o->mtu;
	}
	if (conf_given(o, CI_SRC_VALID) && link->ifindex &&
	    link->dev.src_valid != o->src_valid) {
		s = apply_steps_add(steps, STEP_SRC_VALID, o->dev, e);
		if (!s)
			return false;
		s->settings.has = HAS(OVLY_A_DEV_SRC_VALID);
		s->settings.src_valid = o->src_valid;
	}
	return true;
}

static bool plan_addrs(struct ovly_nl *nl, const struct conf *conf,
		       const struct conf_overlay *first,
		       const struct ovly_link *link, struct apply_steps *steps,
		       struct err *e)
{
	struct ovly_ifaddr have[ADDRS_MAX];
	unsigned int n = 0, from = steps->n, i, k, j;
	struct apply_step *s;

	if (link->ifindex && !ovly_rtnl_addr_list(nl, link->ifindex, have,
						  ADDRS_MAX, &n, e))
		return false;
	for (i = 0; i < conf->overlays; i++) {
		const struct conf_overlay *o = &conf->overlay[i];

		if (strcmp(o->dev, first->dev))
			continue;
		for (k = 0; k < o->local_system.n; k++) {
			const struct ovly_addr *a = &o->local_system.a[k];
			bool there = false;

			for (j = 0; j < n; j++)
				there |= addr_equal(&have[j].local, a);
			for (j = from; j < steps->n; j++)
				there |= addr_equal(&steps->step[j].addr, a);
			if (there)
				continue;
			s = apply_steps_add(steps, STEP_ADDR_ADD, o->dev, e);
			if (!s)
				return false;
			s->addr = *a;
			/* decides how the address is written */
			s->settings.mode = o->mode;
		}
	}
	return true;
}

static bool plan_dev(struct ovly_nl *nl, const struct conf *conf,
		     const struct conf_overlay *o,
		     const struct conf_manifest *old,
		     struct apply_steps *steps, struct err *e)
{
	struct apply_step *s;
	struct ovly_link link;

	if (!ovly_rtnl_link_get(nl, o->dev, &link, e))
		return false;
	if (link.ifindex && strcmp(link.kind, "ovly"))
		return err_set(e, EXIT_REFUSED,
			       "device '%s' exists but is not an ovly device, choose another name with 'device' in overlay '%s'",
			       o->dev, o->name);
	/* what cannot be changed is made anew */
	if (link.ifindex && (link.dev.mode != o->mode ||
			     (o->table && link.dev.table != o->table))) {
		if (!apply_steps_add(steps, STEP_DEV_DEL, o->dev, e))
			return false;
		memset(&link, 0, sizeof(link));
	}
	if (!link.ifindex) {
		s = apply_steps_add(steps, STEP_DEV_ADD, o->dev, e);
		if (!s)
			return false;
		s->settings.has = HAS(OVLY_A_DEV_MODE);
		s->settings.mode = o->mode;
		if (o->table) {
			s->settings.has |= HAS(OVLY_A_DEV_TABLE);
			s->settings.table = o->table;
		}
		if (conf_given(o, CI_SRC_VALID)) {
			s->settings.has |= HAS(OVLY_A_DEV_SRC_VALID);
			s->settings.src_valid = o->src_valid;
		}
	}
	/* The own address comes behind the routes to the peers: a daemon that waits
	 * for it, as BIRD does, would send in clear, and without a tunnel for ever.
	 */
	if (!plan_settings(nl, o, old, &link, steps, e) ||
	    !apply_peer_plan(nl, &link, o->dev, conf, steps, e))
		return false;
	if (!(link.flags & IFF_UP) && !apply_steps_add(steps, STEP_UP, o->dev, e))
		return false;
	return plan_addrs(nl, conf, o, &link, steps, e);
}

bool apply_dev_plan(struct ovly_nl *nl, const struct conf *conf,
		    const struct conf_manifest *old, struct apply_steps *steps,
		    struct err *e)
{
	unsigned int i;

	for (i = 0; i < old->n; i++)
		if (!plan_removal(nl, conf, &old->made[i], steps, e))
			return false;
	for (i = 0; i < conf->overlays; i++) {
		const struct conf_overlay *o = &conf->overlay[i];

		if (first_on(conf, o->dev) == o &&
		    !plan_dev(nl, conf, o, old, steps, e))
			return false;
	}
	return true;
}

const char *apply_step_str(const struct apply_step *s, char *buf, size_t size)
{
	char addr[ADDR_STRLEN], words[APPLY_STEP_MAX];

	addr_str(&s->addr, addr);
	switch (s->op) {
	case STEP_PEER_DEL:
		snprintf(buf, size, "%s: delete peer %s", s->dev, s->name);
		break;
	case STEP_DEV_DEL:
		snprintf(buf, size, "%s: delete the device", s->dev);
		break;
	case STEP_ADDR_DEL:
		snprintf(buf, size, "%s: remove address %s", s->dev, addr);
		break;
	case STEP_DEV_ADD:
		snprintf(buf, size, "%s: create the device, mode %s", s->dev,
			 word_of(mode_words, s->settings.mode));
		break;
	case STEP_VRF:
		if (s->name[0])
			snprintf(buf, size, "%s: put it into VRF %s", s->dev,
				 s->name);
		else
			snprintf(buf, size, "%s: take it out of its VRF",
				 s->dev);
		break;
	case STEP_MTU:
		snprintf(buf, size, "%s: set mtu %u", s->dev, s->mtu);
		break;
	case STEP_SRC_VALID:
		snprintf(buf, size, "%s: set source validation %s", s->dev,
			 word_of(src_valid_words, s->settings.src_valid));
		break;
	case STEP_ADDR_ADD:
		snprintf(buf, size, "%s: add address %s", s->dev, addr);
		break;
	case STEP_UP:
		snprintf(buf, size, "%s: set it up", s->dev);
		break;
	case STEP_PEER_ADD:
		snprintf(buf, size, "%s: add peer %s %s", s->dev, s->name,
			 apply_peer_str(&s->peer, words, sizeof(words)));
		break;
	case STEP_PEER_SET:
		snprintf(buf, size, "%s: set peer %s to %s", s->dev, s->name,
			 apply_peer_str(&s->peer, words, sizeof(words)));
		break;
	}
	return buf;
}

static bool run_step(struct ovly_nl *nl, const struct apply_step *s,
		     struct err *e)
{
	struct ovly_req req = { .dev = &s->settings };
	struct ovly_nl_error refusal;
	struct ovly_link link, vrf = { 0 };
	bool exists;

	if (!ovly_rtnl_link_get(nl, s->dev, &link, e))
		return false;
	if (s->op == STEP_DEV_ADD)
		return ovly_rtnl_link_add(nl, s->dev, &s->settings, &exists,
					  e) &&
		       (nl->family || ovly_nl_resolve(nl) ||
			ovly_nl_no_module(e));
	if (!link.ifindex) {
		/* gone in the meantime: fine for what removes */
		return s->op < STEP_DEV_ADD ||
		       err_set(e, EXIT_REFUSED, "device '%s' vanished", s->dev);
	}
	switch (s->op) {
	case STEP_PEER_DEL:
	case STEP_PEER_ADD:
	case STEP_PEER_SET:
		return apply_peer_run(nl, &link, s, e);
	case STEP_DEV_DEL:
		return ovly_rtnl_link_del(nl, link.ifindex, e);
	case STEP_ADDR_DEL:
		return ovly_rtnl_addr_del(nl, &link, &s->addr,
					  link.dev.mode == OVLY_MODE_P2P, e);
	case STEP_VRF:
		return (!s->name[0] ||
			ovly_rtnl_link_get(nl, s->name, &vrf, e)) &&
		       ovly_rtnl_link_set_master(nl, &link, vrf.ifindex, e);
	case STEP_MTU:
		return ovly_rtnl_link_set_mtu(nl, &link, s->mtu, e);
	case STEP_SRC_VALID:
		req.ifindex = link.ifindex;
		return ovly_ctl_do(nl, OVLY_CMD_DEV_SET, 0, &req, NULL,
				   &refusal) ||
		       ovly_nl_err(e, &refusal,
				   "cannot set the source validation of '%s'",
				   s->dev);
	case STEP_ADDR_ADD:
		return ovly_rtnl_addr_add(nl, &link, &s->addr,
					  s->settings.mode == OVLY_MODE_P2P,
					  e);
	case STEP_UP:
		return ovly_ctl_link_up(nl, &link, e);
	case STEP_DEV_ADD:
		break;
	}
	return true;
}

bool apply_dev_run(struct ovly_nl *nl, const struct apply_steps *steps,
		   bool removal, struct err *e)
{
	char text[APPLY_STEP_MAX];
	unsigned int i;

	for (i = 0; i < steps->n; i++) {
		const struct apply_step *s = &steps->step[i];

		if ((s->op < STEP_DEV_ADD) != removal)
			continue;
		if (!run_step(nl, s, e))
			return false;
		printf("device      %s\n",
		       apply_step_str(s, text, sizeof(text)));
		fflush(stdout);
	}
	return true;
}

void apply_steps_free(struct apply_steps *steps)
{
	free(steps->step);
	memset(steps, 0, sizeof(*steps));
}
