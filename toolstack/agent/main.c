/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * seraid: this host over HTTPS, for clients with a certificate. Without certificates it does not
 * start, so nothing ever listens that anybody may talk to.
 */
#include "agent.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TLS_DIR "/etc/serai/tls"
#define FILE_LIMIT (1 << 20)
#define IDLE_S 60
/* A move may have 17 of them; and each is a thread, and some files. */
#define CONNECTIONS 128
/* How long the further connections of a move may take to come. */
#define JOIN_S 60u
/* TLS 1.2 and 1.3, with forward secrecy and authenticated encryption; what costs least goes first. */
#define PRIORITIES                                                                                        \
	"SECURE128:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-KX-ALL:+ECDHE-RSA:+ECDHE-ECDSA:-CIPHER-ALL:+AES-" \
	"128-GCM:+AES-256-GCM:+CHACHA20-POLY1305:%SERVER_PRECEDENCE"

struct options {
	const char *tls, *address, *serai;
	char roles[512];
	unsigned int port, join;
};

struct credentials {
	char *ca, *cert, *key;
};

static void usage(FILE *to)
{
	fputs("Usage: seraid [options]\n\n"
	      "  -a, --address=ADDRESS  listen on this address only (all)\n"
	      "  -p, --port=PORT        on this port (8443; 0: any, and say which)\n"
	      "  -t, --tls=DIR          where ca.pem, cert.pem, key.pem and roles are (" TLS_DIR ")\n"
	      "      --join=SECONDS     how long a move's further connections may take to come (60)\n"
	      "  -r, --roles=FILE       who may do what (DIR/roles)\n"
	      "  -s, --serai=PATH       the serai command (" SERAI_SBINDIR "/serai)\n"
	      "      --verbs            print the verbs and the roles they take, and end\n"
	      "  -h, --help             this\n",
	      to);
}

static int number(const char *t, unsigned int max, unsigned int *v)
{
	char *end;
	unsigned long n = strtoul(t, &end, 10);

	*v = n;
	return *t >= '0' && *t <= '9' && !*end && n <= max ? 0 : -EINVAL;
}

/* 0: go on; 1: done; negative: a mistake. */
static int parse(int argc, char **argv, struct options *o)
{
	enum { VERBS = 1000, JOIN };
	static const struct option opts[] = {
		{"address", 1, NULL, 'a'}, {"port", 1, NULL, 'p'},  {"tls", 1, NULL, 't'},
		{"roles", 1, NULL, 'r'},   {"serai", 1, NULL, 's'}, {"verbs", 0, NULL, VERBS},
		{"join", 1, NULL, JOIN},   {"help", 0, NULL, 'h'},  {0}};
	int c;

	while ((c = getopt_long(argc, argv, "a:p:t:r:s:h", opts, NULL)) != -1) {
		if (c == 'a')
			o->address = optarg;
		else if (c == 'p' && number(optarg, 65535, &o->port) == 0)
			continue;
		else if (c == JOIN && number(optarg, 3600, &o->join) == 0)
			continue;
		else if (c == 't')
			o->tls = optarg;
		else if (c == 'r')
			snprintf(o->roles, sizeof(o->roles), "%s", optarg);
		else if (c == 's')
			o->serai = optarg;
		else if (c == VERBS)
			return call_print_verbs(), 1;
		else if (c == 'h')
			return usage(stdout), 1;
		else
			return usage(stderr), -EINVAL;
	}
	if (optind < argc)
		return usage(stderr), -EINVAL;
	if (!*o->roles)
		snprintf(o->roles, sizeof(o->roles), "%s/roles", o->tls);
	return 0;
}

/* One file of the directory, as text; a secret may not be everybody's to read. */
static char *pem_read(const char *dir, const char *name, bool secret)
{
	char path[512], *t = NULL;
	struct stat st = {0};
	ssize_t n = -1;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0) {
		fprintf(stderr, "seraid: %s: %m\n", path);
	} else if (secret && st.st_mode & S_IRWXO) {
		fprintf(stderr, "seraid: %s: anybody may read it (chmod 600, and make a new one)\n", path);
	} else if (st.st_size > FILE_LIMIT || !(t = calloc(1, st.st_size + 1))) {
		fprintf(stderr, "seraid: %s: too large\n", path);
	} else {
		n = read(fd, t, st.st_size);
		if (n != st.st_size)
			fprintf(stderr, "seraid: %s: cannot be read whole\n", path);
	}
	if (fd >= 0)
		close(fd);
	if (n == st.st_size && n > 0)
		return t;
	free(t);
	return NULL;
}

