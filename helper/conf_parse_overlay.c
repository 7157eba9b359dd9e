// SPDX-License-Identifier: GPL-2.0-only
/* The lines of a secure-overlay block. */
#include <ctype.h>
#include <string.h>

#include "conf_parse.h"
#include "conf_words.h"
#include "fields.h"
#include "parse.h"

const char *const conf_role_words[] = { "branch", "head-end", NULL };
const char *const conf_eap_words[] = { "mschapv2", "md5", "gtc", NULL };

enum kind {
	KIND_WORD, KIND_U32, KIND_IFNAME, KIND_ADDR, KIND_ADDRS, KIND_PREFIXES,
	KIND_HOST, KIND_ID, KIND_IKE, KIND_ESP, KIND_PSK, KIND_EAP,
	KIND_LIMIT, KIND_OVERLAY,
};

#define O(field) offsetof(struct conf_overlay, field)

static const struct item {
	const char *name;
	enum kind kind;
	size_t off;
	const char *what; /* what is expected */
	const char *const *words;
	uint32_t min, max;
} items[CI_N] = {
	[CI_ROLE] = { "role", KIND_WORD, O(role),
		"branch or head-end", conf_role_words },
	[CI_DEVICE] = { "device", KIND_IFNAME, O(dev),
		"a device name" },
	[CI_MODE] = { "mode", KIND_WORD, O(mode),
		"p2p or multipoint", mode_words },
	[CI_VRF] = { "vrf", KIND_IFNAME, O(vrf),
		"the name of a VRF" },
	[CI_TABLE] = { "table", KIND_U32, O(table),
		"the number of a routing table", NULL, 1, UINT32_MAX },
	[CI_MTU] = { "mtu", KIND_U32, O(mtu),
		"a number", NULL, 1280, 65535 },
	[CI_SRC_VALID] = { "source-validation", KIND_WORD, O(src_valid),
		"strict, loose or off", src_valid_words },
	[CI_LOCAL_BRIDGE] = { "local-bridge", KIND_IFNAME, O(wan[CONF_WAN].bridge),
		"a device name" },
	[CI_LOCAL_ADDR] = { "local-interface-ip-addr", KIND_ADDR, O(wan[CONF_WAN].local),
		"an address" },
	[CI_REMOTE_ADDR] = { "remote-interface-ip-addr", KIND_HOST, O(wan[CONF_WAN].remote),
		"an address, a host name or 'any'" },
	[CI_DUAL_BRIDGE] = { "dual-local-bridge", KIND_IFNAME, O(wan[CONF_DUAL].bridge),
		"a device name" },
	[CI_DUAL_LOCAL_ADDR] = { "dual-local-interface-ip-addr", KIND_ADDR, O(wan[CONF_DUAL].local),
		"an address" },
	[CI_DUAL_REMOTE_ADDR] = { "dual-remote-interface-ip-addr", KIND_HOST,
		O(wan[CONF_DUAL].remote),
		"an address, a host name or 'any'" },
	[CI_PRIORITY] = { "priority", KIND_U32, O(wan[CONF_WAN].priority),
		"a number", NULL, 0, UINT32_MAX },
	[CI_DUAL_PRIORITY] = { "dual-priority", KIND_U32, O(wan[CONF_DUAL].priority),
		"a number", NULL, 0, UINT32_MAX },
	[CI_LOCAL_SYSTEM] = { "local-system-ip-addr", KIND_ADDRS, O(local_system),
		"an address" },
	[CI_LOCAL_SUBNET] = { "local-system-ip-subnet", KIND_PREFIXES, O(local_net),
		"a prefix like 10.0.0.0/8" },
	[CI_REMOTE_SYSTEM] = { "remote-system-ip-addr", KIND_ADDRS, O(remote_system),
		"an address" },
	[CI_REMOTE_SUBNET] = { "remote-system-ip-subnet", KIND_PREFIXES, O(remote_net),
		"a prefix like 10.0.0.0/8" },
	[CI_REMOTE_HOST] = { "remote-system-ip-host", KIND_U32, O(remote_host),
		"the number of a host in the remote's subnet", NULL, 1, UINT32_MAX },
	[CI_POOL] = { "address-pool", KIND_PREFIXES, O(pool),
		"a prefix like 10.0.0.0/8" },
	[CI_LOCAL_ID] = { "local-id", KIND_ID, O(local_id),
		"an identity" },
	[CI_REMOTE_ID] = { "remote-id", KIND_ID, O(remote_id),
		"an identity, or 'any'" },
	[CI_IKE_CIPHER] = { "ike-cipher", KIND_IKE, O(ike),
		"a cipher like aes256-sha512-modp4096" },
	[CI_ESP_CIPHER] = { "esp-cipher", KIND_ESP, O(esp),
		"a cipher like aes256-sha512" },
	[CI_PSK] = { "psk", KIND_PSK, 0,
		"local-psk SECRET remote-psk SECRET" },
	[CI_EAP] = { "eap", KIND_EAP, 0,
		"username NAME password SECRET ..." },
	[CI_IF_ID] = { "if-id", KIND_U32, O(if_id),
		"a number", NULL, 1, UINT32_MAX },
	[CI_DPD] = { "dpd-delay", KIND_U32, O(dpd),
		"seconds", NULL, 0, 86400 },
	[CI_LIFETIME] = { "esp-lifetime", KIND_U32, O(lifetime),
		"seconds", NULL, 60, 864000 },
	[CI_IDLE] = { "idle-time", KIND_U32, O(idle),
		"seconds", NULL, 0, 864000 },
	[CI_ON_DOWN] = { "on-down", KIND_WORD, O(on_down),
		"hold or withdraw", on_down_words },
	[CI_LIMIT] = { "route-limit", KIND_LIMIT, O(limit),
		"a number", NULL, 0, UINT32_MAX },
	[CI_BACKUP] = { "backup-overlay", KIND_OVERLAY, O(backup),
		"the name of another overlay" },
	[CI_MARK] = { "packet-mark", KIND_U32, O(mark),
		"a number", NULL, 0, UINT32_MAX },
	[CI_PACKET_PRIORITY] = { "packet-priority", KIND_U32, O(packet_priority),
		"a number", NULL, 0, UINT32_MAX },
};

