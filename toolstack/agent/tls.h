/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A client's TLS session: as a link, and by whose certificate it is. */
#ifndef SERAI_AGENT_TLS_H
#define SERAI_AGENT_TLS_H

#include "relay.h"

#include <gnutls/gnutls.h>
#include <microhttpd.h>
#include <stdint.h>

#define TLS_OWNER 32 /* bytes: SHA-256 of the certificate */

gnutls_session_t tls_session(struct MHD_Connection *c);
void tls_link(gnutls_session_t s, struct relay_link *l);
/* -EACCES: there is no certificate. */
int tls_owner(gnutls_session_t s, uint8_t owner[TLS_OWNER]);

#endif
