// SPDX-License-Identifier: GPL-2.0-only
/*
 * ovlynl: netlink as raw as the tests need it: any attribute, right or wrong, and
 * everything that the kernel answers.  request.c has the language.
 */
#include <errno.h>
#include <getopt.h>
#include <linux/genetlink.h>
#include <linux/rtnetlink.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/ovly.h>

#include "attrs.h"
#include "gaps.h"
#include "nla.h"
#include "request.h"
#include "sock.h"

#define REPLY_MAX (1 << 20)

static const char usage[] =
	"usage: ovlynl do [-s] [-f FD] COMMAND[+FLAG]... ATTRIBUTE...\n"
	"       ovlynl do [-s] -            the same, a request a line\n"
	"       ovlynl dump [-s] [-x SHELL-COMMAND [-n TIMES]] COMMAND ATTRIBUTE...\n"
	"       ovlynl listen [-s] [-n COUNT] [-b BYTES]\n"
	"       ovlynl gaps ADDRESS\n"
	"       ovlynl commands             their names\n"
	"  -s  leave out what changes by itself: counters and ages\n"
	"  -f  by the generic-netlink socket that is open as this file\n"
	"  -x  run this after each of the first messages of the dump\n"
	"  -b  receive into a buffer of this size; \"overrun\" is where events were lost\n"
	"Prints the answer, then \"ok\" or the errno, the bad attribute and the text.\n"
	"Exit status: 0 done, 1 refused, 2 could not ask.\n";

struct options {
	bool stable;
	const char *command;
	long times;
	int buffer;
	int fd;
};

static union {
	struct nlmsghdr nlh;
	char bytes[REPLY_MAX];
} reply;

static void print_message(const struct sock *sock, const struct nlmsghdr *nlh, bool stable)
{
	const struct genlmsghdr *genl = NLMSG_DATA(nlh);
	bool rtnl = !sock->family;
	const struct command *command = command_of(rtnl, rtnl ? RTM_NEWLINK : genl->cmd);
	size_t header;

	if (!command) {
		printf("unknown message\n");
		return;
	}
	header = request_header_len(command);
	printf("%s", command->name);
	attrs_print(command->attrs, (const char *)nlh + header, nlh->nlmsg_len - header, stable);
	putchar('\n');
}

/* Of an NLMSG_ERROR, or of the NLMSG_DONE of a dump that failed. */
static const struct nlattr *error_attr(const struct nlmsghdr *nlh, unsigned int type)
{
	size_t skip = NLMSG_HDRLEN + (nlh->nlmsg_type == NLMSG_DONE ? NLMSG_ALIGN(sizeof(int)) :
				      NLMSG_ALIGN(sizeof(struct nlmsgerr)));

	if (!(nlh->nlmsg_flags & NLM_F_ACK_TLVS) || nlh->nlmsg_len < skip)
		return NULL;
	return nla_find((const char *)nlh + skip, nlh->nlmsg_len - skip, type);
}

static const struct attr_set *print_offset(const struct request *req, const struct nlattr *nla)
{
	size_t header = request_header_len(req->command);
	uint32_t offset;

	memcpy(&offset, nla + 1, sizeof(offset));
	if (offset < header) {
		printf("?");
		return NULL;
	}
	return attrs_print_path(req->command->attrs, req->buf + header, req->len - header,
				offset - header);
}

/* What is missing, and in which nest. */
static void print_missing(const struct request *req, const struct nlattr *type,
			  const struct nlattr *nest)
{
	const struct attr_set *set = req->command->attrs;
	const struct attr *attr;
	uint32_t number;

	printf(" miss=");
	if (nest) {
		set = print_offset(req, nest);
		putchar('.');
	}
	memcpy(&number, type + 1, sizeof(number));
	attr = attr_get(set, number);
	if (attr)
		printf("%s", attr->name);
	else
		printf("#%u", number);
}

