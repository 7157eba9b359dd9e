// SPDX-License-Identifier: GPL-2.0-only
/* The model to strongSwan's files, for 5.9 and 6. */
#include <string.h>

#include "conf_gen.h"
#include "conf_manifest.h"
#include "fields.h"
#include "parse.h"

/* A list under construction: "a,b,c". */
struct list {
	FILE *out;
	unsigned int n;
};

static void put(struct list *list, const char *item)
{
	fprintf(list->out, "%s%s", list->n++ ? "," : "", item);
}

static void put_prefixes(struct list *list, const struct conf_prefixes *p)
{
	char buf[PREFIX_STRLEN];
	unsigned int i;

	for (i = 0; i < p->n; i++)
		put(list, prefix_str(&p->p[i], buf));
}

/* Addresses that no prefix of the list covers, as prefixes. */
static void put_others(struct list *list, const struct ovly_addrs *addrs,
		       const struct conf_prefixes *nets)
{
	char buf[PREFIX_STRLEN];
	unsigned int i, k;

	for (i = 0; i < addrs->n; i++) {
		struct ovly_prefix p = {
			.addr = addrs->a[i],
			.len = (uint8_t)addr_bits(&addrs->a[i]),
		};

		for (k = 0; k < nets->n; k++)
			if (prefix_covers(&nets->p[k], &addrs->a[i]))
				break;
		if (k == nets->n)
			put(list, prefix_str(&p, buf));
	}
}

static bool has_family(const struct ovly_addrs *addrs,
		       const struct conf_prefixes *nets, int family)
{
	unsigned int i;

	if (addrs_have(addrs, family))
		return true;
	for (i = 0; i < nets->n; i++)
		if (nets->p[i].addr.family == family)
			return true;
	return false;
}

/* Does the overlay carry this family?  IPv4 where nothing says so. */
static bool carries(const struct conf_overlay *o, int family)
{
	bool six = has_family(&o->local_system, &o->local_net, AF_INET6) ||
		   has_family(&o->remote_system, &o->remote_net, AF_INET6) ||
		   has_family(&o->remote_system, &o->pool, AF_INET6);
	bool four = has_family(&o->local_system, &o->local_net, AF_INET) ||
		    has_family(&o->remote_system, &o->remote_net, AF_INET) ||
		    has_family(&o->remote_system, &o->pool, AF_INET);

	return family == AF_INET ? four || !six : six;
}

static void put_everything(struct list *list, const struct conf_overlay *o)
{
	if (carries(o, AF_INET))
		put(list, "0.0.0.0/0");
	if (carries(o, AF_INET6))
		put(list, "::/0");
}

/* The branch's end of the tunnel is what it has; the head-end's is everything
 * unless it says otherwise, because what may come through it is BGP's to say.
 */
static void local_ts(FILE *out, const struct conf_overlay *o)
{
	struct list list = { .out = out };

	fputs("\t\t\t\tlocal_ts = ", out);
	if (o->role == CONF_HEAD_END && !o->local_net.n) {
		put_everything(&list, o);
	} else {
		put_prefixes(&list, &o->local_net);
		put_others(&list, &o->local_system, &o->local_net);
		/* the virtual address, when it is there */
		if (!o->local_system.n)
			put(&list, "dynamic");
	}
	fputc('\n', out);
}

static void remote_ts(FILE *out, const struct conf_overlay *o)
{
	struct list list = { .out = out };

	fputs("\t\t\t\tremote_ts = ", out);
	put_prefixes(&list, &o->remote_net);
	if (o->role == CONF_HEAD_END || o->remote_net.n)
		put_others(&list, &o->remote_system, &o->remote_net);
	if (o->role == CONF_BRANCH && !o->remote_net.n)
		put_everything(&list, o);
	else if (o->pool.n)
		put(&list, "dynamic");
	fputc('\n', out);
}

static void put_addrs(FILE *out, const char *option,
		      const struct ovly_addrs *addrs)
{
	char buf[ADDR_STRLEN];
	unsigned int i;

	for (i = 0; i < addrs->n; i++)
		fprintf(out, " --%s %s", option, addr_str(&addrs->a[i], buf));
}