static int credentials_read(const struct options *o, struct credentials *c)
{
	c->ca = pem_read(o->tls, "ca.pem", false);
	c->cert = pem_read(o->tls, "cert.pem", false);
	c->key = pem_read(o->tls, "key.pem", true);
	if (access(o->roles, R_OK) < 0)
		fprintf(stderr, "seraid: %s: %m\n", o->roles);
	else if (c->ca && c->cert && c->key)
		return 0;
	fprintf(stderr,
		"seraid: not started: it needs %s/ca.pem (whose certificates are accepted), cert.pem and "
		"key.pem "
		"(this host's) and %s (who may do what).\n"
		"seraid: `serai-certs init` makes them, `serai-certs client NAME ROLE` lets somebody in; "
		"seraid(8) says more.\n",
		o->tls, o->roles);
	return -ENOENT;
}

static void library_says(void *arg, const char *fmt, va_list ap)
{
	char line[512];

	(void)arg;
	vsnprintf(line, sizeof(line), fmt, ap);
	fprintf(stderr, "seraid: %s%s", line, strchr(line, '\n') ? "" : "\n");
}

/* Where to listen, or NULL for everywhere. */
static int address_parse(const struct options *o, struct sockaddr_storage *to, unsigned int *flags)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)to;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)to;

	memset(to, 0, sizeof(*to));
	if (!o->address) {
		*flags |= MHD_USE_DUAL_STACK;
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons(o->port);
		return 0;
	}
	if (inet_pton(AF_INET, o->address, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(o->port);
		return 0;
	}
	if (inet_pton(AF_INET6, o->address, &v6->sin6_addr) == 1) {
		*flags |= MHD_USE_IPv6;
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons(o->port);
		return 0;
	}
	fprintf(stderr, "seraid: \"%s\" is not an address\n", o->address);
	return -EINVAL;
}

static struct MHD_Daemon *start_at(const struct sockaddr_storage *at, unsigned int flags,
				   const struct credentials *c, struct agent *a)
{
	return MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION |
					MHD_USE_TLS | MHD_ALLOW_UPGRADE | MHD_USE_ERROR_LOG | flags,
				0, NULL, NULL, on_request, a, MHD_OPTION_EXTERNAL_LOGGER, library_says, NULL,
				MHD_OPTION_SOCK_ADDR, at, MHD_OPTION_HTTPS_MEM_TRUST, c->ca,
				MHD_OPTION_HTTPS_MEM_CERT, c->cert, MHD_OPTION_HTTPS_MEM_KEY, c->key,
				MHD_OPTION_HTTPS_PRIORITIES, PRIORITIES, MHD_OPTION_NOTIFY_CONNECTION,
				on_connection, NULL, MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL,
				MHD_OPTION_CONNECTION_TIMEOUT, IDLE_S, MHD_OPTION_CONNECTION_LIMIT,
				CONNECTIONS, MHD_OPTION_LISTENING_ADDRESS_REUSE, 1, MHD_OPTION_END);
}

static struct MHD_Daemon *start(const struct options *o, const struct credentials *c, struct agent *a)
{
	struct sockaddr_storage at;
	unsigned int flags = 0;
	struct MHD_Daemon *d;

	if (address_parse(o, &at, &flags) < 0)
		return NULL;
	d = start_at(&at, flags, c, a);
	if (!d && !o->address) {
		/* A kernel without IPv6. */
		struct sockaddr_in *v4 = (struct sockaddr_in *)&at;

		memset(&at, 0, sizeof(at));
		v4->sin_family = AF_INET;
		v4->sin_port = htons(o->port);
		d = start_at(&at, 0, c, a);
	}
	if (!d)
		fprintf(stderr,
			"seraid: cannot listen on port %u, or the key does not belong to the certificate\n",
			o->port);
	return d;
}

int main(int argc, char **argv)
{
	struct options o = {
		.tls = TLS_DIR, .port = AGENT_PORT, .join = JOIN_S, .serai = SERAI_SBINDIR "/serai"};
	struct credentials c = {0};
	struct MHD_Daemon *d;
	struct agent a;
	sigset_t wait;
	int sig, rc = parse(argc, argv, &o);

	if (rc)
		return rc < 0;
	signal(SIGPIPE, SIG_IGN);
	/* Before there are threads, so that none of them takes the signals. */
	sigemptyset(&wait);
	sigaddset(&wait, SIGTERM);
	sigaddset(&wait, SIGINT);
	pthread_sigmask(SIG_BLOCK, &wait, NULL);
	if (credentials_read(&o, &c) < 0)
		return 1;
	a = (struct agent){.serai = o.serai, .roles = o.roles, .join = o.join};
	d = start(&o, &c, &a);
	if (!d)
		return 1;
	fprintf(stderr, "seraid: listening on %s port %u\n", o.address ? o.address : "all addresses,",
		MHD_get_daemon_info(d, MHD_DAEMON_INFO_BIND_PORT)->port);
	sigwait(&wait, &sig);
	/*
	 * Moves that are under way are cut, which both their sides are made for; domains and what keeps
	 * them are processes of their own. There is nothing to wait for.
	 */
	fprintf(stderr, "seraid: ends (%s)\n", strsignal(sig));
	_exit(0);
}
