// SPDX-License-Identifier: GPL-2.0-only
#include "msg.h"

#include <netlink/attr.h>
#include <netlink/genl/genl.h>
#include <netlink/msg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

static bool put_addr(struct nl_msg *msg, int attr, const struct ovly_addr *a)
{
	int len = a->family == AF_INET ? 4 : 16;

	return a->family && nla_put(msg, attr, len, a->b) == 0;
}

static bool put_field(struct nl_msg *msg, const struct field *f,
		      const void *value)
{
	const struct ovly_addrs *addrs = value;
	unsigned int i;

	switch (f->kind) {
	case FIELD_U32:
	case FIELD_ENUM:
	case FIELD_IFINDEX:
	case FIELD_FLAG:
		return nla_put_u32(msg, f->attr, *(const uint32_t *)value) == 0;
	case FIELD_U64:
		return nla_put_u64(msg, f->attr, *(const uint64_t *)value) == 0;
	case FIELD_STR:
		return nla_put_string(msg, f->attr, value) == 0;
	case FIELD_ADDR:
		return put_addr(msg, f->attr, value);
	case FIELD_ADDRS:
		for (i = 0; i < addrs->n; i++)
			if (!put_addr(msg, f->attr, &addrs->a[i]))
				return false;
		return true;
	case FIELD_STATS:
		break; /* read only */
	}
	return false;
}

bool ovly_msg_put_fields(struct nl_msg *msg, const struct field_set *set,
			 const void *object)
{
	uint32_t has = *(const uint32_t *)object;
	unsigned int i;

	for (i = 0; i < set->n; i++) {
		const struct field *f = &set->field[i];

		if (has & HAS(f->attr) &&
		    !put_field(msg, f, (const char *)object + f->off))
			return false;
	}
	return true;
}

static bool put_owners(struct nl_msg *msg, const struct ovly_owners *owners)
{
	unsigned int i;

	for (i = 0; i < owners->n; i++) {
		const struct ovly_owner *o = &owners->o[i];

		if (o->name ? nla_put_string(msg, OVLY_A_ROUTE_PEER_NAME,
					     o->name) < 0 :
			      !put_addr(msg, OVLY_A_ROUTE_VIA, &o->via))
			return false;
	}
	return true;
}

bool ovly_msg_put(struct nl_msg *msg, unsigned int top_attr, const void *object)
{
	const struct ovly_route *route = object;
	struct nlattr *nest = nla_nest_start(msg, (int)top_attr | NLA_F_NESTED);

	if (!nest)
		return false;
	if (!ovly_msg_put_fields(msg, fields_of(top_attr), object) ||
	    (top_attr == OVLY_A_ROUTE && !put_owners(msg, &route->more))) {
		nla_nest_cancel(msg, nest);
		return false;
	}
	/* keeps a nest without attributes, which nla_nest_end() would drop */
	return nla_nest_end_keep_empty(msg, nest) == 0;
}

static bool get_u32(const struct nlattr *nla, uint32_t *out)
{
	if (nla_len(nla) != sizeof(*out))
		return false;
	memcpy(out, nla_data(nla), sizeof(*out));
	return true;
}

static bool get_u64(const struct nlattr *nla, uint64_t *out)
{
	if (nla_len(nla) != sizeof(*out))
		return false;
	memcpy(out, nla_data(nla), sizeof(*out));
	return true;
}

static bool get_addr(const struct nlattr *nla, struct ovly_addr *out)
{
	struct ovly_addr a = { 0 };

	if (nla_len(nla) == 4)
		a.family = AF_INET;
	else if (nla_len(nla) == 16)
		a.family = AF_INET6;
	else
		return false;
	memcpy(a.b, nla_data(nla), (size_t)nla_len(nla));
	*out = a;
	return true;
}

static void get_str(const struct nlattr *nla, char *out, size_t size)
{
	size_t n = strnlen(nla_data(nla), (size_t)nla_len(nla));

	if (n >= size)
		n = size - 1;
	memcpy(out, nla_data(nla), n);
	out[n] = '\0';
}

static bool get_stats(const struct nlattr *nest, struct ovly_stats *out)
{
	struct nlattr *nla;
	int rem;

	memset(out, 0, sizeof(*out));
	nla_for_each_nested(nla, (struct nlattr *)nest, rem) {
		int attr = nla_type(nla);

		if (attr <= OVLY_A_STATS_MAX && stats_name((unsigned int)attr) &&
		    !get_u64(nla, &out->v[attr]))
			return false;
	}
	return true;
}

static bool get_field(const struct nlattr *nla, const struct field *f,
		      void *value)
{
	struct ovly_addrs *addrs = value;

	switch (f->kind) {
	case FIELD_U32:
	case FIELD_ENUM:
	case FIELD_IFINDEX:
	case FIELD_FLAG:
		return get_u32(nla, value);
	case FIELD_U64:
		return get_u64(nla, value);
	case FIELD_STR:
		get_str(nla, value, f->size);
		return true;
	case FIELD_ADDR:
		return get_addr(nla, value);
	case FIELD_ADDRS:
		if (addrs->n >= OVLY_PEER_ADDRS_MAX)
			return false;
		if (!get_addr(nla, &addrs->a[addrs->n]))
			return false;
		addrs->n++;
		return true;
	case FIELD_STATS:
		return get_stats(nla, value);
	}
	return false;
}

