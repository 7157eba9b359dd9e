/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _OVLY_RX_H
#define _OVLY_RX_H

int ovly_rx_register(void);
void ovly_rx_unregister(void);

#endif /* _OVLY_RX_H */
