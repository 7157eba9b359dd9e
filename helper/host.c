// SPDX-License-Identifier: GPL-2.0-only
#include "host.h"

#include <fcntl.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "parse.h"

void *host_grow(struct host *host, void *list, unsigned int *n, size_t size)
{
	char *array;

	/* the pointer's type is the caller's */
	memcpy(&array, list, sizeof(array));
	/* a power of two is full */
	if (!(*n & (*n - 1))) {
		array = reallocarray(array, *n ? *n * 2UL : 1, size);
		if (!array) {
			host->no_memory = true;
			return NULL;
		}
		memcpy(list, &array, sizeof(array));
	}
	return memset(array + (size_t)(*n)++ * size, 0, size);
}

static void on_dev(const struct ovly_msg *msg, void *arg)
{
	struct host *host = arg;
	struct ovly_msg *new = host_grow(host, &host->dev, &host->devs,
					 sizeof(*new));

	if (new)
		*new = *msg;
}

static void on_peer(const struct ovly_msg *msg, void *arg)
{
	struct host *host = arg;
	struct ovly_msg *new = host_grow(host, &host->peer, &host->peers,
					 sizeof(*new));

	if (new)
		*new = *msg;
}

static void on_path(const struct ovly_msg *msg, void *arg)
{
	struct host *host = arg;
	struct ovly_msg *new = host_grow(host, &host->path, &host->paths,
					 sizeof(*new));

	if (new)
		*new = *msg;
}

bool host_read_module(struct host *host, struct ovly_nl *nl, struct err *e)
{
	const struct ovly_req all = { 0 };
	struct ovly_nl_error refusal;

	memset(host, 0, sizeof(*host));
	host->ops = &host_ops;
	host->nl = nl;
	if (!nl->family)
		return true;
	if (!ovly_ctl_dump(nl, OVLY_CMD_DEV_GET, &all, on_dev, host,
			   &refusal) ||
	    !ovly_ctl_dump(nl, OVLY_CMD_PEER_GET, &all, on_peer, host,
			   &refusal) ||
	    !ovly_ctl_dump(nl, OVLY_CMD_PATH_GET, &all, on_path, host,
			   &refusal))
		return ovly_nl_err(e, &refusal,
				   "cannot list the module's objects");
	if (host->no_memory)
		return err_set(e, EXIT_REFUSED, "out of memory");
	return true;
}

bool host_module_version(struct host *host, char *buf, size_t size)
{
	if (!host->ops->file(host, "/sys/module/ovly/version", buf, size))
		return false;
	buf[strcspn(buf, "\n")] = '\0';
	return buf[0];
}

bool host_read(struct host *host, struct ovly_nl *nl, struct err *e)
{
	if (!host_read_module(host, nl, e) || !host_read_links(host, e) ||
	    !host_read_rules(host, e) || !host_read_xfrm(host, e))
		return false;
	if (host->no_memory)
		return err_set(e, EXIT_REFUSED, "out of memory");
	return true;
}

void host_free(struct host *host)
{
	nl_socket_free(host->xfrm);
	free(host->link);
	free(host->rule);
	free(host->policy);
	free(host->sa);
	free(host->dev);
	free(host->peer);
	free(host->path);
	memset(host, 0, sizeof(*host));
}

static bool read_file(struct host *host, const char *path, char *buf,
		      size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	size_t len = 0;
	ssize_t n = 0;

	(void)host;
	buf[0] = '\0';
	if (fd < 0)
		return false;
	while (len < size - 1 &&
	       (n = read(fd, buf + len, size - 1 - len)) > 0)
		len += (size_t)n;
	close(fd);
	buf[len] = '\0';
	return n >= 0;
}

static bool walk_owned(struct host *host, ovly_ctl_cb cb, void *arg)
{
	const struct ovly_req all = { 0 };
	struct ovly_nl_error refusal;

	return ovly_ctl_dump(host->nl, OVLY_CMD_ROUTE_GET, &all, cb, arg,
			     &refusal);
}

const struct host_ops host_ops = {
	.route = host_route_get,
	.longest = host_route_longest,
	.routes = host_route_walk,
	.owned = walk_owned,
	.file = read_file,
};

const struct host_link *host_link(const struct host *host, uint32_t ifindex)
{
	unsigned int i;

	for (i = 0; i < host->links; i++)
		if (host->link[i].link.ifindex == ifindex)
			return &host->link[i];
	return NULL;
}

const char *host_link_name(const struct host *host, uint32_t ifindex,
			   char buf[IFNAMSIZ])
{
	const struct host_link *l = host_link(host, ifindex);

	if (l)
		memcpy(buf, l->link.name, IFNAMSIZ);
	else
		snprintf(buf, IFNAMSIZ, "if%u", ifindex);
	return buf;
}

const struct ovly_msg *host_dev(const struct host *host, uint32_t ifindex)
{
	unsigned int i;

	for (i = 0; i < host->devs; i++)
		if (host->dev[i].ifindex == ifindex)
			return &host->dev[i];
	return NULL;
}

bool host_path_of(const struct ovly_msg *path, const struct ovly_msg *peer)
{
	return path->ifindex == peer->ifindex &&
	       path->path.peer_id == peer->peer.id;
}

bool host_mark_matches(uint32_t mark, uint32_t value, uint32_t mask)
{
	return (mark & mask) == value;
}

bool host_policy_covers(const struct host_policy *p,
			const struct host_flow *flow, uint32_t if_id)
{
	return p->if_id == if_id && !p->proto && !p->ports &&
	       (!p->ifindex || p->ifindex == flow->oif) &&
	       host_mark_matches(flow->mark, p->mark, p->mask) &&
	       prefix_covers(&p->dst, &flow->dst) &&
	       (flow->src.family ? prefix_covers(&p->src, &flow->src) :
				   !p->src.len);
}

const struct host_policy *host_policy_find(const struct host *host,
					   const struct host_flow *flow,
					   uint32_t if_id)
{
	const struct host_policy *best = NULL;
	unsigned int i;

	/* among equals the kernel takes the oldest, which it lists last */
	for (i = 0; i < host->policies; i++) {
		const struct host_policy *p = &host->policy[i];

		if (p->dir == XFRM_POLICY_OUT &&
		    host_policy_covers(p, flow, if_id) &&
		    (!best || p->priority <= best->priority))
			best = p;
	}
	return best;
}

static bool addr_unspecified(const struct ovly_addr *a)
{
	static const uint8_t zero[sizeof(a->b)];

	return !a->family || !memcmp(a->b, zero, addr_bits(a) / 8);
}

static bool same_or_any(const struct ovly_addr *want,
			const struct ovly_addr *have)
{
	return addr_unspecified(want) || addr_equal(want, have);
}

const struct host_sa *host_sa_find(const struct host *host,
				   const struct host_flow *flow,
				   const struct host_policy *policy,
				   const struct ovly_addr *dst)
{
	unsigned int i;

	/* the kernel prefers the newest, and lists it first */
	for (i = 0; i < host->sas; i++) {
		const struct host_sa *sa = &host->sa[i];

		if (sa->spi && sa->esp && sa->if_id == policy->if_id &&
		    host_mark_matches(flow->mark, sa->mark, sa->mask) &&
		    sa->tunnel == policy->tunnel &&
		    (!policy->reqid || sa->reqid == policy->reqid) &&
		    same_or_any(&policy->tmpl_src, &sa->src) &&
		    same_or_any(&policy->tmpl_dst, &sa->dst) &&
		    same_or_any(dst, &sa->dst))
			return sa;
	}
	return NULL;
}