/* Returns the exit status. */
static int print_result(const struct request *req, const struct nlmsghdr *nlh)
{
	const struct nlattr *text = error_attr(nlh, NLMSGERR_ATTR_MSG);
	const struct nlattr *offset = error_attr(nlh, NLMSGERR_ATTR_OFFS);
	const struct nlattr *missing = error_attr(nlh, NLMSGERR_ATTR_MISS_TYPE);
	const char *name;
	int err;

	/* Either begins with it. */
	memcpy(&err, NLMSG_DATA(nlh), sizeof(err));
	if (!err) {
		printf("ok\n");
		return 0;
	}
	name = strerrorname_np(-err);
	printf("%s attr=", name ? name : "E?");
	if (offset)
		print_offset(req, offset);
	else
		putchar('-');
	if (missing)
		print_missing(req, missing, error_attr(nlh, NLMSGERR_ATTR_MISS_NEST));
	printf(" \"%s\"\n", text ? (const char *)(text + 1) : "");
	return 1;
}

static int send_request(struct sock *sock, struct request *req, uint16_t flags)
{
	uint16_t type = req->command->rtnl ? (uint16_t)req->command->type : sock->family;

	if (!sock_send(sock, req->buf, req->len, type, req->flags | flags))
		return 0;
	perror("ovlynl: send");
	return -1;
}

/* The socket for a command, opened when it is wanted first. */
static struct sock *socket_for(bool rtnl, const struct options *options)
{
	static struct sock socks[2];
	static bool open[2];

	if (!open[rtnl] &&
	    (options->fd >= 0 ? sock_adopt(&socks[rtnl], options->fd, rtnl) :
				sock_open(&socks[rtnl], rtnl))) {
		perror("ovlynl: netlink");
		return NULL;
	}
	open[rtnl] = true;
	return &socks[rtnl];
}

static int do_request(char *words[], int n, const struct options *options)
{
	struct request req;
	struct sock *sock;
	int rc = 2;
	ssize_t len;

	if (request_parse(&req, words, n))
		goto out;
	sock = socket_for(req.command->rtnl, options);
	if (!sock || send_request(sock, &req, 0))
		goto out;
	for (;;) {
		len = sock_recv(sock, &reply, sizeof(reply));
		if (len < (ssize_t)NLMSG_HDRLEN) {
			perror("ovlynl: receive");
			goto out;
		}
		if (reply.nlh.nlmsg_seq != sock->seq)
			continue;
		if (reply.nlh.nlmsg_type == NLMSG_ERROR)
			break;
		/* Granted, but who asks so does not want to see it. */
		if ((req.flags & NLM_F_DUMP) == NLM_F_DUMP &&
		    (reply.nlh.nlmsg_flags & NLM_F_MULTI)) {
			printf("ok\n");
			rc = 0;
			goto out;
		}
		print_message(sock, &reply.nlh, options->stable);
	}
	rc = print_result(&req, &reply.nlh);
out:
	request_free(&req);
	fflush(stdout);
	return rc;
}

/* A request a line; the status is that of the last that was not granted. */
static int do_lines(const struct options *options)
{
	char *line = NULL, **words = NULL, *word;
	size_t size = 0, room = 0;
	int rc = 0, one;

	while (getline(&line, &size, stdin) > 0) {
		size_t n = 0;

		for (word = strtok(line, " \t\n"); word; word = strtok(NULL, " \t\n")) {
			if (n == room) {
				room = 2 * room + 64;
				words = reallocarray(words, room, sizeof(*words));
				if (!words)
					abort();
			}
			words[n++] = word;
		}
		if (!n)
			continue;
		one = do_request(words, (int)n, options);
		if (one)
			rc = one;
	}
	free(words);
	free(line);
	return rc;
}

static void run(const char *command)
{
	fflush(stdout);
	if (system(command))
		fprintf(stderr, "ovlynl: '%s' failed\n", command);
}

