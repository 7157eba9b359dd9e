// SPDX-License-Identifier: GPL-2.0
/*
 * Packets that XFRM must let go of before they enter the stack.
 *
 * XFRM would have a packet wait in a queue of its own, of which a device that is
 * deleted knows nothing: nobody holds the device meanwhile.  And with asynchronous
 * crypto xfrm_input() holds a reference to the device that the packet came by; some
 * kernels (stable 6.1 among them) give it back by asking the packet for its device
 * again, after a callback has put the tunnel there: the underlay keeps a reference
 * for ever, and the tunnel has one too few.  So a packet keeps its device while XFRM
 * has it.  The callback takes a reference to the packet and has XFRM drop its own;
 * the packet goes on from here, with GRO, when the callback has long returned.  That
 * is right on every kernel, ends with the device and costs no copy.
 */
#include "cell.h"

#include <linux/netdevice.h>
#include <linux/skbuff.h>

#include "compat.h"
#include "device.h"

/* Packets that may wait on one CPU, as net.core.netdev_max_backlog by default. */
#define OVLY_CELL_PACKETS	1000

/**
 * struct ovly_cell - what waits on one CPU
 * @queue: the packets, referenced
 * @napi: brings them into the stack, as received on its device
 */
struct ovly_cell {
	struct sk_buff_head queue;
	struct napi_struct napi;
};

static int ovly_cell_poll(struct napi_struct *napi, int budget)
{
	struct ovly_cell *cell = container_of(napi, struct ovly_cell, napi);
	struct sk_buff *skb;
	int done = 0;

	while (done < budget) {
		skb = skb_peek(&cell->queue);
		if (!skb)
			break;
		/* In a thread of its own NAPI may be here before XFRM let go. */
		if (skb_shared(skb))
			return budget;
		skb_unlink(skb, &cell->queue);
		done++;
		/* An unregistration waits for those that saw it running. */
		if (unlikely(!netif_running(napi->dev))) {
			kfree_skb(skb);
			continue;
		}
		skb->dev = napi->dev;
		/* GRO would take pages that a clone has a part in. */
		if (skb_cloned(skb))
			netif_receive_skb(skb);
		else
			napi_gro_receive(napi, skb);
	}
	if (done < budget)
		napi_complete_done(napi, done);
	return done;
}

/**
 * ovly_cell_receive() - receive a packet later
 * @ovly: the device that it is for
 * @skb: the packet; its reference is consumed, others may exist until the caller
 *	lets bottom halves run
 *
 * Context: bottom halves disabled.
 * Return: whether there was room for it
 */
bool ovly_cell_receive(struct ovly_dev *ovly, struct sk_buff *skb)
{
	struct ovly_cell *cell = this_cpu_ptr(ovly->cells);

	if (skb_queue_len_lockless(&cell->queue) >= OVLY_CELL_PACKETS) {
		kfree_skb(skb);
		return false;
	}
	skb_queue_tail(&cell->queue, skb);
	napi_schedule(&cell->napi);
	return true;
}

/**
 * ovly_cell_alloc() - the cells of a device
 * @dev: the device
 *
 * Context: process, RTNL.
 * Return: the cells, or NULL if there is no memory
 */
struct ovly_cell __percpu *ovly_cell_alloc(struct net_device *dev)
{
	struct ovly_cell __percpu *cells = alloc_percpu(struct ovly_cell);
	int cpu;

	if (!cells)
		return NULL;
	for_each_possible_cpu(cpu) {
		struct ovly_cell *cell = per_cpu_ptr(cells, cpu);

		skb_queue_head_init(&cell->queue);
		set_bit(NAPI_STATE_NO_BUSY_POLL, &cell->napi.state);
		ovly_compat_napi_add(dev, &cell->napi, ovly_cell_poll);
		napi_enable(&cell->napi);
	}
	return cells;
}

/**
 * ovly_cell_free() - give the cells of a device up
 * @cells: nobody receives by them any more
 *
 * Context: process.
 */
void ovly_cell_free(struct ovly_cell __percpu *cells)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		struct ovly_cell *cell = per_cpu_ptr(cells, cpu);

		napi_disable(&cell->napi);
		__netif_napi_del(&cell->napi);
		skb_queue_purge(&cell->queue);
	}
	/* Readers of the device's list of NAPIs. */
	synchronize_net();
	free_percpu(cells);
}