static void updown(FILE *out, const struct conf_overlay *o, unsigned int wan,
		   const struct conf_gen *gen)
{
	fprintf(out, "\t\t\t\tupdown = \"%s updown --dev %s --mode %s",
		gen->command, o->dev, word_of(mode_words, o->mode));
	if (conf_takes_anybody(o))
		fputs(" --peer-from id", out);
	else
		fprintf(out, " --peer %s", o->name);
	put_addrs(out, "system-addr", &o->remote_system);
	if (o->remote_host)
		fprintf(out, " --system-addr-from-ts %u", o->remote_host);
	put_addrs(out, "local-addr", &o->local_system);
	if (conf_is_dual(o) || conf_given(o, CI_PRIORITY))
		fprintf(out, " --priority %u", o->wan[wan].priority);
	if (conf_given(o, CI_ON_DOWN))
		fprintf(out, " --on-down %s",
			word_of(on_down_words, o->on_down));
	if (conf_given(o, CI_LIMIT))
		fprintf(out, " --limit %u --limit-action %s", o->limit,
			word_of(limit_action_words, o->limit_action));
	if (o->backup[0])
		fprintf(out, " --backup %s", o->backup);
	if (o->mark)
		fprintf(out, " --mark %u", o->mark);
	if (o->packet_priority)
		fprintf(out, " --peer-priority %u", o->packet_priority);
	if (o->table)
		fprintf(out, " --table %u", o->table);
	if (o->mtu)
		fprintf(out, " --mtu %u", o->mtu);
	if (conf_given(o, CI_SRC_VALID))
		fprintf(out, " --src-valid %s",
			word_of(src_valid_words, o->src_valid));
	if (o->vrf[0])
		fprintf(out, " --vrf %s", o->vrf);
	/* without it a p2p device routes the remote's address only */
	if (o->mode == OVLY_MODE_P2P && o->remote_net.n)
		fputs(" --route-ts", out);
	fputs("\"\n", out);
}

static void child(FILE *out, const struct conf_overlay *o, unsigned int wan,
		  const struct conf_gen *gen)
{
	char name[OVLY_NAME_MAX + 1];

	fprintf(out, "\t\t\t%s {\n\t\t\t\tmode = tunnel\n",
		conf_connection(o, wan, name));
	local_ts(out, o);
	remote_ts(out, o);
	fprintf(out, "\t\t\t\tesp_proposals = %s\n", o->esp);
	/* with life_time alone charon's default jitter rekeys at once */
	fprintf(out,
		"\t\t\t\tlife_time = %us\n\t\t\t\trekey_time = %us\n\t\t\t\trand_time = %us\n",
		o->lifetime, o->lifetime / 10 * 9, o->lifetime / 30);
	if (o->idle)
		fprintf(out, "\t\t\t\tinactivity = %us\n", o->idle);
	if (o->role == CONF_BRANCH)
		fputs("\t\t\t\tstart_action = start\n"
		      "\t\t\t\tclose_action = start\n"
		      "\t\t\t\tdpd_action = restart\n", out);
	if (o->if_id)
		fprintf(out, "\t\t\t\tif_id_in = %u\n\t\t\t\tif_id_out = %u\n",
			o->if_id + wan, o->if_id + wan);
	else
		fputs("\t\t\t\tif_id_in = %unique\n"
		      "\t\t\t\tif_id_out = %unique\n", out);
	updown(out, o, wan, gen);
	fputs("\t\t\t}\n", out);
}

static void auth_local(FILE *out, const struct conf_overlay *o,
		       unsigned int wan)
{
	const struct conf_auth *a = &o->auth;
	char buf[CONF_ID_MAX + 1];
	const char *id = conf_local_id(o, wan, buf);

	fputs("\t\tlocal {\n", out);
	if (a->user[0] && o->role == CONF_BRANCH)
		fprintf(out, "\t\t\tauth = eap-%s\n\t\t\teap_id = %s\n",
			word_of(conf_eap_words, a->method), a->user);
	else if (a->cert[0])
		fprintf(out, "\t\t\tauth = pubkey\n\t\t\tcerts = %s\n",
			a->cert);
	else
		fputs("\t\t\tauth = psk\n", out);
	if (id)
		fprintf(out, "\t\t\tid = %s\n", id);
	fputs("\t\t}\n", out);
}

