/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Virtual network interfaces: netback makes vifDOM.N, we put it on its bridge by rtnetlink, without a
 * script. A script named in the configuration (other than the stock vif-bridge) is still run.
 */
#include "serai.h"

#include <errno.h>
#include <linux/if.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

unsigned int if_nametoindex(const char *name);

/* One RTM_NEWLINK that sets master, MTU and "up", and its acknowledgement. */
static int link_set(int index, int master, int mtu)
{
	struct {
		struct nlmsghdr h;
		struct ifinfomsg i;
		char attr[64];
	} m = {.h = {.nlmsg_len = NLMSG_LENGTH(sizeof(struct ifinfomsg)),
		     .nlmsg_type = RTM_NEWLINK,
		     .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK},
	       .i = {.ifi_family = AF_UNSPEC, .ifi_index = index, .ifi_flags = IFF_UP, .ifi_change = IFF_UP}};
	const struct {
		unsigned short type;
		int value;
	} attrs[] = {{IFLA_MASTER, master}, {IFLA_MTU, mtu}};
	char reply[1024];
	struct nlmsgerr *e;
	int fd, rc = 0;

	for (unsigned int k = 0; k < 2; k++) {
		struct rtattr *a = (struct rtattr *)((char *)&m + NLMSG_ALIGN(m.h.nlmsg_len));

		if (!attrs[k].value)
			continue;
		a->rta_type = attrs[k].type;
		a->rta_len = RTA_LENGTH(sizeof(int));
		memcpy(RTA_DATA(a), &attrs[k].value, sizeof(int));
		m.h.nlmsg_len = NLMSG_ALIGN(m.h.nlmsg_len) + RTA_LENGTH(sizeof(int));
	}
	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (fd < 0)
		return -errno;
	if (send(fd, &m, m.h.nlmsg_len, 0) < 0 ||
	    recv(fd, reply, sizeof(reply), 0) < (ssize_t)NLMSG_LENGTH(sizeof(*e)))
		rc = -errno;
	else if (((struct nlmsghdr *)reply)->nlmsg_type == NLMSG_ERROR)
		rc = ((struct nlmsgerr *)NLMSG_DATA((struct nlmsghdr *)reply))->error;
	close(fd);
	return rc;
}

int net_bridge_add(const char *ifname, const char *bridge, int mtu)
{
	unsigned int i = if_nametoindex(ifname), b = if_nametoindex(bridge);

	return i && b ? link_set(i, b, mtu) : -ENODEV;
}

int net_up(const char *ifname)
{
	unsigned int i = if_nametoindex(ifname);

	return i ? link_set(i, 0, 0) : -ENODEV;
}

/*
 * netback announces its state before its interface exists. Link events tell when it does: subscribe first,
 * look second, so that nothing falls in between.
 */
static int link_wait(const char *ifname, int timeout_ms)
{
	struct sockaddr_nl a = {.nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE), rc = 0;
	struct pollfd p = {.fd = fd, .events = POLLIN};
	char buf[8192];

	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0)
		rc = -errno;
	while (rc == 0 && !if_nametoindex(ifname)) {
		int n = poll(&p, 1, timeout_ms);

		if (n < 0 && errno != EINTR)
			rc = -errno;
		else if (n == 0)
			rc = -ETIMEDOUT;
		else if (n > 0 && recv(fd, buf, sizeof(buf), 0) < 0 && errno != ENOBUFS && errno != EINTR)
			rc = -errno;
	}
	if (fd >= 0)
		close(fd);
	return rc;
}

/* Addresses from the range IEEE gave to Xen guests: 00:16:3e. */
static void mac_random(uint8_t mac[6])
{
	uint8_t r[3] = {0};

	getrandom(r, sizeof(r), 0);
	memcpy(mac, "\x00\x16\x3e", 3);
	mac[3] = r[0] & 0x7f;
	mac[4] = r[1];
	mac[5] = r[2];
}

static int nic_connect(struct serai *s, domid_t dom, const struct nic *n, const char *bridge)
{
	char ifname[IFNAMSIZ], path[128];
	int rc;

	snprintf(ifname, sizeof(ifname), "vif%u.%d", dom, n->devid);
	snprintf(path, sizeof(path), "/local/domain/0/backend/vif/%u/%d/state", dom, n->devid);
	rc = device_wait(s, path, 2, 40000);
	if (rc == 0)
		rc = link_wait(ifname, 20000);
	if (rc < 0)
		return serai_fail(s, rc, "domain %u: no driver took up %s: is xen-netback loaded?", dom,
				  ifname);
	rc = net_bridge_add(ifname, bridge, n->mtu);
	if (rc < 0)
		return serai_fail(s, rc, "domain %u: %s cannot join bridge %s: %s", dom, ifname, bridge,
				  strerror(-rc));
	return device_hotplugged(s, dom, "vif", n->devid);
}

int nic_attach(struct serai *s, domid_t dom, struct nic *n)
{
	struct kv front[4] = {{"handle", ""}, {"mac", ""}, {"trusted", "1"}, {"mtu", "1500"}};
	struct kv back[10] = {{"handle", ""}, {"mac", ""}, {"bridge", ""}, {"type", "vif"}, {"script", ""}};
	const char *bridge = n->bridge ? n->bridge : "xenbr0";
	unsigned int nb = 5;
	bool own = n->script && !strstr(n->script, "vif-bridge");
	int rc;

	if (!n->has_mac) {
		mac_random(n->mac);
		n->has_mac = true;
	}
	if (!own && !if_nametoindex(bridge))
		return serai_fail(s, -ENODEV,
				  "bridge %s does not exist (ip link add %s type bridge makes it)", bridge,
				  bridge);
	snprintf(front[0].value, sizeof(front[0].value), "%d", n->devid);
	mac_format(n->mac, front[1].value);
	if (n->mtu)
		snprintf(front[3].value, sizeof(front[3].value), "%d", n->mtu);
	strcpy(back[0].value, front[0].value);
	strcpy(back[1].value, front[1].value);
	snprintf(back[2].value, sizeof(back[2].value), "%s", bridge);
	snprintf(back[4].value, sizeof(back[4].value), "%s%s",
		 own && *n->script != '/' ? "/etc/xen/scripts/" : "",
		 own ? n->script : "/etc/xen/scripts/vif-bridge");
	if (n->ip) {
		back[nb].key = "ip";
		snprintf(back[nb++].value, sizeof(back[0].value), "%s", n->ip);
	}
	if (n->rate_bytes) {
		back[nb].key = "rate";
		snprintf(back[nb++].value, sizeof(back[0].value), "%lu,%lu", (unsigned long)n->rate_bytes,
			 (unsigned long)n->rate_us);
	}
	if (own) {
		back[nb].key = "serai-script";
		strcpy(back[nb++].value, back[4].value);
	}
	rc = device_add(s, dom, "vif", n->devid, front, 4, back, nb);
	if (rc < 0)
		return rc;
	if (!own)
		return nic_connect(s, dom, n, bridge);
	char ifname[IFNAMSIZ];

	snprintf(ifname, sizeof(ifname), "vif%u.%d", dom, n->devid);
	return device_script(s, dom, "vif", n->devid, back[4].value, "online", ifname);
}
