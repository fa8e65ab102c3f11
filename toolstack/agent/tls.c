/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tls.h"

#include <errno.h>
#include <gnutls/crypto.h>

gnutls_session_t tls_session(struct MHD_Connection *c)
{
	const union MHD_ConnectionInfo *i = MHD_get_connection_info(c, MHD_CONNECTION_INFO_GNUTLS_SESSION);

	return i ? i->tls_session : NULL;
}

static ssize_t result(ssize_t n)
{
	return n == GNUTLS_E_AGAIN || n == GNUTLS_E_INTERRUPTED ? -EAGAIN : n < 0 ? -ECONNRESET : n;
}

static ssize_t tls_read(void *arg, void *buf, size_t len)
{
	return result(gnutls_record_recv(arg, buf, len));
}

static ssize_t tls_write(void *arg, const void *buf, size_t len)
{
	return result(gnutls_record_send(arg, buf, len));
}

void tls_link(gnutls_session_t s, struct relay_link *l)
{
	*l = (struct relay_link){s, gnutls_transport_get_int(s), tls_read, tls_write};
}

int tls_owner(gnutls_session_t s, uint8_t owner[TLS_OWNER])
{
	const gnutls_datum_t *chain;
	unsigned int n = 0;

	chain = s ? gnutls_certificate_get_peers(s, &n) : NULL;
	if (!chain || !n || gnutls_hash_fast(GNUTLS_DIG_SHA256, chain[0].data, chain[0].size, owner) < 0)
		return -EACCES;
	return 0;
}