#undef O

/* Of a host name, an identity or the path of a certificate: nothing that means
 * anything in the files that are made of it.
 */
static bool take_plain(const struct conf_line *line, unsigned int i,
		       const char *what, char out[CONF_ID_MAX + 1],
		       struct conf_diags *diags)
{
	const char *s = conf_want(line, i, what, diags);
	char buf[64];
	size_t k;

	if (!s)
		return false;
	for (k = 0; s[k] && k <= CONF_ID_MAX; k++)
		if (!isgraph((unsigned char)s[k]) ||
		    strchr("\"\\{}#%", s[k]))
			break;
	if (!s[0] || s[k])
		return conf_error(diags, line->word[i].at,
				  "'%s' is not %s: 1 to %d characters, none a blank or one of \" \\ { } # %%",
				  conf_shown(s, buf, sizeof(buf)), what,
				  CONF_ID_MAX);
	strcpy(out, s);
	return true;
}

/* The kernel allows more than a command line and a quoted string do. */
static bool take_ifname(const struct conf_line *line, char out[IFNAMSIZ],
			struct conf_diags *diags)
{
	const char *s = line->word[1].text;
	char buf[64];
	struct err e;
	size_t k;

	if (!parse_ifname(s, out, &e))
		return conf_error(diags, line->word[1].at, "%s: %s",
				  line->word[0].text, e.text);
	for (k = 0; isalnum((unsigned char)s[k]) || (s[k] && strchr("_.@+-", s[k]));
	     k++)
		;
	if (!s[k] && s[0] != '-')
		return true;
	out[0] = '\0';
	return conf_error(diags, line->word[1].at,
			  "%s: '%s' is not a device name of letters, digits and _ . @ + -",
			  line->word[0].text, conf_shown(s, buf, sizeof(buf)));
}

static bool take_host(const struct conf_line *line, const struct item *item,
		      char *out, struct conf_diags *diags)
{
	static const char digits[] = "0123456789.";
	const char *s = line->word[1].text;
	struct ovly_addr a;
	struct err e;
	char buf[64];
	size_t k = 0;

	if (parse_addr(s, &a, &e)) {
		if (!addr_is_unicast(&a))
			return conf_error(diags, line->word[1].at,
					  "'%s' is no unicast address", s);
		strcpy(out, s);
		return true;
	}
	while (isalnum((unsigned char)s[k]) || (k && strchr("-.", s[k]) && s[k]))
		k++;
	/* of digits and dots only: a mistyped address, not a name */
	if (!k || s[k] || k > CONF_ID_MAX || !s[strspn(s, digits)])
		return conf_error(diags, line->word[1].at, "'%s' is not %s",
				  conf_shown(s, buf, sizeof(buf)), item->what);
	strcpy(out, s);
	return true;
}

static bool take_ciphers(const struct conf_line *line, bool ike, char *out,
			 struct conf_diags *diags)
{
	unsigned int i;
	struct err e;

	out[0] = '\0';
	for (i = 1; i < line->n; i++) {
		if (!conf_cipher(line->word[i].text, ike, &e))
			return conf_error(diags, line->word[i].at, "%s",
					  e.text);
		if (strlen(out) + strlen(line->word[i].text) + 2 >
		    CONF_CIPHERS_MAX)
			return conf_error(diags, line->word[i].at,
					  "too many ciphers");
		if (i > 1)
			strcat(out, ",");
		strcat(out, line->word[i].text);
	}
	return true;
}