static void auth_remote(FILE *out, const struct conf_overlay *o,
			unsigned int wan)
{
	const struct conf_auth *a = &o->auth;
	const char *id = conf_remote_id(o, wan);

	fputs("\t\tremote {\n", out);
	if (a->user[0] && o->role == CONF_HEAD_END)
		fprintf(out, "\t\t\tauth = eap-%s\n\t\t\teap_id = %s\n",
			word_of(conf_eap_words, a->method), a->user);
	else if (a->cacert[0])
		fprintf(out, "\t\t\tauth = pubkey\n\t\t\tcacerts = %s\n",
			a->cacert);
	else
		fputs("\t\t\tauth = psk\n", out);
	fprintf(out, "\t\t\tid = %s\n\t\t}\n", id ? id : "%any");
}

void conf_gen_connection(FILE *out, const struct conf_overlay *o,
			 unsigned int wan, const struct conf_gen *gen)
{
	char name[OVLY_NAME_MAX + 1], buf[ADDR_STRLEN];
	struct list vips = { .out = out };

	fprintf(out, "\t%s {\n\t\tversion = 2\n", conf_connection(o, wan, name));
	if (o->wan[wan].local.family)
		fprintf(out, "\t\tlocal_addrs = %s\n",
			addr_str(&o->wan[wan].local, buf));
	fprintf(out, "\t\tremote_addrs = %s\n",
		conf_is_any(o, wan) ? "%any" : o->wan[wan].remote);
	fprintf(out, "\t\tproposals = %s\n", o->ike);
	if (o->dpd)
		fprintf(out, "\t\tdpd_delay = %us\n", o->dpd);
	if (o->role == CONF_BRANCH) {
		/* a head-end that is away for long is still tried */
		fputs("\t\tkeyingtries = 0\n", out);
		if (!o->local_system.n) {
			fputs("\t\tvips = ", out);
			if (carries(o, AF_INET))
				put(&vips, "0.0.0.0");
			if (carries(o, AF_INET6))
				put(&vips, "::");
			fputc('\n', out);
		}
	} else if (o->pool.n) {
		fprintf(out, "\t\tpools = %s\n", o->name);
	}
	auth_local(out, o, wan);
	auth_remote(out, o, wan);
	fputs("\t\tchildren {\n", out);
	child(out, o, wan, gen);
	fputs("\t\t}\n\t}\n", out);
}

static void pools(FILE *out, const struct conf *conf)
{
	bool open = false;
	unsigned int i;

	for (i = 0; i < conf->overlays; i++) {
		const struct conf_overlay *o = &conf->overlay[i];
		struct list list = { .out = out };

		if (!o->pool.n)
			continue;
		fprintf(out, "%s\t%s {\n\t\taddrs = ",
			open ? "" : "\npools {\n", o->name);
		put_prefixes(&list, &o->pool);
		fputs("\n\t}\n", out);
		open = true;
	}
	if (open)
		fputs("}\n", out);
}

static void head(FILE *out, const struct conf_gen *gen)
{
	fprintf(out, CONF_MARK "%s\n# Change that file, not this one.\n",
		gen->source);
}

void conf_gen_swanctl(FILE *out, const struct conf *conf,
		      const struct conf_gen *gen)
{
	unsigned int i, wan;

	head(out, gen);
	conf_manifest_write(out, conf);
	fputs("\nconnections {\n", out);
	for (i = 0; i < conf->overlays; i++)
		for (wan = 0; wan < CONF_WANS; wan++)
			if (conf_has_connection(&conf->overlay[i], wan))
				conf_gen_connection(out, &conf->overlay[i],
						    wan, gen);
	fputs("}\n", out);
	pools(out, conf);
}