bool ovly_msg_get(const struct nlattr *nest, const struct field_set *set,
		  void *object)
{
	struct nlattr *nla;
	int rem;

	nla_for_each_nested(nla, (struct nlattr *)nest, rem) {
		const struct field *f =
			field_find(set, (unsigned int)nla_type(nla));

		if (!f)
			continue;
		if (!get_field(nla, f, (char *)object + f->off))
			return false;
		*(uint32_t *)object |= HAS(f->attr);
	}
	return true;
}

bool ovly_msg_parse(struct nlmsghdr *hdr, struct ovly_msg *out)
{
	struct genlmsghdr *genl;
	struct nlattr *nla;
	int rem;

	memset(out, 0, sizeof(*out));
	if (!genlmsg_valid_hdr(hdr, 0))
		return false;
	genl = genlmsg_hdr(hdr);
	out->cmd = genl->cmd;
	nla_for_each_attr(nla, genlmsg_attrdata(genl, 0),
			  genlmsg_attrlen(genl, 0), rem) {
		bool ok = true;

		switch (nla_type(nla)) {
		case OVLY_A_IFINDEX:
			ok = get_u32(nla, &out->ifindex);
			break;
		case OVLY_A_IFNAME:
			get_str(nla, out->ifname, sizeof(out->ifname));
			break;
		case OVLY_A_DEV:
			ok = ovly_msg_get(nla, &dev_fields, &out->dev);
			break;
		case OVLY_A_PEER:
			ok = ovly_msg_get(nla, &peer_fields, &out->peer);
			break;
		case OVLY_A_PATH:
			ok = ovly_msg_get(nla, &path_fields, &out->path);
			break;
		case OVLY_A_ROUTE:
			if (!(out->has & HAS(OVLY_A_ROUTE)))
				ok = ovly_msg_get(nla, &route_fields,
						  &out->route);
			break;
		case OVLY_A_APPLIED:
			ok = get_u32(nla, &out->applied);
			break;
		case OVLY_A_COOKIE:
			ok = get_u64(nla, &out->cookie);
			break;
		case OVLY_A_EVENT:
			ok = get_u32(nla, &out->event);
			break;
		default:
			continue;
		}
		if (!ok)
			return false;
		out->has |= HAS(nla_type(nla));
	}
	return true;
}

bool ovly_msg_parse_report(struct nlmsghdr *hdr, struct ovly_report *out)
{
	struct nlattr *nla;
	int rem;

	memset(out, 0, sizeof(*out));
	if (!genlmsg_valid_hdr(hdr, 0))
		return false;
	nla_for_each_attr(nla, genlmsg_attrdata(genlmsg_hdr(hdr), 0),
			  genlmsg_attrlen(genlmsg_hdr(hdr), 0), rem) {
		if (nla_type(nla) == OVLY_A_APPLIED) {
			if (!get_u32(nla, &out->applied))
				return false;
		} else if (nla_type(nla) == OVLY_A_REFUSED &&
			   out->n < OVLY_REFUSED_MAX) {
			if (!ovly_msg_get(nla, &refused_fields,
					  &out->refused[out->n++]))
				return false;
		}
	}
	return true;
}

/* Walks to the attribute that starts at "off" of the message, at most one
 * nest deep: the family has no deeper one that takes input.
 */
static const struct nlattr *attr_at(const struct nlmsghdr *hdr,
				    unsigned int off, const struct nlattr **top)
{
	struct genlmsghdr *genl = genlmsg_hdr((struct nlmsghdr *)hdr);
	const char *want = (const char *)hdr + off;
	struct nlattr *nla, *sub;
	int rem, rem2;

	nla_for_each_attr(nla, genlmsg_attrdata(genl, 0),
			  genlmsg_attrlen(genl, 0), rem) {
		*top = nla;
		if ((char *)nla == want)
			return nla;
		if (want < (char *)nla || want >= (char *)nla + nla->nla_len ||
		    !fields_of((unsigned int)nla_type(nla)))
			continue;
		nla_for_each_nested(sub, nla, rem2)
			if ((char *)sub == want)
				return sub;
	}
	return NULL;
}

static const char *sub_name(const struct nlattr *top, unsigned int attr)
{
	const struct field_set *set = fields_of((unsigned int)nla_type(top));
	const struct field *f = set ? field_find(set, attr) : NULL;

	return f ? f->name : "?";
}

void ovly_msg_name_at(const struct nlmsghdr *hdr, unsigned int off, char *out,
		      size_t size)
{
	const struct nlattr *top = NULL;
	const struct nlattr *nla = NULL;

	out[0] = '\0';
	if (genlmsg_valid_hdr((struct nlmsghdr *)hdr, 0))
		nla = attr_at(hdr, off, &top);
	if (!nla)
		return;
	if (nla == top)
		snprintf(out, size, "%s", top_name((unsigned int)nla_type(nla)));
	else
		snprintf(out, size, "%s.%s",
			 top_name((unsigned int)nla_type(top)),
			 sub_name(top, (unsigned int)nla_type(nla)));
}

void ovly_msg_name_missing(const struct nlmsghdr *hdr, unsigned int nest_off,
			   unsigned int attr, char *out, size_t size)
{
	const struct nlattr *top = NULL;
	const struct nlattr *nla = NULL;

	if (nest_off && genlmsg_valid_hdr((struct nlmsghdr *)hdr, 0))
		nla = attr_at(hdr, nest_off, &top);
	if (nla)
		snprintf(out, size, "%s.%s",
			 top_name((unsigned int)nla_type(nla)),
			 sub_name(nla, attr));
	else
		snprintf(out, size, "%s", top_name(attr));
}