static bool add_addr(const struct conf_line *line, struct ovly_addrs *list,
		     struct conf_diags *diags)
{
	struct ovly_addr a;
	unsigned int i;
	struct err e;

	if (!parse_addr(line->word[1].text, &a, &e))
		return conf_error(diags, line->word[1].at, "%s", e.text);
	if (!addr_is_unicast(&a))
		return conf_error(diags, line->word[1].at,
				  "'%s' is no unicast address",
				  line->word[1].text);
	for (i = 0; i < list->n; i++)
		if (addr_equal(&list->a[i], &a))
			return conf_error(diags, line->word[1].at,
					  "'%s' is given twice",
					  line->word[1].text);
	if (list->n == OVLY_PEER_ADDRS_MAX)
		return conf_error(diags, line->word[0].at,
				  "at most %d can be given",
				  OVLY_PEER_ADDRS_MAX);
	list->a[list->n++] = a;
	return true;
}

static bool add_prefix(const struct conf_line *line,
		       struct conf_prefixes *list, struct conf_diags *diags)
{
	struct ovly_prefix p;
	unsigned int i;
	struct err e;

	if (!parse_prefix(line->word[1].text, &p, &e))
		return conf_error(diags, line->word[1].at, "%s", e.text);
	for (i = 0; i < list->n; i++)
		if (prefix_contains(&list->p[i], &p) ||
		    prefix_contains(&p, &list->p[i]))
			return conf_error(diags, line->word[1].at,
					  "'%s' overlaps one that was given before",
					  line->word[1].text);
	if (list->n == CONF_PREFIXES_MAX)
		return conf_error(diags, line->word[0].at,
				  "at most %d can be given",
				  CONF_PREFIXES_MAX);
	list->p[list->n++] = p;
	return true;
}

/* Pairs of a keyword and a secret.  A word that is no keyword may be a secret
 * in the wrong place: it is not shown.
 */
static bool take_psk(struct conf_overlay *o, const struct conf_line *line,
		     struct conf_diags *diags)
{
	unsigned int i;

	for (i = 1; i < line->n; i += 2) {
		char *out = NULL;

		if (!strcmp(line->word[i].text, "local-psk"))
			out = o->auth.local_psk;
		else if (!strcmp(line->word[i].text, "remote-psk"))
			out = o->auth.remote_psk;
		if (!out)
			return conf_error(diags, line->word[i].at,
					  "expected local-psk SECRET or remote-psk SECRET");
		if (out[0])
			return conf_error(diags, line->word[i].at,
					  "'%s' is given twice",
					  line->word[i].text);
		if (!conf_take_secret(line, i + 1, out, diags))
			return false;
	}
	if (!o->auth.local_psk[0] || !o->auth.remote_psk[0])
		return conf_error(diags, line->end, "expected %s SECRET",
				  o->auth.local_psk[0] ? "remote-psk" :
							 "local-psk");
	return true;
}

static bool take_eap(struct conf_overlay *o, const struct conf_line *line,
		     struct conf_diags *diags)
{
	struct conf_auth *a = &o->auth;
	unsigned int i;
	struct err e;

	for (i = 1; i < line->n; i += 2) {
		const char *key = line->word[i].text;
		bool ok;

		if (!strcmp(key, "username"))
			ok = take_plain(line, i + 1, "a user name", a->user,
					diags);
		else if (!strcmp(key, "password"))
			ok = conf_take_secret(line, i + 1, a->password, diags);
		else if (!strcmp(key, "local-psk"))
			ok = conf_take_secret(line, i + 1, a->local_psk, diags);
		else if (!strcmp(key, "remote-psk"))
			ok = conf_take_secret(line, i + 1, a->remote_psk, diags);
		else if (!strcmp(key, "cert"))
			ok = take_plain(line, i + 1, "the file of a certificate",
					a->cert, diags);
		else if (!strcmp(key, "cacert"))
			ok = take_plain(line, i + 1, "the file of a certificate",
					a->cacert, diags);
		else if (!strcmp(key, "method"))
			ok = conf_want(line, i + 1, "an EAP method", diags) &&
			     (parse_word(line->word[i + 1].text,
					 conf_eap_words, &a->method, &e) ||
			      conf_error(diags, line->word[i + 1].at, "%s",
					 e.text));
		else
			return conf_error(diags, line->word[i].at,
					  "expected username, password, cacert, cert, local-psk, remote-psk or method, each with a value");
		if (!ok)
			return false;
	}
	if (!a->user[0])
		return conf_error(diags, line->end, "expected username NAME");
	if (!a->password[0])
		return conf_error(diags, line->end,
				  "expected password SECRET");
	return true;
}