/* As it is where strongSwan reads it so, else in hexadecimal: an 0s would say
 * base64, and quotes and backslashes have a meaning.
 */
static void put_secret(FILE *out, const char *secret,
		       const struct conf_gen *gen)
{
	const char *s;

	fputs("\t\tsecret = ", out);
	if (gen->hide_secrets)
		fputs(CONF_PLACEHOLDER, out);
	else if (!strncmp(secret, "0x", 2))
		fputs(secret, out);
	else if (strncmp(secret, "0s", 2) && !strpbrk(secret, "\"\\"))
		fprintf(out, "\"%s\"", secret);
	else
		for (fputs("0x", out), s = secret; *s; s++)
			fprintf(out, "%02x", (unsigned char)*s);
	fputc('\n', out);
}

/* The remote's identity alone selects a key: one that names our own as well
 * would be tried for every remote, and whoever has it could pose as another.
 */
static void psk(FILE *out, const struct conf_overlay *o, unsigned int wan,
		const struct conf_gen *gen)
{
	const struct conf_auth *a = &o->auth;
	const char *verify = o->role == CONF_BRANCH || !a->user[0] ?
				     a->remote_psk : "";
	const char *prove = o->role == CONF_HEAD_END || !a->user[0] ?
				    a->local_psk : "";
	bool both = prove[0] && verify[0] && strcmp(prove, verify) != 0;
	const char *id = conf_remote_id(o, wan);
	char name[OVLY_NAME_MAX + 1], buf[CONF_ID_MAX + 1];
	const char *own;

	if (!prove[0] && !verify[0])
		return;
	fprintf(out, "\tike-%s {\n\t\tid-remote = %s\n",
		conf_connection(o, wan, name), id ? id : "%any");
	put_secret(out, verify[0] ? verify : prove, gen);
	fputs("\t}\n", out);
	if (!both)
		return;
	/* matches better, so that it is what we prove ourselves with */
	fprintf(out, "\tike-%s-own {\n", name);
	own = conf_local_id(o, wan, buf);
	fprintf(out, "\t\tid-local = %s\n", own ? own : "%any");
	fprintf(out, "\t\tid-remote = %s\n", id ? id : "%any");
	put_secret(out, prove, gen);
	fputs("\t}\n", out);
}

void conf_gen_secrets(FILE *out, const struct conf *conf,
		      const struct conf_gen *gen)
{
	unsigned int i, wan;

	head(out, gen);
	fputs("\nsecrets {\n", out);
	for (i = 0; i < conf->overlays; i++) {
		const struct conf_overlay *o = &conf->overlay[i];

		for (wan = 0; wan < CONF_WANS; wan++)
			if (conf_has_connection(o, wan))
				psk(out, o, wan, gen);
		if (!o->auth.user[0])
			continue;
		fprintf(out, "\teap-%s {\n\t\tid = %s\n", o->name,
			o->auth.user);
		put_secret(out, o->auth.password, gen);
		fputs("\t}\n", out);
	}
	fputs("}\n", out);
}

void conf_gen_strongswan(FILE *out, const struct conf *conf,
			 const struct conf_gen *gen)
{
	bool branch = false;
	unsigned int i;

	for (i = 0; i < conf->overlays; i++)
		branch |= conf->overlay[i].role == CONF_BRANCH;
	head(out, gen);
	fputs("\ncharon {\n"
	      "\t# The module owns the routes, and updown the addresses.  Reading all\n"
	      "\t# tables again whenever BGP changes a route stalls charon.\n"
	      "\tinstall_routes = no\n"
	      "\tinstall_virtual_ip = no\n"
	      "\tprocess_route = no\n"
	      "\t# reauthentication without a gap\n"
	      "\tmake_before_break = yes\n", out);
	if (branch)
		fputs("\t# keeps a Cisco head-end from narrowing the traffic selectors\n"
		      "\tcisco_flexvpn = yes\n", out);
	fputs("}\n", out);
}
