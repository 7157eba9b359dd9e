// SPDX-License-Identifier: GPL-2.0-only
/*
 * Words to a message:
 *
 *	peer-new+create+excl ifname=ov0 peer{ name=hub addr=10.0.0.1 }
 *
 * COMMAND[+FLAG]...  then attributes: NAME=VALUE, NAME{ ... }, with NAME also
 * #NUMBER.  NAME:FORM=VALUE writes the value in another form than is right, and
 * NAME:plain{ leaves out the flag of nests.  bytes=HEX is no attribute, these
 * bytes stand in the message as they are.
 */
#include "request.h"

#include <arpa/inet.h>
#include <linux/genetlink.h>
#include <linux/rtnetlink.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/ovly.h>

#include "attrs.h"

#define DEPTH_MAX 4

static int complain(const char *format, ...)
{
	va_list args;

	fputs("ovlynl: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	return -1;
}

static void *put(struct request *req, const void *data, size_t len)
{
	size_t aligned = NLA_ALIGN(len);
	void *at;

	if (req->len + aligned > req->size) {
		size_t size = 2 * req->size + aligned + 4096;
		unsigned char *buf = realloc(req->buf, size);

		if (!buf)
			return NULL;
		req->buf = buf;
		req->size = size;
	}
	at = req->buf + req->len;
	memset(at, 0, aligned);
	if (data)
		memcpy(at, data, len);
	req->len += aligned;
	return at;
}

static int put_attr(struct request *req, unsigned int type, const void *data, size_t len)
{
	struct nlattr nla = { .nla_type = type, .nla_len = sizeof(nla) + len };

	if (sizeof(nla) + len > UINT16_MAX)
		return complain("attribute %u is too long", type);
	if (!put(req, &nla, sizeof(nla)) || !put(req, data, len))
		return complain("no memory");
	return 0;
}

static int from_hex(const char *s, unsigned char *out, size_t size)
{
	size_t n;

	for (n = 0; s[2 * n]; n++) {
		unsigned int byte;

		if (n == size || sscanf(s + 2 * n, "%2x", &byte) != 1 || !s[2 * n + 1])
			return complain("'%s' is not hex, or too long", s);
		out[n] = byte;
	}
	return (int)n;
}

static int put_integer(struct request *req, unsigned int type, const char *text, size_t size)
{
	char *end;
	uint64_t value = strtoull(text, &end, 0);
	unsigned char bytes[8];
	uint32_t u32 = value;
	uint16_t u16 = value;

	if (*end || !*text)
		return complain("'%s' is not a number", text);
	bytes[0] = value;
	if (size == 2)
		memcpy(bytes, &u16, 2);
	else if (size == 4)
		memcpy(bytes, &u32, 4);
	else if (size == 8)
		memcpy(bytes, &value, 8);
	return put_attr(req, type, bytes, size);
}

static int put_string(struct request *req, unsigned int type, char *text, size_t nul)
{
	char *in, *out = text;
	unsigned int byte;

	for (in = text; *in; in++) {
		if (*in == '%' && sscanf(in + 1, "%2x", &byte) == 1) {
			*out++ = (char)byte;
			in += 2;
		} else {
			*out++ = *in;
		}
	}
	*out = '\0';
	return put_attr(req, type, text, (size_t)(out - text) + nul);
}

static int put_ip(struct request *req, unsigned int type, const char *text)
{
	unsigned char ip[16];

	if (inet_pton(AF_INET, text, ip) == 1)
		return put_attr(req, type, ip, 4);
	if (inet_pton(AF_INET6, text, ip) == 1)
		return put_attr(req, type, ip, 16);
	return complain("'%s' is not an address", text);
}

static int put_value(struct request *req, unsigned int type, enum form form, char *text)
{
	unsigned char bytes[4096];
	int n;

	switch (form) {
	case F_U8:
		return put_integer(req, type, text, 1);
	case F_U16:
		return put_integer(req, type, text, 2);
	case F_U32:
	case F_EVENT:
		return put_integer(req, type, text, 4);
	case F_U64:
		return put_integer(req, type, text, 8);
	case F_STR:
		return put_string(req, type, text, 1);
	case F_RAWSTR:
		return put_string(req, type, text, 0);
	case F_IP:
		return put_ip(req, type, text);
	default:
		n = from_hex(text, bytes, sizeof(bytes));
		return n < 0 ? n : put_attr(req, type, bytes, (size_t)n);
	}
}

/* The number of the attribute that the first @len bytes of @word name. */
static int attr_number(const struct attr_set *set, const char *word, size_t len)
{
	int type = attr_find(set, word, len);

	if (type >= 0)
		return type;
	if (*word == '#')
		return atoi(word + 1);
	return complain("there is no attribute '%.*s' here", (int)len, word);
}

static int put_word(struct request *req, const struct attr_set *set, char *word)
{
	size_t name = strcspn(word, ":=");
	char *value = strchr(word, '=');
	const struct attr *attr;
	int type, form;

	if (!value)
		return complain("'%s' lacks a value", word);
	*value++ = '\0';
	if (!strcmp(word, "bytes")) {
		unsigned char bytes[64];
		int n = from_hex(value, bytes, sizeof(bytes));

		return n < 0 || !put(req, bytes, (size_t)n) ? -1 : 0;
	}
	type = attr_number(set, word, name);
	if (type < 0)
		return -1;
	attr = attr_get(set, (unsigned int)type);
	form = attr ? (int)attr->form : F_BIN;
	if (word[name] == ':')
		form = form_find(word + name + 1, strlen(word + name + 1));
	if (form < 0)
		return complain("'%s' has a form that is not known", word);
	return put_value(req, (unsigned int)type, (enum form)form, value);
}

static int put_words(struct request *req, char *words[], int n)
{
	const struct attr_set *sets[DEPTH_MAX] = { req->command->attrs };
	size_t starts[DEPTH_MAX];
	int i, type, depth = 0;

	for (i = 0; i < n; i++) {
		size_t len = strlen(words[i]);
		const struct attr *attr;
		uint16_t nest_len;
		bool plain;

		if (!strcmp(words[i], "}")) {
			if (!depth--)
				return complain("one } too many");
			nest_len = req->len - starts[depth];
			memcpy(req->buf + starts[depth], &nest_len, sizeof(nest_len));
			continue;
		}
		if (!len || words[i][len - 1] != '{') {
			if (put_word(req, sets[depth], words[i]))
				return -1;
			continue;
		}
		plain = strchr(words[i], ':');
		type = attr_number(sets[depth], words[i], strcspn(words[i], ":{"));
		if (type < 0 || depth == DEPTH_MAX - 1)
			return -1;
		attr = attr_get(sets[depth], (unsigned int)type);
		starts[depth] = req->len;
		if (put_attr(req, (unsigned int)type | (plain ? 0 : NLA_F_NESTED), NULL, 0))
			return -1;
		sets[++depth] = attr ? attr->nest : NULL;
	}
	return depth ? complain("a } is missing") : 0;
}

static int parse_flags(struct request *req, const char *word)
{
	static const struct {
		const char *name;
		uint16_t flag;
	} flags[] = {
		{ "create", NLM_F_CREATE }, { "excl", NLM_F_EXCL }, { "replace", NLM_F_REPLACE },
		{ "append", NLM_F_APPEND }, { "dump", NLM_F_DUMP },
	};
	unsigned int i;

	while (*word == '+') {
		size_t len = strcspn(++word, "+");

		for (i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
			if (strlen(flags[i].name) == len && !memcmp(flags[i].name, word, len))
				break;
		if (i == sizeof(flags) / sizeof(flags[0]))
			return complain("there is no flag '%.*s'", (int)len, word);
		req->flags |= flags[i].flag;
		word += len;
	}
	return 0;
}

size_t request_header_len(const struct command *command)
{
	return NLMSG_HDRLEN + (command->rtnl ? NLMSG_ALIGN(sizeof(struct ifinfomsg)) : GENL_HDRLEN);
}

/* Fills @req but for type, sequence number and length; 0 or -1. */
int request_parse(struct request *req, char *words[], int n)
{
	struct genlmsghdr *genl;
	size_t name;

	memset(req, 0, sizeof(*req));
	if (!n)
		return complain("a request starts with a command");
	name = strcspn(words[0], "+");
	req->command = command_find(words[0], name);
	if (!req->command)
		return complain("there is no command '%s'", words[0]);
	if (parse_flags(req, words[0] + name))
		return -1;
	if (!put(req, NULL, request_header_len(req->command)))
		return complain("no memory");
	if (!req->command->rtnl) {
		genl = (struct genlmsghdr *)(req->buf + NLMSG_HDRLEN);
		genl->cmd = (uint8_t)req->command->type;
		genl->version = OVLY_GENL_VERSION;
	}
	return put_words(req, words + 1, n - 1);
}

void request_free(struct request *req)
{
	free(req->buf);
	memset(req, 0, sizeof(*req));
}