/* N [action refuse|disable] */
static bool take_limit(struct conf_overlay *o, const struct item *item,
		       const struct conf_line *line, struct conf_diags *diags)
{
	struct err e;

	if (!parse_u32(line->word[1].text, item->min, item->max, &o->limit, &e))
		return conf_error(diags, line->word[1].at, "%s: %s",
				  item->name, e.text);
	if (line->n == 2)
		return true;
	if (strcmp(line->word[2].text, "action"))
		return conf_error(diags, line->word[2].at,
				  "expected 'action', or the end of the line");
	if (!conf_want(line, 3, "refuse or disable", diags))
		return false;
	if (!parse_word(line->word[3].text, limit_action_words,
			&o->limit_action, &e))
		return conf_error(diags, line->word[3].at, "%s", e.text);
	return conf_want_end(line, 4, diags);
}

/* Whether there is one is known at the end of the file. */
static bool take_overlay(const struct conf_line *line, char *out,
			 struct conf_diags *diags)
{
	const char *s = line->word[1].text;
	char buf[64];

	if (!*s || strlen(s) > CONF_NAME_MAX)
		return conf_error(diags, line->word[1].at,
				  "'%s' is not the name of an overlay",
				  conf_shown(s, buf, sizeof(buf)));
	strcpy(out, s);
	return true;
}

static bool take(struct conf_overlay *o, const struct item *item,
		 const struct conf_line *line, struct conf_diags *diags)
{
	void *dst = (char *)o + item->off;
	const char *value = line->word[1].text;
	bool ok = true;
	struct err e;

	switch (item->kind) {
	case KIND_PSK:
		return take_psk(o, line, diags);
	case KIND_EAP:
		return take_eap(o, line, diags);
	case KIND_IKE:
	case KIND_ESP:
		return take_ciphers(line, item->kind == KIND_IKE, dst, diags);
	case KIND_LIMIT:
		return take_limit(o, item, line, diags);
	case KIND_WORD:
		ok = parse_word(value, item->words, dst, &e);
		break;
	case KIND_U32:
		ok = parse_u32(value, item->min, item->max, dst, &e);
		break;
	case KIND_IFNAME:
		ok = take_ifname(line, dst, diags);
		return conf_want_end(line, 2, diags) && ok;
	case KIND_ADDR:
		ok = parse_addr(value, dst, &e);
		break;
	case KIND_ADDRS:
		ok = add_addr(line, dst, diags);
		return conf_want_end(line, 2, diags) && ok;
	case KIND_PREFIXES:
		ok = add_prefix(line, dst, diags);
		return conf_want_end(line, 2, diags) && ok;
	case KIND_HOST:
		ok = take_host(line, item, dst, diags);
		return conf_want_end(line, 2, diags) && ok;
	case KIND_OVERLAY:
		ok = take_overlay(line, dst, diags);
		return conf_want_end(line, 2, diags) && ok;
	case KIND_ID:
		ok = take_plain(line, 1, item->what, dst, diags);
		return conf_want_end(line, 2, diags) && ok;
	}
	if (!ok)
		return conf_error(diags, line->word[1].at, "%s: %s",
				  item->name, e.text);
	return conf_want_end(line, 2, diags);
}

static bool unknown_item(const struct conf_line *line,
			 struct conf_diags *diags)
{
	const char *names[CI_N + 1];
	char hint[80], buf[64];
	unsigned int i;

	for (i = 0; i < CI_N; i++)
		names[i] = items[i].name;
	names[CI_N] = NULL;
	return conf_error(diags, line->word[0].at,
			  "'%s' is not a line of secure-overlay%s",
			  conf_shown(line->word[0].text, buf, sizeof(buf)),
			  conf_hint_line(line->word[0].text, names, hint,
					 sizeof(hint)));
}

bool conf_parse_overlay_line(struct conf_overlay *o,
			     const struct conf_line *line,
			     struct conf_diags *diags)
{
	const struct item *item;
	unsigned int i;
	bool repeats;

	for (i = 0; i < CI_N; i++)
		if (!strcmp(line->word[0].text, items[i].name))
			break;
	if (i == CI_N)
		return unknown_item(line, diags);
	item = &items[i];
	repeats = item->kind == KIND_ADDRS || item->kind == KIND_PREFIXES;
	if (o->item[i].line && !repeats)
		return conf_error(diags, line->word[0].at,
				  "'%s' is given in line %u already",
				  item->name, o->item[i].line);
	/* also where the value is wrong: it is not missing */
	o->item[i] = line->n > 1 ? line->word[1].at : line->word[0].at;
	if (!conf_want(line, 1, item->what, diags))
		return false;
	return take(o, item, line, diags);
}