static int dump(char *words[], int n, const struct options *options)
{
	unsigned int messages = 0, entries = 0;
	bool interrupted = false, more = true;
	struct request req;
	struct sock *sock;
	int rc = 2;

	if (request_parse(&req, words, n))
		goto out;
	sock = socket_for(req.command->rtnl, options);
	if (!sock)
		goto out;
	sock_receive_buffer(sock, SMALL_BUFFER);
	if (send_request(sock, &req, NLM_F_DUMP))
		goto out;
	while (more) {
		const struct nlmsghdr *nlh = &reply.nlh;
		ssize_t got = sock_recv(sock, &reply, SMALL_BUFFER);
		int len = (int)got;

		if (got < (ssize_t)NLMSG_HDRLEN) {
			perror("ovlynl: receive");
			goto out;
		}
		for (; NLMSG_OK(nlh, len); nlh = NLMSG_NEXT(nlh, len)) {
			interrupted |= nlh->nlmsg_flags & NLM_F_DUMP_INTR;
			if (nlh->nlmsg_type == NLMSG_ERROR) {
				rc = print_result(&req, nlh);
				goto out;
			}
			if (nlh->nlmsg_type == NLMSG_DONE) {
				int err;

				more = false;
				memcpy(&err, NLMSG_DATA(nlh), sizeof(err));
				if (err < 0) {
					rc = print_result(&req, nlh);
					goto out;
				}
				break;
			}
			print_message(sock, nlh, options->stable);
			entries++;
		}
		messages++;
		if (options->command && (long)messages <= options->times && more)
			run(options->command);
	}
	printf("end entries=%u messages=%u intr=%d\n", entries, messages, interrupted);
	rc = 0;
out:
	request_free(&req);
	return rc;
}

static int listen_events(const struct options *options)
{
	struct sock *sock = socket_for(false, options);
	long left = options->times;

	if (!sock)
		return 2;
	if (options->buffer)
		sock_receive_buffer(sock, options->buffer);
	if (sock_join(sock)) {
		printf("%s attr=- \"\"\n", strerrorname_np(errno));
		return 1;
	}
	puts("listening");
	fflush(stdout);
	while (left--) {
		if (sock_recv(sock, &reply, sizeof(reply)) >= (ssize_t)NLMSG_HDRLEN) {
			print_message(sock, &reply.nlh, options->stable);
		} else if (errno == ENOBUFS) {
			puts("overrun");
		} else {
			perror("ovlynl: receive");
			return 2;
		}
		fflush(stdout);
	}
	return 0;
}

int main(int argc, char *argv[])
{
	struct options options = { .times = -1, .fd = -1 };
	const char *verb = argc > 1 ? argv[1] : "";
	int opt;

	optind = 2;
	while ((opt = getopt(argc, argv, "+sf:x:n:b:")) != -1) {
		if (opt == 's')
			options.stable = true;
		else if (opt == 'f')
			options.fd = atoi(optarg);
		else if (opt == 'x')
			options.command = optarg;
		else if (opt == 'n')
			options.times = atol(optarg);
		else if (opt == 'b')
			options.buffer = atoi(optarg);
		else
			goto usage;
	}
	argv += optind;
	argc -= optind;
	if (!strcmp(verb, "commands")) {
		for (opt = 0; command_nth((unsigned int)opt); opt++)
			puts(command_nth((unsigned int)opt)->name);
		return 0;
	}
	if (!strcmp(verb, "gaps") && argc == 1)
		return gaps_watch(argv[0]);
	if (!strcmp(verb, "listen") && !argc)
		return listen_events(&options);
	if (!argc)
		goto usage;
	if (!strcmp(verb, "do"))
		return strcmp(argv[0], "-") ? do_request(argv, argc, &options) : do_lines(&options);
	if (!strcmp(verb, "dump")) {
		if (options.times < 0)
			options.times = 1;
		return dump(argv, argc, &options);
	}
usage:
	fputs(usage, stderr);
	return 2;
}
